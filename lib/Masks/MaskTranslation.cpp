//===- MaskTranslation.cpp - Truth values of mask regions -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Masks/MaskTranslation.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/GuardDivision.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace attn {

/// Whether a mask casts positions, or what is computed from them, to 32 bits.
static bool castsToNarrow(Region &mask) {
  return llvm::any_of(mask.getOps(), [](Operation &inner) {
    return isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::TruncIOp>(
               inner) &&
           inner.getResult(0).getType().isInteger(32);
  });
}

MaskTranslator::MaskTranslator(GenericOp op, const BoxArguments &box,
                               MaskExprContext &context,
                               MaskSummaries &summaries)
    : op(op), box(box), context(context), emitter(context.getEmitter()),
      summaries(summaries) {
  for (auto [dim, value] : llvm::zip(box.classes.batch, box.batch))
    positions[dim] = value;
  for (auto [dim, value] : llvm::zip(box.classes.keyRows, box.outerKeys))
    positions[dim] = value;
  // A box has one position where each has a list of key blocks of its own.
  for (auto [dim, bounds] : llvm::zip(box.classes.queryRows, box.rows))
    if (countRowsOfList(op, dim) == 1)
      positions[dim] = bounds.first;
  maxExtent = int64_t(1) << (castsToNarrow(op.getMask()) ? 30 : 40);
  mapUniformInputs();
  cloneUniformOps();
}

std::optional<int64_t> getStaticExtent(GenericOp op, unsigned dimension) {
  std::optional<BlockList> blocks = BlockList::of(op);
  // Positions along pages are those in a list.
  if (blocks && blocks->isPhysical() &&
      op.getDimensionClasses().classes[dimension] == DimensionClass::KeyRow)
    return std::nullopt;
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    auto shaped = dyn_cast<ShapedType>(operand.getType());
    if (!shaped || !shaped.hasRank())
      continue;
    AffineMap map = op.getIndexingMap(index);
    for (auto [position, expr] : llvm::enumerate(map.getResults()))
      if (auto dim = dyn_cast<AffineDimExpr>(expr);
          dim && dim.getPosition() == dimension &&
          !isWithinRequest(op, index, position) &&
          !shaped.isDynamicDim(position))
        return shaped.getDimSize(position);
  }
  return std::nullopt;
}

bool MaskTranslator::isPaged(unsigned dim) const {
  std::optional<BlockList> blocks = BlockList::of(op);
  return blocks && blocks->isPhysical() &&
         llvm::is_contained(box.classes.keyRows, dim);
}

//===----------------------------------------------------------------------===//
// What is the same for all pairs of a box
//===----------------------------------------------------------------------===//

/// Reads the inputs that vary along batch and outer key dimensions only.
void MaskTranslator::mapUniformInputs() {
  OpBuilder &builder = emitter.getBuilder();
  Location loc = emitter.getLoc();
  Block &body = op.getMask().front();
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    SmallVector<Value> indices;
    AffineMap map = op.getIndexingMap(3 + index);
    for (AffineExpr expr : map.getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr);
          dim && !isPaged(dim.getPosition()))
        indices.push_back(positions.lookup(dim.getPosition()));
    BlockArgument argument = body.getArgument(index);
    if (argument.use_empty() || indices.size() != map.getNumResults() ||
        llvm::is_contained(indices, Value()))
      continue;
    Value element = input;
    if (isa<ShapedType>(input.getType()))
      element = createRead(builder, loc, input, indices);
    if (element.getType() != argument.getType()) {
      auto from = dyn_cast<FloatType>(element.getType());
      auto to = dyn_cast<FloatType>(argument.getType());
      if (!from || !to)
        continue;
      if (from.getWidth() < to.getWidth())
        element = arith::ExtFOp::create(builder, loc, to, element);
      else
        element = arith::TruncFOp::create(builder, loc, to, element);
    }
    uniform.map(argument, element);
  }
}

void MaskTranslator::cloneUniformOps() {
  for (Operation &inner : op.getMask().front().without_terminator()) {
    if (auto index = dyn_cast<IndexOp>(inner)) {
      if (Value position = positions.lookup(index.getDim()))
        uniform.map(index.getResult(), position);
      continue;
    }
    if (!llvm::all_of(inner.getOperands(),
                      [&](Value value) { return bool(getUniform(value)); }))
      continue;
    // Without pairs the mask divides nothing, but its clone would.
    guardDivision(emitter.getBuilder(),
                  emitter.getBuilder().clone(inner, uniform));
  }
}

Value MaskTranslator::getUniform(Value value) {
  if (value.getParentRegion() != &op.getMask())
    return value;
  return uniform.lookupOrNull(value);
}

void MaskTranslator::noteOpaque(Value value) {
  std::string name;
  if (Operation *definition = value.getDefiningOp())
    name = definition->getName().getStringRef();
  else if (value.getParentRegion() == &op.getMask())
    name = "input " + std::to_string(cast<BlockArgument>(value).getArgNumber());
  else
    name = "argument";
  if (!llvm::is_contained(opaqueLeaves, name))
    opaqueLeaves.push_back(name);
}

