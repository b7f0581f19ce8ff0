//===- EmitGPU.cpp - GPU kernels for attention ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/Codegen/Passes.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_EMITGPUPASS
#include "attn/Codegen/Passes.h.inc"

/// What a given choice asks for and the op, or this emitter, has not.
static std::string explainMismatch(GenericOp op, GPUKernelAttr choice) {
  std::string reason = explainNoGPUKernel(op);
  if (!reason.empty())
    return reason;
  if (choice.getSplits() != 1 && !isOnline(op))
    return "keys in parts are not built where weights have to be final";
  if (choice.getForm() == GPUForm::plain)
    return choice.getStages() == 1 ? ""
                                   : "plain kernels have 1 stage: their copies "
                                     "are not asynchronous";
  reason = explainNoMma(op);
  if (!reason.empty())
    return "mma_sync cannot be the form: " + reason;
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue()})
    if (!cast<MemRefType>(operand.getType()).isLastDimUnitStride())
      return "mma_sync cannot be the form: elements of a row do not lie next "
             "to each other";
  return "";
}

namespace {

struct EmitGPUPass final : impl::EmitGPUPassBase<EmitGPUPass> {
  using EmitGPUPassBase::EmitGPUPassBase;

  void runOnOperation() override {
    SmallVector<GenericOp> ops;
    getOperation()->walk([&](GenericOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (GenericOp op : ops)
      if (failed(emit(rewriter, op)))
        return signalPassFailure();
    if (failed(checkHost()))
      signalPassFailure();
  }

  static LogicalResult emit(RewriterBase &rewriter, GenericOp op) {
    if (!isa<MemRefType>(op.getQuery().getType()))
      return op.emitOpError("cannot be emitted as a GPU kernel: expected "
                            "buffers, not tensors");
    GPUKernelAttr choice = GPUKernelAttr::of(op);
    if (!choice)
      return op.emitOpError("cannot be emitted as a GPU kernel: expected ")
             << GPUKernelAttr::getAttributeName()
             << "; run attn-choose-gpu-kernel";
    std::string reason = explainMismatch(op, choice);
    if (!reason.empty())
      return op.emitOpError("cannot be emitted as a GPU kernel: ") << reason;
    auto emitter = choice.getForm() == GPUForm::mma_sync
                       ? createMmaKernel(rewriter, op, choice)
                       : createPlainKernel(rewriter, op, choice);
    return emitter->run();
  }

  /// The first op outside of kernels that reads or writes memory.
  LogicalResult checkHost() {
    auto result = getOperation()->walk<WalkOrder::PreOrder>([](Operation *op) {
      if (isa<gpu::LaunchOp>(op))
        return WalkResult::skip();
      auto memory = dyn_cast<MemoryEffectOpInterface>(op);
      if (!memory || isa<CheckOp, CostOp>(op) ||
          !(memory.hasEffect<MemoryEffects::Read>() ||
            memory.hasEffect<MemoryEffects::Write>()))
        return WalkResult::advance();
      op->emitOpError("cannot be compiled for a GPU: only attention can, and "
                      "the host cannot access the memory of a GPU");
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
} // namespace attn
