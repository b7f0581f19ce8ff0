//===- Contractions.cpp - What is a product of matrices ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tiling/Contractions.h"
#include "attn/IR/Utils.h"
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

static void exchangeSides(Contraction &contraction) {
  std::swap(contraction.lhs, contraction.rhs);
  std::swap(contraction.lhsMap, contraction.rhsMap);
  std::swap(contraction.lhsType, contraction.rhsType);
}

FailureOr<Contraction> matchContraction(linalg::LinalgOp op,
                                        function_ref<void(const Twine &)> why) {
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
  result.resultMap = result.finalMap = maps[2];
  result.lhsType = getElementTypeOrSelf(result.lhs);
  result.rhsType = getElementTypeOrSelf(result.rhs);
  if (maps[2].getNumResults() == 0)
    return fail("its result is one number");
  unsigned inner = maps[2].getDimPosition(maps[2].getNumResults() - 1);
  if (llvm::is_contained(dims->m, inner)) {
    exchangeSides(result);
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
    exchangeSides(result);
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

void widenSums(RewriterBase &b, const Contraction &contraction) {
  linalg::LinalgOp op = contraction.op;
  Location loc = op.getLoc();
  Value init = op.getDpsInits()[0];
  auto type = cast<RankedTensorType>(init.getType());
  if (type.getElementTypeBitWidth() >= 32)
    return;
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(op);
  AffineMap identity = b.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> parallel(type.getRank(),
                                            utils::IteratorType::parallel);
  auto convert = [&](Value from, Type element) -> Value {
    Value empty = tensor::EmptyOp::create(
        b, loc, tensor::getMixedSizes(b, loc, from), element);
    return linalg::GenericOp::create(
               b, loc, empty.getType(), from, empty,
               ArrayRef{identity, identity}, parallel,
               [&](OpBuilder &nested, Location, ValueRange arguments) {
                 linalg::YieldOp::create(
                     nested, loc,
                     convertFloat(nested, loc, arguments[0], element));
               })
        .getResult(0);
  };
  Value wide =
      linalg::GenericOp::create(
          b, loc, type.clone(b.getF32Type()),
          ArrayRef{op->getOperand(0), op->getOperand(1)},
          convert(init, b.getF32Type()), op.getIndexingMapsArray(),
          op.getIteratorTypesArray(),
          [&](OpBuilder &nested, Location, ValueRange arguments) {
            Value product = arith::MulFOp::create(
                nested, loc,
                convertFloat(nested, loc, arguments[0], b.getF32Type()),
                convertFloat(nested, loc, arguments[1], b.getF32Type()));
            linalg::YieldOp::create(
                nested, loc,
                arith::AddFOp::create(nested, loc, arguments[2], product)
                    .getResult());
          })
          .getResult(0);
  b.replaceOp(op, convert(wide, type.getElementType()));
}

//===----------------------------------------------------------------------===//
// What follows, and what comes before
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

/// Whether `op` writes each element once, and what it was before counts for
/// nothing.
static bool isElementwise(linalg::LinalgOp op) {
  if (!op || !op.hasPureTensorSemantics() || op.getNumDpsInits() != 1 ||
      op.getNumParallelLoops() != op.getNumLoops())
    return false;
  OpOperand *init = op.getDpsInitOperand(0);
  return llvm::all_of(
             op.getIndexingMapsArray(),
             [](AffineMap map) { return map.isProjectedPermutation(); }) &&
         op.getMatchingIndexingMap(init).isPermutation() &&
         op.getMatchingBlockArgument(init).use_empty() &&
         isKernelFloat(getElementTypeOrSelf(init->get())) &&
         isElementwiseBody(*op.getBlock());
}

/// The elementwise op that is the only user of `result`, which it reads once
/// and in the place where it writes; null if there is none.
static linalg::LinalgOp getConsumer(Value result) {
  if (!result.hasOneUse())
    return {};
  OpOperand &use = *result.getUses().begin();
  auto op = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (!isElementwise(op) || !op.isDpsInput(&use) ||
      !op.getMatchingIndexingMap(&use).isPermutation())
    return {};
  return op;
}

void takeConsumers(Contraction &contraction) {
  Type product = getElementTypeOrSelf(contraction.op->getResult(0));
  Type lhs = contraction.lhsType, rhs = contraction.rhsType;
  FloatType accType = detail::getWidestFloat({lhs, rhs, product});
  Operation *last = contraction.op;
  // A sum over several dimensions ends when all its tiles have been added.
  if (!contraction.outerFeatures.empty())
    return;
  while (linalg::LinalgOp next = getConsumer(last->getResult(0))) {
    Type type = getElementTypeOrSelf(next->getResult(0));
    // The type that sums are in follows from what they become.
    if (detail::getWidestFloat({lhs, rhs, type}) != accType ||
        next->getBlock() != contraction.op->getBlock())
      break;
    // Loop for loop, what is read and what is written of the product tell how
    // the loops correspond.
    OpOperand &read = *last->getResult(0).getUses().begin();
    AffineMap loops = inversePermutation(next.getMatchingIndexingMap(&read))
                          .compose(contraction.finalMap);
    contraction.consumers.push_back({next, loops});
    contraction.finalMap =
        next.getMatchingIndexingMap(next.getDpsInitOperand(0)).compose(loops);
    last = next;
  }
  // Lanes run along what is innermost in the end.
  AffineMap map = contraction.finalMap;
  if (contraction.rows == map.getDimPosition(map.getNumResults() - 1)) {
    exchangeSides(contraction);
    std::swap(*contraction.rows, contraction.columns);
  }
}

OpOperand *getWholeInput(linalg::LinalgOp op) {
  for (OpOperand *input : op.getDpsInputOperands())
    if (isa<RankedTensorType>(input->get().getType()) &&
        op.getMatchingIndexingMap(input).isPermutation())
      return input;
  return nullptr;
}

/// What a body takes, in vectors of elements: a division as many as several
/// others, a function of `math` as a polynomial.
static int64_t getCost(linalg::LinalgOp op) {
  int64_t cost = 0;
  for (Operation &nested : op.getBlock()->without_terminator())
    cost += isa<math::MathDialect>(nested.getDialect()) ? 16
            : isa<arith::DivFOp, arith::DivSIOp, arith::DivUIOp, arith::RemFOp,
                  arith::RemSIOp, arith::RemUIOp>(nested)
                ? 8
                : 1;
  return cost;
}

/// Takes the ops that `value`, with `map` over the loops of the contraction,
/// comes from; it is packed `times`, -1 for a number that is not known.
static void takeProducers(Contraction &contraction, Value &value,
                          AffineMap &map,
                          SmallVectorImpl<Contraction::Elementwise> &producers,
                          int64_t times) {
  // To store an element and to read it again takes as long as so many vector
  // ops on it.
  constexpr int64_t kWorth = 24, kOfUnknown = 2;
  int64_t cost = 0;
  while (value.hasOneUse()) {
    auto op = value.getDefiningOp<linalg::LinalgOp>();
    if (!isElementwise(op) || op->getBlock() != contraction.op->getBlock())
      return;
    OpOperand *input = getWholeInput(op);
    cost += getCost(op);
    if (!input || (times < 0 ? cost > kOfUnknown : cost * times > kWorth))
      return;
    AffineMap written = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
    AffineMap loops = inversePermutation(written).compose(map);
    producers.push_back({op, loops});
    value = input->get();
    map = op.getMatchingIndexingMap(input).compose(loops);
  }
}

void takeProducers(Contraction &contraction) {
  SmallVector<int64_t> extents = contraction.op.getStaticLoopRanges();
  // Blocks along the other side, and positions that share the operand.
  auto count = [&](AffineMap map, int64_t extent, int64_t most) -> int64_t {
    if (ShapedType::isDynamic(extent))
      return -1;
    int64_t times = llvm::divideCeil(extent, most);
    for (unsigned dim : contraction.outer) {
      if (map.isFunctionOfDim(dim))
        continue;
      if (ShapedType::isDynamic(extents[dim]))
        return -1;
      times *= extents[dim];
    }
    return times;
  };
  int64_t columns = extents[contraction.columns];
  int64_t rows = contraction.rows ? extents[*contraction.rows] : 1;
  // A vector is not packed: it is read for every few columns.
  if (contraction.rows)
    takeProducers(contraction, contraction.lhs, contraction.lhsMap,
                  contraction.lhsProducers,
                  count(contraction.lhsMap, columns, kTileColumns));
  takeProducers(contraction, contraction.rhs, contraction.rhsMap,
                contraction.rhsProducers,
                count(contraction.rhsMap, rows, kTileRows));
}

} // namespace attn
