//===- BlockList.td - Key blocks that are data -------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_BLOCKLIST_TD
#define ATTN_IR_BLOCKLIST_TD

include "attn/IR/AttnDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Attn_BlockKind : I32EnumAttr<"BlockKind",
    "What an entry of a list of key blocks is", [
      I32EnumAttrCase<"logical", 0>,
      I32EnumAttrCase<"physical", 1>]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}

def Attn_BlockListAttr : AttrDef<Attn_Dialect, "BlockList"> {
  let mnemonic = "blocks";
  let summary = "Which key blocks each block of query rows sees, as data";
  let description = [{
    Says how an op reads `blocks(indptr, indices)`. List number l, which `rows`
    positions in a row share, is `indices[indptr[l] .. indptr[l + 1])`; each
    entry is a block of `keys` key rows:

    * `logical`: entry x is the keys x keys .. (x + 1) keys - 1. The entries of
      a list ascend. Keys that no entry names are hidden.
    * `physical`: entry x is page x of key and value, which have two key row
      dimensions, the page and the row in it. The entry's place in the list is
      the position: row r of page number o of a list is key o keys + r.

    `maps`, in the core ops, are those of `indptr` and of `indices`. The last
    result of `indptr`'s is the dimension along which lists follow each other,
    so that the last extent of `indptr` is one more than there are lists;
    without results there is one list. Dimensions before it, and those of
    `indices` before its last, hold lists of their own.

    Example: keys in pages of 4, a list of pages for each of 2 requests.
    ```mlir
    func.func @paged(%q: tensor<2x6x1x8xf32>, %k: tensor<9x3x4x8xf32>, %v: tensor<9x3x4x5xf32>,
                     %indptr: tensor<3xi32>, %pages: tensor<?xi32>,
                     %init: tensor<2x6x1x5xf32>) -> tensor<2x6x1x5xf32> {
      %o = attn.sdpa ins(%q, %k, %v : tensor<2x6x1x8xf32>, tensor<9x3x4x8xf32>, tensor<9x3x4x5xf32>)
          blocks(%indptr, %pages : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 4, kind = physical}
          outs(%init : tensor<2x6x1x5xf32>) -> tensor<2x6x1x5xf32>
      return %o : tensor<2x6x1x5xf32>
    }
    ```
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$keys,
                        "::attn::BlockKind":$kind,
                        ArrayRefParameter<"::mlir::AffineMap">:$maps);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool isPhysical() const { return getKind() == ::attn::BlockKind::physical; }
  }];
}

#endif // ATTN_IR_BLOCKLIST_TD
