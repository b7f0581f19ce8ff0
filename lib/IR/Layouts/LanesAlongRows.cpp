//===- LanesAlongRows.cpp - Query rows in lanes -----------------*- C++ -*-===//
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

LogicalResult
LanesAlongRowsAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                           int64_t lanes, bool pairs) {
  if (lanes > 0)
    return success();
  return emitError() << "expected 1 lane or more, but got " << lanes;
}

/// One vector, or two, which share the broadcast of each key; but no more rows
/// than share a list of keys, and of other dimensions what fits, where rows are
/// folded. Pairs wherever there are any: their instruction takes no longer than
/// one product.
SmallVector<LayoutAttrInterface, 2>
LanesAlongRowsAttr::propose(MLIRContext *context,
                            const LayoutProblem &problem) {
  // What is rearranged into pairs has a buffer of one size; weights that are
  // final are used beyond the values.
  bool pairs = problem.pairs && problem.knownWidths && !problem.replays;
  if (problem.tileRows && problem.listRows % problem.tileRows != 0)
    return {};
  if (problem.tileRows)
    return {get(context, problem.tileRows, pairs)};
  FloatType accType = problem.accType;
  int64_t lanes = problem.vectorBits / accType.getWidth();
  auto make = [&](int64_t most) {
    return get(context, foldRows(problem, most, problem.replays).rows, pairs);
  };
  if (problem.listRows)
    return {make(2 * lanes), make(lanes)};
  return {get(context, 2 * lanes, pairs), get(context, lanes, pairs)};
}

double LanesAlongRowsAttr::getCost(const LayoutProblem &problem) const {
  // Where keys are gone over twice, heads that share them fill what few rows
  // leave of the lanes.
  double tiles = foldRows(problem, getLanes(), problem.replays).tiles;
  FloatType accType = problem.accType;
  double vectors =
      static_cast<double>(getLanes()) * accType.getWidth() / problem.vectorBits;
  // What is gone over again comes back from the lanes, row by row: 1.5 times of
  // all, measured (one AVX-512 core).
  double again = problem.replays ? 1.5 : 1;
  return again * tiles * (vectors + 1) / (getPairs() ? 2 : 1);
}

int64_t LanesAlongRowsAttr::getNumRows() const { return getLanes(); }

/// Rows of data that leaves the tile lie as its owner wants them.
static bool hasLanes(OperandRole role) {
  return role != OperandRole::output && role != OperandRole::lse &&
         role != OperandRole::weights;
}

AffineMap LanesAlongRowsAttr::getStoredMap(OperandRole role,
                                           AffineMap map) const {
  AffineExpr row = getAffineDimExpr(0, map.getContext());
  if (!hasLanes(role) || !map.getResultPosition(row))
    return map;
  SmallVector<AffineExpr> results;
  llvm::copy_if(map.getResults(), std::back_inserter(results),
                [&](AffineExpr expr) { return expr != row; });
  results.push_back(row);
  return AffineMap::get(map.getNumDims(), 0, results, map.getContext());
}

std::optional<int64_t> LanesAlongRowsAttr::getStoredExtent(OperandRole role,
                                                           unsigned dim) const {
  if (dim == 0 && hasLanes(role))
    return getLanes();
  return std::nullopt;
}

Type LanesAlongRowsAttr::getStoredElement(OperandRole role, AffineMap map,
                                          Type element,
                                          FloatType accType) const {
  if (!hasLanes(role))
    return element;
  bool isMultiplied = role == OperandRole::query || role == OperandRole::key ||
                      role == OperandRole::value;
  if (getPairs() && isMultiplied)
    return BFloat16Type::get(element.getContext());
  if (isa<FloatType>(element))
    return accType;
  // Neighbours in memory are then neighbours in a vector.
  if (element.isInteger(1) && map.isFunctionOfDim(0))
    return IntegerType::get(element.getContext(), 8);
  return element;
}

} // namespace attn
