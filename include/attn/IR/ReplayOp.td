//===- ReplayOp.td - Pairs with finished statistics --------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_REPLAYOP_TD
#define ATTN_IR_REPLAYOP_TD

include "attn/IR/AttnBase.td"

def Attn_ReplayOp : Attn_DestinationStyleOp<"replay", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<AttentionOpInterface,
                              ["getAccumulatorInit", "getStoredMap",
                               "getNumLeadingDims", "getFirstInputIndex",
                               "getOutputIndex", "getDimensionClasses"]>,
    DeclareOpInterfaceMethods<OpAsmOpInterface,
                              ["getAsmBlockArgumentNames"]>]> {
  let summary = "One tile of pairs with finished statistics";
  let description = [{
    Goes over the pairs of a tile once the statistics of its rows take in all
    keys, so that the weight of a pair is the final one:

      s_ij = score(scale * sum_d similarity(q_i, k_j))
      w_ij = weight(weighting(s_ij, statistics_i))

    and of each pair yields elements, one for each of `targets`, an init each:

    * `stored`: written over query rows and key rows, converted to the type of
      the init;
    * `over_keys`: times an element of `contracted`, over key rows and channels,
      added to the init over query rows and channels;
    * `over_rows`: times an element of `contracted`, over query rows and
      features or channels, added to the init over key rows and these;
    * `row`: added to the init over query rows;
    * `row_state`: likewise, in ascending key order: what the row has before
      each key is an argument of the pairs' region.

    The region `element(w, s, pairs, states, inputs)` yields them from the
    weight, the score, the sum of products of each of the further `pairs` (a
    left operand over query rows, a right one over key rows, both over features
    or both over channels) and the states before the key. Without it each target
    gets the weight. A pair that the mask hides yields zeros, whatever it holds,
    and leaves the states as they are.

    `keys` is the number of keys of the whole row. `rows`, `full`, `position`,
    `key_tile` and `count_tiles` are those of `attn.online`, and so are the
    other regions. For weightings of kind *select* a key that the statistics do
    not name has the weight 0.
    Maps speak of (query rows, key rows, features, channels), and the layout
    gives each operand its stored shape; what is stored lies as its map says.
    Tiles of disjoint keys commute up to rounding, if no target is `row_state`.

    Constraints: (C6) to (C8) and (C12) of `attn.generic`, and
    * (C1) there is one indexing map per operand but `keys`, `rows`, `full` and
      `position`: a projected permutation of (query rows, key rows, features,
      channels) and, behind them, of dimensions of extent 1 that only stored
      inits have; a statistic of several numbers has a leading dimension beside
      its map
    * (C2) a pair has query rows in the first operand, key rows in the second,
      and what it contracts, features or channels, in both: of query and key,
      features
    * (C3) there is one target per init and one contracted operand per target
      that contracts, in order, over the dimensions described above
    * (C4) operands agree on the extent of each dimension; what is stored may
      have fewer query rows than the layout has room for
    * (C5) inputs have no channels; an input over features is read in
      `similarity` only
    * (C9) the weighting is of kind *accumulate* or *select* and gets its
      operands and its statistics, over query rows, and the statistics have the
      accumulation type, or index if they are keys; only *select* has a
      `position`
    * (C10) operands are stored as the layout says, inits that are added to in
      the accumulation type, and there are no more key rows than `key_tile`,
      which is given where their number is dynamic
    * (C11) `element` has the arguments described above and yields one element
      of the accumulation type per target; there is one where there are further
      pairs or states
    * (C13) operands are all tensors or all memrefs, and each result has the
      type of its init

    Example: the weights of a tile, and its values by them.
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #row = affine_map<(m, n, d, e) -> (m)>
    #w = affine_map<(m, n, d, e) -> (m, n)>
    #acc = affine_map<(m, n, d, e) -> (m, e)>
    func.func @weights(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                       %max: tensor<8xf32>, %sum: tensor<8xf32>,
                       %w: tensor<5x7xf16>, %a: tensor<3x8xf32>)
        -> (tensor<5x7xf16>, tensor<3x8xf32>) {
      %keys = arith.constant 7 : index
      %rows = arith.constant 5 : index
      %weights, %acc = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
          contracted(%v : tensor<7x3xf32>)
          weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
          statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>)
          keys(%keys) rows(%rows) outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
          {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
           targets = [#attn.target<stored>, #attn.target<over_keys>]}
          -> tensor<5x7xf16>, tensor<3x8xf32>
      return %weights, %acc : tensor<5x7xf16>, tensor<3x8xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$query, Attn_FloatShaped:$key,
    Variadic<Attn_FloatShaped>:$contracted, Variadic<Attn_FloatShaped>:$pairs,
    Variadic<Attn_ShapedOrElement>:$inputs,
    Variadic<Attn_ShapedOrElement>:$weighting_operands,
    Variadic<Attn_Shaped>:$statistics,
    Index:$keys, Optional<Index>:$rows, Optional<I1>:$full,
    Optional<Index>:$position, Variadic<Attn_FloatShaped>:$inits,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    LayoutAttrInterface:$layout, Attn_ReplayTargetArrayAttr:$targets,
    TypeAttrOf<AnyFloat>:$acc_type,
    DefaultValuedAttr<F64Attr, "1.0">:$scale,
    OptionalAttr<ConfinedAttr<I64Attr, [IntPositive]>>:$key_tile,
    UnitAttr:$count_tiles);
  let regions = (region
    Attn_OptionalBlock:$similarity, Attn_OptionalBlock:$mask,
    Attn_OptionalBlock:$score, Attn_OptionalBlock:$weight,
    Attn_OptionalBlock:$element);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `:` type($query) `,` type($key) `)`
    (`contracted` `(` $contracted^ `:` type($contracted) `)`)?
    (`pairs` `(` $pairs^ `:` type($pairs) `)`)?
    (`inputs` `(` $inputs^ `:` type($inputs) `)`)?
    `weighting` `(` $weighting
      (`,` $weighting_operands^ `:` type($weighting_operands))? `)`
    `layout` `(` $layout `)`
    (`statistics` `(` $statistics^ `:` type($statistics) `)`)?
    `keys` `(` $keys `)`
    (`rows` `(` $rows^ `)`)? (`full` `(` $full^ `)`)?
    (`position` `(` $position^ `)`)?
    `outs` `(` $inits `:` type($inits) `)`
    attr-dict
    `` custom<Regions>(
        "{\"similarity\", \"mask\", \"score\", \"weight\", \"element\"}",
        $similarity, $mask, $score, $weight, $element)
    (`->` type($results)^)?
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getInitsMutable();
    }
    /// Where init `index` goes.
    ::attn::ReplayTarget getTarget(unsigned index);
    /// The position among the mapped operands of what the target of init
    /// `index` contracts; none for targets that contract nothing.
    ::std::optional<unsigned> getContractedIndex(unsigned init);
    /// The role of mapped operand `index`.
    ::attn::OperandRole getOperandRole(unsigned index);
    /// How errors call mapped operand `index`.
    ::std::string getOperandName(unsigned index);
  }];
  let hasRegionVerifier = 1;
}

#endif // ATTN_IR_REPLAYOP_TD
