//===- TiledOps.td - What the compiler makes ---------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_TILEDOPS_TD
#define ATTN_IR_TILEDOPS_TD

include "attn/IR/AttnBase.td"

//===----------------------------------------------------------------------===//
// The tiled form
//===----------------------------------------------------------------------===//

def Attn_OnlineOp : Attn_DestinationStyleOp<"online", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    ExtentRelationsOpInterface, BlockListOpInterface,
    DeclareOpInterfaceMethods<AttentionOpInterface, ["getAccumulatorInit",
                                                     "getStoredMap",
                                                     "getNumLeadingDims"]>,
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

    For weightings of kind *select* the statistics take in the keys that are
    better than those kept, `position` being which key the first one at hand is,
    0 if it is not given; no value is read, and value and accumulator have no
    channels. Steps commute: of equal scores the lower key is better.

    With a `layout` the op is a tile of a kernel: the maps speak of its logical
    dimensions, and the layout gives each operand its stored shape. Without one,
    operands lie as their maps say.

    The extents of the query row dimensions may exceed what the data holds:
    `rows`, if given, counts the valid rows along the one query row dimension
    whose extent is not 1, and regions are not evaluated beyond it. `full`, if
    given, tells at run time that every pair is visible, so that the mask need
    not be evaluated. `ahead`, if given, are keys and values that a later step
    reads, which are brought near meanwhile. `key_tile`, if given, bounds the
    extent of the key row dimension. With `count_tiles` the op counts itself in
    the buffer that `attn-count-tiles` declares.

    Constraints: (C1) to (C9), (C12), (C13) and, in a step without a layout, the
    constraints on `blocks`, (C18) to (C20), of `attn.generic`, with the
    accumulator for the output and a weighting of kind *accumulate* or *select*,
    and
    * (C14) there is one init per statistic of the weighting, over batch and
      query rows, behind a leading dimension if it is several numbers;
      accumulator and statistics have the accumulation type, or index if they
      are keys
    * (C15) the weight region is homogeneous and linear in the weight by its
      structure: the weight scaled by, or selected against zero on, values that
      do not depend on it, and sums of these
    * (C16) with a layout, the dimensions are (query rows, key rows, features,
      channels), and operands are stored as it says: order, extents, element
      type, on memrefs unit stride
    * (C17) with a layout, there is a `key_tile` where the number of key rows is
      dynamic, and no more key rows than it says
    * (C21) `ahead` stands beside a layout, with the element types and the ranks
      of key and value
    * (C22) for a weighting of kind *select* there is one key row dimension, no
      weight region, and value and accumulator have no channels; `position` is
      given for no other kind

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #acc = affine_map<(m, n, d, e) -> (m, e)>
    #row = affine_map<(m, n, d, e) -> (m)>
    func.func @step(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>)
        -> (tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>) {
      %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
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
    Optional<Attn_IntegerShaped>:$indptr, Optional<Attn_IntegerShaped>:$indices,
    Optional<Attn_FloatShaped>:$ahead_key,
    Optional<Attn_FloatShaped>:$ahead_value,
    Optional<Index>:$rows, Optional<I1>:$full, Optional<Index>:$position,
    Attn_FloatShaped:$accumulator, Variadic<Attn_Shaped>:$statistics,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    OptionalAttr<LayoutAttrInterface>:$layout,
    DefaultValuedAttr<F64Attr, "1.0">:$scale,
    OptionalAttr<TypeAttrOf<AnyFloat>>:$acc_type,
    OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$key_tile,
    UnitAttr:$count_tiles, OptionalAttr<Attn_BlockListAttr>:$blocks);
  let regions = (region
    Attn_OptionalBlock:$similarity, Attn_OptionalBlock:$mask,
    Attn_OptionalBlock:$score, Attn_OptionalBlock:$weight);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    (`inputs` `(` $inputs^ `:` type($inputs) `)`)?
    `weighting` `(` $weighting
      (`,` $weighting_operands^ `:` type($weighting_operands))? `)`
    (`blocks` `(` $indptr^ `,` $indices `:` type($indptr) `,` type($indices) `)`
      custom<BlockList>($blocks))?
    (`layout` `(` $layout^ `)`)?
    (`ahead` `(` $ahead_key^ `,` $ahead_value `:`
      type($ahead_key) `,` type($ahead_value) `)`)?
    (`rows` `(` $rows^ `)`)? (`full` `(` $full^ `)`)?
    (`position` `(` $position^ `)`)?
    `outs` `(` $accumulator `:` type($accumulator) `)`
    (`statistics` `(` $statistics^ `:` type($statistics) `)`)?
    attr-dict
    `` custom<Regions>("{\"similarity\", \"mask\", \"score\", \"weight\"}",
                    $similarity, $mask, $score, $weight)
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
    /// The role of mapped operand `index`.
    ::attn::OperandRole getOperandRole(unsigned index);
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
    the result is neutral. For weightings of kind *select* the best of all keys
    that are kept are kept, the lower of equal ones: exactly commutative.

    `indexing_maps` gives the maps of the inits: the accumulator's has every
    dimension, a statistic's those of the query rows. With a `layout`, which is
    that of the steps, it gives the state its stored shape.

    Constraints:
    * (C1) one map per init, the accumulator's a permutation; a statistic of
      several numbers has a leading dimension beside its map
    * (C2) the weighting is of kind *accumulate* or *select*; one statistic per
      statistic of it, partial and merged
    * (C3) each partial operand is its init with one leading dimension
    * (C4) operands are all tensors or all memrefs, and each result has the type
      of its init
    * (C5) with a layout, the dimensions are (query rows, channels), and the
      inits are stored as it says

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
    Variadic<Attn_Shaped>:$partials, Variadic<Attn_Shaped>:$inits,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    OptionalAttr<LayoutAttrInterface>:$layout);
  let assemblyFormat = [{
    `ins` `(` $partials `:` type($partials) `)`
    `weighting` `(` $weighting `)`
    (`layout` `(` $layout^ `)`)?
    `outs` `(` $inits `:` type($inits) `)` attr-dict
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitsMutable();
    }
    /// The role of init `index`.
    ::attn::OperandRole getOperandRole(unsigned index) {
      return index == 0 ? ::attn::OperandRole::accumulator
                        : ::attn::OperandRole::statistic;
    }
    ::mlir::AffineMap getIndexingMap(unsigned index) {
      return ::llvm::cast<::mlir::AffineMapAttr>(
          getIndexingMaps()[index]).getValue();
    }
    /// Where init `index` stores an element.
    ::mlir::AffineMap getStoredMap(unsigned index);
    /// The leading dimensions of init `index` that its map does not name.
    unsigned getNumLeadingDims(unsigned index);
  }];
}

