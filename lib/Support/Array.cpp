//===- Array.cpp - Typed, owned, row-major host arrays ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Array.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <sys/mman.h>
#include <unistd.h>

using namespace attn;
using llvm::ArrayRef;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

namespace {
struct TypeInfo {
  const char *name;
  int64_t byteWidth;
  /// Bits of a float's significand that are stored; 0 for an integer.
  int mantissaBits;
};
} // namespace

static constexpr TypeInfo typeInfos[] = {
    {"f16", 2, 10}, {"bf16", 2, 7}, {"f32", 4, 23}, {"f64", 8, 52},
    {"i1", 1, 0},   {"i8", 1, 0},   {"i16", 2, 0},  {"i32", 4, 0},
    {"i64", 8, 0},  {"index", 8, 0}};

static const TypeInfo &getInfo(ElementType type) {
  return typeInfos[static_cast<unsigned>(type)];
}

llvm::StringRef attn::getName(ElementType type) { return getInfo(type).name; }

std::optional<ElementType> attn::parseElementType(llvm::StringRef name) {
  for (auto [number, info] : llvm::enumerate(typeInfos))
    if (name == info.name)
      return static_cast<ElementType>(number);
  return std::nullopt;
}

int64_t attn::getByteWidth(ElementType type) { return getInfo(type).byteWidth; }

bool attn::isFloat(ElementType type) { return getInfo(type).mantissaBits != 0; }

double attn::getUnitRoundoff(ElementType type) {
  return isFloat(type) ? std::ldexp(1.0, -getInfo(type).mantissaBits - 1) : 0.0;
}

//===----------------------------------------------------------------------===//
// Conversions
//===----------------------------------------------------------------------===//

/// The 16-bit float nearest to `value`, straight from double so that nothing is
/// rounded twice. `a / quantum` is exact, and a carry out of the significand
/// runs into the exponent, where it belongs.
static uint16_t encode16(double value, int mantissaBits) {
  const int exponentBits = 15 - mantissaBits;
  const int minExponent = 2 - (1 << (exponentBits - 1));
  const uint32_t infinity = ((1u << exponentBits) - 1) << mantissaBits;
  const uint32_t sign = std::signbit(value) ? 0x8000 : 0;
  if (std::isnan(value))
    return sign | infinity | (1u << (mantissaBits - 1));
  double a = std::fabs(value);
  if (a == 0)
    return sign;
  if (a >= std::ldexp(1.0, 2 - minExponent))
    return sign | infinity;
  int exponent = std::max(std::ilogb(a), minExponent);
  uint32_t rounded = std::nearbyint(std::ldexp(a, mantissaBits - exponent));
  uint32_t bits =
      (uint32_t(exponent - minExponent) << mantissaBits) + rounded;
  return sign | std::min(bits, infinity);
}

static double decode16(uint16_t bits, int mantissaBits) {
  const int exponentBits = 15 - mantissaBits;
  const int bias = (1 << (exponentBits - 1)) - 1;
  const int exponent = (bits & 0x7fff) >> mantissaBits;
  const int mantissa = bits & ((1 << mantissaBits) - 1);
  double value;
  if (exponent == (1 << exponentBits) - 1)
    value = mantissa ? std::numeric_limits<double>::quiet_NaN()
                     : std::numeric_limits<double>::infinity();
  else if (exponent == 0)
    value = std::ldexp(mantissa, 1 - bias - mantissaBits);
  else
    value = std::ldexp(mantissa + (1 << mantissaBits),
                       exponent - bias - mantissaBits);
  return bits & 0x8000 ? -value : value;
}

template <typename T> static T load(const void *data, int64_t position) {
  T value;
  std::memcpy(&value, static_cast<const char *>(data) + position * sizeof(T),
              sizeof(T));
  return value;
}

template <typename T> static void store(void *data, int64_t position, T value) {
  std::memcpy(static_cast<char *>(data) + position * sizeof(T), &value,
              sizeof(T));
}

