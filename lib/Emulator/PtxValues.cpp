//===- PtxValues.cpp - Integers of the threads of a block -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxValues.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

#include <functional>
#include <optional>

using llvm::StringRef;

namespace attn {

namespace {
/// A type suffix, as in `u32`.
struct Type {
  char kind = 0;
  unsigned bits = 0;

  uint64_t wrap(uint64_t value) const {
    return bits >= 64 ? value : value & ((uint64_t(1) << bits) - 1);
  }
  int64_t extend(uint64_t value) const {
    return llvm::SignExtend64(value, bits);
  }
};
} // namespace

static std::optional<Type> parseType(StringRef text) {
  Type type;
  if (text == "pred")
    return Type{'p', 1};
  if (text.size() < 2 || !StringRef("usbf").contains(text[0]) ||
      text.drop_front().getAsInteger(10, type.bits) || type.bits > 64)
    return std::nullopt;
  type.kind = text[0];
  return type;
}

int64_t getAccessedBytes(const PtxInstruction &instruction) {
  int64_t bytes = 4, count = 1;
  for (StringRef part : instruction.opcode)
    if (auto type = parseType(part))
      bytes = std::max(type->bits / 8, 1u);
    else if (part == "v2" || part == "v4")
      count = part == "v2" ? 2 : 4;
  return bytes * count;
}

PtxValue PtxRegisters::makeConstant(uint64_t value) const {
  return std::make_shared<std::vector<uint64_t>>(numThreads, value);
}

PtxValue PtxRegisters::get(StringRef operand) const {
  auto fill = [&](auto &&of) -> PtxValue {
    std::vector<uint64_t> lanes(numThreads);
    for (unsigned i = 0; i < numThreads; ++i)
      lanes[i] = of(i);
    return std::make_shared<std::vector<uint64_t>>(std::move(lanes));
  };
  if (operand == "%tid.x")
    return fill([](unsigned i) { return i; });
  if (operand == "%tid.y" || operand == "%tid.z")
    return makeConstant(0);
  if (operand == "%laneid")
    return fill([](unsigned i) { return i % 32; });
  if (operand == "%warpid")
    return fill([](unsigned i) { return i / 32; });
  if (operand == "%ntid.x")
    return makeConstant(numThreads);
  auto address = addresses.find(operand);
  if (address != addresses.end())
    return makeConstant(address->second);
  int64_t number = 0;
  if (!operand.getAsInteger(0, number))
    return makeConstant(number);
  uint64_t large = 0;
  if (!operand.getAsInteger(0, large))
    return makeConstant(large);
  return values.lookup(operand);
}

PtxValue PtxRegisters::getAddress(StringRef operand) const {
  if (!operand.consume_front("[") || !operand.consume_back("]"))
    return nullptr;
  auto [name, text] = operand.split('+');
  int64_t offset = 0;
  if (!text.empty() && text.trim().getAsInteger(10, offset))
    return nullptr;
  PtxValue base = get(name.trim());
  if (!base || offset == 0)
    return base;
  std::vector<uint64_t> lanes = *base;
  for (uint64_t &lane : lanes)
    lane += offset;
  return std::make_shared<std::vector<uint64_t>>(std::move(lanes));
}

/// setp and its kind.
static bool compare(StringRef how, Type type, uint64_t a, uint64_t b) {
  bool isSigned = type.kind == 's';
  auto less = [&](uint64_t x, uint64_t y) {
    return isSigned ? type.extend(x) < type.extend(y)
                    : type.wrap(x) < type.wrap(y);
  };
  if (how == "eq")
    return type.wrap(a) == type.wrap(b);
  if (how == "ne")
    return type.wrap(a) != type.wrap(b);
  if (how == "lt" || how == "lo")
    return less(a, b);
  if (how == "le" || how == "ls")
    return !less(b, a);
  if (how == "gt" || how == "hi")
    return less(b, a);
  return !less(a, b);
}

/// What an instruction makes of the values of its operands, for one thread.
using Compute = std::function<uint64_t(llvm::ArrayRef<uint64_t>)>;

static Compute getCompute(const PtxInstruction &op, Type type) {
  StringRef name = op.opcode.front();
  bool isSigned = type.kind == 's';
  auto extend = [=](uint64_t x) -> uint64_t {
    return isSigned ? type.extend(x) : type.wrap(x);
  };
  using Values = llvm::ArrayRef<uint64_t>;
  if (name == "mov" || name == "cvta")
    return [](Values v) { return v[0]; };
  if (name == "cvt") {
    // From the last type to the one before.
    return [=](Values v) { return extend(v[0]); };
  }
  if (name == "add")
    return [](Values v) { return v[0] + v[1]; };
  if (name == "sub")
    return [](Values v) { return v[0] - v[1]; };
  if ((name == "mul" || name == "mad") && !op.has("hi")) {
    bool adds = name == "mad";
    return [=](Values v) {
      return extend(v[0]) * extend(v[1]) + (adds ? v[2] : 0);
    };
  }
  if (name == "shl")
    return [=](Values v) { return v[1] >= type.bits ? 0 : v[0] << v[1]; };
  if (name == "shr")
    return [=](Values v) -> uint64_t {
      uint64_t by = std::min<uint64_t>(v[1], 63);
      return isSigned ? type.extend(v[0]) >> by : type.wrap(v[0]) >> by;
    };
  if (name == "and")
    return [](Values v) { return v[0] & v[1]; };
  if (name == "or")
    return [](Values v) { return v[0] | v[1]; };
  if (name == "xor")
    return [](Values v) { return v[0] ^ v[1]; };
  if (name == "not")
    return [](Values v) { return ~v[0]; };
  if (name == "neg")
    return [](Values v) { return -v[0]; };
  if (name == "min" || name == "max") {
    bool greatest = name == "max";
    return [=](Values v) {
      bool less = compare("lt", type, v[0], v[1]);
      return less == greatest ? v[1] : v[0];
    };
  }
  if (name == "div" || name == "rem") {
    bool remainder = name == "rem";
    return [=](Values v) -> uint64_t {
      uint64_t a = extend(v[0]), b = extend(v[1]);
      if (b == 0)
        return 0;
      if (isSigned)
        return remainder ? int64_t(a) % int64_t(b) : int64_t(a) / int64_t(b);
      return remainder ? a % b : a / b;
    };
  }
  if (name == "bfe" && !isSigned)
    return [](Values v) -> uint64_t {
      uint64_t count = v[2] & 255;
      return v[0] >> (v[1] & 63) &
             (count >= 64 ? ~uint64_t(0) : (uint64_t(1) << count) - 1);
    };
  if (name == "setp") {
    std::string how = op.opcode[1];
    return [=](Values v) -> uint64_t { return compare(how, type, v[0], v[1]); };
  }
  if (name == "selp")
    return [](Values v) { return v[2] & 1 ? v[0] : v[1]; };
  return nullptr;
}

PtxValue PtxRegisters::compute(const PtxInstruction &op) const {
  auto type = parseType(op.opcode.back());
  if (!type || type->kind == 'f' || op.operands.size() < 2)
    return nullptr;
  Compute compute = getCompute(op, *type);
  if (!compute)
    return nullptr;
  llvm::SmallVector<PtxValue, 3> inputs;
  for (StringRef operand : llvm::drop_begin(op.operands)) {
    inputs.push_back(get(operand));
    if (!inputs.back())
      return nullptr;
  }
  // The result of a conversion has the type before, of a wide product twice
  // the bits, of a comparison one.
  Type result = *type;
  if (op.is("cvt") && op.opcode.size() > 2) {
    auto to = parseType(op.opcode[op.opcode.size() - 2]);
    if (!to || to->kind == 'f')
      return nullptr;
    result = *to;
  } else if (op.has("wide")) {
    result.bits *= 2;
  } else if (op.is("setp")) {
    result.bits = 1;
  }
  std::vector<uint64_t> lanes(numThreads);
  llvm::SmallVector<uint64_t, 3> arguments(inputs.size());
  for (unsigned i = 0; i < numThreads; ++i) {
    for (auto [argument, input] : llvm::zip(arguments, inputs))
      argument = (*input)[i];
    lanes[i] = result.wrap(compute(arguments));
  }
  return std::make_shared<std::vector<uint64_t>>(std::move(lanes));
}

/// The registers that an operand names: `%r1`, `{%r1, %r2}` or `%p1|%p2`.
static llvm::SmallVector<StringRef, 4> getRegisters(StringRef operand) {
  llvm::SmallVector<StringRef, 4> registers;
  while (!operand.empty()) {
    size_t begin = operand.find('%');
    if (begin == StringRef::npos)
      break;
    operand = operand.drop_front(begin);
    StringRef name = operand.take_until(
        [](char c) { return c == ',' || c == '}' || c == '|' || c == ' '; });
    registers.push_back(name);
    operand = operand.drop_front(name.size());
  }
  return registers;
}

void PtxRegisters::execute(const PtxInstruction &op,
                           const std::vector<bool> &active, bool all) {
  if (op.operands.empty() || op.operands[0].front() == '[')
    return;
  PtxValue value = compute(op);
  auto written = getRegisters(op.operands[0]);
  if (written.size() != 1)
    value = nullptr;
  // What the other threads have stays; what they never had, they do not use.
  if (value && !all) {
    PtxValue old = values.lookup(written[0]);
    if (old) {
      std::vector<uint64_t> lanes = *old;
      for (unsigned i = 0; i < numThreads; ++i)
        if (active[i])
          lanes[i] = (*value)[i];
      value = std::make_shared<std::vector<uint64_t>>(std::move(lanes));
    }
  }
  for (StringRef name : written)
    values[name] = value;
}

} // namespace attn
