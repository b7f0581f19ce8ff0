//===- VectorReader.h - Lanes that read memory ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_CPU_VECTORREADER_H
#define ATTN_LIB_CODEGEN_CPU_VECTORREADER_H

#include "attn/Codegen/Common/RegionInliner.h"

namespace attn {

/// Reads by masked loads where the lanes' elements lie one after the other,
/// forwards or backwards, and by gathers elsewhere. Elements that a vector
/// packs more densely than memory does, as i1, are read as the bytes they fill.
class VectorReader final : public LaneReader {
public:
  mlir::Value read(LaneBuilder &lanes, mlir::Value buffer,
                   llvm::ArrayRef<LaneValue> indices,
                   mlir::Value mask) const override;
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_CPU_VECTORREADER_H
