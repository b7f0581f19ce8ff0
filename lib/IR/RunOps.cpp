//===- RunOps.cpp - Ops that address the run --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/PatternMatch.h"

using namespace attn;
using namespace mlir;

LogicalResult CheckOp::verify() {
  // (C1)
  if (getNumbers().size() > 2)
    return emitOpError("(C1) expected at most two numbers, but got ")
           << getNumbers().size();
  return success();
}

/// What holds needs no check.
LogicalResult CheckOp::canonicalize(CheckOp op, PatternRewriter &rewriter) {
  if (!matchPattern(op.getCondition(), m_One()))
    return failure();
  rewriter.eraseOp(op);
  return success();
}

/// Says something in a parallel loop, of iterations that differ.
LogicalResult CostOp::canonicalize(CostOp op, PatternRewriter &rewriter) {
  if (op->getParentOp()->hasTrait<OpTrait::HasParallelRegion>() &&
      !matchPattern(op.getAmount(), m_Constant()))
    return failure();
  rewriter.eraseOp(op);
  return success();
}
