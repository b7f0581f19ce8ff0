//===- FoldedRows.cpp - Query rows of several dimensions --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FoldedRows.h"

#include <cmath>

using namespace mlir;

namespace attn {

FoldedRows foldRows(const LayoutProblem &problem, int64_t room, bool folds) {
  FoldedRows folded;
  bool isCut = false;
  for (auto [i, extent] : llvm::enumerate(problem.queryRows)) {
    auto estimate = static_cast<double>(problem.estimate(i));
    if (i == 0 && problem.listRows) {
      folded.rows = getDivisorAtMost(problem.listRows, room);
      folded.tiles = std::ceil(estimate / folded.rows);
      isCut = !folds;
      continue;
    }
    int64_t left = room / folded.rows;
    bool fits = !ShapedType::isDynamic(extent) && extent > 0 && extent <= left;
    if (!isCut && fits && (folds || extent == 1)) {
      folded.rows *= extent;
      continue;
    }
    bool cutsHere = !isCut && !problem.listRows;
    folded.tiles *= cutsHere ? std::ceil(estimate / left) : estimate;
    isCut = true;
  }
  return folded;
}

} // namespace attn
