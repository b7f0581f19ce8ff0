//===- NameChip.cpp - The GPU that kernels are for --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_NAMECHIPPASS
#include "attn/Codegen/Passes.h.inc"

namespace {
struct NameChipPass final : impl::NameChipPassBase<NameChipPass> {
  using NameChipPassBase::NameChipPassBase;

  void runOnOperation() override {
    if (!GPUTarget::find(chip)) {
      getOperation()->emitError("expected chip to be one of ")
          << GPUTarget::listChips() << ", but got " << chip.getValue();
      return signalPassFailure();
    }
    getOperation()->setAttr(GPUTarget::getAttributeName(),
                            StringAttr::get(&getContext(), chip));
  }
};
} // namespace
} // namespace attn
