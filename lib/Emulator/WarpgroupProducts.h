//===- WarpgroupProducts.h - Asynchronous products --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warpgroup, four warps, multiplies 64 rows at a time, of which each warp has
// 16 in its registers. Products are over when the group of products that they
// are in is waited for. Until then a sum is a NaN, which names the product and
// the register; what waits has to be given it to give the sum. Factors in
// shared memory are read at any time until the wait.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EMULATOR_WARPGROUPPRODUCTS_H
#define ATTN_LIB_EMULATOR_WARPGROUPPRODUCTS_H

#include "Assembly.h"

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

namespace attn {

class Block;
struct Meeting;

/// What the warps of a block multiply.
class WarpgroupProducts {
public:
  explicit WarpgroupProducts(Block &block) : block(block) {}
  void reset(unsigned numWarps);

  /// The warp of the thread that runs executes what `assembly` says. Operands
  /// are the arguments of the meeting, the first left out.
  void execute(const Assembly &assembly, Meeting &meeting);
  /// The thread ends.
  void finish(unsigned thread);
  /// Some of the products read their factors.
  void computeSome();
  /// What is wrong at the end of the block, or nothing.
  std::string describeEnd() const;

private:
  struct Step {
    const AssemblyInstruction *instruction;
    uint64_t left = 0, right = 0;
    /// The left factor, where it is in registers, by lanes.
    std::array<std::array<uint32_t, 4>, 32> registers;
    /// Offsets in shared memory of the words of 16 bytes that are read.
    std::vector<int64_t> words;
  };
  /// Products that add to the same sums.
  struct Product {
    unsigned number = 0;
    int64_t columns = 0;
    /// 32 lanes of half as many sums as there are columns.
    std::vector<float> sums;
    std::vector<Step> steps;
    bool isComputed = false;
  };
  struct Warp {
    /// Whether there was a fence since registers may have been written.
    bool isFenced = false;
    unsigned numProducts = 0;
    std::vector<Product> open;
    std::deque<std::vector<Product>> groups;
    /// The last ones that are over.
    std::deque<Product> over;
  };

  void begin(unsigned warp, const AssemblyInstruction &instruction,
             const Assembly &assembly, Meeting &meeting,
             std::vector<Product> &own);
  void compute(unsigned warp, Product &product);
  void computeStep(unsigned warp, Product &product, const Step &step);
  void land(unsigned warp, Product product);
  void waitFor(unsigned warp, int64_t left, const Assembly &assembly,
               Meeting &meeting);

  Block &block;
  std::vector<Warp> warps;
};

} // namespace attn

#endif // ATTN_LIB_EMULATOR_WARPGROUPPRODUCTS_H
