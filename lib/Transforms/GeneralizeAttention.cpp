//===- GeneralizeAttention.cpp - Named ops into the core op ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Reshape.h"
#include "attn/Transforms/Passes.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Transforms/WalkPatternRewriteDriver.h"
#include <cmath>

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_GENERALIZEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

//===----------------------------------------------------------------------===//
// attn.sdpa: operands
//===----------------------------------------------------------------------===//

/// The expansion of one `attn.sdpa`. The dimensions of the `attn.generic` are
/// (batch..., heads..., m, n, d, e), where the heads are
///
///   * none, where operands have rank 2;
///   * one batch dimension, where the key has as many heads as the query;
///   * one query row dimension, where the key has one head: key and value lose
///     theirs;
///   * (key heads, group) otherwise: the heads of the query, and of all that
///     goes with it, are split, and the group is a query row dimension.
class SdpaExpansion {
public:
  SdpaExpansion(RewriterBase &rewriter, SdpaOp op)
      : rewriter(rewriter), op(op), loc(op.getLoc()),
        accType(op.getAccumulationType()),
        rank(op.getNumLeadingDims() + 2) {}

  FailureOr<GenericOp> run();

private:
  /// The iteration dimensions of an operand's extents, in order.
  using Dims = SmallVector<unsigned>;

  unsigned getNumBatchDims() { return rank > 3 ? rank - 3 : 0; }
  int64_t getExtent(unsigned position, ArrayRef<Value> operands);
  Value getSize(Value operand, unsigned position);
  AffineMap getMap(const Dims &dims);
  Dims getLeadingDims(bool isKey);
  void decideDimensions();
  void splitHeads();
  Value reshapeQueryLike(Value value);
  Value reshapeKeyLike(Value value);
  void addInput(Value value, const Dims &dims);
  void addBroadcastInput(Value value);
  void decideScale();
  void decideOffset();
  GenericOp createGeneric();
  void replaceResults(GenericOp generic);

  std::pair<int64_t, int64_t> getWindow();
  bool isUpperBoundImplied(int64_t right);
  bool isLowerBoundImplied(int64_t left);
  Value createPosition(unsigned position);
  Value createDiagonal(Value row, int64_t constant, Value offset);
  Value inlineRegion(Region &source, Block *body, ValueRange leading);
  Block *createBody(Region &region, TypeRange leading);
  void fillMask(GenericOp generic);
  void fillScore(GenericOp generic);

  RewriterBase &rewriter;
  SdpaOp op;
  Location loc;
  FloatType accType;
  int64_t rank;

  int64_t numRows, numKeys;
  Dims headDims;
  /// Whether the heads all read one key head.
  bool sharesKey = false;
  /// The sizes of `headDims` where there are two.
  OpFoldResult numKeyHeads, groupSize;
  unsigned numDims, m, n, d, e;

  SmallVector<Value> inputs;
  SmallVector<AffineMap> inputMaps;
  /// The positions that the region being filled has so far, by dimension.
  DenseMap<unsigned, Value> indices;

  /// The factor on the similarity, and what is left of it to the score region
  /// where the width is known at run time only.
  double scale = 1.0;
  Value dynamicScale;
  /// The causal offset: a constant, or a value where that is not known.
  int64_t offset = 0;
  Value dynamicOffset;
};

/// The extent at `position`, if some operand has it static.
int64_t SdpaExpansion::getExtent(unsigned position, ArrayRef<Value> operands) {
  for (Value operand : operands) {
    int64_t extent = cast<ShapedType>(operand.getType()).getDimSize(position);
    if (!ShapedType::isDynamic(extent))
      return extent;
  }
  return ShapedType::kDynamic;
}

Value SdpaExpansion::getSize(Value operand, unsigned position) {
  return linalg::createOrFoldDimOp(rewriter, loc, operand, position);
}

AffineMap SdpaExpansion::getMap(const Dims &dims) {
  SmallVector<AffineExpr> results;
  for (unsigned dim : dims)
    results.push_back(rewriter.getAffineDimExpr(dim));
  return AffineMap::get(numDims, 0, results, rewriter.getContext());
}

/// Batch dimensions and heads of the query, or of the key.
SdpaExpansion::Dims SdpaExpansion::getLeadingDims(bool isKey) {
  Dims dims = llvm::to_vector(llvm::seq(0u, getNumBatchDims()));
  if (!isKey)
    dims.append(headDims);
  else if (!headDims.empty() && !sharesKey)
    dims.push_back(headDims.front());
  return dims;
}

