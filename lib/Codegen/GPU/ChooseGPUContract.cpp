//===- ChooseGPUContract.cpp - Forms and tiles of products ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/GPUContract.h"
#include "attn/Codegen/Passes.h"
#include "mlir/IR/Remarks.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_CHOOSEGPUCONTRACTPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

struct ChooseGPUContractPass final
    : impl::ChooseGPUContractPassBase<ChooseGPUContractPass> {
  using ChooseGPUContractPassBase::ChooseGPUContractPassBase;

  void runOnOperation() override {
    std::optional<GPUTarget> target = GPUTarget::find(chip);
    if (!target) {
      getOperation()->emitError("expected chip to be one of ")
          << GPUTarget::listChips() << ", but got " << chip.getValue();
      return signalPassFailure();
    }
    auto result = getOperation()->walk([&](ContractOp op) {
      return WalkResult(choose(op, *target));
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  LogicalResult choose(ContractOp op, const GPUTarget &target) {
    GPUContractAttr kernel = GPUContractAttr::of(op);
    std::string chosen = "as given";
    if (!kernel) {
      GPUContractChoice choice = chooseGPUContract(op, target, wgmma);
      kernel = choice.kernel;
      chosen = choice.reason;
      if (choice.fallback)
        op->setAttr(GPUKernelAttr::getFallbackName(), choice.fallback);
    } else if (kernel.getForm() == GPUForm::wgmma && !target.hasWgmma()) {
      return op.emitOpError("cannot be a GPU kernel: ")
             << kernel << " is for sm_90a, not for " << target.chip;
    } else if (std::string no = explainNoForm(op, kernel.getForm());
               !no.empty()) {
      return op.emitOpError("cannot be a GPU kernel: ")
             << stringifyGPUForm(kernel.getForm())
             << " cannot be the form: " << no;
    }
    op->setAttr(GPUContractAttr::getAttributeName(), kernel);
    remark::passed(op.getLoc(),
                   remark::RemarkOpts::name("gpu kernel").category("attn"))
        << chosen;
    return success();
  }
};

} // namespace
} // namespace attn