/// The integer of `T` nearest to `value`; the bound `max + 1` is a power of two
/// and so exact where `max` may not be.
template <typename T> static T saturate(double value) {
  if (std::isnan(value))
    return 0;
  value = std::nearbyint(value);
  if (value < double(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::min();
  if (value >= -double(std::numeric_limits<T>::min()))
    return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

static double loadDouble(ElementType type, const void *data, int64_t position) {
  switch (type) {
  case ElementType::F16:
  case ElementType::BF16:
    return decode16(load<uint16_t>(data, position), getInfo(type).mantissaBits);
  case ElementType::F32:
    return load<float>(data, position);
  case ElementType::F64:
    return load<double>(data, position);
  case ElementType::I1:
    return load<uint8_t>(data, position) != 0;
  case ElementType::I8:
    return load<int8_t>(data, position);
  case ElementType::I16:
    return load<int16_t>(data, position);
  case ElementType::I32:
    return load<int32_t>(data, position);
  case ElementType::I64:
  case ElementType::Index:
    return load<int64_t>(data, position);
  }
  return 0;
}

static void storeDouble(ElementType type, void *data, int64_t position,
                        double value) {
  switch (type) {
  case ElementType::F16:
  case ElementType::BF16:
    return store<uint16_t>(data, position,
                           encode16(value, getInfo(type).mantissaBits));
  case ElementType::F32:
    return store<float>(data, position, static_cast<float>(value));
  case ElementType::F64:
    return store<double>(data, position, value);
  case ElementType::I1:
    return store<uint8_t>(data, position, value != 0 && !std::isnan(value));
  case ElementType::I8:
    return store<int8_t>(data, position, saturate<int8_t>(value));
  case ElementType::I16:
    return store<int16_t>(data, position, saturate<int16_t>(value));
  case ElementType::I32:
    return store<int32_t>(data, position, saturate<int32_t>(value));
  case ElementType::I64:
  case ElementType::Index:
    return store<int64_t>(data, position, saturate<int64_t>(value));
  }
}

double attn::roundToElement(ElementType type, double value) {
  uint64_t bits = 0;
  storeDouble(type, &bits, 0, value);
  return loadDouble(type, &bits, 0);
}

//===----------------------------------------------------------------------===//
// Shapes and sizes
//===----------------------------------------------------------------------===//

/// Bytes that an array may take: the memory of the machine, or of the control
/// group that the process runs in if that is less.
static int64_t getMemoryLimit() {
  static const int64_t limit = [] {
    int64_t bytes = std::numeric_limits<int64_t>::max();
    int64_t pages = sysconf(_SC_PHYS_PAGES), pageSize = sysconf(_SC_PAGESIZE);
    if (pages > 0 && pageSize > 0)
      bytes = pages * pageSize;
    auto group =
        llvm::MemoryBuffer::getFileAsStream("/sys/fs/cgroup/memory.max");
    int64_t groupBytes;
    if (group && !(*group)->getBuffer().trim().getAsInteger(10, groupBytes) &&
        groupBytes > 0)
      bytes = std::min(bytes, groupBytes);
    return bytes;
  }();
  return limit;
}

std::string attn::toString(ArrayRef<int64_t> shape) {
  if (shape.empty())
    return "()";
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : "x") + std::to_string(extent);
  return text;
}

std::string attn::toString(ArrayRef<int64_t> shape, ElementType type) {
  std::string text;
  for (int64_t extent : shape)
    text += (extent < 0 ? "?" : std::to_string(extent)) + "x";
  return text + getName(type).str();
}

Expected<int64_t> attn::countElements(ArrayRef<int64_t> shape) {
  for (int64_t extent : shape)
    if (extent < 0)
      return llvm::createStringError("expected extents of 0 or more, but got " +
                                     toString(shape));
  if (llvm::is_contained(shape, 0))
    return 0;
  int64_t count = 1;
  for (int64_t extent : shape)
    if (llvm::MulOverflow(count, extent, count))
      return llvm::createStringError(
          "expected fewer than 2^63 elements, but got " + toString(shape));
  return count;
}

Expected<int64_t> attn::countBytes(ElementType type, ArrayRef<int64_t> shape) {
  Expected<int64_t> count = countElements(shape);
  if (!count)
    return count.takeError();
  int64_t bytes;
  if (llvm::MulOverflow(*count, getByteWidth(type), bytes) ||
      bytes > getMemoryLimit())
    return llvm::createStringError(
        "expected an array of at most " + std::to_string(getMemoryLimit()) +
        " bytes, the memory of this machine, but got " + toString(shape, type));
  return bytes;
}

llvm::SmallVector<int64_t> attn::delinearize(ArrayRef<int64_t> shape,
                                             int64_t position) {
  llvm::SmallVector<int64_t> index(shape.size());
  for (size_t dim = shape.size(); dim-- > 0;) {
    index[dim] = shape[dim] ? position % shape[dim] : 0;
    position = shape[dim] ? position / shape[dim] : 0;
  }
  return index;
}

std::string attn::formatIndex(ArrayRef<int64_t> index) {
  std::string text = "[";
  for (auto [dim, position] : llvm::enumerate(index))
    text += (dim ? ", " : "") + std::to_string(position);
  return text + "]";
}

//===----------------------------------------------------------------------===//
// Array
//===----------------------------------------------------------------------===//

void Array::Free::operator()(void *memory) const { std::free(memory); }

/// Memory of `size` bytes. Where that is a lot, in large pages, as NumPy has
/// it: looking up small ones takes a third of the time that reading a cache of
/// keys does.
static void *allocateBytes(size_t size) {
  constexpr size_t largePage = size_t(2) << 20;
  if (size < 2 * largePage)
    return std::aligned_alloc(Array::alignment,
                              llvm::alignTo(size, Array::alignment));
  size = llvm::alignTo(size, largePage);
  void *memory = std::aligned_alloc(largePage, size);
#ifdef MADV_HUGEPAGE
  // If there are none, small ones do.
  if (memory)
    (void)madvise(memory, size, MADV_HUGEPAGE);
#endif
  return memory;
}

Expected<Array> Array::allocate(ElementType type, ArrayRef<int64_t> shape) {
  Expected<int64_t> bytes = countBytes(type, shape);
  if (!bytes)
    return bytes.takeError();
  Storage storage(allocateBytes(std::max<int64_t>(*bytes, 1)));
  if (!storage)
    return llvm::createStringError("no memory for " +
                                   attn::toString(shape, type) + " (" +
                                   std::to_string(*bytes) + " bytes)");
  void *data = storage.get();
  return Array(type, shape, *bytes / getByteWidth(type), std::move(storage),
               data);
}

Expected<Array> Array::create(ElementType type, ArrayRef<int64_t> shape) {
  Expected<Array> array = allocate(type, shape);
  if (array)
    std::memset(array->data, 0, array->getNumBytes());
  return array;
}

Expected<Array> Array::create(ElementType type, ArrayRef<int64_t> shape,
                              ArrayRef<double> values) {
  Expected<int64_t> count = countElements(shape);
  if (!count)
    return count.takeError();
  if (*count != static_cast<int64_t>(values.size()))
    return llvm::createStringError(
        "expected " + std::to_string(*count) + " values for " +
        attn::toString(shape, type) + ", but got " +
        std::to_string(values.size()));
  Expected<Array> array = allocate(type, shape);
  if (array)
    for (auto [position, value] : llvm::enumerate(values))
      array->set(position, value);
  return array;
}

Expected<Array> Array::adopt(ElementType type, ArrayRef<int64_t> shape,
                             void *allocation, void *data) {
  Storage storage(allocation);
  Expected<int64_t> bytes = countBytes(type, shape);
  if (!bytes)
    return bytes.takeError();
  if (data && reinterpret_cast<uintptr_t>(data) % alignment == 0)
    return Array(type, shape, *bytes / getByteWidth(type), std::move(storage),
                 data);
  if (!data && *bytes)
    return llvm::createStringError("expected the elements of " +
                                   attn::toString(shape, type) +
                                   ", but got a null pointer");
  Expected<Array> array = allocate(type, shape);
  if (array && *bytes)
    std::memcpy(array->data, data, *bytes);
  return array;
}

Expected<Array> Array::clone() const {
  Expected<Array> array = allocate(type, shape);
  if (array)
    std::memcpy(array->data, data, getNumBytes());
  return array;
}

llvm::SmallVector<int64_t> Array::getStrides() const {
  llvm::SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t dim = shape.size(); dim-- > 1;)
    strides[dim - 1] = strides[dim] * std::max<int64_t>(shape[dim], 1);
  return strides;
}

double Array::at(int64_t position) const {
  return loadDouble(type, data, position);
}

void Array::set(int64_t position, double value) {
  storeDouble(type, data, position, value);
}

int64_t Array::getInteger(int64_t position) const {
  if (getByteWidth(type) == 8 && !isFloat(type))
    return load<int64_t>(data, position);
  return static_cast<int64_t>(loadDouble(type, data, position));
}

void Array::setInteger(int64_t position, int64_t value) {
  switch (type) {
  case ElementType::I1:
    return store<uint8_t>(data, position, value & 1);
  case ElementType::I8:
    return store<int8_t>(data, position, value);
  case ElementType::I16:
    return store<int16_t>(data, position, value);
  case ElementType::I32:
    return store<int32_t>(data, position, value);
  case ElementType::I64:
  case ElementType::Index:
    return store<int64_t>(data, position, value);
  default:
    return storeDouble(type, data, position, static_cast<double>(value));
  }
}

std::vector<double> Array::toDoubles() const {
  std::vector<double> values(numElements);
  for (int64_t position = 0; position < numElements; ++position)
    values[position] = at(position);
  return values;
}

void Array::poison() {
  double value = isFloat(type) ? std::numeric_limits<double>::quiet_NaN()
                 : type == ElementType::I1
                     ? 1.0
                     : -std::numeric_limits<double>::infinity();
  for (int64_t position = 0; position < numElements; ++position)
    set(position, value);
}

std::string Array::formatIndex(int64_t position) const {
  return attn::formatIndex(delinearize(shape, position));
}