void SdpaExpansion::decideDimensions() {
  numRows = getExtent(rank - 2, {op.getQuery(), op.getOutput()});
  numKeys = getExtent(rank - 2, {op.getKey(), op.getValue()});
  unsigned next = getNumBatchDims();
  if (rank > 2) {
    headDims.push_back(next++);
    int64_t heads = getExtent(rank - 3, {op.getQuery(), op.getOutput()});
    int64_t keyHeads = getExtent(rank - 3, {op.getKey(), op.getValue()});
    if (keyHeads == 1) {
      sharesKey = heads != 1;
    } else if (ShapedType::isDynamic(heads) || heads != keyHeads) {
      headDims.push_back(next++);
      splitHeads();
    }
  }
  m = next++;
  n = next++;
  d = next++;
  e = next++;
  numDims = next;
}

/// Computes the sizes of key heads and group.
void SdpaExpansion::splitHeads() {
  int64_t heads = getExtent(rank - 3, {op.getQuery(), op.getOutput()});
  int64_t keyHeads = getExtent(rank - 3, {op.getKey(), op.getValue()});
  if (!ShapedType::isDynamic(keyHeads) && !ShapedType::isDynamic(heads)) {
    numKeyHeads = rewriter.getIndexAttr(keyHeads);
    groupSize = rewriter.getIndexAttr(keyHeads == 0 ? 1 : heads / keyHeads);
    return;
  }
  auto createConstant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(rewriter, loc, value);
  };
  Value divisor;
  if (ShapedType::isDynamic(keyHeads)) {
    Value size = getSize(op.getKey(), rank - 3);
    numKeyHeads = size;
    // Without heads nothing is computed, but there is a division all the same.
    divisor = arith::MaxUIOp::create(rewriter, loc, size, createConstant(1));
  } else {
    numKeyHeads = rewriter.getIndexAttr(keyHeads);
    divisor = createConstant(std::max<int64_t>(keyHeads, 1));
  }
  Value dividend = ShapedType::isDynamic(heads) ? getSize(op.getQuery(), rank - 3)
                                                : createConstant(heads);
  groupSize =
      arith::DivUIOp::create(rewriter, loc, dividend, divisor).getResult();
}

/// Splits the heads of query, output and log-sum-exp where they are grouped.
Value SdpaExpansion::reshapeQueryLike(Value value) {
  if (headDims.size() < 2)
    return value;
  return expandDimension(rewriter, loc, value, rank - 3, numKeyHeads,
                         groupSize);
}

