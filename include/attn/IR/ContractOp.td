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
    DeclareOpInterfaceMethods<OpAsmOpInterface,
                              ["getAsmBlockArgumentNames"]>]> {
  let summary = "A tile of a product of matrices";
  let description = [{
    init[r, c] = element(sum over k of lhs[r, k] * rhs[k, c], inputs[r, c]),
    where with `accumulate` the sum begins with what init holds and else with 0,
    and without `element` it is rounded to the type of init. Sums are in the
    accumulation type, the widest of f32 and the types of lhs, rhs and init, and
    so is the first argument of `element`. A sum of nothing is what it begins
    with.

    The maps speak of the dimensions (rows, columns, features), and operands lie
    as their maps say. Rows or columns may be missing: the product of a vector
    and a matrix. `attn-tile-contractions` makes this op with columns innermost
    in init, which are then the lanes of vectors.

    Constraints:
    * (C1) there is one map per operand, a projected permutation of (rows,
      columns, features) of the operand's rank
    * (C2) lhs has features and perhaps rows, rhs features and perhaps columns,
      init the rows and the columns that these have, of which there are some;
      inputs have no other
    * (C3) operands agree on static extents
    * (C4) `element` takes a sum and an element per input, holds elementwise
      arith and math only, and yields an element of init; inputs come with
      `element` only
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
    Attn_FloatShaped:$lhs, Attn_FloatShaped:$rhs,
    Variadic<Attn_ShapedOrElement>:$inputs, Attn_FloatShaped:$init,
    AffineMapArrayAttr:$indexing_maps, UnitAttr:$accumulate);
  let regions = (region Attn_OptionalBlock:$element);
  let assemblyFormat = [{
    `ins` `(` $lhs `,` $rhs `:` type($lhs) `,` type($rhs) `)`
    (`inputs` `(` $inputs^ `:` type($inputs) `)`)?
    `outs` `(` $init `:` type($init) `)` attr-dict
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
    unsigned getInitIndex() { return 2 + getInputs().size(); }
    ::mlir::FloatType getAccumulationType();
  }];
  let hasRegionVerifier = 1;
}

#endif // ATTN_IR_CONTRACTOP_TD
