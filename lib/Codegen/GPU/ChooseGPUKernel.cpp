//===- ChooseGPUKernel.cpp - Forms and tiles of GPU kernels -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/GPUFit.h"
#include "attn/Codegen/Passes.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_CHOOSEGPUKERNELPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

struct ChooseGPUKernelPass final
    : impl::ChooseGPUKernelPassBase<ChooseGPUKernelPass> {
  using ChooseGPUKernelPassBase::ChooseGPUKernelPassBase;

  void runOnOperation() override {
    std::optional<GPUTarget> target = GPUTarget::find(chip);
    if (!target) {
      getOperation()->emitError("expected chip to be one of ")
          << GPUTarget::listChips() << ", but got " << chip.getValue();
      return signalPassFailure();
    }
    SmallVector<GenericOp> ops;
    getOperation()->walk([&](GenericOp op) { ops.push_back(op); });
    for (GenericOp op : ops) {
      if (failed(choose(op, *target)))
        return signalPassFailure();
      if (countTiles)
        op->setAttr("attn.count_tiles", UnitAttr::get(&getContext()));
      dropFilledInits(op);
    }
  }

  /// Whether an op can do without a kernel of its own: the host knows what its
  /// steps are.
  static bool isDecomposed(GenericOp op) {
    return isa<AccumulateWeightingAttrInterface>(op.getWeighting()) &&
           !op.getBlocksAttr() && !op.getQueryStarts() && !op.getKeyStarts() &&
           isa<RankedTensorType>(op.getQuery().getType());
  }

  /// A kernel that is given has to fit the op and the chip.
  static LogicalResult checkGiven(GenericOp op, GPUKernelAttr kernel,
                                  const GPUTarget &target) {
    bool isWgmma = kernel.getForm() == GPUForm::wgmma;
    if (isWgmma && !target.hasWgmma())
      return op.emitOpError("cannot be a GPU kernel: ")
             << kernel << " is for sm_90a, not for " << target.chip;
    if (kernel.getForm() == GPUForm::mma_sync && target.isAMD())
      return op.emitOpError("cannot be a GPU kernel: ")
             << kernel << " is for GPUs of NVIDIA's, not for " << target.chip
             << "; the form there is plain";
    std::string no = isWgmma ? explainNoWgmma(op, kernel) : "";
    if (kernel.getForm() == GPUForm::mma_sync)
      no = explainNoMma(op);
    if (!no.empty())
      return op.emitOpError("cannot be a GPU kernel: ")
             << stringifyGPUForm(kernel.getForm())
             << " cannot be the form: " << no;
    if (int64_t size = GPUShared::of(op, kernel).size;
        size > target.sharedBytes)
      return op.emitOpError("cannot be a GPU kernel: ")
             << kernel << " takes " << size
             << " bytes of shared memory, of which a block of " << target.chip
             << " may have " << target.sharedBytes;
    return success();
  }

  LogicalResult choose(GenericOp op, const GPUTarget &target) {
    GPUKernelAttr kernel = GPUKernelAttr::of(op);
    std::string reason = explainNoGPUKernel(op);
    if (!reason.empty() && !kernel && isDecomposed(op)) {
      remark::missed(op.getLoc(),
                     remark::RemarkOpts::name("gpu kernel").category("attn"))
          << "its steps are kernels each: " << reason;
      return success();
    }
    if (!reason.empty())
      return op.emitOpError("cannot be a GPU kernel: ") << reason;
    std::string chosen = "as given";
    if (!kernel) {
      GPUChoice choice = chooseGPUKernel(op, target, wgmma);
      if (!choice.kernel)
        return op.emitOpError("cannot be a GPU kernel: ") << choice.reason;
      kernel = choice.kernel;
      chosen = choice.reason;
      if (choice.fallback)
        op->setAttr(GPUKernelAttr::getFallbackName(), choice.fallback);
    } else {
      for (StringRef name : {GPUKernelAttr::getAttributeName(),
                             GPUKernelAttr::getFallbackName()})
        if (auto given = op->getAttrOfType<GPUKernelAttr>(name);
            given && failed(checkGiven(op, given, target)))
          return failure();
    }
    op->setAttr(GPUKernelAttr::getAttributeName(), kernel);
    remark::passed(op.getLoc(),
                   remark::RemarkOpts::name("gpu kernel").category("attn"))
        << chosen;
    return success();
  }

  /// What an init is filled with would be work for the host.
  static void dropFilledInits(GenericOp op) {
    OpBuilder b(op);
    for (OpOperand &init : op.getDpsInitsMutable()) {
      Operation *source = init.get().getDefiningOp();
      auto type = dyn_cast<RankedTensorType>(init.get().getType());
      if (!type || !isa_and_nonnull<linalg::FillOp, arith::ConstantOp>(source))
        continue;
      init.set(tensor::EmptyOp::create(
          b, op.getLoc(), tensor::getMixedSizes(b, op.getLoc(), init.get()),
          type.getElementType(), type.getEncoding()));
      if (isOpTriviallyDead(source))
        source->erase();
    }
  }
};

} // namespace
} // namespace attn