/// Drops the one head of key and value.
Value SdpaExpansion::reshapeKeyLike(Value value) {
  if (!sharesKey)
    return value;
  auto type = cast<ShapedType>(value.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[rank - 3] = 1;
  value = castShaped(rewriter, loc, value, type.clone(shape));
  llvm::SmallBitVector dropped(rank);
  dropped.set(rank - 3);
  return dropUnitDimensions(rewriter, loc, value, dropped);
}

void SdpaExpansion::addInput(Value value, const Dims &dims) {
  inputs.push_back(value);
  inputMaps.push_back(getMap(dims));
}

/// Adds bias or boolean_mask: what is broadcast leaves operand and map.
void SdpaExpansion::addBroadcastInput(Value value) {
  if (!value)
    return;
  auto type = cast<ShapedType>(value.getType());
  unsigned missing = rank - type.getRank();
  llvm::SmallBitVector dropped(type.getRank());
  Dims dims;
  std::optional<unsigned> headPosition;
  for (unsigned i = 0, rankHere = type.getRank(); i < rankHere; ++i) {
    unsigned position = i + missing;
    if (type.getDimSize(i) == 1) {
      dropped.set(i);
      continue;
    }
    if (position == rank - 1) {
      dims.push_back(n);
    } else if (position == rank - 2) {
      dims.push_back(m);
    } else if (position < getNumBatchDims()) {
      dims.push_back(position);
    } else {
      headPosition = dims.size();
      dims.append(headDims);
    }
  }
  value = dropUnitDimensions(rewriter, loc, value, dropped);
  if (headPosition && headDims.size() == 2)
    value = expandDimension(rewriter, loc, value, *headPosition, numKeyHeads,
                            groupSize);
  addInput(value, dims);
}

void SdpaExpansion::decideScale() {
  if (op.getScale()) {
    scale = op.getScale()->convertToDouble();
    return;
  }
  int64_t width = getExtent(rank - 1, {op.getQuery(), op.getKey()});
  if (!ShapedType::isDynamic(width)) {
    // An empty sum is 0 whatever its scale, as long as that is finite.
    scale = 1.0 / std::sqrt(static_cast<double>(std::max<int64_t>(width, 1)));
    return;
  }
  Value one = arith::ConstantIndexOp::create(rewriter, loc, 1);
  Value size = arith::MaxUIOp::create(rewriter, loc,
                                      getSize(op.getQuery(), rank - 1), one);
  size = arith::IndexCastOp::create(rewriter, loc, rewriter.getI64Type(), size);
  size = arith::UIToFPOp::create(rewriter, loc, accType, size);
  dynamicScale = arith::DivFOp::create(
      rewriter, loc, createFloatConstant(rewriter, loc, accType, 1.0),
      math::SqrtOp::create(rewriter, loc, size));
}

void SdpaExpansion::decideOffset() {
  if (op.getCausal() == CausalKind::bottom_right) {
    if (!ShapedType::isDynamic(numRows) && !ShapedType::isDynamic(numKeys)) {
      offset = numKeys - numRows;
      return;
    }
    // The one row of a decoding step sees all keys, however many there are.
    if (numRows == 1 && getWindow().first < 0)
      return;
    dynamicOffset =
        arith::SubIOp::create(rewriter, loc, getSize(op.getKey(), rank - 2),
                              getSize(op.getQuery(), rank - 2));
  } else if (op.getCausal() == CausalKind::offset) {
    Value operand = op.getOffset();
    if (isa<ShapedType>(operand.getType())) {
      addInput(operand, llvm::to_vector(llvm::seq(0u, getNumBatchDims())));
      return;
    }
    dynamicOffset = operand.getType().isIndex()
                        ? operand
                        : arith::IndexCastOp::create(
                              rewriter, loc, rewriter.getIndexType(), operand);
  }
}

GenericOp SdpaExpansion::createGeneric() {
  auto with = [&](Dims dims, ArrayRef<unsigned> more) {
    dims.append(more.begin(), more.end());
    return getMap(dims);
  };
  SmallVector<AffineMap> maps = {with(getLeadingDims(false), {m, d}),
                                 with(getLeadingDims(true), {n, d}),
                                 with(getLeadingDims(true), {n, e})};
  maps.append(inputMaps);
  maps.push_back(with(getLeadingDims(false), {m, e}));
  Value output = reshapeQueryLike(op.getOutput());
  SmallVector<Type> types;
  if (op->getNumResults() > 0)
    types.push_back(output.getType());
  Value lse;
  if (op.getLse()) {
    maps.push_back(with(getLeadingDims(false), {m}));
    lse = reshapeQueryLike(op.getLse());
    if (op->getNumResults() > 0)
      types.push_back(lse.getType());
  }
  auto generic = GenericOp::create(
      rewriter, loc, types, reshapeQueryLike(op.getQuery()),
      reshapeKeyLike(op.getKey()), reshapeKeyLike(op.getValue()), inputs,
      /*weighting_operands=*/ValueRange(), output, lse, /*weights=*/Value(),
      rewriter.getAffineMapArrayAttr(maps),
      SoftmaxAttr::get(rewriter.getContext()), APFloat(scale),
      /*acc_type=*/TypeAttr());
  generic->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  return generic;
}

void SdpaExpansion::replaceResults(GenericOp generic) {
  SmallVector<Value> results;
  for (auto [old, replacement] :
       llvm::zip_equal(op.getResults(), generic.getResults())) {
    Value value = replacement;
    if (headDims.size() == 2)
      value = collapseDimension(rewriter, loc, value, rank - 3);
    results.push_back(castShaped(rewriter, loc, value, old.getType()));
  }
  rewriter.replaceOp(op, results);
}

//===----------------------------------------------------------------------===//
// attn.sdpa: regions
//===----------------------------------------------------------------------===//

/// The bounds (left, right) of the key around i + o: causal is a right bound
/// of 0, which no window can tighten.
std::pair<int64_t, int64_t> SdpaExpansion::getWindow() {
  std::pair<int64_t, int64_t> window = {-1, -1};
  if (op.getWindow())
    window = {(*op.getWindow())[0], (*op.getWindow())[1]};
  if (op.getCausal() != CausalKind::none)
    window.second = 0;
  return window;
}

/// Whether j <= i + o + right, or right is unbounded, for every pair there is.
bool SdpaExpansion::isUpperBoundImplied(int64_t right) {
  if (right < 0)
    return true;
  if (op.getCausal() == CausalKind::bottom_right && numRows == 1)
    return true;
  return op.getCausal() != CausalKind::offset && !dynamicOffset &&
         !ShapedType::isDynamic(numKeys) && numKeys - 1 <= offset + right;
}

/// Whether i + o - left <= j, or left is unbounded, for every pair there is.
bool SdpaExpansion::isLowerBoundImplied(int64_t left) {
  if (left < 0)
    return true;
  return op.getCausal() != CausalKind::offset && !dynamicOffset &&
         !ShapedType::isDynamic(numRows) && numRows - 1 + offset <= left;
}

/// The position of a region argument of `attn.sdpa`, numbered as the query's
/// dimensions with the keys last.
Value SdpaExpansion::createPosition(unsigned position) {
  auto index = [&](unsigned dim) -> Value {
    Value &value = indices[dim];
    if (!value)
      value = IndexOp::create(rewriter, loc, rewriter.getIndexType(), dim);
    return value;
  };
  if (position == rank - 1)
    return index(n);
  if (position == rank - 2)
    return index(m);
  if (position < getNumBatchDims())
    return index(position);
  if (headDims.size() == 1)
    return index(headDims[0]);
  Value first = arith::MulIOp::create(
      rewriter, loc, index(headDims[0]),
      getValueOrCreateConstantIndexOp(rewriter, loc, groupSize));
  return arith::AddIOp::create(rewriter, loc, first, index(headDims[1]));
}

/// row + o + constant
Value SdpaExpansion::createDiagonal(Value row, int64_t constant,
                                    Value offsetValue) {
  if (offsetValue)
    row = arith::AddIOp::create(rewriter, loc, row, offsetValue);
  if (constant == 0)
    return row;
  return arith::AddIOp::create(
      rewriter, loc, row,
      arith::ConstantIndexOp::create(rewriter, loc, constant));
}

/// Moves the operations of a region of `attn.sdpa` to the end of `body` and
/// returns what it yields.
Value SdpaExpansion::inlineRegion(Region &source, Block *body,
                                  ValueRange leading) {
  Block &block = source.front();
  SmallVector<Value> arguments(leading);
  for (unsigned i = leading.size(), e = block.getNumArguments(); i < e; ++i)
    arguments.push_back(block.getArgument(i).use_empty()
                            ? Value()
                            : createPosition(i - leading.size()));
  for (auto [argument, value] :
       llvm::zip_equal(block.getArguments(), arguments))
    if (value)
      rewriter.replaceAllUsesWith(argument, value);
  auto yield = cast<YieldOp>(block.back());
  Value result = yield.getValues().front();
  rewriter.eraseOp(yield);
  for (Operation &nested : llvm::make_early_inc_range(block))
    rewriter.moveOpBefore(&nested, body, body->end());
  rewriter.setInsertionPointToEnd(body);
  return result;
}

/// Gives the region its block: `leading` arguments, then one per input.
Block *SdpaExpansion::createBody(Region &region, TypeRange leading) {
  SmallVector<Type> types(leading);
  for (Value input : inputs) {
    Type element = getElementTypeOrSelf(input.getType());
    types.push_back(isa<FloatType>(element) ? accType : element);
  }
  SmallVector<Location> locs(types.size(), loc);
  indices.clear();
  return rewriter.createBlock(&region, region.end(), types, locs);
}

void SdpaExpansion::fillMask(GenericOp generic) {
  auto [left, right] = getWindow();
  bool hasLower = !isLowerBoundImplied(left);
  bool hasUpper = !isUpperBoundImplied(right);
  if (!hasLower && !hasUpper && !op.getBooleanMask() && op.getMask().empty())
    return;
  Block *body = createBody(generic.getMask(), {});
  Value visible;
  auto require = [&](Value condition) {
    visible = visible ? arith::AndIOp::create(rewriter, loc, visible, condition)
                      : condition;
  };

  if (hasUpper || hasLower) {
    Value row = createPosition(rank - 2), column = createPosition(rank - 1);
    Value offsetValue = dynamicOffset;
    if (op.getOffset() && isa<ShapedType>(op.getOffset().getType())) {
      // The offset is the last input.
      offsetValue = body->getArguments().back();
      if (!offsetValue.getType().isIndex())
        offsetValue = arith::IndexCastOp::create(
            rewriter, loc, rewriter.getIndexType(), offsetValue);
    }
    using Predicate = arith::CmpIPredicate;
    if (hasUpper)
      require(arith::CmpIOp::create(
          rewriter, loc, Predicate::sle, column,
          createDiagonal(row, offset + right, offsetValue)));
    if (hasLower)
      require(arith::CmpIOp::create(
          rewriter, loc, Predicate::sge, column,
          createDiagonal(row, offset - left, offsetValue)));
  }
  if (op.getBooleanMask())
    require(body->getArgument(op.getBias() ? 1 : 0));
  if (!op.getMask().empty())
    require(inlineRegion(op.getMask(), body, {}));
  YieldOp::create(rewriter, loc, visible);
}

void SdpaExpansion::fillScore(GenericOp generic) {
  if (!dynamicScale && !op.getSoftcap() && op.getScore().empty() &&
      !op.getBias())
    return;
  Block *body = createBody(generic.getScore(), {accType});
  Value score = body->getArgument(0);
  if (dynamicScale)
    score = arith::MulFOp::create(rewriter, loc, score, dynamicScale);
  if (op.getSoftcap()) {
    double cap = op.getSoftcap()->convertToDouble();
    Value inverse = createFloatConstant(rewriter, loc, accType, 1.0 / cap);
    score = arith::MulFOp::create(rewriter, loc, score, inverse);
    score = math::TanhOp::create(rewriter, loc, score);
    Value factor = createFloatConstant(rewriter, loc, accType, cap);
    score = arith::MulFOp::create(rewriter, loc, score, factor);
  }
  if (!op.getScore().empty())
    score = inlineRegion(op.getScore(), body, score);
  if (op.getBias())
    score = arith::AddFOp::create(rewriter, loc, score, body->getArgument(1));
  YieldOp::create(rewriter, loc, score);
}

FailureOr<GenericOp> SdpaExpansion::run() {
  for (Type type : op->getOperandTypes())
    if (auto buffer = dyn_cast<MemRefType>(type); buffer && !buffer.isStrided())
      return op.emitOpError("on memrefs: expected strided layouts, but got ")
             << type;
  rewriter.setInsertionPoint(op);
  decideDimensions();
  decideScale();
  addBroadcastInput(op.getBias());
  addBroadcastInput(op.getBooleanMask());
  decideOffset();
  GenericOp generic = createGeneric();
  fillMask(generic);
  fillScore(generic);
  rewriter.setInsertionPointAfter(generic);
  replaceResults(generic);
  return generic;
}

} // namespace

