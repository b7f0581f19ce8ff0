//===- CheckExtents.cpp - Extents that only a run can compare ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/ExtentRelations.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_CHECKEXTENTSPASS
#include "attn/Transforms/Passes.h.inc"

static bool isCalled(func::FuncOp function) {
  return !SymbolTable::symbolKnownUseEmpty(function, function->getParentOp());
}

/// What a failure says, {0} being the extent that was expected.
static std::string getMessage(const ExtentRelation &relation) {
  Operation *op = relation.op;
  std::string text;
  if (auto file = op->getLoc()->findInstanceOf<FileLineColLoc>())
    text += (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
             Twine(file.getColumn()) + ": ")
                .str();
  return (text + "'" + op->getName().getStringRef() + "' op expected extent " +
          Twine(relation.leftDim) + " of operand " +
          Twine(relation.leftOperand) + " to be " +
          (relation.multiple ? "a multiple of {0}" : "{0}") + " (as extent " +
          Twine(relation.rightDim) + " of operand " +
          Twine(relation.rightOperand) + ": " + relation.meaning +
          "), but got {1}")
      .str();
}

static Value materialize(OpBuilder &b, Location loc,
                         const TracedExtent &extent) {
  if (extent.number)
    return arith::ConstantIndexOp::create(b, loc, *extent.number);
  if (extent.size)
    return extent.size;
  return linalg::createOrFoldDimOp(b, loc, extent.source, extent.dim);
}

/// Whether `left` is a multiple of `right`: of 0, 0 alone is one.
static Value buildMultiple(OpBuilder &b, Location loc, Value left,
                             Value right) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value isZero =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, right, zero);
  Value divisor = arith::SelectOp::create(b, loc, isZero, one, right);
  Value rest = arith::RemUIOp::create(b, loc, left, divisor);
  Value wrong = arith::SelectOp::create(b, loc, isZero, left, rest);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, wrong, zero);
}

/// Checks `relation` before its op.
static void addCheck(OpBuilder &b, const ExtentRelation &relation) {
  Location loc = relation.op->getLoc();
  b.setInsertionPoint(relation.op);
  Value left = materialize(b, loc, relation.left);
  Value right = materialize(b, loc, relation.right);
  Value holds = relation.multiple
                    ? buildMultiple(b, loc, left, right)
                    : arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                            left, right);
  CheckOp::create(b, loc, holds, getMessage(relation), {right, left});
}

namespace {
struct CheckExtentsPass final : impl::CheckExtentsPassBase<CheckExtentsPass> {
  void runOnOperation() override {
    OpBuilder b(&getContext());
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      if (function.isDeclaration())
        continue;
      bool called = isCalled(function);
      for (const ExtentRelation &relation : getExtentRelations(function)) {
        if (relation.left == relation.right ||
            (!called && relation.isCheckedAtCall(function)))
          continue;
        addCheck(b, relation);
        ++numChecks;
      }
    }
  }
};
} // namespace

} // namespace attn
