//===- VerifyGPUChoice.h - What an op says of its kernel --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IR_VERIFYGPUCHOICE_H
#define ATTN_LIB_IR_VERIFYGPUCHOICE_H

#include "attn/IR/GPUKernel.h"

namespace attn {

/// The kernel that an op is to be, a `Choice`, and beside one of the form
/// `wgmma` that of another form.
template <typename Choice>
mlir::LogicalResult verifyGPUChoice(mlir::Operation *op) {
  llvm::StringRef choice = Choice::getAttributeName();
  llvm::StringRef fallback = GPUKernelAttr::getFallbackName();
  for (llvm::StringRef name : {choice, fallback})
    if (mlir::Attribute given = op->getDiscardableAttr(name);
        given && !llvm::isa<Choice>(given))
      return op->emitOpError("expected ")
             << name << " to be a #attn." << Choice::getMnemonic()
             << ", but got " << given;
  auto other = op->getAttrOfType<Choice>(fallback);
  if (!other)
    return mlir::success();
  if (other.getForm() == GPUForm::wgmma)
    return op->emitOpError("expected ")
           << fallback << " to be of another form than wgmma, but got "
           << other;
  Choice kernel = Choice::of(op);
  if (kernel && kernel.getForm() == GPUForm::wgmma)
    return mlir::success();
  mlir::InFlightDiagnostic error = op->emitOpError("expected ")
                                   << fallback << " beside " << choice
                                   << " of the form wgmma, but got ";
  return kernel ? error << kernel : error << "none";
}

} // namespace attn

#endif // ATTN_LIB_IR_VERIFYGPUCHOICE_H
