//===- CheckExtents.cpp - Extents that only a run can compare ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/RunChecks.h"
#include "attn/Analysis/ExtentRelations.h"
#include "attn/IR/Utils.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Interfaces/ParallelCombiningOpInterface.h"
#include "mlir/Interfaces/RuntimeVerifiableOpInterface.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_CHECKEXTENTSPASS
#include "attn/Transforms/Passes.h.inc"

static bool isCalled(func::FuncOp function) {
  return !SymbolTable::symbolKnownUseEmpty(function, function->getParentOp());
}

/// What a failure says, {0} being the extent that was expected.
static std::string getMessage(const ExtentRelation &relation) {
  return ("expected extent " +
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
  CheckOp::create(b, loc, holds, describe(relation.op, getMessage(relation)),
                  {right, left});
}

/// The extents that two operands share by what `op` is: all of elementwise
/// arithmetic, and those that structured ops iterate over.
static std::vector<ExtentRelation> getSharedExtents(Operation *op) {
  std::vector<ExtentRelation> relations;
  auto add = [&](unsigned left, int64_t leftDim, unsigned right,
                 int64_t rightDim, const Twine &meaning) {
    relations.push_back({{left, right, leftDim, rightDim, /*multiple=*/false,
                          meaning.str()},
                         op,
                         TracedExtent::of(op->getOperand(left), leftDim),
                         TracedExtent::of(op->getOperand(right), rightDim)});
  };
  auto getRank = [&](unsigned number) -> int64_t {
    auto type = dyn_cast<RankedTensorType>(op->getOperand(number).getType());
    return type ? type.getRank() : 0;
  };
  if (OpTrait::hasElementwiseMappableTraits(op)) {
    std::optional<unsigned> first;
    for (unsigned number = 0; number < op->getNumOperands(); ++number) {
      if (first && getRank(number) == getRank(*first))
        for (int64_t dim = 0; dim < getRank(number); ++dim)
          add(number, dim, *first, dim, "what is combined element by element");
      if (!first && getRank(number) != 0)
        first = number;
    }
  }
  if (auto structured = dyn_cast<linalg::LinalgOp>(op)) {
    llvm::DenseMap<unsigned, std::pair<unsigned, int64_t>> known;
    for (auto [number, map] :
         llvm::enumerate(structured.getIndexingMapsArray()))
      for (auto [dim, expression] : llvm::enumerate(map.getResults())) {
        auto iterator = dyn_cast<AffineDimExpr>(expression);
        if (!iterator || getRank(number) == 0)
          continue;
        auto [first, inserted] = known.insert(
            {iterator.getPosition(), {unsigned(number), int64_t(dim)}});
        if (!inserted)
          add(number, dim, first->second.first, first->second.second,
              "d" + Twine(iterator.getPosition()) + " of the indexing maps");
      }
  }
  return relations;
}

/// Gathers the ops that run as they stand: not those in the regions of other
/// ops than functions and control flow, which need not run, or not so.
static void gatherOps(Region &region, SmallVectorImpl<Operation *> &ops) {
  for (Block &block : region)
    for (Operation &op : block) {
      ops.push_back(&op);
      if (isa<scf::SCFDialect>(op.getDialect()))
        for (Region &inner : op.getRegions())
          gatherOps(inner, ops);
    }
}

/// Checks, before `op`, what it takes for granted.
static void addChecks(OpBuilder &b, Operation *op) {
  // What follows from a memref's type is for those who wrote the memref.
  if (!llvm::any_of(op->getOperandTypes(), llvm::IsaPred<TensorType>))
    return;
  for (const ExtentRelation &relation : getSharedExtents(op))
    if (!(relation.left == relation.right))
      addCheck(b, relation);
  auto verifiable = dyn_cast<RuntimeVerifiableOpInterface>(op);
  // Of structured ops only what the maps above do not say: sums of indices.
  auto structured = dyn_cast<linalg::LinalgOp>(op);
  if (!verifiable ||
      (structured && llvm::all_of(structured.getIndexingMapsArray(),
                                  [](AffineMap map) {
                                    return map.isProjectedPermutation(
                                        /*allowZeroInResults=*/true);
                                  })))
    return;
  Operation *before = op;
  while (isa<InParallelOpInterface>(before->getParentOp()))
    before = before->getParentOp();
  b.setInsertionPoint(before);
  verifiable.generateRuntimeVerification(b, op->getLoc(), describe);
}

namespace {
struct CheckExtentsPass final : impl::CheckExtentsPassBase<CheckExtentsPass> {
  using CheckExtentsPassBase::CheckExtentsPassBase;

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
      function.walk([&](RaggedOpInterface op) {
        if (!isRagged(op))
          return;
        b.setInsertionPoint(op);
        numChecks += addStartsChecks(
            b, op, startsValues ? StartsCheck::all : StartsCheck::extents);
      });
      SmallVector<Operation *> ops;
      gatherOps(function.getBody(), ops);
      for (Operation *op : ops)
        addChecks(b, op);
    }
  }
};
} // namespace

} // namespace attn
