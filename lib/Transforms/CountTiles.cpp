//===- CountTiles.cpp - Where key tiles are counted -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "attn/Tiling/Tiling.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_COUNTTILESPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// Declares the counters: key tiles looked at, computed, and full.
void declareTileCounts(ModuleOp module) {
  OpBuilder b(module.getBodyRegion());
  auto type = MemRefType::get({3}, b.getI64Type());
  auto zeros = DenseElementsAttr::get(
      RankedTensorType::get({3}, b.getI64Type()), ArrayRef<int64_t>{0, 0, 0});
  memref::GlobalOp::create(b, module.getLoc(), getTileCountsName(),
                           /*sym_visibility=*/StringAttr(), type, zeros,
                           /*constant=*/false, /*alignment=*/IntegerAttr());
}

struct CountTilesPass final : impl::CountTilesPassBase<CountTilesPass> {
  void runOnOperation() override {
    bool counts = getOperation()
                      ->walk([](AttentionOpInterface op) {
                        return op->hasAttr("count_tiles") ||
                                       op->hasAttr("attn.count_tiles")
                                   ? WalkResult::interrupt()
                                   : WalkResult::advance();
                      })
                      .wasInterrupted();
    if (counts && !getOperation().lookupSymbol(getTileCountsName()))
      declareTileCounts(getOperation());
  }
};

} // namespace
} // namespace attn
