//===- Products.cpp - Sums of products of two tensors -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Elements of the result do not meet, so that the sums of several may go
// forward together, each in its own order: those of neighbours along one
// dimension, the lanes, over all of the last dimension that is summed over.
// What a sum waits for is then neither the one before nor, as far as an operand
// lies along the lanes, memory.
//
//===----------------------------------------------------------------------===//

#include "Products.h"

#include <algorithm>

namespace attn {
namespace reference {

namespace {

/// Lanes of an operand that lies along them, and of others, which come from as
/// many places of memory.
constexpr int64_t kLanes = 64, kSpreadLanes = 8;

/// The dimension of the lanes and that which is summed over; -1 for none.
struct Order {
  int lane = -1, sum = -1;
  int64_t lanes = kSpreadLanes;
};

} // namespace

static Order chooseOrder(ArrayRef<int64_t> extents, ArrayRef<int64_t> left,
                         ArrayRef<int64_t> right, ArrayRef<int64_t> out) {
  Order order;
  for (int dim = 0, e = extents.size(); dim < e; ++dim) {
    if (extents[dim] == 1)
      continue;
    if (out[dim] == 0) {
      order.sum = dim;
      continue;
    }
    bool isAlong = (left[dim] == 0 && right[dim] == 1) ||
                   (left[dim] == 1 && right[dim] == 0);
    if (isAlong || order.lanes == kSpreadLanes) {
      order.lane = dim;
      order.lanes = isAlong ? kLanes : kSpreadLanes;
    }
  }
  return order;
}

/// The sums of `count` lanes over `length` points.
static void addLanes(double *sums, int64_t count, int64_t length,
                     const Cell *left, int64_t leftLane, int64_t leftNext,
                     const Cell *right, int64_t rightLane, int64_t rightNext) {
  for (int64_t i = 0; i < length; ++i, left += leftNext, right += rightNext) {
    if (leftLane == 0 && rightLane == 1) {
      double factor = left->f;
      for (int64_t lane = 0; lane < count; ++lane)
        sums[lane] += factor * right[lane].f;
    } else if (leftLane == 1 && rightLane == 0) {
      double factor = right->f;
      for (int64_t lane = 0; lane < count; ++lane)
        sums[lane] += left[lane].f * factor;
    } else {
      for (int64_t lane = 0; lane < count; ++lane)
        sums[lane] += left[lane * leftLane].f * right[lane * rightLane].f;
    }
  }
}

void addProducts(ArrayRef<int64_t> extents, Strided<const Cell> left,
                 Strided<const Cell> right, Strided<Cell> out) {
  Order order = chooseOrder(extents, left.strides, right.strides, out.strides);
  SmallVector<int64_t> outer(extents), point(extents.size(), 0);
  auto take = [&](int dim) {
    return dim < 0 ? int64_t(1) : std::exchange(outer[dim], 1);
  };
  auto strideAlong = [](ArrayRef<int64_t> strides, int dim) {
    return dim < 0 ? int64_t(0) : strides[dim];
  };
  int64_t width = take(order.lane), length = take(order.sum);
  int64_t leftLane = strideAlong(left.strides, order.lane);
  int64_t leftNext = strideAlong(left.strides, order.sum);
  int64_t rightLane = strideAlong(right.strides, order.lane);
  int64_t rightNext = strideAlong(right.strides, order.sum);
  int64_t outLane = strideAlong(out.strides, order.lane);
  auto locate = [&](ArrayRef<int64_t> strides) {
    int64_t offset = 0;
    for (auto [stride, index] : llvm::zip_equal(strides, point))
      offset += stride * index;
    return offset;
  };
  double sums[kLanes];
  do {
    const Cell *fromLeft = left.first + locate(left.strides);
    const Cell *fromRight = right.first + locate(right.strides);
    Cell *to = out.first + locate(out.strides);
    for (int64_t lane = 0; lane < width; lane += order.lanes) {
      int64_t count = std::min(order.lanes, width - lane);
      Cell *target = to + lane * outLane;
      for (int64_t i = 0; i < count; ++i)
        sums[i] = target[i * outLane].f;
      addLanes(sums, count, length, fromLeft + lane * leftLane, leftLane,
               leftNext, fromRight + lane * rightLane, rightLane, rightNext);
      for (int64_t i = 0; i < count; ++i)
        target[i * outLane].f = sums[i];
    }
  } while (advance(outer, point));
}

} // namespace reference
} // namespace attn
