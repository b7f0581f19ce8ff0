//===- DimensionClasses.cpp - Inference from indexing maps ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/DimensionClasses.h"
#include "attn/IR/Ragged.h"

using namespace mlir;

namespace attn {

FailureOr<DimensionClasses> DimensionClasses::infer(AffineMap query,
                                                    AffineMap key,
                                                    AffineMap value,
                                                    AffineMap output,
                                                    unsigned *unclassified) {
  DimensionClasses result;
  std::optional<unsigned> request = getRequestDim(query);
  if (!request)
    request = getRequestDim(key);
  for (unsigned dim = 0, e = query.getNumDims(); dim < e; ++dim) {
    bool inQ = query.isFunctionOfDim(dim), inK = key.isFunctionOfDim(dim);
    bool inV = value.isFunctionOfDim(dim), inO = output.isFunctionOfDim(dim);
    if (inO && (inK || (inQ && inV) || request == dim)) {
      result.batch.push_back(dim);
      result.classes.push_back(DimensionClass::Batch);
    } else if (inO && inQ) {
      result.queryRows.push_back(dim);
      result.classes.push_back(DimensionClass::QueryRow);
    } else if (inO && inV) {
      result.channels.push_back(dim);
      result.classes.push_back(DimensionClass::Channel);
    } else if (!inO && inK && inV && !inQ) {
      result.keyRows.push_back(dim);
      result.classes.push_back(DimensionClass::KeyRow);
    } else if (!inO && inQ && inK && !inV) {
      result.features.push_back(dim);
      result.classes.push_back(DimensionClass::Feature);
    } else {
      if (unclassified)
        *unclassified = dim;
      return failure();
    }
  }
  return result;
}

} // namespace attn
