//===- PtxValues.cpp - Integers of the threads of a block -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PtxValues.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/xxhash.h"

#include <tuple>

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

/// The upper half of a product.
static uint64_t multiplyHigh(Type type, uint64_t a, uint64_t b) {
  if (type.kind == 's')
    return static_cast<unsigned __int128>(
               static_cast<__int128>(type.extend(a)) * type.extend(b)) >>
           type.bits;
  return static_cast<unsigned __int128>(type.wrap(a)) * type.wrap(b) >>
         type.bits;
}

/// What an instruction makes of the values of its operands, for one thread.
static std::function<uint64_t(llvm::ArrayRef<uint64_t>)>
getCompute(const PtxInstruction &op, Type type) {
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
  if (name == "mul" || name == "mad") {
    bool adds = name == "mad";
    if (op.has("hi"))
      return [=](Values v) {
        return multiplyHigh(type, v[0], v[1]) + (adds ? v[2] : 0);
      };
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
    std::string how = op.opcode[1], with = op.opcode[2];
    return [=](Values v) -> uint64_t {
      bool holds = compare(how, type, v[0], v[1]);
      if (with == "and" || with == "or" || with == "xor") {
        bool other = v[2] & 1;
        holds = with == "and"  ? holds && other
                : with == "or" ? holds || other
                               : holds != other;
      }
      return holds;
    };
  }
  if (name == "selp")
    return [](Values v) { return v[2] & 1 ? v[0] : v[1]; };
  return nullptr;
}

std::optional<PtxArithmetic> PtxArithmetic::decode(const PtxInstruction &op) {
  auto type = parseType(op.opcode.back());
  if (!type || type->kind == 'f' || op.operands.size() < 2 ||
      (op.is("setp") && op.opcode.size() < 3))
    return std::nullopt;
  PtxArithmetic result;
  if (op.is("shfl") && op.has("idx")) {
    result.takesFirst = true;
    return result;
  }
  result.compute = getCompute(op, *type);
  if (!result.compute)
    return std::nullopt;
  // The result of a conversion has the type before, of a wide product twice
  // the bits, of a comparison one.
  result.bits = type->bits;
  if (op.is("cvt") && op.opcode.size() > 2) {
    auto to = parseType(op.opcode[op.opcode.size() - 2]);
    if (!to || to->kind == 'f')
      return std::nullopt;
    result.bits = to->bits;
  } else if (op.has("wide")) {
    result.bits *= 2;
  } else if (op.is("setp")) {
    result.bits = 1;
  }
  result.operation = op.opcode.front();
  if (op.is("setp"))
    result.comparison = op.opcode[1];
  result.selects = op.is("selp");
  result.isHigh = op.has("hi");
  if (type->kind == 'p' && (op.is("and") || op.is("or")))
    result.absorbing = op.is("or");
  return result;
}

/// Whether a value is the same number for all threads.
static bool isUniform(const PtxValue &value, uint64_t number) {
  return value && value->names.empty() &&
         llvm::all_of(value->lanes,
                      [=](uint64_t lane) { return lane == number; });
}

/// What the first thread of each warp has.
static PtxValue takeFirst(llvm::ArrayRef<PtxValue> inputs) {
  constexpr size_t kWarp = 32;
  if (inputs.size() < 2 || !inputs[0] || !isUniform(inputs[1], 0) ||
      !inputs[1]->names.empty())
    return nullptr;
  std::vector<uint64_t> lanes = inputs[0]->lanes, names = inputs[0]->names;
  for (std::vector<uint64_t> *numbers : {&lanes, &names})
    for (size_t i = 0; i < numbers->size(); ++i)
      (*numbers)[i] = (*numbers)[i - i % kWarp];
  return makePtxValue(std::move(lanes), std::move(names));
}

PtxValue PtxArithmetic::evaluate(llvm::ArrayRef<PtxValue> inputs) const {
  if (takesFirst)
    return takeFirst(inputs);
  if (selects && inputs.size() == 3)
    for (uint64_t side : {1, 0})
      if (isUniform(inputs[2], side))
        return inputs[side ? 0 : 1];
  if (absorbing)
    for (const PtxValue &input : inputs)
      if (isUniform(input, *absorbing))
        return input;
  auto isKnown = [](const PtxValue &input) {
    return input && input->names.empty();
  };
  if (!llvm::all_of(inputs, isKnown)) {
    // Of predicates what single threads know counts: of `a or b` those have the
    // answer for which either is known to hold.
    auto some = llvm::find_if(inputs, [](const PtxValue &of) { return !!of; });
    return bits == 1 && some != inputs.end()
               ? evaluateNamed(inputs, (*some)->lanes.size())
               : nullptr;
  }
  if (inputs.empty())
    return nullptr;
  std::vector<uint64_t> lanes(inputs.front()->lanes.size());
  uint64_t mask = bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  // No operation has more; what an instruction lacks is 0.
  llvm::SmallVector<uint64_t, 4> arguments(std::max<size_t>(3, inputs.size()));
  for (size_t i = 0; i < lanes.size(); ++i) {
    for (auto [argument, input] : llvm::zip(arguments, inputs))
      argument = input->lanes[i];
    lanes[i] = compute(arguments) & mask;
  }
  return makePtxValue(std::move(lanes));
}

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