//===----------------------------------------------------------------------===//
// What is read at positions
//===----------------------------------------------------------------------===//

std::optional<MaskRead> MaskTranslator::getRead(Value value) {
  MaskRead read;
  unsigned numVarying = 0;
  auto addPosition = [&](unsigned dim) {
    read.indices.push_back(positions.lookup(dim));
    if (read.indices.back())
      return;
    ++numVarying;
    read.dimension = dim;
  };
  bool isInput = false;
  Operation *definition = value.getDefiningOp();
  if (isa_and_nonnull<tensor::ExtractOp, memref::LoadOp>(definition)) {
    read.table = definition->getOperand(0);
    for (Value index : definition->getOperands().drop_front()) {
      if (Value clone = getUniform(index))
        read.indices.push_back(clone);
      else if (auto position = index.getDefiningOp<IndexOp>())
        addPosition(position.getDim());
      else
        return std::nullopt;
    }
  } else if (!definition) {
    unsigned input = cast<BlockArgument>(value).getArgNumber();
    read.table = op.getInputs()[input];
    isInput = true;
    // What is packed is read from where the request starts, which positions do
    // not tell.
    for (AffineExpr expr : op.getWrittenMap(3 + input).getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim || isPaged(dim.getPosition()))
        return std::nullopt;
      addPosition(dim.getPosition());
    }
  }
  bool isRow = llvm::is_contained(box.classes.queryRows, read.dimension);
  if (numVarying != 1 || (!isRow && read.dimension != box.getKeyDimension()))
    return std::nullopt;
  read.asksSummary = isRow;
  read.summaries = &summaries;
  // The extents of inputs agree with the op's; a table may be shorter, if what
  // is read beyond its end is never looked at.
  auto type = cast<ShapedType>(read.table.getType());
  int64_t size = type.getDimSize(read.getPosition());
  std::optional<int64_t> extent = getStaticExtent(op, read.dimension);
  bool isKnown = extent && !ShapedType::isDynamic(size) && size >= *extent;
  std::optional<RaggedDims> ragged = getRaggedDims(op);
  bool agrees = isInput && !(ragged && ragged->isRow(read.dimension));
  if (!agrees && !isKnown)
    read.extent = ShapedType::isDynamic(size)
                      ? Scalar(summaries.getExtent(read.table,
                                                   read.getPosition()))
                      : Scalar(size);
  return read;
}

std::optional<MaskLinear> MaskTranslator::translateRead(Value value) {
  auto type = dyn_cast<IntegerType>(value.getType());
  if (!type || type.getWidth() > 64)
    return std::nullopt;
  std::optional<MaskRead> read = getRead(value);
  if (!read)
    return std::nullopt;
  return context.getRead(value, std::move(*read));
}

//===----------------------------------------------------------------------===//
// Truth values
//===----------------------------------------------------------------------===//

MaskFormula *MaskTranslator::translate(bool negated) {
  Operation *yield = op.getMask().front().getTerminator();
  return translateTruth(yield->getOperand(0), negated);
}

MaskFormula *MaskTranslator::translateTruth(Value value, bool negated) {
  if (MaskFormula *known = truths[negated].lookup(value))
    return known;
  MaskFormula *formula = nullptr;
  APInt constant;
  if (matchPattern(value, m_ConstantInt(&constant))) {
    formula = context.getTruth(constant.isZero() == negated);
  } else if (Value clone = getUniform(value)) {
    formula = context.getTruth(negated ? emitter.invert(clone) : Scalar(clone));
  } else if (std::optional<MaskLinear> read = translateRead(value)) {
    formula = negated ? context.isZero(*read) : context.isNonZero(*read);
  } else if (Operation *definition = value.getDefiningOp();
             definition && depth < maxMaskDepth) {
    ++depth;
    formula = translateTruthOp(definition, negated);
    --depth;
  }
  if (!formula) {
    noteOpaque(value);
    formula = context.getTruth(1);
  }
  return truths[negated][value] = formula;
}

MaskFormula *MaskTranslator::translateExclusiveOr(Value lhs, Value rhs,
                                                  bool negated) {
  APInt constant;
  for (auto [a, b] : {std::pair(lhs, rhs), std::pair(rhs, lhs)})
    if (matchPattern(b, m_ConstantInt(&constant)))
      return translateTruth(a, negated != !constant.isZero());
  return context.disjoin({context.conjoin({translateTruth(lhs, false),
                                           translateTruth(rhs, !negated)}),
                          context.conjoin({translateTruth(lhs, true),
                                           translateTruth(rhs, negated)})});
}

