//===- SdpaOp.cpp - Scaled dot-product attention --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Verify.h"

using namespace mlir;

namespace attn {

MutableOperandRange SdpaOp::getDpsInitsMutable() {
  auto [start, length] = getODSOperandIndexAndLength(6);
  return MutableOperandRange(*this, start, getNumOperands() - start);
}

int64_t SdpaOp::getNumLeadingDims() {
  return detail::getShapeOrScalar(getQuery().getType()).size() - 2;
}

void SdpaOp::getAsmBlockArgumentNames(Region &region,
                                      OpAsmSetValueNameFn setName) {}

void SdpaOp::getAsmResultNames(OpAsmSetValueNameFn setName) {}

void SdpaOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult SdpaOp::verify() { return success(); }

LogicalResult SdpaOp::verifyRegions() { return success(); }

} // namespace attn
