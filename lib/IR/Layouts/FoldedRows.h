//===- FoldedRows.h - Query rows of several dimensions ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_IR_LAYOUTS_FOLDEDROWS_H
#define ATTN_LIB_IR_LAYOUTS_FOLDEDROWS_H

#include "attn/IR/Attn.h"

namespace attn {

/// The rows of a tile, and how many tiles all rows take.
struct FoldedRows {
  int64_t rows = 1;
  double tiles = 1;
};

/// How tiles of up to `room` rows take those of `problem`: rows of the
/// innermost dimension, within their lists of keys if they have some, and if a
/// tile `folds` dimensions, the others while there is room. Beside lists these
/// are whole; without, the first that does not fit is cut.
FoldedRows foldRows(const LayoutProblem &problem, int64_t room, bool folds);

} // namespace attn

#endif // ATTN_LIB_IR_LAYOUTS_FOLDEDROWS_H
