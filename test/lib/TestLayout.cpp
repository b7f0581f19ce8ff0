//===- TestLayout.cpp - A layout of the suite -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"
#include "attn/Codegen/TileEmitter.h"

using namespace mlir;
using namespace attn;

namespace attntest {

SmallVector<LayoutAttrInterface, 2>
HalfLanesAttr::propose(MLIRContext *context, const LayoutProblem &problem) {
  FloatType accType = problem.accType;
  int64_t lanes = problem.vectorBits / accType.getWidth() / 2;
  // No tile has rows of two lists.
  if (lanes == 0 || problem.tileRows || problem.listRows % lanes != 0)
    return {};
  return {get(context, lanes)};
}

int64_t HalfLanesAttr::getNumRows() const { return getLanes(); }

AffineMap HalfLanesAttr::getStoredMap(OperandRole role, AffineMap map) const {
  return getBase().getStoredMap(role, map);
}

std::optional<int64_t> HalfLanesAttr::getStoredExtent(OperandRole role,
                                                      unsigned dim) const {
  return getBase().getStoredExtent(role, dim);
}

Type HalfLanesAttr::getStoredElement(OperandRole role, AffineMap map,
                                     Type element, FloatType accType) const {
  return getBase().getStoredElement(role, map, element, accType);
}

/// Less than any other's for one row or two.
double HalfLanesAttr::getCost(const LayoutProblem &problem) const {
  return problem.estimate(0) <= std::min<int64_t>(getLanes(), 2)
             ? 0
             : getBase().getCost(problem);
}

namespace {

struct HalfLanesEmitter
    : TileEmitterInterface::ExternalModel<HalfLanesEmitter, HalfLanesAttr> {
  static TileEmitterInterface base(Attribute layout) {
    return cast<TileEmitterInterface>(
        Attribute(cast<HalfLanesAttr>(layout).getBase()));
  }
  LogicalResult emitOnline(Attribute layout, RewriterBase &rewriter,
                           OnlineOp op, const EmitOptions &options) const {
    return base(layout).emitOnline(rewriter, op, options);
  }
  LogicalResult emitReplay(Attribute layout, RewriterBase &rewriter,
                           ReplayOp op, const EmitOptions &options) const {
    return base(layout).emitReplay(rewriter, op, options);
  }
  LogicalResult emitPack(Attribute layout, RewriterBase &rewriter, PackOp op,
                         const EmitOptions &options) const {
    return base(layout).emitPack(rewriter, op, options);
  }
  LogicalResult emitMerge(Attribute layout, RewriterBase &rewriter, MergeOp op,
                          const EmitOptions &options) const {
    return base(layout).emitMerge(rewriter, op, options);
  }
  LogicalResult emitFinish(Attribute layout, RewriterBase &rewriter,
                           FinishOp op, const EmitOptions &options) const {
    return base(layout).emitFinish(rewriter, op, options);
  }
};

} // namespace

void registerTestDialect(DialectRegistry &registry) {
  registry.insert<AttnTestDialect>();
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    // No op of a file need name the dialect whose layout its tiles get.
    context->loadDialect<AttnTestDialect>();
  });
  // Either dialect may come first: ours loads the other before it has its
  // attributes.
  registry.addExtension(
      +[](MLIRContext *context, AttnDialect *dialect, AttnTestDialect *) {
        dialect->addLayouts(&HalfLanesAttr::propose);
        HalfLanesAttr::attachInterface<HalfLanesEmitter>(*context);
      });
}

} // namespace attntest
