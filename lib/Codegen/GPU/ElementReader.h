//===- ElementReader.h - Threads that read memory ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_ELEMENTREADER_H
#define ATTN_LIB_CODEGEN_GPU_ELEMENTREADER_H

#include "attn/Codegen/Common/RegionInliner.h"

namespace attn {

/// Reads global memory element by element, the lanes being what one thread
/// holds. There are no branches: lanes that are not to read do so where
/// something is, at the first element or, of a buffer that may be empty, behind
/// `spare`, the address, an index, of 16 bytes or more that are there.
class ElementReader final : public LaneReader {
public:
  void setSpare(mlir::Value address) { spare = address; }

  mlir::Value read(LaneBuilder &lanes, mlir::Value buffer,
                   llvm::ArrayRef<LaneValue> indices,
                   mlir::Value mask) const override;

private:
  mlir::Value spare;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_ELEMENTREADER_H
