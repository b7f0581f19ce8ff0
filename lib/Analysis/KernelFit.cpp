//===- KernelFit.cpp - Whether and how an op is fused -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/KernelFit.h"
#include "attn/IR/BlockList.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

static FusionDecision unfused(const Twine &reason) {
  return {false, reason.str()};
}

/// Whether the weight region may be applied before weights are finished. Those
/// of selected keys come all at once, when they are.
static bool isFoldedIntoWeights(GenericOp op) {
  switch (*op.getWeighting().getWeightingKind()) {
  case WeightingKind::Accumulate:
    return op.isLinearInWeight();
  case WeightingKind::Select:
    return op.getWeight().empty();
  case WeightingKind::Ordered:
    return false;
  }
  return false;
}

bool needsFinalWeights(GenericOp op) {
  return op.getWeights() || !isFoldedIntoWeights(op);
}

FusionDecision fitsKernel(GenericOp op) {
  if (!isa<TensorType>(op.getQuery().getType()))
    return unfused("operands are memrefs: fusion starts from tensors");
  WeightingKind kind = *op.getWeighting().getWeightingKind();
  DimensionClasses classes = op.getDimensionClasses();
  auto notOne = [](ArrayRef<unsigned> dims, StringRef name, StringRef owners) {
    StringRef mend = dims.empty() ? ": give one of extent 1 to the "
                                  : ": collapse them, in one order, in the ";
    StringRef by =
        dims.empty() ? " (tensor.expand_shape)" : " (tensor.collapse_shape)";
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
  if (!needsFinalWeights(op))
    return {true, kind == WeightingKind::Select
                      ? "one online pass, then the values selected"
                      : "one online pass"};
  if (auto ordered =
          dyn_cast<OrderedWeightingAttrInterface>(op.getWeighting())) {
    AccumulateWeightingAttrInterface mass = ordered.getMassWeighting();
    if (op.getLse() && !mass.hasLogSumExp())
      return unfused("a log-sum-exp is asked for, but what gives the mass of a "
                     "key has none");
    return {true, mass.getStatistics().empty()
                      ? "one pass in key order"
                      : "two passes, for statistics and in key order"};
  }
  std::string why = op.getWeights() ? "the weights are asked for"
                    : kind == WeightingKind::Select
                        ? "there is a weight region"
                        : "the weight region is not linear in the weight";
  if (op.getWeighting().getStatistics().empty())
    return {true, "one pass with final weights, as " + why};
  return {true, "two passes, for statistics and with final weights, as " + why};
}

/// The extent of a dimension as an operand has it.
static int64_t getExtent(GenericOp op, Value operand, unsigned mapIndex,
                         unsigned dim) {
  AffineMap map = op.getIndexingMap(mapIndex);
  return cast<ShapedType>(operand.getType())
      .getDimSize(
          *map.getResultPosition(getAffineDimExpr(dim, op.getContext())));
}

/// Dynamic for packed rows: each request has its own.
static int64_t getQueryExtent(GenericOp op, unsigned dim) {
  if (op.getQueryStarts() && getRaggedDims(op)->queryRow == dim)
    return ShapedType::kDynamic;
  return getExtent(op, op.getQuery(), /*mapIndex=*/0, dim);
}

namespace {
/// The extents that decide tiles and fusion, dynamic where not known.
struct Extents {
  explicit Extents(GenericOp op) {
    DimensionClasses classes = op.getDimensionClasses();
    auto extent = [&](Value operand, unsigned mapIndex, unsigned dim) {
      return getExtent(op, operand, mapIndex, dim);
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
  if (!fit.fused || policy == FusionPolicy::Always || op.getBlocksAttr())
    return fit;
  // Other kinds have no form but the fused one.
  if (op.getWeighting().getWeightingKind() != WeightingKind::Accumulate)
    return fit;
  Extents extents(op);
  bool known = !ShapedType::isDynamic(extents.queries) &&
               !ShapedType::isDynamic(extents.keys) && !getRaggedDims(op);
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

//===----------------------------------------------------------------------===//
// Query rows of a tile
//===----------------------------------------------------------------------===//

/// Whether a tile may be cut along a query row dimension: an input over rows,
/// keys and features would be packed into what the kernel has no room for.
static bool canCutRows(GenericOp op, unsigned dim) {
  DimensionClasses classes = op.getDimensionClasses();
  for (unsigned i = 3, e = op.getWeightingIndex(); i < e; ++i) {
    AffineMap map = op.getIndexingMap(i);
    auto spans = [&](unsigned dim) { return map.isFunctionOfDim(dim); };
    if (spans(dim) && spans(classes.features[0]) &&
        llvm::any_of(classes.keyRows, spans))
      return false;
  }
  return true;
}

/// Whether each result has `outer` next to `inner`, so that rows of both can be
/// seen as one dimension where they are written.
static bool areAdjacentInResults(GenericOp op, unsigned outer, unsigned inner) {
  for (unsigned i = op.getOutputIndex(), e = op.getIndexingMaps().size(); i < e;
       ++i) {
    AffineMap map = op.getIndexingMap(i);
    auto position = [&](unsigned dim) {
      return *map.getResultPosition(getAffineDimExpr(dim, op.getContext()));
    };
    if (position(outer) + 1 != position(inner))
      return false;
  }
  return true;
}

/// How many rows along `dim` have one list of key blocks; 0 for all there are.
static int64_t countListRows(GenericOp op, unsigned dim) {
  int64_t extent = getQueryExtent(op, dim), rows = countRowsOfList(op, dim);
  return !ShapedType::isDynamic(extent) && extent <= rows ? 0 : rows;
}

/// The query row dimensions that a tile may span, the innermost first. Rows of
/// the innermost may have lists of key blocks of their own, as many as share
/// one; of the others, behind them in any order, all have the same.
static SmallVector<unsigned, 2> getRowDims(GenericOp op) {
  SmallVector<unsigned> dims = op.getDimensionClasses().queryRows;
  SmallVector<unsigned, 2> rowDims;
  for (unsigned dim : llvm::reverse(dims)) {
    int64_t extent = getQueryExtent(op, dim);
    if (!canCutRows(op, dim))
      break;
    if (extent == 1)
      continue;
    bool haveLists = !rowDims.empty() && countListRows(op, rowDims.front());
    if (!rowDims.empty() && countListRows(op, dim))
      break;
    if (haveLists && ShapedType::isDynamic(extent))
      break;
    if (!haveLists && !rowDims.empty() &&
        (!areAdjacentInResults(op, dim, rowDims.back()) ||
         ShapedType::isDynamic(getQueryExtent(op, rowDims.back()))))
      break;
    rowDims.push_back(dim);
  }
  if (rowDims.empty() && !dims.empty())
    rowDims.push_back(dims.back());
  return rowDims;
}

/// Of rows that share lists, those of the innermost dimension that a tile in
/// `layout` has: whatever room is left is for other dimensions.
static int64_t countTileRowsOfList(int64_t listRows,
                                   LayoutAttrInterface layout) {
  return getDivisorAtMost(listRows, layout.getNumRows());
}

SmallVector<unsigned, 2> chooseRowDims(GenericOp op,
                                       LayoutAttrInterface layout) {
  SmallVector<unsigned, 2> dims = getRowDims(op), chosen;
  int64_t room = layout.getNumRows();
  if (int64_t listRows = getListRows(op)) {
    room /= countTileRowsOfList(listRows, layout);
    chosen.push_back(dims.front());
    for (unsigned dim : ArrayRef(dims).drop_front()) {
      int64_t extent = getQueryExtent(op, dim);
      if (extent == 0 || room % extent != 0)
        break;
      chosen.push_back(dim);
      room /= extent;
    }
    return chosen;
  }
  // Lanes along rows fold them where keys are gone over twice.
  bool folds = layout.foldsRows() || needsFinalWeights(op);
  for (unsigned dim : dims) {
    if (!chosen.empty() && (!folds || room < 2))
      break;
    chosen.insert(chosen.begin(), dim);
    int64_t extent = getQueryExtent(op, dim);
    if (ShapedType::isDynamic(extent) || extent == 0 || extent > room)
      break;
    room /= extent;
  }
  return chosen;
}

int64_t getListRows(GenericOp op) {
  SmallVector<unsigned, 2> dims = getRowDims(op);
  return dims.empty() ? 0 : countListRows(op, dims.front());
}

/// Whether both products are of bf16 in f32.
static bool multipliesBf16(GenericOp op) {
  auto isBf16 = [](Value operand) {
    return getElementTypeOrSelf(operand.getType()).isBF16();
  };
  return op.getSimilarity().empty() && op.getAccumulationType().isF32() &&
         isBf16(op.getQuery()) && isBf16(op.getKey()) && isBf16(op.getValue());
}

/// Whether the layout keeps queries in bf16, for their products to be pairs.
static bool storesPairs(GenericOp op, LayoutAttrInterface layout) {
  FloatType accType = op.getAccumulationType();
  Type element = getElementTypeOrSelf(op.getQuery().getType());
  AffineMap map = AffineMap::get(4, 0, getAffineDimExpr(0, op.getContext()));
  return layout.getStoredElement(OperandRole::query, map, element, accType) !=
         accType;
}

bool canGatherKeys(GenericOp op) {
  // Of pages, places are positions, which weights go by.
  if (op.getWeights() && !BlockList::hasPages(op))
    return false;
  SmallVector<unsigned> keyRows = op.getDimensionClasses().keyRows;
  AffineExpr page = getAffineDimExpr(keyRows.front(), op.getContext());
  AffineExpr row = getAffineDimExpr(keyRows.back(), op.getContext());
  for (unsigned i = 0, e = op.getOutputIndex(); i < e; ++i) {
    AffineMap map = op.getIndexingMap(i);
    if (map.getResultPosition(page) && !map.getResultPosition(row))
      return false;
  }
  return true;
}

/// What layouts are asked for, but the query rows.
static LayoutProblem makeProblem(GenericOp op, const LayoutOptions &options) {
  LayoutProblem problem;
  problem.accType = op.getAccumulationType();
  problem.vectorBits = options.vectorBits;
  problem.tileRows = options.queryTile;
  problem.replays = needsFinalWeights(op);
  problem.pairs = options.hasBf16Dot && multipliesBf16(op);
  Extents extents(op);
  problem.knownWidths = !ShapedType::isDynamic(extents.features) &&
                        !ShapedType::isDynamic(extents.channels);
  return problem;
}

/// Few rows take final weights as they come: not in order, nor selected.
static bool takesFewRows(GenericOp op) {
  return !needsFinalWeights(op) ||
         op.getWeighting().getWeightingKind() == WeightingKind::Accumulate;
}

SmallVector<LayoutChoice> rankLayouts(GenericOp op,
                                      const LayoutOptions &options) {
  LayoutProblem problem = makeProblem(op, options);
  problem.listRows = getListRows(op);
  SmallVector<unsigned> dims = op.getDimensionClasses().queryRows;
  // Lists are those of the first that a tile may span.
  if (!problem.listRows &&
      (dims.empty() || getQueryExtent(op, dims.back()) == 1))
    problem.queryRows.push_back(1);
  for (unsigned dim : getRowDims(op))
    if (getQueryExtent(op, dim) != 1)
      problem.queryRows.push_back(getQueryExtent(op, dim));
  auto *dialect = op.getContext()->getLoadedDialect<AttnDialect>();
  SmallVector<LayoutChoice> ranked;
  for (LayoutAttrInterface layout : dialect->proposeLayouts(problem))
    if (takesFewRows(op) || !layout.foldsRows())
      ranked.push_back({layout, layout.getCost(problem)});
  llvm::stable_sort(ranked, [](const LayoutChoice &a, const LayoutChoice &b) {
    return a.cost < b.cost;
  });
  return ranked;
}

/// Rows that meet the same keys are few up to here.
constexpr int64_t kFewRows = 16;

bool hasFewKeys(GenericOp op) {
  constexpr int64_t kFewKeys = 128;
  int64_t keys = Extents(op).keys;
  return !ShapedType::isDynamic(keys) && keys < kFewKeys;
}

/// Whether some operand says how many rows there are along `dim`.
static bool isExtentKnown(GenericOp op, unsigned dim) {
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    std::optional<unsigned> position =
        op.getIndexingMap(index).getResultPosition(
            getAffineDimExpr(dim, op.getContext()));
    if (position && !isPacked(op, index, *position) &&
        !isWithinRequest(op, index, *position) &&
        !cast<ShapedType>(operand.getType()).isDynamicDim(*position))
      return true;
  }
  return false;
}

std::optional<FewRows> chooseFewRows(GenericOp op,
                                     const LayoutOptions &options) {
  SmallVector<unsigned> dims = op.getDimensionClasses().queryRows;
  if (dims.empty() || options.queryTile || hasFewKeys(op) ||
      !ShapedType::isDynamic(getQueryExtent(op, dims.back())) ||
      isExtentKnown(op, dims.back()) || countListRows(op, dims.back()))
    return std::nullopt;
  FewRows few;
  few.rowDims.push_back(dims.back());
  int64_t folded = 1;
  for (unsigned dim : ArrayRef(dims).drop_back()) {
    int64_t extent = getQueryExtent(op, dim);
    if (ShapedType::isDynamic(extent) || extent < 2 ||
        folded * extent > kFewRows / 2 || !canCutRows(op, dim) ||
        countListRows(op, dim))
      continue;
    few.rowDims.push_back(dim);
    folded *= extent;
  }
  LayoutProblem problem = makeProblem(op, options);
  problem.queryRows = {folded, ShapedType::kDynamic};
  auto *dialect = op.getContext()->getLoadedDialect<AttnDialect>();
  for (LayoutAttrInterface layout : dialect->proposeLayouts(problem))
    if (layout.foldsRows() && takesFewRows(op))
      few.choice.layout = layout;
  SmallVector<LayoutChoice> any = rankLayouts(op, options);
  if (!few.choice.layout || any.empty())
    return std::nullopt;
  few.other.layout = any.front().layout;
  // Where rows are not folded, each position along the other dimensions takes
  // tiles of its own.
  LayoutProblem apart = problem;
  apart.replays = false;
  for (int64_t rows = 1; rows * folded <= kFewRows; ++rows) {
    problem.queryRows = {folded, rows};
    apart.queryRows = {rows, folded};
    double cost = few.choice.layout.getCost(problem);
    double otherCost = few.other.layout.getCost(apart);
    if (cost >= otherCost)
      break;
    few.choice.cost = cost;
    few.other.cost = otherCost;
    few.mostRows = rows;
  }
  if (few.mostRows < 2)
    return std::nullopt;
  return few;
}

/// Whether the query rows that meet the same keys are few, and fit one tile.
static bool hasFewRows(GenericOp op, LayoutAttrInterface layout) {
  int64_t rows = 1;
  for (unsigned dim : op.getDimensionClasses().queryRows) {
    int64_t extent = getQueryExtent(op, dim);
    if (ShapedType::isDynamic(extent) || extent > kFewRows)
      return false;
    rows *= extent;
  }
  return rows <= std::min(kFewRows, layout.getNumRows());
}

/// Parts of 1024 keys and more, as many as make 64 workers: reading what a part
/// reads takes 10 times as long as merging it and more, with up to 16 rows.
/// With more than 4 rows arithmetic takes the time, and a part costs 4 % of
/// 1024 keys (8 rows, one AVX-512 core): in each, the statistics of a row move
/// some five times, which no processor foresees. Their parts are twice and four
/// times as long where 4096 keys make 16 workers nevertheless. Where weights
/// are final keys are walked twice, by one worker: what it takes in at first is
/// what it needs in the end.
static void chooseSplits(GenericOp op, const Extents &extents,
                         TileSizes &sizes) {
  constexpr int64_t kWorkers = 64, kEnoughWorkers = 16, kSplitKeys = 1024,
                    kLongPart = 4096, kReadingRows = 4;
  if ((op.getDimensionClasses().keyRows.size() != 1 && !op.getBlocksAttr()) ||
      sizes.queryTiles != 1 || needsFinalWeights(op) ||
      (op.getQueryStarts() && !sizes.layout.foldsRows()))
    return;
  int64_t rows = sizes.layout.getNumRows();
  int64_t workers = ShapedType::isDynamic(extents.rows) || op.getQueryStarts()
                        ? 1
                        : llvm::divideCeil(extents.rows, rows);
  int64_t most = kWorkers / std::max<int64_t>(workers, 1);
  sizes.splitKeys = kSplitKeys;
  if (rows > kReadingRows)
    while (sizes.splitKeys < kLongPart &&
           workers * (kLongPart / (2 * sizes.splitKeys)) >= kEnoughWorkers)
      sizes.splitKeys *= 2;
  if (!ShapedType::isDynamic(extents.keys))
    most = std::min<int64_t>(most,
                             llvm::divideCeil(extents.keys, sizes.splitKeys));
  sizes.splits = std::max<int64_t>(most, 1);
  sizes.splitWorkers = kWorkers;
}

TileSizes chooseTileSizes(GenericOp op, LayoutAttrInterface layout) {
  // The second-level cache holds this much of keys and values while queries
  // and accumulators come and go.
  constexpr int64_t kKeyValueBits = 256 * 1024 * 8;
  int64_t accBits = op.getAccumulationType().getWidth();
  Extents extents(op);
  TileSizes sizes;
  sizes.layout = layout;
  sizes.rowDims = chooseRowDims(op, layout);
  int64_t queryRows = layout.getNumRows();
  // What queries are stored as, weights meet the values as.
  Type weight = layout.getStoredElement(
      OperandRole::query, op.getIndexingMap(0),
      getElementTypeOrSelf(op.getQuery().getType()), op.getAccumulationType());
  sizes.keyRows = std::clamp<int64_t>(
      8 * 1024 * 8 / (queryRows * weight.getIntOrFloatBitWidth()), 1, 512);
  bool known = !ShapedType::isDynamic(extents.keys) &&
               !ShapedType::isDynamic(extents.features) &&
               !ShapedType::isDynamic(extents.channels);
  bool near =
      known && extents.keys * (extents.features + extents.channels) * accBits <=
                   kKeyValueBits;
  // Layouts for few rows leave nothing to share. Their vectors lie along keys.
  if (layout.foldsRows()) {
    constexpr int64_t kWholeVectors = 64;
    sizes.keyRows = std::max<int64_t>(
        kWholeVectors, llvm::alignDown(sizes.keyRows, kWholeVectors));
  }
  if (layout.foldsRows() || hasFewRows(op, layout))
    chooseSplits(op, extents, sizes);
  int64_t listRows = getListRows(op);
  // Query tiles of a block have one list.
  auto limitTiles = [&](int64_t tiles) {
    if (!listRows)
      return tiles;
    int64_t tileRows = countTileRowsOfList(listRows, layout);
    return getDivisorAtMost(listRows / tileRows, tiles);
  };
  bool isGathered = false;
  if (std::optional<BlockList> blocks = BlockList::of(op)) {
    // Blocks that fill vectors are read where they lie, which is as fast as
    // copies that four query tiles share; but for pairs, of which each
    // step rearranges queries (one AVX-512 core).
    constexpr int64_t kReadInPlace = 16, kGathered = 64;
    int64_t keys = blocks->getKeys(), tiles = 1;
    int64_t most = layout.foldsRows() ? kGathered : sizes.keyRows;
    bool isSmall =
        keys < kReadInPlace || (!layout.foldsRows() && storesPairs(op, layout));
    isGathered = 2 * keys <= most && isSmall && canGatherKeys(op);
    if (isGathered) {
      sizes.keyRows = llvm::alignDown(most, keys);
    } else {
      // A tile crosses no block; tiles of like size fill it.
      tiles = llvm::divideCeil(keys, sizes.keyRows);
      if (tiles == 1 || keys % tiles == 0)
        sizes.keyRows = keys / tiles;
    }
  }
  if (layout.foldsRows() || (!isGathered && (near || !startsAtFirstKey(op))))
    return sizes;
  int64_t queries =
      sizes.rowDims.empty() ? 1 : getQueryExtent(op, sizes.rowDims[0]);
  if (ShapedType::isDynamic(queries)) {
    sizes.queryTiles = limitTiles(4);
    return sizes;
  }
  bool many = !ShapedType::isDynamic(extents.rows) &&
              extents.rows >= 64 * 8 * queryRows;
  // Of the first dimension a tile has as many rows as the others leave.
  int64_t tileRows = queryRows;
  for (unsigned dim : ArrayRef(sizes.rowDims).drop_front())
    tileRows /= std::max<int64_t>(1, getQueryExtent(op, dim));
  int64_t tiles = llvm::divideCeil(queries, tileRows);
  sizes.queryTiles = limitTiles(std::clamp<int64_t>(tiles, 1, many ? 8 : 4));
  return sizes;
}

TileSizes chooseTileSizes(GenericOp op, const FewRows &few) {
  TileSizes sizes = chooseTileSizes(op, few.choice.layout);
  sizes.rowDims = few.rowDims;
  return sizes;
}

} // namespace attn
