//===- AttnOps.td - Operations of the dialect --------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNOPS_TD
#define ATTN_IR_ATTNOPS_TD

include "attn/IR/AttnAttributes.td"
include "attn/IR/AttnDialect.td"
include "attn/IR/AttnInterfaces.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/OpBase.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/TilingInterface.td"

def Attn_Element : AnyTypeOf<[F16, BF16, F32, F64, I1, I8, I16, I32, I64, Index],
    "f16, bf16, f32, f64, i1, i8, i16, i32, i64 or index">;
def Attn_Shaped : AnyTypeOf<
    [RankedTensorOf<[Attn_Element]>, MemRefOf<[Attn_Element]>],
    "ranked tensor or memref of f16, bf16, f32, f64, i1, i8, i16, i32, i64 or "
    "index">;
def Attn_FloatShaped : AnyTypeOf<[
    RankedTensorOf<[F16, BF16, F32, F64]>, MemRefOf<[F16, BF16, F32, F64]>],
    "ranked tensor or memref of f16, bf16, f32 or f64">;
def Attn_BoolShaped : AnyTypeOf<[RankedTensorOf<[I1]>, MemRefOf<[I1]>],
    "ranked tensor or memref of i1">;
def Attn_ShapedOrElement : AnyTypeOf<[Attn_Shaped, Attn_Element],
    "f16, bf16, f32, f64, i1, i8, i16, i32, i64, index, or a ranked tensor or "
    "memref of one">;
def Attn_OptionalBlock : MaxSizedRegion<1>;

/// No attribute is one that nobody reads: see the C++ of the trait.
def Attn_KnownAttributes : NativeOpTrait<"KnownAttributes"> {
  let cppNamespace = "::attn";
}

class Attn_Op<string mnemonic, list<Trait> traits = []>
    : Op<Attn_Dialect, mnemonic, !listconcat([Attn_KnownAttributes], traits)>;

