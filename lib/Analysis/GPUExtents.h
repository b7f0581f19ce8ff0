//===- GPUExtents.h - Extents that decide GPU kernels -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_ANALYSIS_GPUEXTENTS_H
#define ATTN_LIB_ANALYSIS_GPUEXTENTS_H

#include "attn/IR/Attn.h"

namespace attn {

/// The extent of dimension `dim` as mapped operand `index` has it.
int64_t getExtent(GenericOp op, unsigned index, unsigned dim);

/// The extent of `dim` in whatever operand has it.
int64_t getAnyExtent(GenericOp op, unsigned dim);

/// All query rows of a position along other dimensions, where these are few
/// enough to be one tile: grouped heads. 0 where they are not, or are those of
/// one dimension.
int64_t countFoldedRows(GenericOp op);

/// Blocks of keys of which a tile has some whole ones, or which have some whole
/// tiles: eight rows of them are swizzled together.
bool fitBlocks(int64_t blockKeys, int64_t keys);

} // namespace attn

#endif // ATTN_LIB_ANALYSIS_GPUEXTENTS_H
