//===- Sdpa.cpp - Scaled dot-product attention ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "HeadAttention.h"
#include "attn/IR/Verify.h"

using namespace mlir;

namespace attn {

static HeadAttention getParts(SdpaOp op) {
  HeadAttention parts;
  parts.op = op;
  parts.query = op.getQuery();
  parts.key = op.getKey();
  parts.value = op.getValue();
  parts.bias = op.getBias();
  parts.booleanMask = op.getBooleanMask();
  parts.offset = op.getOffset();
  parts.sink = op.getSink();
  parts.queryStarts = op.getQueryStarts();
  parts.keyStarts = op.getKeyStarts();
  parts.output = op.getOutput();
  parts.lse = op.getLse();
  parts.weights = op.getWeights();
  parts.mask = &op.getMask();
  parts.score = &op.getScore();
  parts.scale = op.getScaleAttr();
  parts.softcap = op.getSoftcapAttr();
  parts.causal = op.getCausal();
  parts.window = op.getWindow();
  parts.indptr = op.getIndptr();
  parts.indices = op.getIndices();
  parts.blocks = op.getBlocksAttr();
  return parts;
}

MutableOperandRange SdpaOp::getDpsInitsMutable() {
  auto [start, length] = getODSOperandIndexAndLength(11);
  return MutableOperandRange(*this, start, getNumOperands() - start);
}

void SdpaOp::getAsmBlockArgumentNames(Region &region,
                                      OpAsmSetValueNameFn setName) {
  getParts(*this).nameRegionArguments(region, setName);
}

void SdpaOp::getAsmResultNames(OpAsmSetValueNameFn setName) {
  SmallVector<StringRef> names{"out"};
  if (getLse())
    names.push_back("lse");
  if (getWeights())
    names.push_back("weights");
  for (auto [result, name] : llvm::zip(getResults(), names))
    setName(result, name);
}

void SdpaOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  detail::getDestinationStyleEffects(*this, /*readsInits=*/false, effects);
}

LogicalResult SdpaOp::verify() { return getParts(*this).verify(); }

LogicalResult SdpaOp::verifyRegions() {
  return getParts(*this).verifyRegions();
}

void SdpaOp::getExtentRelations(OperandRelations &relations) {
  getParts(*this).getExtentRelations(relations);
}

RaggedExtents SdpaOp::getRaggedExtents() {
  return getParts(*this).getRaggedExtents();
}

LogicalResult SdpaOp::expand(RewriterBase &rewriter) {
  return getParts(*this).expand(rewriter);
}

llvm::Expected<SmallVector<PlainResult>>
SdpaOp::evaluate(Evaluation &evaluation) {
  return getParts(*this).evaluate(evaluation);
}

SmallVector<Value> SdpaOp::getMaskOperands() {
  return getParts(*this).getMaskOperands();
}

} // namespace attn
