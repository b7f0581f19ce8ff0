//===- ContractOp.td - A tile of a contraction -------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_CONTRACTOP_TD
#define ATTN_IR_CONTRACTOP_TD

include "attn/IR/AttnBase.td"

def Attn_ContractOp : Attn_DestinationStyleOp<"contract", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<OpAsmOpInterface,
                              ["getAsmBlockArgumentNames"]>]> {
  let summary = "A tile of a product of matrices";
  let description = [{
    init[r, c] = element(sum over k of lhs[r, k] * rhs[k, c], inputs[r, c]),
    where with `accumulate` the sum begins with what init holds and else with 0,
    and without `element` it is rounded to the type of init. A factor that has a
    region of its own, `lhs_element` or `rhs_element`, is what the region makes
    of an element: lhs_element(lhs[r, k], lhs_inputs[r, k]). Sums are in the
    accumulation type, the widest of f32 and the types of the two factors and of
    init, and so is the first argument of `element`. A sum of nothing is what it
    begins with.

    Factors are computed where they are packed: those of lhs once for each block
    of columns, those of rhs once for each block of rows.

    The maps speak of the dimensions (rows, columns, features), and operands lie
    as their maps say. Rows or columns may be missing: the product of a vector
    and a matrix. `attn-tile-contractions` makes this op with columns innermost
    in init, which are then the lanes of vectors.

    There is no layout, as steps of attention have: their operands are packed
    once and met many times, by other ops, which have to know how they lie; here
    they are as the caller's maps and strides say, and what is packed lives
    within the op. Types, maps and the target decide when it is compiled that
    columns are lanes (features in the product with a vector), how many rows and
    columns a tile and its blocks have, and whether it multiplies pairs of bf16.
    One kernel serves all extents of a kind, so that the one choice that is left
    is made by the run: up to 64 rows read rhs where it lies, if its columns are
    neighbours in the accumulation type, and more pack it.

    Constraints:
    * (C1) there is one map per operand, a projected permutation of (rows,
      columns, features) of the operand's rank
    * (C2) lhs has features and perhaps rows, rhs features and perhaps columns,
      init the rows and the columns that these have, of which there are some;
      inputs have no other, and those of lhs or rhs no other than it has
    * (C3) operands agree on static extents
    * (C4) `element` takes a sum and an element per input, the other regions an
      element of their operand and one per input of theirs; they hold
      elementwise arith and math only, and yield an element of init or a float;
      inputs come with their region only, and what has no region is of floats
    * (C5) operands are all tensors or all memrefs, and the result has the type
      of init

    Example: a projection with a bias, weights stored output by output.
    ```mlir
    #x = affine_map<(r, c, k) -> (r, k)>
    #w = affine_map<(r, c, k) -> (c, k)>
    #bias = affine_map<(r, c, k) -> (c)>
    #y = affine_map<(r, c, k) -> (r, c)>
    func.func @project(%x: tensor<5x7xf32>, %w: tensor<3x7xf32>, %bias: tensor<3xf32>,
                       %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %y = attn.contract ins(%x, %w : tensor<5x7xf32>, tensor<3x7xf32>)
          inputs(%bias : tensor<3xf32>) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#x, #w, #bias, #y]}
          element {
          ^bb0(%sum: f32, %b: f32):
            %biased = arith.addf %sum, %b : f32
            attn.yield %biased : f32
          } -> tensor<5x3xf32>
      return %y : tensor<5x3xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Shaped:$lhs, Attn_Shaped:$rhs,
    Variadic<Attn_ShapedOrElement>:$lhs_inputs,
    Variadic<Attn_ShapedOrElement>:$rhs_inputs,
    Variadic<Attn_ShapedOrElement>:$inputs, Attn_FloatShaped:$init,
    AffineMapArrayAttr:$indexing_maps, UnitAttr:$accumulate);
  let regions = (region
    Attn_OptionalBlock:$lhs_element, Attn_OptionalBlock:$rhs_element,
    Attn_OptionalBlock:$element);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`lhs_inputs` `(` $lhs_inputs^ `:` type($lhs_inputs) `)`)?
    (`rhs_inputs` `(` $rhs_inputs^ `:` type($rhs_inputs) `)`)?
    (`inputs` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict
    (`lhs_element` $lhs_element^)? (`rhs_element` $rhs_element^)?
    (`element` $element^)? (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    /// The dimensions of the maps.
    enum Dim : unsigned { Rows, Columns, Features };

    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitMutable();
    }
    /// The map of operand `index`.
    ::mlir::AffineMap getIndexingMap(unsigned index) {
      return ::llvm::cast<::mlir::AffineMapAttr>(
          getIndexingMaps()[index]).getValue();
    }
    unsigned getInitIndex() { return getNumOperands() - 1; }
    /// The position of the first input of `element` among the operands.
    unsigned getInputIndex() { return getInitIndex() - getInputs().size(); }
    /// The region of factor `side`, 0 for lhs and 1 for rhs, its inputs, and
    /// the position of the first of these among the operands.
    ::mlir::Region &getFactorRegion(unsigned side) {
      return side == 0 ? getLhsElement() : getRhsElement();
    }
    ::mlir::OperandRange getFactorInputs(unsigned side) {
      return side == 0 ? getLhsInputs() : getRhsInputs();
    }
    unsigned getFactorInputIndex(unsigned side) {
      return side == 0 ? 2 : 2 + getLhsInputs().size();
    }
    /// The type of the factors of `side`.
    ::mlir::Type getFactorType(unsigned side);
    ::mlir::FloatType getAccumulationType();
  }];
  let hasRegionVerifier = 1;
}

#endif // ATTN_IR_CONTRACTOP_TD