/// An op in destination style: results tied to its inits, on tensors before
/// bufferization and on memrefs after it.
class Attn_DestinationStyleOp<string mnemonic, list<Trait> traits = []>
    : Attn_Op<mnemonic, !listconcat([
        DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The core op
//===----------------------------------------------------------------------===//

def Attn_GenericOp : Attn_DestinationStyleOp<"generic", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<AttentionOpInterface, ["getAccumulatorInit"]>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames",
                                                 "getAsmResultNames"]>]> {
  let summary = "Attention as a similarity, a score, a mask and a weighting";
  let description = [{
    For every query row i and every key row j for which `mask` holds, with all
    arithmetic in the accumulation type (`acc_type`, or the widest of f32 and
    the element types of query, key, value and output):

      s_ij = score(scale * sum_d similarity(q_i, k_j))
      w_i  = weighting(s_i over the visible j)
      o_i  = sum_j weight(w_ij) v_j

    An empty `similarity` is the product, an empty `mask` is true, an empty
    `score` or `weight` is the identity. Pairs that the mask hides contribute
    nothing, whatever their score, key or value holds. A row that sees no key
    has output 0, weights 0, and log-sum-exp -inf (with a sink: the sink).

    `indexing_maps` gives one projected permutation per operand, in operand
    order, over the dimensions of the iteration. The *class* of a dimension
    follows from where it occurs:

    * batch: output and key; or output, query and value;
    * query rows (m): query and output only;
    * key rows (n): key and value only;
    * features (d): query and key only;
    * value channels (e): value and output only.

    `inputs` are further tensors or scalars that the regions read as element
    arguments: `similarity(q, k, inputs)`, `mask(inputs)`, `score(s, inputs)`,
    `weight(w, inputs)`. Float elements reach the regions in the accumulation
    type, others in their own. Regions may use `attn.index` and may read
    captured tensors at computed indices; reads in `score` and `weight` happen
    for visible pairs only, so `table[i - j]` under a causal mask is in bounds.

    In a mask, arithmetic on `index` must not wrap; on other integers it may. A
    mask that casts an `index` to 32 bits belongs to extents below 2^30.

    `ranges` and `classify` say for a box of positions what the mask does; the
    compiler derives them. Both take the position along each batch dimension,
    the first and the last position along each query row dimension, and the
    position along each key row dimension but the last; `classify` also the
    first and the last position along that one. `ranges` yields half-open
    ranges of keys, begin and end in turn, whose union holds every key that some
    row of the box sees; they may overlap or be empty. `classify` yields whether
    no pair of the box is visible, and whether all are, as far as is known.

    The inits are overwritten, not read. `lse` receives the natural log-sum-exp
    of each row, `weights` the weights after the weight region.

    Constraints:
    * (C1) one indexing map per operand, in operand order
    * (C2) each map is a projected permutation over the same dimensions, with
      as many results as its operand has dimensions
    * (C3) every dimension has a class, and there is a key row dimension
    * (C4) operands agree on the extent of each dimension
    * (C5) inputs have no value channel; an input over features is read in
      `similarity` only
    * (C6) region arguments and results have the types described above
    * (C7) regions hold elementwise arith and math, affine apply, min and max,
      reads and `attn.index` only, on f16, bf16, f32, f64, index and integers
      of up to 64 bits
    * (C8) `attn.index` names a batch, query row or key row dimension
    * (C9) the weighting gets its operands, over batch and query rows only
    * (C10) `lse` spans batch and query rows, and the weighting defines it
    * (C11) `weights` spans batch, query rows and key rows
    * (C12) the accumulation type is f32 or f64 and no narrower than the
      element types of query, key and value
    * (C13) operands are all tensors or all memrefs, and each result has the
      type of its init
    * (C14) `ranges` and `classify` have the arguments and results described
      above, hold what (C7) allows but `attn.index`, and stand beside a mask

    Example:
    ```mlir
    #q = affine_map<(b, m, n, d, e) -> (b, m, d)>
    #k = affine_map<(b, m, n, d, e) -> (b, n, d)>
    #v = affine_map<(b, m, n, d, e) -> (b, n, e)>
    #o = affine_map<(b, m, n, d, e) -> (b, m, e)>
    func.func @causal(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                      %v: tensor<2x7x3xf32>) -> tensor<2x5x3xf32> {
      %init = tensor.empty() : tensor<2x5x3xf32>
      %o = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<2x5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64}
          mask {
            %i = attn.index 1
            %j = attn.index 2
            %visible = arith.cmpi sle, %j, %i : index
            attn.yield %visible : i1
          } -> tensor<2x5x3xf32>
      return %o : tensor<2x5x3xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$query, Attn_FloatShaped:$key, Attn_FloatShaped:$value,
    Variadic<Attn_ShapedOrElement>:$inputs,
    Variadic<Attn_ShapedOrElement>:$weighting_operands,
    Attn_FloatShaped:$output, Optional<Attn_FloatShaped>:$lse,
    Optional<Attn_FloatShaped>:$weights,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    DefaultValuedAttr<F64Attr, "1.0">:$scale,
    OptionalAttr<TypeAttrOf<AnyFloat>>:$acc_type);
  let regions = (region
    Attn_OptionalBlock:$similarity, Attn_OptionalBlock:$mask,
    Attn_OptionalBlock:$score, Attn_OptionalBlock:$weight,
    Attn_OptionalBlock:$ranges, Attn_OptionalBlock:$classify);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    (`inputs` `(` $inputs^ `:` type($inputs) `)`)?
    `weighting` `(` $weighting
      (`,` $weighting_operands^ `:` type($weighting_operands))? `)`
    `outs` `(` $output `:` type($output) `)`
    oilist(`lse` `(` $lse `:` type($lse) `)` |
           `weights` `(` $weights `:` type($weights) `)`)
    attr-dict
    `` custom<Regions>(
        "{\"similarity\", \"mask\", \"score\", \"weight\", \"ranges\", \"classify\"}",
        $similarity, $mask, $score, $weight, $ranges, $classify)
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
  let hasCanonicalizer = 1;
  let hasRegionVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Named ops
//===----------------------------------------------------------------------===//

def Attn_SdpaOp : Attn_DestinationStyleOp<"sdpa", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames",
                                                 "getAsmResultNames"]>]> {
  let summary = "Scaled dot-product attention";
  let description = [{
    softmax(scale q k^T) v over the last two dimensions, `rows x features`, with
    any number of batch dimensions before them; the last of these, if any, are
    the heads. On one pair the order is: product, `scale` (default: one over the
    square root of the query width), `softcap` c (c tanh(s / c)), `score`
    region, `bias`, then the mask, then the softmax.

    A pair is visible if all of these hold: `causal`, `window`, `boolean_mask`
    (true attends) and the `mask` region. With o = 0 for `top_left`,
    N_k - N_q for `bottom_right`, and the operand for `offset`, causal means
    j <= i + o, and a window `[left, right]` means i + o - left <= j <=
    i + o + right, -1 standing for unbounded. The offset is an integer or one
    integer per batch.

    Query head h reads key head floor(h / group), where group is the number of
    query heads over the number of key heads. `bias` and `boolean_mask` have the
    query's rank, `batch x heads x rows x keys`, or drop leading dimensions; an
    extent of 1 is broadcast, a dynamic one must match.

    The regions get positions: `mask(batch..., head, i, j)` and
    `score(s, batch..., head, i, j)`, the score in the accumulation type, the
    positions as `index`. They follow the rules of `attn.generic`'s.

    Constraints:
    * (C1) query, key, value and output have the same rank, at least 2
    * (C2) batch extents agree
    * (C3) the number of query heads is a multiple of the number of key heads,
      and key and value have as many
    * (C4) the key width is the query width, the value has as many rows as the
      key, and the output is the query with the value's width
    * (C5) `bias` and `boolean_mask` broadcast to batch x heads x rows x keys
    * (C6) the offset is given exactly if `causal` is `offset`, as an integer or
      one integer per batch
    * (C7) a window has two bounds, each -1 or more; the softcap is positive and
      finite; the scale is finite
    * (C8) region arguments and results have the types described above
    * (C9) regions hold only what `attn.generic` allows in its own
    * (C10) `lse` is the output without its last dimension
    * (C11) operands are all tensors or all memrefs, and each result has the
      type of its init

    Example:
    ```mlir
    func.func @gqa(%q: tensor<2x4x5x8xf32>, %k: tensor<2x2x7x8xf32>,
                   %v: tensor<2x2x7x3xf32>) -> tensor<2x4x5x3xf32> {
      %init = tensor.empty() : tensor<2x4x5x3xf32>
      %o = attn.sdpa ins(%q, %k, %v : tensor<2x4x5x8xf32>, tensor<2x2x7x8xf32>, tensor<2x2x7x3xf32>)
          outs(%init : tensor<2x4x5x3xf32>) {causal = #attn.causal<bottom_right>}
          -> tensor<2x4x5x3xf32>
      return %o : tensor<2x4x5x3xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$query, Attn_FloatShaped:$key, Attn_FloatShaped:$value,
    Optional<Attn_FloatShaped>:$bias, Optional<Attn_BoolShaped>:$boolean_mask,
    Optional<Attn_ShapedOrElement>:$offset,
    Attn_FloatShaped:$output, Optional<Attn_FloatShaped>:$lse,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Attn_CausalAttr, "::attn::CausalKind::none">:$causal,
    OptionalAttr<DenseI64ArrayAttr>:$window, OptionalAttr<F64Attr>:$softcap);
  let regions = (region Attn_OptionalBlock:$mask, Attn_OptionalBlock:$score);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    oilist(`bias` `(` $bias `:` type($bias) `)` |
           `boolean_mask` `(` $boolean_mask `:` type($boolean_mask) `)` |
           `offset` `(` $offset `:` type($offset) `)`)
    `outs` `(` $output `:` type($output) `)`
    (`lse` `(` $lse^ `:` type($lse) `)`)?
    attr-dict
    `` custom<Regions>("{\"mask\", \"score\"}", $mask, $score)
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
    /// The number of leading dimensions, heads included.
    int64_t getNumLeadingDims();
    /// The type of all arithmetic: the widest of f32 and the element types of
    /// query, key, value and output.
    ::mlir::FloatType getAccumulationType();
  }];
  let hasRegionVerifier = 1;
}

//===----------------------------------------------------------------------===//
// The tiled form
//===----------------------------------------------------------------------===//

def Attn_OnlineOp : Attn_DestinationStyleOp<"online", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<AttentionOpInterface, ["getAccumulatorInit"]>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames",
                                                 "getAsmResultNames"]>]> {
  let summary = "One step of attention over some of the key rows";
  let description = [{
    The computation of `attn.generic` over the key rows at hand, updating the
    accumulator and the statistics held in its inits: the statistics take in the
    scores, what was accumulated is rescaled, the weighted values are added. The
    accumulator stands in the place of the output and decides the classes. Steps
    over disjoint sets of keys commute, for weightings of kind *accumulate*, up
    to rounding. Where no pair is visible the inits are left as they are.

    The extents of the query row dimensions may exceed what the data holds:
    `rows`, if given, counts the valid rows along the one query row dimension
    whose extent is not 1, and regions are not evaluated beyond it. `full`, if
    given, tells at run time that every pair is visible, so that the mask need
    not be evaluated. `key_tile`, if given, bounds the extent of the key row
    dimension. With `count_tiles` the op counts itself in the buffer that
    `attn-distribute` declares.

    Constraints: (C1) to (C9), (C12) and (C13) of `attn.generic`, with the
    accumulator for the output, and
    * (C14) there is one init per statistic of the weighting, over batch and
      query rows, and accumulator and statistics have the accumulation type
    * (C15) the weight region is homogeneous and linear in the weight by its
      structure: the weight scaled by, or selected against zero on, values that
      do not depend on it, and sums of these

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (d, m)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #acc = affine_map<(m, n, d, e) -> (e, m)>
    #row = affine_map<(m, n, d, e) -> (m)>
    func.func @step(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>)
        -> (tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>) {
      %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax)
          outs(%a : tensor<3x8xf32>) statistics(%m, %l : tensor<8xf32>, tensor<8xf32>)
          {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
          -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
      return %acc, %max, %sum : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$query, Attn_FloatShaped:$key, Attn_FloatShaped:$value,
    Variadic<Attn_ShapedOrElement>:$inputs,
    Variadic<Attn_ShapedOrElement>:$weighting_operands,
    Optional<Index>:$rows, Optional<I1>:$full,
    Attn_FloatShaped:$accumulator, Variadic<Attn_FloatShaped>:$statistics,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    DefaultValuedAttr<F64Attr, "1.0">:$scale,
    OptionalAttr<TypeAttrOf<AnyFloat>>:$acc_type,
    OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$key_tile,
    UnitAttr:$count_tiles);
  let regions = (region
    Attn_OptionalBlock:$similarity, Attn_OptionalBlock:$mask,
    Attn_OptionalBlock:$score, Attn_OptionalBlock:$weight);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    (`inputs` `(` $inputs^ `:` type($inputs) `)`)?
    `weighting` `(` $weighting
      (`,` $weighting_operands^ `:` type($weighting_operands))? `)`
    (`rows` `(` $rows^ `)`)? (`full` `(` $full^ `)`)?
    `outs` `(` $accumulator `:` type($accumulator) `)`
    (`statistics` `(` $statistics^ `:` type($statistics) `)`)?
    attr-dict
    `` custom<Regions>("{\"similarity\", \"mask\", \"score\", \"weight\"}",
                    $similarity, $mask, $score, $weight)
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
  let hasRegionVerifier = 1;
}

def Attn_MergeOp : Attn_DestinationStyleOp<"merge", [
    AttrSizedOperandSegments]> {
  let summary = "Reduces partial results of split keys";
  let description = [{
    Each operand holds S partial results along its leading dimension; the inits
    receive their combination: with t the combined statistics of the score
    phase, every accumulator and statistic of the weight phase is rescaled from
    its own score statistics to t, then summed or combined. Associative, and
    commutative for weightings of kind *accumulate*, up to rounding; with S = 0
    the result is neutral.

    `indexing_maps` gives the maps of the inits: the accumulator's has every
    dimension, a statistic's those of the query rows.

    Constraints:
    * (C1) one map per init, the accumulator's a permutation
    * (C2) one statistic per statistic of the weighting, partial and merged
    * (C3) each partial operand is its init with one leading dimension
    * (C4) operands are all tensors or all memrefs, and each result has the type
      of its init

    Example:
    ```mlir
    #acc = affine_map<(m, e) -> (e, m)>
    #row = affine_map<(m, e) -> (m)>
    func.func @merge(%as: tensor<6x3x8xf32>, %ms: tensor<6x8xf32>, %ls: tensor<6x8xf32>,
                     %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>)
        -> (tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>) {
      %r:3 = attn.merge ins(%as, %ms, %ls : tensor<6x3x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>)
          weighting(#attn.softmax)
          outs(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
          {indexing_maps = [#acc, #row, #row]}
          -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
      return %r#0, %r#1, %r#2 : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
    }
    ```
  }];
  let arguments = (ins
    Variadic<Attn_FloatShaped>:$partials, Variadic<Attn_FloatShaped>:$inits,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting);
  let assemblyFormat = [{
    `ins` `(` $partials `:` type($partials) `)`
    `weighting` `(` $weighting `)`
    `outs` `(` $inits `:` type($inits) `)` attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitsMutable();
    }
  }];
}

def Attn_FinishOp : Attn_DestinationStyleOp<"finish", [
    AttrSizedOperandSegments]> {
  let summary = "Turns accumulator and statistics into the output";
  let description = [{
    output = accumulator * finish(statistics), rounded once to the output's
    type, and `lse`, if given, the log-sum-exp. `keys` is the number of keys of
    the whole row. The accumulator and the statistics may be larger than the
    output along query rows; what exceeds it is dropped.

    `indexing_maps` gives one projected permutation per accumulator, statistic,
    weighting operand, output and log-sum-exp.

    Constraints:
    * (C1) one map per operand but `keys`, projected permutations; the
      accumulator's and the output's are permutations
    * (C2) one statistic per statistic of the weighting, and the weighting gets
      its operands
    * (C3) `lse` is given only where the weighting defines it
    * (C4) operands are all tensors or all memrefs, and each result has the type
      of its init

    Example:
    ```mlir
    #acc = affine_map<(m, e) -> (e, m)>
    #row = affine_map<(m, e) -> (m)>
    #out = affine_map<(m, e) -> (m, e)>
    func.func @finish(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
                      %o: tensor<5x3xf16>) -> tensor<5x3xf16> {
      %keys = arith.constant 7 : index
      %r = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
          weighting(#attn.softmax) keys(%keys) outs(%o : tensor<5x3xf16>)
          {indexing_maps = [#acc, #row, #row, #out]} -> tensor<5x3xf16>
      return %r : tensor<5x3xf16>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$accumulator, Variadic<Attn_FloatShaped>:$statistics,
    Variadic<Attn_ShapedOrElement>:$weighting_operands, Index:$keys,
    Attn_FloatShaped:$output, Optional<Attn_FloatShaped>:$lse,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting);
  let assemblyFormat = [{
    `ins` `(` $accumulator (`,` $statistics^)? `:`
      type($accumulator) (`,` type($statistics)^)? `)`
    `weighting` `(` $weighting
      (`,` $weighting_operands^ `:` type($weighting_operands))? `)`
    `keys` `(` $keys `)`
    `outs` `(` $output `:` type($output) `)`
    (`lse` `(` $lse^ `:` type($lse) `)`)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
}

def Attn_PackOp : Attn_DestinationStyleOp<"pack"> {
  let summary = "Copies a tile into the layout the kernel reads";
  let description = [{
    Writes the source, permuted, converted to the element type of the
    destination and multiplied by `scale`, into the destination: dimension p of
    the destination is dimension `permutation[p]` of the source. The destination
    may be larger; what the source does not cover becomes zero.

    Constraints:
    * (C1) the permutation is one, of the source's rank, which is the
      destination's
    * (C2) static extents of the source do not exceed the destination's
    * (C3) both element types are float, or they are equal, or i1 becomes i8 (0
      or 1, so that neighbours lie in memory as a vector does); a scale other
      than 1 needs floats
    * (C4) operands are all tensors or all memrefs, and the result has the type
      of the destination

    Example:
    ```mlir
    func.func @pack(%q: tensor<5x4xf16>, %t: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf32>)
          permutation = [1, 0] -> tensor<4x8xf32>
      return %r : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Shaped:$source, Attn_Shaped:$destination,
    DenseI64ArrayAttr:$permutation, DefaultValuedAttr<F64Attr, "1.0">:$scale);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)`
    `outs` `(` $destination `:` type($destination) `)`
    `permutation` `=` $permutation attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getDestinationMutable();
    }
  }];
}

//===----------------------------------------------------------------------===//
// Inside regions
//===----------------------------------------------------------------------===//

def Attn_IndexOp : Attn_Op<"index", [
    Pure, ParentOneOf<["::attn::GenericOp", "::attn::OnlineOp"]>,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "The position of the pair along one dimension";
  let description = [{
    The position along dimension `dim` of the iteration of the enclosing op, in
    0 .. extent - 1 of what the op sees; tiling adds the offset of the tile.

    Constraints: (C8) of `attn.generic`.

    Example: each query row sees the keys up to its own position.
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @causal(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                      %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]}
          mask {
            %i = attn.index 0
            %j = attn.index 1
            %visible = arith.cmpi sle, %j, %i : index
            attn.yield %visible : i1
          } -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
  let arguments = (ins ConfinedAttr<I64Attr, [IntNonNegative]>:$dim);
  let results = (outs Index:$result);
  let assemblyFormat = "$dim attr-dict";
}

def Attn_YieldOp : Attn_Op<"yield", [
    Pure, Terminator, ReturnLike,
    ParentOneOf<["::attn::GenericOp", "::attn::OnlineOp", "::attn::SdpaOp"]>]> {
  let summary = "Ends a region of an attention op";
  let description = [{
    Gives the value of a region: one element, or for `ranges` pairs of bounds
    and for `classify` two truth values.

    Example: scores are doubled.
    ```mlir
    func.func @doubled(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                       %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          outs(%init : tensor<5x3xf32>)
          score {
          ^bb0(%s: f32, %i: index, %j: index):
            %twice = arith.addf %s, %s : f32
            attn.yield %twice : f32
          } -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

#endif // ATTN_IR_ATTNOPS_TD
