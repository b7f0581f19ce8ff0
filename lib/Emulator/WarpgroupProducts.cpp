//===- WarpgroupProducts.cpp - Asynchronous products ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "Asynchronous Warpgroup Level Matrix
// Multiply-Accumulate Instructions": fragments are those of `mma.sync`, 16 rows
// to a warp.
//
//===----------------------------------------------------------------------===//

#include "WarpgroupProducts.h"
#include "Intrinsics.h"
#include "MatrixLayout.h"

#include <algorithm>

using llvm::Twine;

namespace attn {

void WarpgroupProducts::reset(unsigned numWarps) {
  warps.assign(numWarps, Warp());
}

//===----------------------------------------------------------------------===//
// Sums that are not known yet
//===----------------------------------------------------------------------===//

/// A negative quiet NaN; all ones are what nobody has written.
static constexpr uint32_t kPending = 0xFFC00000, kNumbers = 0x7FFF;

static float markPending(unsigned product, unsigned sum) {
  uint32_t bits = kPending | (product % kNumbers) << 7 | sum;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

static bool isPending(float value, unsigned product, unsigned &sum) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  sum = bits & 127;
  return (bits & kPending) == kPending &&
         (bits >> 7 & kNumbers) == product % kNumbers;
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

template <typename T>
static T getOperand(const Assembly &assembly, const Meeting &meeting,
                    unsigned lane, unsigned operand) {
  operand = assembly.getInput(operand);
  return meeting.get<T>(lane, 1 + operand - assembly.numOutputs);
}

void WarpgroupProducts::begin(unsigned warp,
                              const AssemblyInstruction &instruction,
                              const Assembly &assembly, Meeting &meeting,
                              std::vector<Product> &own) {
  if (!warps[warp].isFenced)
    block.fail(
        "multiplies by wgmma.mma_async without a wgmma.fence behind what "
        "may have written its registers");
  auto getDescriptor = [&](const AssemblyAddress &address) {
    auto first = getOperand<uint64_t>(assembly, meeting, 0, address.operand);
    for (unsigned lane = 1; lane < 32; ++lane)
      if (getOperand<uint64_t>(assembly, meeting, lane, address.operand) !=
          first)
        block.fail("expected one matrix descriptor, but lanes 0 and " +
                   Twine(lane) + " have different ones");
    first += address.offset;
    if (!isSwizzled128(first))
      block.fail("expected the descriptor of a matrix in rows of 128 swizzled "
                 "bytes, but got 0x" +
                 Twine::utohexstr(first));
    return first;
  };
  Step step;
  step.instruction = &instruction;
  int64_t half = instruction.columns / 2;
  if (instruction.registers.empty()) {
    step.left = getDescriptor(instruction.leftAddress);
    listMatrixWords(step.words, step.left, warp % 4 * 16, 16,
                    instruction.leftTransposed);
  } else {
    for (unsigned lane = 0; lane < 32; ++lane)
      for (unsigned i = 0; i < 4; ++i)
        step.registers[lane][i] = getOperand<uint32_t>(
            assembly, meeting, lane, instruction.registers[i]);
  }
  step.right = getDescriptor(instruction.rightAddress);
  listMatrixWords(step.words, step.right, 0, instruction.columns,
                  instruction.transposed);
  SharedMemory &shared = block.getShared();
  unsigned thread = warp * 32;
  for (int64_t at : step.words) {
    if (auto mistake = shared.checkProxy(at, 16))
      block.fail(thread, *mistake);
    if (auto mistake = shared.read(thread, at, 16, block.getClocks()))
      block.fail(thread, *mistake);
    shared.hold(at, 16, 1);
  }
  // Of what adds up in the same registers, the sums are known together.
  Product *product = nullptr;
  for (Product &other : own)
    if (other.steps[0].instruction->sums == instruction.sums)
      product = &other;
  if (product && !instruction.adds)
    block.fail("begins sums anew in registers in which others are pending");
  if (!product) {
    product = &own.emplace_back();
    product->number = warps[warp].numProducts++;
    product->columns = instruction.columns;
    product->sums.assign(32 * half, 0);
    for (unsigned lane = 0; lane < 32; ++lane)
      for (int64_t i = 0; i < half; ++i) {
        unsigned operand = instruction.sums[i];
        if (instruction.adds && assembly.getInput(operand) == operand)
          block.fail("adds to registers that nothing was put in");
        if (instruction.adds)
          product->sums[lane * half + i] =
              getOperand<float>(assembly, meeting, lane, operand);
        meeting.set(lane, operand, markPending(product->number, i));
      }
  }
  product->steps.push_back(std::move(step));
  block.getCounts().products += 1;
}

void WarpgroupProducts::computeStep(unsigned warp, Product &product,
                                    const Step &step) {
  const AssemblyInstruction &instruction = *step.instruction;
  auto extend = instruction.isBF16 ? extendBF16 : extendF16;
  const char *base = block.getShared().getBase();
  auto read = [&](int64_t at) {
    uint16_t bits;
    std::memcpy(&bits, base + at, sizeof(bits));
    return extend(bits);
  };
  int64_t columns = product.columns, half = columns / 2;
  float left[16][16], right[16][256];
  for (int64_t j = 0; j < columns; ++j)
    for (int64_t x = 0; x < 16; ++x)
      right[x][j] =
          read(locateElement(step.right, j, x, instruction.transposed));
  for (unsigned i = 0; i < 16 && instruction.registers.empty(); ++i)
    for (int64_t x = 0; x < 16; ++x)
      left[i][x] = read(locateElement(step.left, warp % 4 * 16 + i, x,
                                      instruction.leftTransposed));
  for (unsigned lane = 0; lane < 32 && !instruction.registers.empty(); ++lane)
    for (unsigned r = 0; r < 4; ++r) {
      uint32_t bits = step.registers[lane][r];
      float *at = &left[lane / 4 + 8 * (r % 2)][2 * (lane % 4) + 8 * (r / 2)];
      at[0] = extend(bits & 0xFFFF);
      at[1] = extend(bits >> 16);
    }
  for (unsigned i = 0; i < 16; ++i) {
    float sums[256];
    auto at = [&](int64_t j) -> float & {
      unsigned lane = i % 8 * 4 + j % 8 / 2;
      return product.sums[lane * half + j / 8 * 4 + i / 8 * 2 + j % 2];
    };
    for (int64_t j = 0; j < columns; ++j)
      sums[j] = at(j);
    for (int64_t x = 0; x < 16; ++x)
      for (int64_t j = 0; j < columns; ++j)
        sums[j] += left[i][x] * right[x][j];
    for (int64_t j = 0; j < columns; ++j)
      at(j) = sums[j];
  }
}

void WarpgroupProducts::compute(unsigned warp, Product &product) {
  if (product.isComputed)
    return;
  for (const Step &step : product.steps)
    computeStep(warp, product, step);
  product.isComputed = true;
}

void WarpgroupProducts::land(unsigned warp, Product product) {
  compute(warp, product);
  SharedMemory &shared = block.getShared();
  for (const Step &step : product.steps)
    for (int64_t at : step.words) {
      // It may have been read until now.
      if (auto mistake = shared.read(warp * 32, at, 16, block.getClocks()))
        block.fail(warp * 32, *mistake);
      shared.hold(at, 16, -1);
    }
  product.steps.clear();
  warps[warp].over.push_back(std::move(product));
  if (warps[warp].over.size() > 16)
    warps[warp].over.pop_front();
}

void WarpgroupProducts::waitFor(unsigned warp, int64_t left,
                                const Assembly &assembly, Meeting &meeting) {
  Warp &own = warps[warp];
  if (!own.open.empty())
    block.fail("waits for products while some are in no group; commit them");
  while (own.groups.size() > static_cast<size_t>(left)) {
    for (Product &product : own.groups.front())
      land(warp, std::move(product));
    own.groups.pop_front();
  }
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < assembly.numOutputs; ++i) {
      if (assembly.tied[i] == i)
        continue;
      auto value = getOperand<float>(assembly, meeting, lane, i);
      for (const Product &product : own.over) {
        unsigned sum;
        if (isPending(value, product.number, sum) &&
            sum < static_cast<unsigned>(product.columns / 2))
          meeting.set(lane, i, product.sums[lane * product.columns / 2 + sum]);
      }
    }
}

void WarpgroupProducts::execute(const Assembly &assembly, Meeting &meeting) {
  unsigned warp = block.getThread() / 32;
  if (warp / 4 * 4 + 4 > warps.size())
    block.fail("multiplies in a warpgroup that has less than four warps");
  // Registers keep what they begin with.
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned i = 0; i < assembly.numOutputs; ++i)
      if (assembly.tied[i] != i)
        meeting.set(lane, i, getOperand<uint64_t>(assembly, meeting, lane, i));
  // What begins here.
  std::vector<Product> begun;
  for (const AssemblyInstruction &instruction : assembly.instructions)
    switch (instruction.kind) {
    case AssemblyInstruction::Fence:
      warps[warp].isFenced = true;
      break;
    case AssemblyInstruction::Product:
      begin(warp, instruction, assembly, meeting, begun);
      break;
    case AssemblyInstruction::Commit:
      for (Product &product : begun)
        warps[warp].open.push_back(std::move(product));
      begun.clear();
      warps[warp].groups.push_back(std::move(warps[warp].open));
      warps[warp].open.clear();
      break;
    case AssemblyInstruction::Wait:
      waitFor(warp, instruction.left, assembly, meeting);
      break;
    }
  for (Product &product : begun)
    warps[warp].open.push_back(std::move(product));
  // What comes between may write registers.
  for (const AssemblyInstruction &instruction : assembly.instructions)
    if (instruction.kind == AssemblyInstruction::Product)
      warps[warp].isFenced = false;
}

void WarpgroupProducts::computeSome() {
  for (unsigned warp = 0; warp < warps.size(); ++warp)
    for (auto &group : warps[warp].groups)
      for (Product &product : group)
        if (block.flipsCoin())
          compute(warp, product);
}

void WarpgroupProducts::finish(unsigned thread) {
  const Warp &warp = warps[thread / 32];
  if (!warp.open.empty() || !warp.groups.empty())
    block.fail("ends while its products may not be over; wait for them");
}

std::string WarpgroupProducts::describeEnd() const {
  for (size_t i = 0; i < warps.size() / 4 * 4; ++i)
    if (warps[i].numProducts != warps[i / 4 * 4].numProducts)
      return "the warps of warpgroup " + std::to_string(i / 4) +
             " have not executed the same products";
  return "";
}

} // namespace attn
