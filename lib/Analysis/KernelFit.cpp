//===- KernelFit.cpp - Whether and how an op is fused -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/KernelFit.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

static FusionDecision unfused(const Twine &reason) {
  return {false, reason.str()};
}

FusionDecision fitsKernel(GenericOp op) {
  if (!isa<TensorType>(op.getQuery().getType()))
    return unfused("operands are memrefs: fusion starts from tensors");
  if (op.getWeighting().getWeightingKind() != WeightingKind::Accumulate)
    return unfused(
        "the weighting is not of kind accumulate but " +
        stringifyWeightingKind(*op.getWeighting().getWeightingKind()));
  if (op.getWeights())
    return unfused("the weights are asked for");
  DimensionClasses classes = op.getDimensionClasses();
  auto notOne = [](ArrayRef<unsigned> dims, StringRef name, StringRef owners) {
    StringRef mend = dims.empty() ? ": give one of extent 1 to the "
                                  : ": collapse them, in one order, in the ";
    StringRef by = dims.empty() ? " (tensor.expand_shape)"
                                : " (tensor.collapse_shape)";
    return unfused("expected one " + name + " dimension, but there are " +
                   Twine(dims.size()) + mend + owners + by);
  };
  if (classes.features.size() != 1)
    return notOne(classes.features, "feature", "query and key");
  if (classes.channels.size() != 1)
    return notOne(classes.channels, "channel", "value and output");
  for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i) {
    AffineMap map = op.getIndexingMap(3 + i);
    auto spans = [&](unsigned dim) { return map.isFunctionOfDim(dim); };
    if (!classes.queryRows.empty() && spans(classes.queryRows.back()) &&
        llvm::any_of(classes.keyRows, spans) && spans(classes.features[0]))
      return unfused("input " + Twine(i) +
                     " spans query rows, key rows and features");
  }
  if (!op.isLinearInWeight())
    return unfused("the weight region is not linear in the weight");
  return {true, "one online pass"};
}

namespace {
/// The extents that decide tiles and fusion, dynamic where not known.
struct Extents {
  explicit Extents(GenericOp op) {
    DimensionClasses classes = op.getDimensionClasses();
    auto extent = [&](Value operand, unsigned mapIndex, unsigned dim) {
      AffineMap map = op.getIndexingMap(mapIndex);
      return cast<ShapedType>(operand.getType())
          .getDimSize(
              *map.getResultPosition(getAffineDimExpr(dim, op.getContext())));
    };
    queries = classes.queryRows.empty()
                  ? 1
                  : extent(op.getQuery(), 0, classes.queryRows.back());
    features = extent(op.getKey(), 1, classes.features[0]);
    auto query = cast<ShapedType>(op.getQuery().getType());
    rows = query.hasStaticShape() && features > 0
               ? query.getNumElements() / features
               : ShapedType::kDynamic;
    keys = 1;
    for (unsigned dim : classes.keyRows) {
      int64_t rows = extent(op.getKey(), 1, dim);
      keys = ShapedType::isDynamic(keys) || ShapedType::isDynamic(rows)
                 ? ShapedType::kDynamic
                 : keys * rows;
    }
    channels = extent(op.getValue(), 2, classes.channels[0]);
  }

  /// Along the innermost query row dimension, and along all and the batch.
  int64_t queries, rows;
  /// Along all key row dimensions.
  int64_t keys;
  int64_t features, channels;
};
} // namespace

FusionDecision decideFusion(GenericOp op, FusionPolicy policy) {
  // Plain loops over elements take 0.9 times as long as vectors of query rows
  // at 4 pairs, 1.1 to 5 times as long at 16 and more from there on, whatever
  // the widths (one AVX-512 core).
  constexpr int64_t kMaxUnfusedPairs = 4;
  if (policy == FusionPolicy::Never)
    return unfused("fusion is switched off");
  FusionDecision fit = fitsKernel(op);
  if (!fit.fused || policy == FusionPolicy::Always)
    return fit;
  Extents extents(op);
  bool known = !ShapedType::isDynamic(extents.queries) &&
               !ShapedType::isDynamic(extents.keys);
  int64_t pairs = known ? extents.queries * extents.keys : 0;
  if (pairs > 0 && pairs <= kMaxUnfusedPairs)
    return unfused("fusion does not pay for " + Twine(pairs) +
                   " pairs of a query row and a key row");
  return fit;
}

/// Whether the keys that a query row sees begin at the first one, as far as the
/// bounds tell: all walk the same keys, from the same start.
static bool startsAtFirstKey(GenericOp op) {
  if (op.getMask().empty())
    return true;
  if (op.getRanges().empty())
    return false;
  Operation *bounds = op.getRanges().front().getTerminator();
  return bounds->getNumOperands() == 2 &&
         matchPattern(bounds->getOperand(0), m_Zero());
}

LayoutAttrInterface chooseLayout(GenericOp op, int64_t vectorBits,
                                 int64_t queryTile) {
  LayoutProblem problem;
  problem.queryRows = Extents(op).queries;
  problem.accType = op.getAccumulationType();
  problem.vectorBits = vectorBits;
  problem.tileRows = queryTile;
  auto *dialect = op.getContext()->getLoadedDialect<AttnDialect>();
  LayoutAttrInterface best;
  for (LayoutAttrInterface layout : dialect->proposeLayouts(problem))
    if (!best || layout.getCost(problem) < best.getCost(problem))
      best = layout;
  return best;
}

TileSizes chooseTileSizes(GenericOp op, LayoutAttrInterface layout) {
  // The second-level cache holds this much of keys and values while queries
  // and accumulators come and go.
  constexpr int64_t kKeyValueBits = 256 * 1024 * 8;
  int64_t accBits = op.getAccumulationType().getWidth();
  Extents extents(op);
  TileSizes sizes;
  sizes.layout = layout;
  int64_t queryRows = layout.getNumRows();
  sizes.keyRows = std::max<int64_t>(1, 8 * 1024 * 8 / (queryRows * accBits));
  bool known = !ShapedType::isDynamic(extents.keys) &&
               !ShapedType::isDynamic(extents.features) &&
               !ShapedType::isDynamic(extents.channels);
  bool near =
      known && extents.keys * (extents.features + extents.channels) * accBits <=
                   kKeyValueBits;
  if (near || !startsAtFirstKey(op))
    return sizes;
  if (ShapedType::isDynamic(extents.queries)) {
    sizes.queryTiles = 4;
    return sizes;
  }
  bool many = !ShapedType::isDynamic(extents.rows) &&
              extents.rows >= 64 * 8 * queryRows;
  int64_t tiles = llvm::divideCeil(extents.queries, queryRows);
  sizes.queryTiles = std::clamp<int64_t>(tiles, 1, many ? 8 : 4);
  return sizes;
}

} // namespace attn
