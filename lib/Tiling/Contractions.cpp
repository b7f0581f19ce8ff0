//===- Contractions.cpp - What is a product of matrices ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/Contractions.h"
#include "attn/IR/Verify.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attn {

/// Whether the body is `out + a * b` of floats that are extended at most.
static bool multipliesAndAdds(linalg::LinalgOp op) {
  if (!linalg::isaContractionOpInterface(op))
    return false;
  for (Operation &nested : op.getBlock()->without_terminator())
    if (!isa<arith::ExtFOp, arith::MulFOp, arith::AddFOp>(nested))
      return false;
  return true;
}

static bool isKernelFloat(Type type) {
  return type.isF16() || type.isBF16() || type.isF32() || type.isF64();
}

/// Whether all elements of a tensor are 0, and no -0, which a sum of nothing
/// would be.
static bool isZero(Value tensor) {
  if (auto fill = tensor.getDefiningOp<linalg::FillOp>())
    return matchPattern(fill.value(), m_PosZeroFloat());
  return matchPattern(tensor, m_PosZeroFloat());
}

/// Of `dims`, the one that comes last in `map`, without those of one position.
static std::optional<unsigned> getInnermost(AffineMap map,
                                            ArrayRef<unsigned> dims,
                                            ArrayRef<int64_t> extents) {
  for (unsigned i = map.getNumResults(); i-- > 0;)
    if (llvm::is_contained(dims, map.getDimPosition(i)) &&
        extents[map.getDimPosition(i)] != 1)
      return map.getDimPosition(i);
  return std::nullopt;
}

FailureOr<Contraction>
matchContraction(linalg::LinalgOp op, function_ref<void(const Twine &)> why) {
  auto fail = [&](const Twine &reason) -> FailureOr<Contraction> {
    why(reason);
    return failure();
  };
  if (!op.hasPureTensorSemantics() || op.getNumDpsInputs() != 2 ||
      !multipliesAndAdds(op))
    return fail("it is no sum of products of floats");
  for (OpOperand &operand : op->getOpOperands())
    if (!isa<RankedTensorType>(operand.get().getType()) ||
        !isKernelFloat(getElementTypeOrSelf(operand.get().getType())))
      return fail("an operand is not of f16, bf16, f32 or f64");
  FailureOr<linalg::ContractionDimensions> dims =
      linalg::inferContractionDims(op);
  if (failed(dims) || dims->k.empty())
    return fail("nothing is summed over");

  Contraction result;
  result.op = op;
  result.lhs = op->getOperand(0);
  result.rhs = op->getOperand(1);
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  result.lhsMap = maps[0];
  result.rhsMap = maps[1];
  result.resultMap = maps[2];
  if (maps[2].getNumResults() == 0)
    return fail("its result is one number");
  unsigned inner = maps[2].getDimPosition(maps[2].getNumResults() - 1);
  if (llvm::is_contained(dims->m, inner)) {
    std::swap(result.lhs, result.rhs);
    std::swap(result.lhsMap, result.rhsMap);
    std::swap(dims->m, dims->n);
  }
  if (!llvm::is_contained(dims->n, inner))
    return fail("the innermost dimension of its result is in both operands");
  SmallVector<int64_t> extents = op.getStaticLoopRanges();
  std::optional<unsigned> features =
      getInnermost(result.lhsMap, dims->k, extents);
  if (!features)
    return fail("its sums are of one product each");
  result.columns = inner;
  result.rows = getInnermost(maps[2], dims->m, extents);
  result.features = *features;
  if (result.rows && extents[result.columns] == 1) {
    // One column: what would be rows are the columns of a vector's product.
    std::swap(result.lhs, result.rhs);
    std::swap(result.lhsMap, result.rhsMap);
    result.columns = *result.rows;
    result.rows.reset();
  }
  // A dimension of one position in a tile, among those that the tile has not,
  // could not be told from them.
  if (extents[result.columns] == 1)
    return fail("its result has one element for each position of what is in "
                "both operands");
  for (unsigned dim = 0; dim < op.getNumLoops(); ++dim) {
    if (dim == result.columns || dim == result.features || result.rows == dim)
      continue;
    (llvm::is_contained(dims->k, dim) ? result.outerFeatures : result.outer)
        .push_back(dim);
  }
  Value init = op.getDpsInits()[0];
  result.init = isZero(init) ? Value() : init;
  return result;
}

//===----------------------------------------------------------------------===//
// What follows
//===----------------------------------------------------------------------===//

/// Whether a region of `attn.contract` may hold the ops of `body`.
static bool isElementwiseBody(Block &body) {
  for (Operation &op : body.without_terminator()) {
    if (!isa<arith::ArithDialect, math::MathDialect>(op.getDialect()) ||
        op.getNumRegions() != 0)
      return false;
    auto rounding = dyn_cast<arith::ArithRoundingModeInterface>(op);
    if (rounding && rounding.getRoundingModeAttr())
      return false;
    auto isKnown = [](Type type) {
      return isKernelFloat(type) || type.isIndex() ||
             (type.isSignlessInteger() && type.getIntOrFloatBitWidth() <= 64);
    };
    if (!llvm::all_of(op.getOperandTypes(), isKnown) ||
        !llvm::all_of(op.getResultTypes(), isKnown))
      return false;
  }
  return true;
}

/// The elementwise op that is the only user of `result`, which it reads once
/// and in the place where it writes; null if there is none.
static linalg::LinalgOp getConsumer(Value result) {
  if (!result.hasOneUse())
    return {};
  OpOperand &use = *result.getUses().begin();
  auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (!op || !op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops() || !op.isDpsInput(&use))
    return {};
  if (!llvm::all_of(op.getIndexingMapsArray(),
                    [](AffineMap map) { return map.isProjectedPermutation(); }))
    return {};
  AffineMap read = op.getMatchingIndexingMap(&use);
  OpOperand *init = op.getDpsInitOperand(0);
  if (!read.isPermutation() ||
      !op.getMatchingIndexingMap(init).isPermutation() ||
      !op.getMatchingBlockArgument(init).use_empty() ||
      !isKernelFloat(getElementTypeOrSelf(init->get())) ||
      !isElementwiseBody(*op.getBlock()))
    return {};
  return op;
}

void takeConsumers(Contraction &contraction) {
  Type product = getElementTypeOrSelf(contraction.op->getResult(0));
  Type lhs = getElementTypeOrSelf(contraction.lhs);
  Type rhs = getElementTypeOrSelf(contraction.rhs);
  FloatType accType = detail::getWidestFloat({lhs, rhs, product});
  Operation *last = contraction.op;
  // A sum over several dimensions ends when all its tiles have been added.
  if (!contraction.outerFeatures.empty())
    return;
  while (linalg::LinalgOp next = getConsumer(last->getResult(0))) {
    Type type = getElementTypeOrSelf(next->getResult(0));
    // The type that sums are in follows from what they become.
    if (detail::getWidestFloat({lhs, rhs, type}) != accType)
      return;
    if (next->getBlock() != contraction.op->getBlock())
      return;
    contraction.consumers.push_back(next);
    last = next;
  }
}

} // namespace attn