// A name is a sum of names times factors, so that the same sum has it in
// whichever order it is added up; but for its last bits, which are how many of
// the last bits of the number are 0.
static constexpr uint64_t kZeros = 63, kMinusOne = ~uint64_t(0);

static uint64_t countZeros(uint64_t name) { return name & kZeros; }

static uint64_t withZeros(uint64_t name, uint64_t zeros) {
  name &= ~kZeros;
  return name == 0 ? 0 : name | std::min<uint64_t>(zeros, kZeros - 1);
}

/// Of a sum, of which 0 is a part whose number is known.
static uint64_t addNames(uint64_t lhs, uint64_t rhs) {
  if (lhs == 0 || rhs == 0)
    return lhs + rhs;
  return withZeros((lhs & ~kZeros) + (rhs & ~kZeros),
                   std::min(countZeros(lhs), countZeros(rhs)));
}

static uint64_t multiplyName(uint64_t name, uint64_t factor) {
  if (name == 0 || factor == 0)
    return 0;
  return withZeros((name & ~kZeros) * factor,
                   countZeros(name) + llvm::countr_zero(factor));
}

uint64_t namePtx(StringRef text, llvm::ArrayRef<uint64_t> parts) {
  llvm::SmallVector<uint64_t, 8> all(parts);
  all.push_back(llvm::xxh3_64bits(text));
  uint64_t name = llvm::xxh3_64bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(all.data()), 8 * all.size()));
  return std::max((name & ~kZeros), kZeros + 1);
}

uint64_t PtxArithmetic::countZeros(const Number &number) {
  uint64_t known = llvm::countr_zero(number.value);
  return number.name == 0 ? known
                          : std::min(known, attn::countZeros(number.name));
}

/// Of what is a sum, or a product by a number that is known.
std::optional<PtxArithmetic::Number>
PtxArithmetic::nameSum(llvm::ArrayRef<Number> inputs) const {
  auto sum = [](const Number &lhs, const Number &rhs) -> Number {
    return {lhs.value + rhs.value, addNames(lhs.name, rhs.name)};
  };
  auto product = [](const Number &of, uint64_t factor) -> Number {
    return {of.value * factor, multiplyName(of.name, factor)};
  };
  if (operation == "add" && inputs.size() == 2)
    return sum(inputs[0], inputs[1]);
  if (operation == "sub")
    return sum(inputs[0], product(inputs[1], kMinusOne));
  if (operation == "not" && bits > 1)
    return Number{~inputs[0].value, multiplyName(inputs[0].name, kMinusOne)};
  // Of a name nothing is left that is multiplied by more.
  constexpr int kMostZeros = 32;
  if (operation == "shl" && inputs[1].name == 0 && inputs[1].value < kMostZeros)
    return product(inputs[0], uint64_t(1) << inputs[1].value);
  if (operation == "mad" && !isHigh) {
    PtxArithmetic factors = *this;
    factors.operation = "mul";
    return sum(factors.name(inputs.take_front(2)), inputs[2]);
  }
  if (inputs.size() != 2)
    return std::nullopt;
  for (unsigned i : {0, 1}) {
    const Number &of = inputs[i], &known = inputs[1 - i];
    if (known.name != 0)
      continue;
    if (operation == "mul" && !isHigh &&
        (known.value == 0 || llvm::countr_zero(known.value) < kMostZeros))
      return product(of, known.value);
    // Bits that are not there are as good as added.
    uint64_t ones = ~uint64_t(0) << std::min(countZeros(of), kZeros);
    if (operation == "or" && bits > 1 && (known.value & ones) == 0)
      return sum(of, known);
  }
  return std::nullopt;
}

