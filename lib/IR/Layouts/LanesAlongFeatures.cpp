//===- LanesAlongFeatures.cpp - Features in lanes ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FoldedRows.h"
#include "mlir/IR/Builders.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// The most rows that are few: beyond, arithmetic is what takes the time, and
/// rows fill vectors.
static constexpr int64_t kMaxRows = 16;

LogicalResult
LanesAlongFeaturesAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t rows, bool pairs) {
  if (rows > 0)
    return success();
  return emitError() << "expected 1 row or more, but got " << rows;
}

/// Where rows have lists of keys, as many as share one, and of other dimensions
/// as many as there is room for, each whole. Otherwise whole dimensions, the
/// innermost first, while there is room; of the first that does not fit as many
/// rows as are left, in tiles of like size. Pairs wherever there are any, but
/// for a row that is alone: it waits for keys and values, whatever becomes of
/// them.
SmallVector<LayoutAttrInterface, 2>
LanesAlongFeaturesAttr::propose(MLIRContext *context,
                                const LayoutProblem &problem) {
  constexpr int64_t kRowsOfUnknown = 8;
  // How many rows a tile is to have is asked for where rows fill vectors.
  if (problem.tileRows)
    return {};
  // Weights that are final are used beyond the values.
  auto make = [&](int64_t rows) {
    bool pairs = problem.pairs && rows > 1 && !problem.replays;
    return get(context, rows, pairs);
  };
  if (problem.listRows)
    return {make(foldRows(problem, kMaxRows, /*folds=*/true).rows)};
  int64_t rows = 1;
  for (auto [i, extent] : llvm::enumerate(problem.queryRows)) {
    bool isKnown = !ShapedType::isDynamic(extent);
    if (isKnown && extent > 0 && rows * extent <= kMaxRows) {
      rows *= extent;
      continue;
    }
    // Of an innermost dimension that is long, or may be, tiles are many.
    if (i == 0)
      return {};
    int64_t room = isKnown ? kMaxRows / rows : kRowsOfUnknown / rows;
    if (isKnown && extent > 0)
      room = llvm::divideCeil(extent, llvm::divideCeil(extent, room));
    rows *= std::max<int64_t>(1, room);
    break;
  }
  return {make(rows)};
}

double LanesAlongFeaturesAttr::getCost(const LayoutProblem &problem) const {
  double all = 1;
  for (size_t i = 0; i < problem.queryRows.size(); ++i)
    all *= problem.estimate(i);
  FloatType accType = problem.accType;
  double lanes = static_cast<double>(problem.vectorBits) / accType.getWidth();
  double perTile = 0.5 * getRows() + (getRows() + 1) / (getPairs() ? 2.0 : 1);
  // What is kept of more rows than these drives keys and values out of the
  // first level of cache.
  constexpr int64_t kCachedRows = 8;
  if (getRows() > kCachedRows)
    perTile += getRows();
  return std::ceil(all / getRows()) * perTile / lanes;
}

int64_t LanesAlongFeaturesAttr::getNumRows() const { return getRows(); }

bool LanesAlongFeaturesAttr::foldsRows() const { return true; }

/// Whether the layout gives the operand room for all rows of a tile.
static bool isPadded(OperandRole role) {
  return role == OperandRole::query || role == OperandRole::accumulator ||
         role == OperandRole::statistic;
}

/// Rows come first, and what lanes run along last: features, channels, keys.
AffineMap LanesAlongFeaturesAttr::getStoredMap(OperandRole role,
                                               AffineMap map) const {
  if (role == OperandRole::output || role == OperandRole::lse ||
      role == OperandRole::weights)
    return map;
  SmallVector<AffineExpr> results(map.getResults());
  llvm::sort(results, [](AffineExpr lhs, AffineExpr rhs) {
    return cast<AffineDimExpr>(lhs).getPosition() <
           cast<AffineDimExpr>(rhs).getPosition();
  });
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

std::optional<int64_t>
LanesAlongFeaturesAttr::getStoredExtent(OperandRole role, unsigned dim) const {
  if (dim == 0 && isPadded(role))
    return getRows();
  return std::nullopt;
}

Type LanesAlongFeaturesAttr::getStoredElement(OperandRole role, AffineMap map,
                                              Type element,
                                              FloatType accType) const {
  bool isMultiplied = role == OperandRole::query || role == OperandRole::key ||
                      role == OperandRole::value;
  if (getPairs() && isMultiplied)
    return BFloat16Type::get(element.getContext());
  return isPadded(role) && isa<FloatType>(element) ? accType : element;
}

} // namespace attn
