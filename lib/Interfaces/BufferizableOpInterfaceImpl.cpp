//===- BufferizableOpInterfaceImpl.cpp - Buffers ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Interfaces/Interfaces.h"
#include "attn/IR/ContractOp.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/DstBufferizableOpInterfaceImpl.h"

using namespace mlir;
using namespace mlir::bufferization;

namespace attn {
namespace {

/// Replaces the tensor operands of a destination-style op by buffers; the
/// regions, which hold elements, move along. `ReadsInits` says whether the op
/// updates its inits or overwrites them.
template <typename OpTy, bool ReadsInits>
struct DestinationStyleModel
    : DstBufferizableOpInterfaceExternalModel<
          DestinationStyleModel<OpTy, ReadsInits>, OpTy> {
  bool bufferizesToMemoryRead(Operation *op, OpOperand &operand,
                              const AnalysisState &) const {
    bool readsInits = ReadsInits;
    if constexpr (std::is_same_v<OpTy, ContractOp>)
      readsInits = cast<ContractOp>(op).getAccumulate();
    return readsInits || !cast<OpTy>(op).isDpsInit(&operand);
  }

  LogicalResult bufferize(Operation *op, RewriterBase &rewriter,
                          const BufferizationOptions &options,
                          BufferizationState &state) const {
    OpBuilder::InsertionGuard guard(rewriter);
    rewriter.setInsertionPoint(op);
    SmallVector<Value> operands;
    for (Value operand : op->getOperands()) {
      if (!isa<TensorType>(operand.getType())) {
        operands.push_back(operand);
        continue;
      }
      FailureOr<Value> buffer = getBuffer(rewriter, operand, options, state);
      if (failed(buffer))
        return failure();
      operands.push_back(*buffer);
    }
    auto destination = cast<OpTy>(op);
    SmallVector<Value> results;
    for (OpOperand &init : destination.getDpsInitsMutable())
      results.push_back(operands[init.getOperandNumber()]);

    OperationState newState(op->getLoc(), op->getName());
    newState.addOperands(operands);
    newState.addAttributes(llvm::to_vector(op->getDiscardableAttrs()));
    newState.propertiesAttr = op->getPropertiesAsAttribute();
    for (Region &region : op->getRegions())
      newState.addRegion()->takeBody(region);
    rewriter.create(newState);
    replaceOpWithBufferizedValues(rewriter, op, results);
    return success();
  }
};

} // namespace

void registerBufferizableOpInterfaceExternalModels(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    GenericOp::attachInterface<DestinationStyleModel<GenericOp, false>>(
        *context);
    OnlineOp::attachInterface<DestinationStyleModel<OnlineOp, true>>(*context);
    ReplayOp::attachInterface<DestinationStyleModel<ReplayOp, true>>(*context);
    MergeOp::attachInterface<DestinationStyleModel<MergeOp, false>>(*context);
    FinishOp::attachInterface<DestinationStyleModel<FinishOp, false>>(*context);
    PackOp::attachInterface<DestinationStyleModel<PackOp, false>>(*context);
    ContractOp::attachInterface<DestinationStyleModel<ContractOp, true>>(
        *context);
  });
}

} // namespace attn
