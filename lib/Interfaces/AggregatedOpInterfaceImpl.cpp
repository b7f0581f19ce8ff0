//===- AggregatedOpInterfaceImpl.cpp - Expansion into linalg ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Interfaces/Interfaces.h"
#include "attn/Transforms/Transforms.h"

using namespace mlir;

namespace attn {
namespace {

template <typename OpTy, auto Decompose>
struct DecompositionModel
    : linalg::AggregatedOpInterface::ExternalModel<
          DecompositionModel<OpTy, Decompose>, OpTy> {
  FailureOr<SmallVector<Value>> decomposeOperation(Operation *op,
                                                   OpBuilder &b) const {
    return Decompose(b, cast<OpTy>(op));
  }
};

} // namespace

void registerAggregatedOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    GenericOp::attachInterface<
        DecompositionModel<GenericOp, decomposeAttention>>(*context);
    OnlineOp::attachInterface<DecompositionModel<OnlineOp, decomposeAttention>>(
        *context);
    MergeOp::attachInterface<DecompositionModel<MergeOp, decomposeMerge>>(
        *context);
    FinishOp::attachInterface<DecompositionModel<FinishOp, decomposeFinish>>(
        *context);
  });
}

} // namespace attn
