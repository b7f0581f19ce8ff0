//===- EmitGPU.cpp - GPU kernels for ops on buffers -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "HostReads.h"
#include "KernelEmitter.h"
#include "StructuredKernel.h"
#include "attn/Codegen/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/Transforms/Transforms.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_EMITGPUPASS
#include "attn/Codegen/Passes.h.inc"

/// What a given choice asks for and the op, or this emitter, has not.
static std::string explainMismatch(GenericOp op, GPUKernelAttr choice) {
  std::string reason = explainNoGPUKernel(op);
  if (!reason.empty())
    return reason;
  if (choice.getForm() == GPUForm::plain)
    return choice.getStages() == 1 ? ""
                                   : "plain kernels have 1 stage: their copies "
                                     "are not asynchronous";
  bool isWgmma = choice.getForm() == GPUForm::wgmma;
  std::string no =
      stringifyGPUForm(choice.getForm()).str() + " cannot be the form: ";
  reason = isWgmma ? explainNoWgmma(op, choice) : explainNoMma(op);
  if (!reason.empty())
    return no + reason;
  for (Value operand : {op.getQuery(), op.getKey(), op.getValue()})
    if (!cast<MemRefType>(operand.getType()).isLastDimUnitStride())
      return no + "elements of a row do not lie next to each other";
  return "";
}

namespace {

struct EmitGPUPass final : impl::EmitGPUPassBase<EmitGPUPass> {
  using EmitGPUPassBase::EmitGPUPassBase;

  void runOnOperation() override {
    IRRewriter rewriter(&getContext());
    for (GenericOp op : collect<GenericOp>())
      if (failed(emit(rewriter, op)))
        return signalPassFailure();
    for (ContractOp op : collect<ContractOp>())
      if (failed(emitContractKernel(rewriter, op)))
        return signalPassFailure();
    // Of other loops the host runs every position.
    for (scf::ForallOp loop : collect<scf::ForallOp>())
      if (failed(scf::forallToForLoop(rewriter, loop)))
        return signalPassFailure();
    for (memref::CopyOp op : collect<memref::CopyOp>()) {
      rewriter.setInsertionPoint(op);
      linalg::makeMemRefCopyOp(rewriter, op.getLoc(), op.getSource(),
                               op.getTarget());
      rewriter.eraseOp(op);
    }
    for (linalg::LinalgOp op : collect<linalg::LinalgOp>())
      if (failed(emitStructuredKernel(rewriter, op)))
        return signalPassFailure();
    for (memref::StoreOp op : collect<memref::StoreOp>())
      emitStore(rewriter, op);
    moveReadsIntoKernels(getOperation());
    if (failed(checkHost()))
      signalPassFailure();
  }

  /// The ops of a kind that are outside of kernels, outer ones behind what they
  /// hold.
  template <typename OpTy> SmallVector<OpTy> collect() {
    SmallVector<OpTy> ops;
    getOperation()->walk([&](OpTy op) {
      if (!op->template getParentOfType<gpu::LaunchOp>())
        ops.push_back(op);
    });
    return ops;
  }

  /// An element that the host has computed.
  static void emitStore(RewriterBase &rewriter, memref::StoreOp op) {
    rewriter.setInsertionPoint(op);
    Value one = arith::ConstantIndexOp::create(rewriter, op.getLoc(), 1);
    auto launch = gpu::LaunchOp::create(rewriter, op.getLoc(), one, one, one,
                                        one, one, one);
    rewriter.setInsertionPointToStart(&launch.getBody().front());
    auto end = gpu::TerminatorOp::create(rewriter, op.getLoc());
    rewriter.moveOpBefore(op, end);
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
    auto fallback =
        op->getAttrOfType<GPUKernelAttr>(GPUKernelAttr::getFallbackName());
    if (fallback && choice.getForm() == GPUForm::wgmma)
      return emitEither(rewriter, op, fallback);
    switch (choice.getForm()) {
    case GPUForm::mma_sync:
      return createMmaKernel(rewriter, op, choice)->run();
    case GPUForm::plain:
      return createPlainKernel(rewriter, op, choice)->run();
    case GPUForm::wgmma:
      return createWgmmaKernel(rewriter, op, choice, /*hasMaps=*/false)->run();
    }
    llvm_unreachable("unknown form");
  }

  /// op
  /// ->
  ///   %fits = (all arrays have tensor maps)
  ///   scf.if %fits { op of the form wgmma } else { op as `fallback` has it }
  static LogicalResult emitEither(RewriterBase &rewriter, GenericOp op,
                                  GPUKernelAttr fallback) {
    GPUKernelAttr choice = GPUKernelAttr::of(op);
    op->removeAttr(GPUKernelAttr::getFallbackName());
    rewriter.setInsertionPoint(op);
    Value fits = checkMaps(rewriter, op);
    if (getConstantIntValue(fits) == 0) {
      op->setAttr(GPUKernelAttr::getAttributeName(), fallback);
      return emit(rewriter, op);
    }
    auto branch = scf::IfOp::create(rewriter, op.getLoc(), fits,
                                    /*withElseRegion=*/true);
    rewriter.setInsertionPoint(branch.elseBlock()->getTerminator());
    auto other = cast<GenericOp>(rewriter.clone(*op));
    other->setAttr(GPUKernelAttr::getAttributeName(), fallback);
    rewriter.moveOpBefore(op, branch.thenBlock()->getTerminator());
    if (failed(
            createWgmmaKernel(rewriter, op, choice, /*hasMaps=*/true)->run()))
      return failure();
    return emit(rewriter, other);
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
      InFlightDiagnostic error =
          op->emitOpError("cannot be compiled for a GPU: ");
      auto load = dyn_cast<memref::LoadOp>(op);
      if (load && isTakenByKernels(load))
        error << "it reads an element for kernels, and its tensor may be "
                 "written before they do; expected it to be a tensor that is "
                 "not written any more";
      else if (load)
        error << "it reads an element on the host, which cannot access the "
                 "memory of a GPU; expected what branches and extents depend "
                 "on to be an argument that is no tensor";
      else
        error << "it has no form as a kernel, and the host cannot access the "
                 "memory of a GPU";
      return WalkResult::interrupt();
    });
    return failure(result.wasInterrupted());
  }
};

} // namespace
} // namespace attn