MaskFormula *MaskTranslator::translateTruthOp(Operation *inner, bool negated) {
  auto combine = [&](bool isAnd) {
    MaskFormula *parts[] = {translateTruth(inner->getOperand(0), negated),
                            translateTruth(inner->getOperand(1), negated)};
    return isAnd != negated ? context.conjoin(parts) : context.disjoin(parts);
  };
  if (isa<arith::AndIOp, arith::MulIOp, arith::MinUIOp>(inner))
    return combine(/*isAnd=*/true);
  if (isa<arith::OrIOp, arith::MaxUIOp>(inner))
    return combine(/*isAnd=*/false);
  if (isa<arith::XOrIOp, arith::AddIOp, arith::SubIOp>(inner))
    return translateExclusiveOr(inner->getOperand(0), inner->getOperand(1),
                                negated);
  if (auto select = dyn_cast<arith::SelectOp>(inner))
    return context.disjoin(
        {context.conjoin({translateTruth(select.getCondition(), false),
                          translateTruth(select.getTrueValue(), negated)}),
         context.conjoin({translateTruth(select.getCondition(), true),
                          translateTruth(select.getFalseValue(), negated)})});
  if (isa<arith::TruncIOp>(inner)) {
    // The lowest bit, of a two's complement.
    MaskLinear bit = context.modulo(translateInteger(inner->getOperand(0)), 2);
    return negated ? context.isZero(bit)
                   : context.isNonNegative(
                         context.add(bit, context.getUniform(-1)));
  }
  if (auto comparison = dyn_cast<arith::CmpIOp>(inner))
    return translateComparison(comparison, negated);
  return nullptr;
}

static bool isPosition(const MaskLinear &value) {
  return value.terms.size() == 1 &&
         value.terms.front().node->kind == MaskNode::Kind::Dimension &&
         value.terms.front().coefficient == 1 && value.offset.isConstant(0);
}

MaskFormula *MaskTranslator::translateComparison(arith::CmpIOp comparison,
                                                 bool negated) {
  using Predicate = arith::CmpIPredicate;
  Predicate predicate = comparison.getPredicate();
  Value lhs = comparison.getLhs(), rhs = comparison.getRhs();
  if (lhs.getType().isInteger(1)) {
    if (predicate == Predicate::eq || predicate == Predicate::ne)
      return translateExclusiveOr(lhs, rhs,
                                  negated != (predicate == Predicate::eq));
    return nullptr;
  }
  if (negated)
    predicate = arith::invertPredicate(predicate);
  // A position is compared with a symbol without a calculation, and so is what
  // may be any number with everything.
  MaskLinear a = translateInteger(lhs), b = translateInteger(rhs);
  bool isWide = context.isWide(a) || context.isWide(b);
  if (!isPosition(a) && !isWide)
    b = translateOperand(rhs);
  if (!isPosition(b) && !isWide)
    a = translateOperand(lhs);
  auto isLessEqual = [&](const MaskLinear &x, const MaskLinear &y) {
    if (context.isWide(x) || context.isWide(y))
      return context.isOrdered(x, y, -1, 0);
    return context.isNonNegative(context.subtract(y, x));
  };
  auto isLess = [&](const MaskLinear &x, const MaskLinear &y) {
    if (context.isWide(x) || context.isWide(y))
      return context.isOrdered(x, y, -1, -1);
    return context.isNonNegative(
        context.add(context.subtract(y, x), context.getUniform(-1)));
  };
  // As unsigned numbers, negative ones are the largest.
  auto unsignedOrder = [&](const MaskLinear &x, const MaskLinear &y,
                           auto order) {
    MaskLinear zero = context.getUniform(0);
    if (context.isKnownNonNegative(x) && context.isKnownNonNegative(y))
      return order(x, y);
    MaskFormula *xIsPositive = isLessEqual(zero, x);
    MaskFormula *yIsNegative = isLess(y, zero);
    return context.disjoin({context.conjoin({xIsPositive, order(x, y)}),
                            context.conjoin({yIsNegative, xIsPositive}),
                            context.conjoin({yIsNegative, order(x, y)})});
  };
  switch (predicate) {
  case Predicate::eq:
    return isWide ? context.isOrdered(a, b, 0, 0)
                  : context.isZero(context.subtract(a, b));
  case Predicate::ne:
    return isWide ? context.disjoin({isLess(a, b), isLess(b, a)})
                  : context.isNonZero(context.subtract(a, b));
  case Predicate::slt:
    return isLess(a, b);
  case Predicate::sle:
    return isLessEqual(a, b);
  case Predicate::sgt:
    return isLess(b, a);
  case Predicate::sge:
    return isLessEqual(b, a);
  case Predicate::ult:
    return unsignedOrder(a, b, isLess);
  case Predicate::ule:
    return unsignedOrder(a, b, isLessEqual);
  case Predicate::ugt:
    return unsignedOrder(b, a, isLess);
  case Predicate::uge:
    return unsignedOrder(b, a, isLessEqual);
  }
  return nullptr;
}

} // namespace attn
