//===- Products.h - Sums of products of two tensors -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_PRODUCTS_H
#define ATTN_LIB_REFERENCE_PRODUCTS_H

#include "Tensor.h"

namespace attn {
namespace reference {

/// Floats of which that at a point p is `first[sum_d strides[d] p[d]]`.
template <typename CellType> struct Strided {
  CellType *first;
  ArrayRef<int64_t> strides;
};

/// out += left * right at each point of a box that is not empty, in the order
/// of the points for each element of `out`.
void addProducts(ArrayRef<int64_t> extents, Strided<const Cell> left,
                 Strided<const Cell> right, Strided<Cell> out);

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_PRODUCTS_H
