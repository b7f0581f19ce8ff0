//===- LanesAlongRows.cpp - Emitter of a layout -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnlineEmitter.h"
#include "Selection.h"
#include "TileEmitter.h"

using namespace mlir;

namespace attn {
namespace {

struct LanesAlongRowsEmitter
    : TileEmitterInterface::ExternalModel<LanesAlongRowsEmitter,
                                          LanesAlongRowsAttr> {
  LogicalResult emitOnline(Attribute, RewriterBase &rewriter, OnlineOp op,
                           const EmitOptions &options) const {
    if (isa<SelectWeightingAttrInterface>(op.getWeighting()))
      return emitSelectingStep(rewriter, op, options);
    OpBuilder::InsertionGuard guard(rewriter);
    return OnlineEmitter(rewriter, op, options).run();
  }
  LogicalResult emitReplay(Attribute, RewriterBase &rewriter, ReplayOp op,
                           const EmitOptions &options) const {
    return attn::emitReplay(rewriter, op, options);
  }
  LogicalResult emitPack(Attribute, RewriterBase &rewriter, PackOp op,
                         const EmitOptions &options) const {
    return attn::emitPack(rewriter, op, options);
  }
  LogicalResult emitMerge(Attribute, RewriterBase &rewriter, MergeOp op,
                          const EmitOptions &options) const {
    if (isa<SelectWeightingAttrInterface>(op.getWeighting()))
      return emitSelectingMerge(rewriter, op, options);
    return attn::emitMerge(rewriter, op, options);
  }
  LogicalResult emitFinish(Attribute, RewriterBase &rewriter, FinishOp op,
                           const EmitOptions &options) const {
    if (isa<SelectWeightingAttrInterface>(op.getWeighting()))
      return emitSelectingFinish(rewriter, op, options);
    return attn::emitFinish(rewriter, op, options);
  }
};

} // namespace

template <>
void attachTileEmitter<LanesAlongRowsAttr>(MLIRContext &context) {
  LanesAlongRowsAttr::attachInterface<LanesAlongRowsEmitter>(context);
}

} // namespace attn
