//===- NamedOps.td - What a user names ---------------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_NAMEDOPS_TD
#define ATTN_IR_NAMEDOPS_TD

include "attn/IR/AttnBase.td"

//===----------------------------------------------------------------------===//
// Named ops
//===----------------------------------------------------------------------===//

def Attn_SdpaOp : Attn_DestinationStyleOp<"sdpa", [
    AttrSizedOperandSegments, RecursiveMemoryEffects,
    DeclareOpInterfaceMethods<ExtentRelationsOpInterface,
                              ["getExtentRelations"]>, BlockListOpInterface,
    DeclareOpInterfaceMethods<NamedAttentionOpInterface,
                              ["getMaskOperands"]>,
    DeclareOpInterfaceMethods<RaggedOpInterface, ["getRaggedExtents"]>,
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
    N_k - N_q for `bottom_right`, and the operand `offset` for the causal kind
    of that name or for a window without `causal`, causal means j <= i + o, and
    a window `[left, right]` means i + o - left <= j <= i + o + right, -1
    standing for unbounded. The offset is an integer or one integer per batch.

    `sink` is a logit more for each row, a number or one per query head, that
    takes part in the softmax and has no value: weights are exp(s - m) / (l +
    exp(sink - m)). `lse` includes it; an empty row's is the sink.

    `weights`, if given, receives the weight of each pair, 0 where the pair is
    not visible.

    Query head h reads key head floor(h / group), where group is the number of
    query heads over the number of key heads. `bias` and `boolean_mask` have the
    query's rank, `batch x heads x rows x keys`, or drop leading dimensions; an
    extent of 1 is broadcast, a dynamic one must match.

    With `query_starts` or `key_starts`, the batch is requests of different
    lengths, of which the queries and the output, or the keys and values, lie
    packed one after the other, `rows x heads x features`: request r has the
    rows from starts[r] up to starts[r + 1], the last of which is the number of
    rows. What is not packed has the requests as its one batch dimension.
    Rows see keys of their own request only, N_q and N_k are its lengths,
    and positions, those of `bias` and `boolean_mask` too, are within it: these
    have as many rows and columns as the longest request, or more. `weights` are
    packed as queries are, with columns for as many keys as the longest request
    has, or more; those behind a request's own are 0. A run ends
    with an error unless starts ascend from 0 to the number of rows. Keys may
    lie in pages instead, in physical `blocks`; `key_starts` then say how many
    keys each request has.

    `blocks` says by lists of key blocks which keys a row sees at all, as its
    attribute describes. Logical lists are one for each `rows` query rows;
    `indptr` is `batch x heads x lists + 1` and `indices` `batch x heads x
    entries`, or they drop leading dimensions, or have an extent of 1 there.
    Physical lists are one for each `rows` positions along the last batch
    dimension, or where there is none, query rows: key and value are
    `pages x heads x rows in page x features`, without heads where query has
    none, and j is the position in the list. N_k is the number of keys in the
    list, or what `key_starts` say, no more than that: they come first, and
    pages that hold none of them are not looked at. Columns of `bias`,
    `boolean_mask` and `weights` are positions in the list then, as many as any
    list has keys, or more; of weights those behind are 0. A run ends with an
    error where there are fewer.

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
    * (C5) `bias` and `boolean_mask` broadcast to batch x heads x rows x keys,
      of which pages have as many as the operand says
    * (C6) the offset is given if `causal` is `offset`, and may be given beside
      a window if `causal` is `none`, as an integer or one integer per batch
    * (C7) a window has two bounds, each -1 or more; the softcap is positive and
      finite; the scale is finite
    * (C8) region arguments and results have the types described above
    * (C9) regions hold only what `attn.generic` allows in its own
    * (C10) `lse` is the output without its last dimension
    * (C11) operands are all tensors or all memrefs, and each result has the
      type of its init
    * (C12) the sink is a float, or floats, one per query head
    * (C13) `weights` is the output with one column per key row, or per position
      where keys are pages
    * (C14) with starts, what is packed is rows x heads x features, what is not
      requests x heads x rows x features, and starts have an element more than
      there are requests
    * (C15) with `key_starts` or pages, `weights` has columns for as many keys
      as any request has, or more
    * (C16) `indptr` and `indices` have the extents described above; beside
      starts blocks are physical
    * (C17) with physical blocks key and value have the rank and the rows in a
      page described above

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

    Example: three requests, packed; each row sees its own request up to itself.
    ```mlir
    func.func @ragged(%q: tensor<9x4x8xf32>, %k: tensor<11x2x8xf32>, %v: tensor<11x2x3xf32>,
                      %query_starts: tensor<4xi32>, %key_starts: tensor<4xi32>) -> tensor<9x4x3xf32> {
      %init = tensor.empty() : tensor<9x4x3xf32>
      %o = attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<11x2x8xf32>, tensor<11x2x3xf32>)
          query_starts(%query_starts : tensor<4xi32>) key_starts(%key_starts : tensor<4xi32>)
          outs(%init : tensor<9x4x3xf32>) {causal = #attn.causal<bottom_right>}
          -> tensor<9x4x3xf32>
      return %o : tensor<9x4x3xf32>
    }
    ```

    Example: the same over a cache in pages of 16 keys, a list of them for each.
    ```mlir
    func.func @served(%q: tensor<9x4x8xf32>, %k: tensor<40x2x16x8xf32>, %v: tensor<40x2x16x3xf32>,
                      %query_starts: tensor<4xi32>, %key_starts: tensor<4xi32>,
                      %indptr: tensor<4xi32>, %pages: tensor<?xi32>) -> tensor<9x4x3xf32> {
      %init = tensor.empty() : tensor<9x4x3xf32>
      %o = attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<40x2x16x8xf32>, tensor<40x2x16x3xf32>)
          query_starts(%query_starts : tensor<4xi32>) key_starts(%key_starts : tensor<4xi32>)
          blocks(%indptr, %pages : tensor<4xi32>, tensor<?xi32>) {keys = 16, kind = physical}
          outs(%init : tensor<9x4x3xf32>) {causal = #attn.causal<bottom_right>}
          -> tensor<9x4x3xf32>
      return %o : tensor<9x4x3xf32>
    }
    ```
  }];
  let arguments = (ins
    Attn_FloatShaped:$query, Attn_FloatShaped:$key, Attn_FloatShaped:$value,
    Optional<Attn_FloatShaped>:$bias, Optional<Attn_BoolShaped>:$boolean_mask,
    Optional<Attn_ShapedOrElement>:$offset,
    Optional<Attn_ShapedOrElement>:$sink,
    Optional<Attn_Starts>:$query_starts, Optional<Attn_Starts>:$key_starts,
    Optional<Attn_IntegerShaped>:$indptr, Optional<Attn_IntegerShaped>:$indices,
    Attn_FloatShaped:$output, Optional<Attn_FloatShaped>:$lse,
    Optional<Attn_FloatShaped>:$weights,
    OptionalAttr<F64Attr>:$scale,
    DefaultValuedAttr<Attn_CausalAttr, "::attn::CausalKind::none">:$causal,
    OptionalAttr<DenseI64ArrayAttr>:$window, OptionalAttr<F64Attr>:$softcap,
    OptionalAttr<Attn_BlockListAttr>:$blocks);
  let regions = (region Attn_OptionalBlock:$mask, Attn_OptionalBlock:$score);
  let assemblyFormat = [{
    `ins` `(` $query `,` $key `,` $value `:`
      type($query) `,` type($key) `,` type($value) `)`
    oilist(`bias` `(` $bias `:` type($bias) `)` |
           `boolean_mask` `(` $boolean_mask `:` type($boolean_mask) `)` |
           `offset` `(` $offset `:` type($offset) `)` |
           `sink` `(` $sink `:` type($sink) `)` |
           `query_starts` `(` $query_starts `:` type($query_starts) `)` |
           `key_starts` `(` $key_starts `:` type($key_starts) `)` |
           `blocks` `(` $indptr `,` $indices `:`
             type($indptr) `,` type($indices) `)` custom<BlockList>($blocks))
    `outs` `(` $output `:` type($output) `)`
    oilist(`lse` `(` $lse `:` type($lse) `)` |
           `weights` `(` $weights `:` type($weights) `)`)
    `` custom<Attributes>("\"attn.sdpa\"", attr-dict)
    `` custom<Regions>("{\"mask\", \"score\"}", $mask, $score)
    `` custom<ResultTypes>(type($results), ref(type($output)))
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable();
  }];
  let hasRegionVerifier = 1;
}

#endif // ATTN_IR_NAMEDOPS_TD