def Attn_FinishOp : Attn_DestinationStyleOp<"finish", [
    AttrSizedOperandSegments]> {
  let summary = "Turns accumulator and statistics into the output";
  let description = [{
    output = accumulator * finish(statistics), rounded once to the output's
    type, and `lse`, if given, the log-sum-exp. `keys` is the number of keys of
    the whole row. With `finished` the accumulator holds sums by final weights,
    as `attn.replay` makes them, and is only rounded. The accumulator and the
    statistics may be larger than the output along query rows; what exceeds it
    is dropped. With a `layout`, which is that of the steps, it gives the state
    its stored shape; the output, the log-sum-exp and `value` lie as their maps
    say.

    For weightings of kind *select* the output is the sum of those rows of
    `value` that the statistics name, by their weights; the accumulator has no
    channels. Which row is which key, its dimensions that no other operand has
    tell, in their order in the maps' dimensions.

    `indexing_maps` gives one projected permutation per accumulator, statistic,
    weighting operand, value, output and log-sum-exp.

    Constraints:
    * (C1) one map per operand but `keys`, projected permutations; the output's
      has all dimensions but the key rows of `value`, and so has the
      accumulator's without a layout; a statistic of several numbers has a
      leading dimension beside its map
    * (C2) the weighting is of kind *accumulate* or *select*; one statistic per
      statistic of it, it gets its operands, and *select* a `value`, no other
    * (C3) `lse` is given only where the weighting defines it
    * (C4) operands are all tensors or all memrefs, and each result has the type
      of its init
    * (C5) with a layout, the dimensions are (query rows, channels), and behind
      them such as only the output and the log-sum-exp have, with extent 1;
      operands are stored as it says, and the output has no more rows than it
      and as many channels as the accumulator, or as `value` if there is one,
      which may have extents along dimensions of its own

    Example:
    ```mlir
    #acc = affine_map<(m, e) -> (m, e)>
    #row = affine_map<(m, e) -> (m)>
    #out = affine_map<(m, e) -> (m, e)>
    func.func @finish(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
                      %o: tensor<5x3xf16>) -> tensor<5x3xf16> {
      %keys = arith.constant 7 : index
      %r = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
          weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
          keys(%keys) outs(%o : tensor<5x3xf16>)
          {indexing_maps = [#acc, #row, #row, #out]} -> tensor<5x3xf16>
      return %r : tensor<5x3xf16>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$accumulator, Variadic<Attn_Shaped>:$statistics,
    Variadic<Attn_ShapedOrElement>:$weighting_operands,
    Optional<Attn_FloatShaped>:$value, Index:$keys,
    Attn_FloatShaped:$output, Optional<Attn_FloatShaped>:$lse,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    OptionalAttr<LayoutAttrInterface>:$layout, UnitAttr:$finished);
  let assemblyFormat = [{
    `ins` `(` $accumulator (`,` $statistics^)? `:`
      type($accumulator) (`,` type($statistics)^)? `)`
    `weighting` `(` $weighting
      (`,` $weighting_operands^ `:` type($weighting_operands))? `)`
    (`layout` `(` $layout^ `)`)?
    (`value` `(` $value^ `:` type($value) `)`)?
    `keys` `(` $keys `)`
    `outs` `(` $output `:` type($output) `)`
    (`lse` `(` $lse^ `:` type($lse) `)`)?
    attr-dict (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
    /// The operands that have a map: all but `keys`.
    ::llvm::SmallVector<::mlir::Value> getMappedOperands();
    /// The positions among them of `value`, if there is one, and the output.
    unsigned getValueIndex() {
      return 1 + getStatistics().size() + getWeightingOperands().size();
    }
    unsigned getOutputIndex() { return getValueIndex() + bool(getValue()); }
    /// Whether only `value` has the dimension: it says which key a row is.
    bool isKeyDim(unsigned dim);
    /// The map of mapped operand `index`.
    ::mlir::AffineMap getIndexingMap(unsigned index) {
      return ::llvm::cast<::mlir::AffineMapAttr>(
          getIndexingMaps()[index]).getValue();
    }
    /// Where mapped operand `index` stores an element.
    ::mlir::AffineMap getStoredMap(unsigned index);
    /// The leading dimensions of mapped operand `index` that its map does not
    /// name.
    unsigned getNumLeadingDims(unsigned index);
    /// The role of mapped operand `index`.
    ::attn::OperandRole getOperandRole(unsigned index);
  }];
}

def Attn_PackOp : Attn_DestinationStyleOp<"pack", [
    DeclareOpInterfaceMethods<OpAsmOpInterface,
                              ["getAsmBlockArgumentNames"]>]> {
  let summary = "Stores a tile as a layout has it";
  let description = [{
    Writes each element of the source, through the region `element` if there is
    one (a conversion, a scale), to where `layout` stores it in the destination.
    `indexing_map` says which logical dimension of the tile each dimension of
    the source is. What the source does not cover of the destination becomes
    what `element` makes of zero.

    Constraints:
    * (C1) the map is a projected permutation of (query rows, key rows,
      features, channels) of the source's rank, and its stored form has the
      destination's
    * (C2) the destination has the extents of the layout, and static extents of
      the source do not exceed them
    * (C3) `element` takes one element of the source, holds elementwise arith
      and math only, and yields one of the destination; without it the types are
      equal
    * (C4) operands are all tensors or all memrefs, and the result has the type
      of the destination

    Example: queries in lanes, scaled.
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    func.func @pack(%q: tensor<5x4xf32>, %t: tensor<4x8xf32>) -> tensor<4x8xf32> {
      %r = attn.pack ins(%q : tensor<5x4xf32>) outs(%t : tensor<4x8xf32>)
          layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q}
          element {
          ^bb0(%x: f32):
            %scale = arith.constant 0.125 : f32
            %scaled = arith.mulf %x, %scale : f32
            attn.yield %scaled : f32
          } -> tensor<4x8xf32>
      return %r : tensor<4x8xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_Shaped:$source, Attn_Shaped:$destination,
    LayoutAttrInterface:$layout, Attn_OperandRole:$role,
    AffineMapAttr:$indexing_map);
  let regions = (region Attn_OptionalBlock:$element);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)`
    `outs` `(` $destination `:` type($destination) `)`
    `layout` `(` $layout `)` `role` `(` $role `)` attr-dict
    `` custom<Regions>("{\"element\"}", $element)
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getDestinationMutable();
    }
    /// Where the destination stores an element.
    ::mlir::AffineMap getStoredMap() {
      return getLayout().getStoredMap(getRole(), getIndexingMap());
    }
    /// The dimension of the source that each of the destination is.
    ::llvm::SmallVector<int64_t> getPermutation();
  }];
  let hasRegionVerifier = 1;
}

#endif // ATTN_IR_TILEDOPS_TD