FailureOr<GenericOp> generalizeSdpa(RewriterBase &rewriter, SdpaOp op) {
  return SdpaExpansion(rewriter, op).run();
}

//===----------------------------------------------------------------------===//
// Patterns and pass
//===----------------------------------------------------------------------===//

namespace {

/// attn.sdpa ins(%q, %k, %v) outs(%o) {causal = #attn.causal<top_left>}
/// ->
/// attn.generic ins(%q, %k, %v) weighting(#attn.softmax) outs(%o)
///     mask { j <= i }
struct GeneralizeSdpa final : OpRewritePattern<SdpaOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(SdpaOp op,
                                PatternRewriter &rewriter) const override {
    return success(succeeded(generalizeSdpa(rewriter, op)));
  }
};

struct GeneralizeAttentionPass final
    : impl::GeneralizeAttentionPassBase<GeneralizeAttentionPass> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    populateGeneralizeAttentionPatterns(patterns);
    walkAndApplyPatterns(getOperation(), std::move(patterns));
    // What could not be expanded has been reported.
    WalkResult left = getOperation()->walk(
        [](SdpaOp) { return WalkResult::interrupt(); });
    if (left.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace

void populateGeneralizeAttentionPatterns(RewritePatternSet &patterns) {
  patterns.add<GeneralizeSdpa>(patterns.getContext());
}

} // namespace attn
