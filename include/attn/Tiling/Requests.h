//===- Requests.h - Rows of packed requests ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// How many blocks of query rows there are depends on data, the number of
// workers on extents alone. Block 0 of request r has number
//
//   floor(starts[r] / rows of a block) + r
//
// so that requests do not meet: n rows, wherever they start, touch at most one
// block more than they fill. What is left between two requests stays empty.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TILING_REQUESTS_H
#define ATTN_TILING_REQUESTS_H

#include "attn/Tiling/IterationBox.h"

namespace attn {

/// First and number of the rows of a request, by where requests start.
IterationBox::Rows readRows(mlir::OpBuilder &builder, mlir::Location loc,
                            mlir::Value starts, mlir::Value request);

/// The number of blocks of `blockRows` rows, of `rows` rows of `requests`.
mlir::OpFoldResult countBlocks(mlir::OpBuilder &builder, mlir::Location loc,
                               mlir::OpFoldResult rows,
                               mlir::OpFoldResult requests, int64_t blockRows);

/// The request that block `number` of `blockRows` rows belongs to, the last
/// whose first block is this or before it, and which of its blocks it is.
std::pair<mlir::Value, mlir::Value>
findRequest(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value starts,
            mlir::Value number, int64_t blockRows);

} // namespace attn

#endif // ATTN_TILING_REQUESTS_H