/// What a thread has that does not know all of its inputs.
PtxArithmetic::Number PtxArithmetic::name(llvm::ArrayRef<Number> inputs) const {
  if (selects && inputs.size() == 3 && inputs[2].name == 0)
    return inputs[inputs[2].value & 1 ? 0 : 1];
  if (absorbing && inputs.size() == 2)
    for (unsigned i : {0, 1})
      if (inputs[i].name == 0)
        return inputs[i].value == *absorbing ? inputs[i] : inputs[1 - i];
  for (const Number &input : inputs)
    if (input.name == kPtxNameless)
      return {0, kPtxNameless};
  // What it is counted in makes no difference.
  if (operation == "mov" || operation == "cvta" || operation == "cvt")
    return inputs[0];
  if (operation == "not" && bits == 1)
    return {inputs[0].value ^ 1, inputs[0].name};
  if (auto sum = nameSum(inputs))
    return *sum;
  llvm::SmallVector<uint64_t, 8> parts;
  auto append = [&](const Number &input) {
    parts.append({input.value, input.name});
  };
  if (operation == "setp" && inputs.size() == 2) {
    // A loop counts up to its end, whether it asks for less or for another one.
    bool swaps = comparison == "gt" || comparison == "hi" ||
                 comparison == "le" || comparison == "ls";
    Number lhs = inputs[swaps], rhs = inputs[!swaps];
    bool negated = comparison == "ge" || comparison == "hs" ||
                   comparison == "eq" || comparison == "le" ||
                   comparison == "ls";
    // 3 < n is not n < 4.
    if (lhs.name == 0) {
      std::swap(lhs, rhs);
      if (comparison != "eq" && comparison != "ne") {
        ++rhs.value;
        negated = !negated;
      }
    }
    parts = {lhs.name, rhs.name, lhs.value - rhs.value};
    return {negated, namePtx("setp", parts)};
  }
  // Which comes first makes no difference to some.
  bool swaps = llvm::is_contained({"min", "max", "and", "or", "xor", "mul"},
                                  operation) &&
               inputs.size() == 2 &&
               std::tie(inputs[1].name, inputs[1].value) <
                   std::tie(inputs[0].name, inputs[0].value);
  for (unsigned i = 0; i < inputs.size(); ++i)
    append(inputs[swaps ? 1 - i : i]);
  uint64_t zeros = 0;
  if (bits > 1 && inputs.size() == 2) {
    uint64_t first = countZeros(inputs[0]), second = countZeros(inputs[1]);
    if (operation == "and")
      zeros = std::max(first, second);
    else if (operation == "or" || operation == "xor")
      zeros = std::min(first, second);
  }
  return {0, withZeros(namePtx(operation + comparison, parts), zeros)};
}

PtxValue PtxArithmetic::evaluateNamed(llvm::ArrayRef<PtxValue> inputs,
                                      unsigned numThreads) const {
  if (takesFirst)
    return takeFirst(inputs);
  if (llvm::all_of(inputs, [](const PtxValue &input) {
        return input && input->names.empty();
      }))
    return evaluate(inputs);
  std::vector<uint64_t> lanes(numThreads), names(numThreads);
  uint64_t mask = bits >= 64 ? ~uint64_t(0) : (uint64_t(1) << bits) - 1;
  llvm::SmallVector<uint64_t, 4> arguments(std::max<size_t>(3, inputs.size()));
  llvm::SmallVector<Number, 4> numbers(inputs.size()), last;
  for (unsigned i = 0; i < numThreads; ++i) {
    bool known = !inputs.empty(), same = i > 0;
    for (auto [j, input] : llvm::enumerate(inputs)) {
      Number number = input ? Number{input->lanes[i], input->getName(i)}
                            : Number{0, kPtxNameless};
      same &=
          number.value == numbers[j].value && number.name == numbers[j].name;
      numbers[j] = number;
      arguments[j] = number.value;
      known &= number.name == 0;
    }
    if (same) {
      lanes[i] = lanes[i - 1];
      names[i] = names[i - 1];
    } else if (known) {
      lanes[i] = compute(arguments) & mask;
    } else {
      Number result = name(numbers);
      lanes[i] = result.name == 0 ? result.value & mask : result.value;
      names[i] = result.name;
    }
  }
  return makePtxValue(std::move(lanes), std::move(names));
}

PtxValue makePtxValue(std::vector<uint64_t> lanes,
                      std::vector<uint64_t> names) {
  if (!names.empty() &&
      llvm::all_of(names, [](uint64_t name) { return name == kPtxNameless; }))
    return nullptr;
  auto value = std::make_shared<PtxLanes>();
  auto hash = [](llvm::ArrayRef<uint64_t> numbers) {
    return llvm::xxh3_64bits(llvm::ArrayRef(
        reinterpret_cast<const uint8_t *>(numbers.data()), 8 * numbers.size()));
  };
  value->hash = hash(lanes);
  if (llvm::any_of(names, [](uint64_t name) { return name != 0; })) {
    value->hash = hash({value->hash, hash(names)});
    value->names = std::move(names);
  }
  value->lanes = std::move(lanes);
  return value;
}

} // namespace attn
