//===- ThreadIntrinsics.cpp - What a thread does by itself ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where it is, barriers of the block, asynchronous copies, and arithmetic that
// LLVM has no intrinsic of its own for.
//
//===----------------------------------------------------------------------===//

#include "Intrinsics.h"

#include <algorithm>
#include <cmath>

namespace attn {

//===----------------------------------------------------------------------===//
// Narrow floats
//===----------------------------------------------------------------------===//

static uint32_t getBits(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

static float fromBits(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

uint16_t roundToBF16(float value) {
  uint32_t bits = getBits(value);
  if (std::isnan(value))
    return bits >> 16 | 0x40;
  return (bits + 0x7FFF + (bits >> 16 & 1)) >> 16;
}

float extendBF16(uint16_t bits) {
  return fromBits(static_cast<uint32_t>(bits) << 16);
}

uint16_t roundToF16(float value) {
  uint16_t sign = getBits(value) >> 16 & 0x8000;
  float size = std::fabs(value);
  if (std::isnan(value))
    return sign | 0x7E00;
  if (size >= 65520.f)
    return sign | 0x7C00;
  // The distance of two numbers of this size is 2^(exponent - 10).
  int exponent = std::max(size == 0 ? -14 : std::ilogb(size), -14);
  auto steps = static_cast<uint32_t>(
      std::nearbyint(std::ldexp(static_cast<double>(size), 10 - exponent)));
  return sign | (static_cast<uint32_t>(exponent + 14) * 1024 + steps);
}

float extendF16(uint16_t bits) {
  uint32_t sign = (bits & 0x8000u) << 16, rest = bits & 0x7FFF;
  if (rest >= 0x7C00)
    return fromBits(sign | 0x7F800000 | (rest & 0x3FF) << 13);
  if (rest >= 0x400)
    return fromBits(sign | ((rest << 13) + (112u << 23)));
  float size = static_cast<float>(rest) * 0x1p-24f;
  return sign ? -size : size;
}

//===----------------------------------------------------------------------===//
// Places
//===----------------------------------------------------------------------===//

template <unsigned dim> static int32_t getThreadId() {
  return Block::current().getPosition(dim);
}
template <unsigned dim> static int32_t getBlockId() {
  return Block::current().getPlace(dim);
}
template <unsigned dim> static int32_t getBlockExtent() {
  return Block::current().getLaunch().block[dim];
}
template <unsigned dim> static int32_t getGridExtent() {
  return Block::current().getLaunch().grid[dim];
}
static int32_t getLaneId() { return Block::current().getLane(); }
static int32_t getWarpId() { return Block::current().getThread() / 32; }
static int32_t getWarpSize() { return 32; }
static int32_t getDynamicBytes() {
  return Block::current().getLaunch().dynamicSharedBytes;
}

//===----------------------------------------------------------------------===//
// Barriers and fences
//===----------------------------------------------------------------------===//

template <bool aligned, bool counted>
static void syncBlock(const Slot *arguments, Slot *, int32_t site) {
  Block::current().syncBlock(getArgument<uint32_t>(arguments, 0),
                             counted ? getArgument<uint32_t>(arguments, 1) : 0,
                             aligned,
                             /*waits=*/true, site);
}

template <bool aligned>
static void arrive(const Slot *arguments, Slot *, int32_t site) {
  Block::current().syncBlock(getArgument<uint32_t>(arguments, 0),
                             getArgument<uint32_t>(arguments, 1), aligned,
                             /*waits=*/false, site);
}

namespace {
enum class Sum { Count, All, Any };
} // namespace

template <Sum kind, bool aligned, bool counted = false>
static void voteBlock(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  bool vote = getArgument<uint8_t>(arguments, 1 + counted) & 1;
  if (kind == Sum::All)
    vote = !vote;
  unsigned votes = block.syncBlock(
      getArgument<uint32_t>(arguments, 0),
      counted ? getArgument<uint32_t>(arguments, 1) : 0, aligned,
      /*waits=*/true, site, vote);
  if (kind == Sum::All)
    votes = votes == 0;
  else if (kind == Sum::Any)
    votes = votes != 0;
  setResult<uint32_t>(results, 0, votes);
}

/// Threads see what others have stored to global memory at once.
static void fence(const Slot *, Slot *, int32_t) {}

//===----------------------------------------------------------------------===//
// Asynchronous copies
//===----------------------------------------------------------------------===//

template <unsigned bytes, bool partial>
static void copy(const Slot *arguments, Slot *, int32_t) {
  Block::current().copy(getArgument<char *>(arguments, 0),
                        getArgument<const char *>(arguments, 1), bytes,
                        partial ? getArgument<int32_t>(arguments, 2) : bytes);
}

static void commit(const Slot *, Slot *, int32_t) {
  Block::current().commitCopies();
}

static void waitGroup(const Slot *arguments, Slot *, int32_t) {
  Block::current().waitForCopies(getArgument<uint32_t>(arguments, 0));
}

static void waitAll(const Slot *, Slot *, int32_t) {
  Block::current().commitCopies();
  Block::current().waitForCopies(0);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

/// Denormal numbers are 0.
static float flush(float x) {
  return std::fpclassify(x) == FP_SUBNORMAL ? std::copysign(0.f, x) : x;
}

static float exp2(float x) { return std::exp2(x); }
static float exp2Flush(float x) { return flush(std::exp2(flush(x))); }
static float log2(float x) { return std::log2(x); }
static float log2Flush(float x) { return std::log2(flush(x)); }
static float reciprocal(float x) { return 1 / x; }
static float reciprocalFlush(float x) { return flush(1 / flush(x)); }
static float squareRoot(float x) { return std::sqrt(x); }
static float squareRootFlush(float x) { return std::sqrt(flush(x)); }
static float inverseRoot(float x) { return 1 / std::sqrt(x); }
static float inverseRootFlush(float x) { return 1 / std::sqrt(flush(x)); }
static float sine(float x) { return std::sin(x); }
static float cosine(float x) { return std::cos(x); }
/// 2^-11 relative is what it promises.
static float tanhApprox(float x) {
  return fromBits((getBits(std::tanh(x)) + 0x800) & ~0xFFFu);
}
static float divide(float x, float y) { return x / y; }
static float divideFlush(float x, float y) {
  return flush(flush(x) / flush(y));
}
static float fma(float x, float y, float z) { return std::fma(x, y, z); }
static float fmaFlush(float x, float y, float z) {
  return flush(std::fma(flush(x), flush(y), flush(z)));
}
static float greatest(float x, float y) { return std::fmax(x, y); }
static float least(float x, float y) { return std::fmin(x, y); }
static float greatestFlush(float x, float y) {
  return std::fmax(flush(x), flush(y));
}
static float leastFlush(float x, float y) {
  return std::fmin(flush(x), flush(y));
}
static float greatestOrNaN(float x, float y) {
  return std::isnan(x) || std::isnan(y) ? NAN : std::fmax(x, y);
}
static float leastOrNaN(float x, float y) {
  return std::isnan(x) || std::isnan(y) ? NAN : std::fmin(x, y);
}

/// Two f32, the first in the upper half, as pairs of 16 bits.
template <uint16_t (*round)(float)>
static void pack(const Slot *arguments, Slot *results, int32_t) {
  uint32_t high = round(getArgument<float>(arguments, 0));
  uint32_t low = round(getArgument<float>(arguments, 1));
  setResult<uint32_t>(results, 0, high << 16 | low);
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

template <typename T> static Intrinsic pure(llvm::StringRef name, T *function) {
  return {name, nullptr, reinterpret_cast<void *>(function), true};
}

llvm::ArrayRef<Intrinsic> getThreadIntrinsics() {
  static const Intrinsic table[] = {
      pure("read.ptx.sreg.tid.x", getThreadId<0>),
      pure("read.ptx.sreg.tid.y", getThreadId<1>),
      pure("read.ptx.sreg.tid.z", getThreadId<2>),
      pure("read.ptx.sreg.ctaid.x", getBlockId<0>),
      pure("read.ptx.sreg.ctaid.y", getBlockId<1>),
      pure("read.ptx.sreg.ctaid.z", getBlockId<2>),
      pure("read.ptx.sreg.ntid.x", getBlockExtent<0>),
      pure("read.ptx.sreg.ntid.y", getBlockExtent<1>),
      pure("read.ptx.sreg.ntid.z", getBlockExtent<2>),
      pure("read.ptx.sreg.nctaid.x", getGridExtent<0>),
      pure("read.ptx.sreg.nctaid.y", getGridExtent<1>),
      pure("read.ptx.sreg.nctaid.z", getGridExtent<2>),
      pure("read.ptx.sreg.laneid", getLaneId),
      pure("read.ptx.sreg.warpid", getWarpId),
      pure("read.ptx.sreg.warpsize", getWarpSize),
      pure("read.ptx.sreg.dynamic_smem_size", getDynamicBytes),
      pure("workitem.id.x", getThreadId<0>),
      pure("workgroup.id.x", getBlockId<0>),
      {"barrier.cta.sync.aligned.all", syncBlock<true, false>},
      {"barrier.cta.sync.aligned.count", syncBlock<true, true>},
      {"barrier.cta.sync.all", syncBlock<false, false>},
      {"barrier.cta.sync.count", syncBlock<false, true>},
      {"barrier.cta.arrive.aligned.count", arrive<true>},
      {"barrier.cta.arrive.count", arrive<false>},
      {"barrier.cta.red.popc.aligned.all", voteBlock<Sum::Count, true>},
      {"barrier.cta.red.and.aligned.all", voteBlock<Sum::All, true>},
      {"barrier.cta.red.or.aligned.all", voteBlock<Sum::Any, true>},
      {"barrier.cta.red.or.aligned.count", voteBlock<Sum::Any, true, true>},
      {"membar.cta", fence},
      {"membar.gl", fence},
      {"membar.sys", fence},
      {"cp.async.ca.shared.global.4", copy<4, false>},
      {"cp.async.ca.shared.global.8", copy<8, false>},
      {"cp.async.ca.shared.global.16", copy<16, false>},
      {"cp.async.cg.shared.global.16", copy<16, false>},
      {"cp.async.ca.shared.global.4.s", copy<4, true>},
      {"cp.async.ca.shared.global.8.s", copy<8, true>},
      {"cp.async.ca.shared.global.16.s", copy<16, true>},
      {"cp.async.cg.shared.global.16.s", copy<16, true>},
      {"cp.async.commit.group", commit},
      {"cp.async.wait.group", waitGroup},
      {"cp.async.wait.all", waitAll},
      pure("ex2.approx.f32", exp2),
      pure("ex2.approx.ftz.f32", exp2Flush),
      pure("exp2.f32", exp2Flush),
      pure("lg2.approx.f", log2),
      pure("lg2.approx.ftz.f", log2Flush),
      pure("rcp.rn.f", reciprocal),
      pure("rcp.rn.ftz.f", reciprocalFlush),
      pure("rcp.approx.ftz.f", reciprocalFlush),
      pure("sqrt.rn.f", squareRoot),
      pure("sqrt.approx.f", squareRoot),
      pure("sqrt.approx.ftz.f", squareRootFlush),
      pure("rsqrt.approx.f", inverseRoot),
      pure("rsqrt.approx.ftz.f", inverseRootFlush),
      pure("rsq.f32", inverseRootFlush),
      pure("sin.approx.f", sine),
      pure("sin.approx.ftz.f", sine),
      pure("cos.approx.f", cosine),
      pure("cos.approx.ftz.f", cosine),
      pure("tanh.approx.f32", tanhApprox),
      pure("div.rn.f", divide),
      pure("div.full", divide),
      pure("div.approx.f", divide),
      pure("fdiv.fast", divideFlush),
      pure("div.approx.ftz.f", divideFlush),
      pure("fma.rn.f", fma),
      pure("fma.rn.ftz.f", fmaFlush),
      pure("fmax.f", greatest),
      pure("fmin.f", least),
      pure("fmax.ftz.f", greatestFlush),
      pure("fmin.ftz.f", leastFlush),
      pure("fmax.nan.f", greatestOrNaN),
      pure("fmin.nan.f", leastOrNaN),
      {"ff2bf16x2.rn", pack<roundToBF16>},
      {"ff2f16x2.rn", pack<roundToF16>},
  };
  return table;
}

} // namespace attn
