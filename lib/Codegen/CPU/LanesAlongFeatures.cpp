//===- LanesAlongFeatures.cpp - Emitter of a layout -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FewRowsEmitter.h"
#include "Selection.h"
#include "TileEmitter.h"

using namespace mlir;

namespace attn {
namespace {

struct LanesAlongFeaturesEmitter
    : TileEmitterInterface::ExternalModel<LanesAlongFeaturesEmitter,
                                          LanesAlongFeaturesAttr> {
  LogicalResult emitOnline(Attribute, RewriterBase &rewriter, OnlineOp op,
                           const EmitOptions &options) const {
    return FewRowsEmitter(rewriter, op, options).run();
  }
  LogicalResult emitReplay(Attribute, RewriterBase &rewriter, ReplayOp op,
                           const EmitOptions &options) const {
    return emitReplayRows(rewriter, op, options);
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
    return emitFinishRows(rewriter, op, options);
  }
};

} // namespace

template <>
void attachTileEmitter<LanesAlongFeaturesAttr>(MLIRContext &context) {
  LanesAlongFeaturesAttr::attachInterface<LanesAlongFeaturesEmitter>(context);
}

} // namespace attn
