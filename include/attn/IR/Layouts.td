//===- Layouts.td - How tiles lie in memory ----------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_LAYOUTS_TD
#define ATTN_IR_LAYOUTS_TD

include "attn/IR/AttnDialect.td"
include "attn/IR/LayoutInterface.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Attn_OperandRole : I32EnumAttr<"OperandRole",
    "What an operand is to a tile", [
      I32EnumAttrCase<"query", 0>,
      I32EnumAttrCase<"key", 1>,
      I32EnumAttrCase<"value", 2>,
      I32EnumAttrCase<"input", 3>,
      I32EnumAttrCase<"weighting_operand", 4>,
      I32EnumAttrCase<"accumulator", 5>,
      I32EnumAttrCase<"statistic", 6>,
      I32EnumAttrCase<"output", 7>,
      I32EnumAttrCase<"lse", 8>,
      I32EnumAttrCase<"weights", 9>]> {
  let cppNamespace = "::attn";
}

/// A layout of CPU tiles. What it states is in lib/IR/Layouts/<Class>.cpp, its
/// emitter in lib/Codegen/CPU/<Class>.cpp; `attn-tile` finds it by `propose`.
class Attn_Layout<string className, string attrMnemonic,
                  list<string> overridden = []>
    : AttrDef<Attn_Dialect, className, [
        DeclareAttrInterfaceMethods<LayoutAttrInterface, overridden>]> {
  let mnemonic = attrMnemonic;
  code proposal = [{
    /// The layouts of this kind that a tile of `problem` may have.
    static ::llvm::SmallVector<::attn::LayoutAttrInterface, 2>
    propose(::mlir::MLIRContext *context,
            const ::attn::LayoutProblem &problem);
  }];
  let extraClassDeclaration = proposal;
}

def Attn_LanesAlongRowsAttr
    : Attn_Layout<"LanesAlongRows", "lanes_along_rows"> {
  let summary = "Query rows in the lanes of vectors";
  let description = [{
    Whatever has query rows is stored with them innermost, `lanes` of them, in
    the accumulation type, an i1 in a byte: queries as (d, lanes), accumulators
    as (e, lanes), statistics as (lanes). No reduction crosses lanes. Keys,
    values and inputs without query rows keep the order they have; each of their
    elements is broadcast.

    With `pairs`, queries, keys and values stay in bf16, and are multiplied two
    at a time: queries and keys in pairs of features, weights, rounded to bf16,
    and values in pairs of key rows. Sums are in f32. What is not normal in f32
    may count as 0, whether it goes in or comes out: the dot product of AVX-512
    flushes it.

    The cost is that of a pair in vector operations: for each of the vectors
    that hold the lanes one multiplication, and one broadcast for all of them,
    half of that with `pairs`, times the tiles that the query rows take.

    Example: queries are transposed into lanes, in f32; the tile has 8 rows, of
    which 5 are filled.
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    func.func @queries(%q: tensor<5x4xf16>, %t: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf32>)
          layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q}
          element {
          ^bb0(%x: f16):
            %wide = arith.extf %x : f16 to f32
            attn.yield %wide : f32
          } -> tensor<4x8xf32>
      return %r : tensor<4x8xf32>
    }
    ```
  }];
  let parameters = (ins "int64_t":$lanes,
                        DefaultValuedParameter<"bool", "false">:$pairs);
  let builders = [
    AttrBuilder<(ins "int64_t":$lanes),
                [{ return $_get($_ctxt, lanes, /*pairs=*/false); }]>
  ];
  let assemblyFormat = "`<` $lanes `` custom<Pairs>($pairs) `` `>`";
  let genVerifyDecl = 1;
}

def Attn_LanesAlongFeaturesAttr
    : Attn_Layout<"LanesAlongFeatures", "lanes_along_features",
                  ["foldsRows"]> {
  let summary = "Features and channels in the lanes of vectors";
  let description = [{
    For few query rows, up to `rows` of them, of one or several query row
    dimensions. Everything is stored row by row, features, channels or keys
    innermost: queries as (rows, d), accumulators as (rows, e), statistics as
    (rows), in the accumulation type; keys as (n, d), values as (n, e) and
    inputs in their own types. Where an operand lies so, it is read in place.
    Keys and values are read once, in whole rows: what few rows cost is reading
    them. Similarities are summed across lanes, a vector of keys at a time; from
    there on lanes run along keys until the weights meet the values.

    With `pairs`, queries, keys and values stay in bf16, and are multiplied two
    at a time: queries and keys in pairs of features, weights, rounded to bf16,
    and values in pairs of key rows. Sums are in f32. What is not normal in f32
    may count as 0, as in `lanes_along_rows`. A row that is alone has time to
    convert what it reads, and stays exact.

    The cost is that of a pair in vector operations: a multiplication per row
    and half of one for its part in the sum across lanes, one load for all rows,
    and each of them for as many features as a vector has lanes; times the tiles
    that the query rows take. With `pairs` multiplications and loads are half as
    many. Of more than 8 rows each takes one more, as what is kept of them
    drives keys and values out of the nearest cache.

    Example: 3 queries in a tile that has room for 4, in f32.
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    func.func @queries(%q: tensor<3x5xf16>, %t: tensor<4x5xf32>) -> tensor<4x5xf32> {
      %r = attn.pack ins(%q : tensor<3x5xf16>) outs(%t : tensor<4x5xf32>)
          layout(#attn.lanes_along_features<4>) role(query) {indexing_map = #q}
          element {
          ^bb0(%x: f16):
            %wide = arith.extf %x : f16 to f32
            attn.yield %wide : f32
          } -> tensor<4x5xf32>
      return %r : tensor<4x5xf32>
    }
    ```
  }];
  let parameters = (ins "int64_t":$rows,
                        DefaultValuedParameter<"bool", "false">:$pairs);
  let builders = [
    AttrBuilder<(ins "int64_t":$rows),
                [{ return $_get($_ctxt, rows, /*pairs=*/false); }]>
  ];
  let assemblyFormat = "`<` $rows `` custom<Pairs>($pairs) `` `>`";
  let genVerifyDecl = 1;
}

#endif // ATTN_IR_LAYOUTS_TD
