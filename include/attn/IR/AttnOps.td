//===- AttnOps.td - Operations of the dialect --------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNOPS_TD
#define ATTN_IR_ATTNOPS_TD

include "attn/IR/AttnBase.td"
include "attn/IR/NamedOps.td"
include "attn/IR/ReplayOp.td"
include "attn/IR/TiledOps.td"

//===----------------------------------------------------------------------===//
// The core op
//===----------------------------------------------------------------------===//

def Attn_GenericOp : Attn_DestinationStyleOp<"generic", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    ExtentRelationsOpInterface, BlockListOpInterface,
    DeclareOpInterfaceMethods<AttentionOpInterface, ["getAccumulatorInit"]>,
    DeclareOpInterfaceMethods<RaggedOpInterface, ["getRaggedExtents"]>,
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

    With `query_starts` or `key_starts`, requests of different lengths lie
    packed one after the other: request r has the rows from starts[r] up to
    starts[r + 1], the last of which is the number of packed rows. One batch
    dimension numbers the requests, and a sum r + m (or r + n) in a map stands
    for the row starts[r] + m. Query, output and `lse` are packed along the last
    query row dimension, key and value along the last key row dimension. Other
    operands may be, or have rows at positions within the request, as many as
    the longest request has or more. Rows see keys of their own request only;
    positions, in all regions, are within the request. A run ends with an error
    unless starts ascend from 0 to the number of rows. Keys may lie in pages
    instead, in `blocks` of kind `physical`: `key_starts`, if given, then say
    how many keys each request has, the first of its list, which has as many or
    more. Pages that hold none of them are not looked at.

    `blocks` says by lists of key blocks, which are data, which keys a row sees
    at all; `mask` hides some of them. With lists of kind `physical`, key and
    value have two key row dimensions, the page and the row in it, and
    `attn.index` of the latter is the position in the list of the row; `ranges`
    and `classify` speak of that too, and of page 0. The number of keys of a row
    is then that of its list. What has the row in a page in its map, but not the
    page, lies in no page: it goes by the position in the list, and has as many
    as any list has keys or more, or a run ends with an error. A list or an
    entry out of range, or a logical one that does not ascend, ends the call
    with an error.

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
    * (C9) the weighting is of one kind, selects 1 key or more if it selects,
      and gets its operands, over batch and query rows only
    * (C10) `lse` spans batch and query rows, and the weighting defines it
    * (C11) `weights` spans batch, query rows and key rows, but no page
    * (C12) the accumulation type is f32 or f64 and no narrower than the
      element types of query, key and value
    * (C13) operands are all tensors or all memrefs, and each result has the
      type of its init
    * (C14) `ranges` and `classify` have the arguments and results described
      above, hold what (C7) allows but `attn.index`, and stand beside a mask
    * (C15) starts have an element more than there are requests
    * (C16) with `query_starts`, the maps of query, output and `lse` have a sum
      of the request and the last query row dimension, the request first; with
      `key_starts`, those of key and value likewise have one of the request and
      the last key row dimension, unless blocks are physical; other maps may.
      The request is one dimension for all, before the rows
    * (C17) beside starts `weights` go by the position of a key within the
      request, as many as the longest has or more, and are 0 behind the last
    * (C18) `blocks` has two maps, projected permutations over batch and query
      row dimensions only; `indptr` has as many dimensions as its map has
      results, but at least one, `indices` one more than its map
    * (C19) `indptr` has one entry more than there are lists, and both agree
      with the operands on the extents of their maps
    * (C20) with blocks there is one key row dimension, or if they are physical
      two: page, and row in page, of as many rows as `blocks` says; regions name
      the latter only. Beside starts blocks are physical, lists do not depend on
      the packed query row, and without `query_starts` they follow each other
      along the requests

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

    Example: requests of any lengths, rows before heads, and a head's keys each.
    ```mlir
    #q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
    #k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
    #v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
    #o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
    func.func @ragged(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>, %v: tensor<11x2x3xf32>,
                      %query_starts: tensor<4xi32>, %key_starts: tensor<4xi32>) -> tensor<9x2x3xf32> {
      %init = tensor.empty() : tensor<9x2x3xf32>
      %o = attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
          weighting(#attn.softmax)
          query_starts(%query_starts : tensor<4xi32>) key_starts(%key_starts : tensor<4xi32>)
          outs(%init : tensor<9x2x3xf32>)
          {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<9x2x3xf32>
      return %o : tensor<9x2x3xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$query, Attn_FloatShaped:$key, Attn_FloatShaped:$value,
    Variadic<Attn_ShapedOrElement>:$inputs,
    Variadic<Attn_ShapedOrElement>:$weighting_operands,
    Optional<Attn_Starts>:$query_starts, Optional<Attn_Starts>:$key_starts,
    Optional<Attn_IntegerShaped>:$indptr, Optional<Attn_IntegerShaped>:$indices,
    Attn_FloatShaped:$output, Optional<Attn_FloatShaped>:$lse,
    Optional<Attn_FloatShaped>:$weights,
    AffineMapArrayAttr:$indexing_maps, WeightingAttrInterface:$weighting,
    DefaultValuedAttr<F64Attr, "1.0">:$scale,
    OptionalAttr<TypeAttrOf<AnyFloat>>:$acc_type,
    OptionalAttr<Attn_BlockListAttr>:$blocks);
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
    oilist(`query_starts` `(` $query_starts `:` type($query_starts) `)` |
           `key_starts` `(` $key_starts `:` type($key_starts) `)`)
    (`blocks` `(` $indptr^ `,` $indices `:` type($indptr) `,` type($indices) `)`
      custom<BlockList>($blocks))?
    `outs` `(` $output `:` type($output) `)`
    oilist(`lse` `(` $lse `:` type($lse) `)` |
           `weights` `(` $weights `:` type($weights) `)`)
    `` custom<Attributes>("\"attn.generic\"", attr-dict)
    `` custom<Regions>(
  "{\"similarity\", \"mask\", \"score\", \"weight\", \"ranges\", \"classify\"}",
        $similarity, $mask, $score, $weight, $ranges, $classify)
    `` custom<ResultTypes>(type($results), ref(type($output)))
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
  let hasCanonicalizer = 1;
  let hasRegionVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Inside regions
//===----------------------------------------------------------------------===//

def Attn_IndexOp : Attn_Op<"index", [
    Pure, ParentOneOf<["::attn::GenericOp", "::attn::OnlineOp",
                       "::attn::ReplayOp"]>,
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
    Pure, Terminator, ReturnLike]> {
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
  let hasVerifier = 1;
}

def Attn_CheckOp : Attn_Op<"check", [MemoryEffects<[MemWrite]>]> {
  let summary = "Ends the call with an error unless a condition holds";
  let description = [{
    As `cf.assert`, with a message that quotes at most two numbers, of which
    only the run knows: `{0}` and `{1}` stand for them. The caller of the
    compiled function gets the message; the process goes on. Constraint:

    * (C1) there are at most two numbers.

    Example: what is added has as many elements as what it is added to.
    ```mlir
    func.func @same(%x: tensor<?xf32>, %y: tensor<?xf32>) {
      %c0 = arith.constant 0 : index
      %m = tensor.dim %x, %c0 : tensor<?xf32>
      %n = tensor.dim %y, %c0 : tensor<?xf32>
      %same = arith.cmpi eq, %m, %n : index
      attn.check %same, "expected {0} elements, but got {1}" (%m, %n)
      return
    }
    ```
  }];
  let arguments = (ins I1:$condition, StrAttr:$message,
                       Variadic<Index>:$numbers);
  let assemblyFormat = "$condition `,` $message (`(` $numbers^ `)`)? attr-dict";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Attn_CostOp : Attn_Op<"cost", [MemoryEffects<[MemWrite]>]> {
  let summary = "States how long an iteration of a parallel loop takes";
  let description = [{
    `amount` compares iterations of the parallel loop around the op, in any
    unit: where several threads share them, the longest are begun first, so that
    nobody is left with a long one at the end. It changes no result. One that is
    constant, or not directly in a parallel loop, is removed.

    Example: iteration i goes over i + 1 rows.
    ```mlir
    func.func @triangle(%n: index) {
      %c1 = arith.constant 1 : index
      scf.forall (%i) in (%n) {
        %rows = arith.addi %i, %c1 : index
        attn.cost %rows
      }
      return
    }
    ```
  }];
  let arguments = (ins Index:$amount);
  let assemblyFormat = "$amount attr-dict";
  let hasCanonicalizeMethod = 1;
}

#endif // ATTN_IR_ATTNOPS_TD
