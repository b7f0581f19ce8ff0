//===- Array.h - Typed, owned, row-major host arrays ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_ARRAY_H
#define ATTN_SUPPORT_ARRAY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace attn {

/// What an array holds. An i1 takes a byte, 0 or 1; an index takes 8 bytes.
enum class ElementType : uint8_t {
  F16,
  BF16,
  F32,
  F64,
  I1,
  I8,
  I16,
  I32,
  I64,
  Index
};

/// The type as MLIR spells it, such as `bf16` or `index`.
llvm::StringRef getName(ElementType type);
/// The inverse of `getName`; none if no type is spelt so.
std::optional<ElementType> parseElementType(llvm::StringRef name);
/// Bytes per element: 1, 2, 4 or 8.
int64_t getByteWidth(ElementType type);
bool isFloat(ElementType type);
/// The unit roundoff of a float type: half the distance from 1 to the next
/// number. 0 for an integer type.
double getUnitRoundoff(ElementType type);
/// `value` as the nearest element of `type`, ties to even: floats overflow to
/// an infinity, integers saturate (NaN becomes 0), and i1 is `value != 0`.
double roundToElement(ElementType type, double value);

/// The number of elements of a shape. An error if an extent is negative or the
/// product does not fit in 63 bits.
llvm::Expected<int64_t> countElements(llvm::ArrayRef<int64_t> shape);
/// The number of bytes of an array. An error as above, or if the array is
/// larger than the memory of this machine.
llvm::Expected<int64_t> countBytes(ElementType type,
                                   llvm::ArrayRef<int64_t> shape);
/// A shape and a type as MLIR spells them: `2x3xf32`; `f32` for rank 0.
/// Negative extents, which stand for dynamic ones, are spelt `?`.
std::string toString(llvm::ArrayRef<int64_t> shape, ElementType type);
/// A shape alone: `2x3`; `()` for rank 0.
std::string toString(llvm::ArrayRef<int64_t> shape);

/// A multi-dimensional array in host memory: contiguous, row-major, aligned to
/// 64 bytes, owned; in large pages where it is large and there are any. Moves,
/// never copies; `clone` copies.
class Array {
public:
  static constexpr int64_t alignment = 64;

  /// An array of zeros.
  static llvm::Expected<Array> create(ElementType type,
                                      llvm::ArrayRef<int64_t> shape);
  /// An array holding `values`, each rounded by `roundToElement`. An error if
  /// their number is not that of the elements.
  static llvm::Expected<Array> create(ElementType type,
                                      llvm::ArrayRef<int64_t> shape,
                                      llvm::ArrayRef<double> values);
  /// Takes over memory from `malloc` that holds row-major elements from `data`
  /// on; `allocation` is what to free. Elements that are not aligned to
  /// 64 bytes are copied.
  static llvm::Expected<Array> adopt(ElementType type,
                                     llvm::ArrayRef<int64_t> shape,
                                     void *allocation, void *data);
  llvm::Expected<Array> clone() const;

  ElementType getType() const { return type; }
  llvm::ArrayRef<int64_t> getShape() const { return shape; }
  int64_t getRank() const { return shape.size(); }
  int64_t getNumElements() const { return numElements; }
  int64_t getNumBytes() const { return numElements * getByteWidth(type); }
  /// Row-major strides in elements.
  llvm::SmallVector<int64_t> getStrides() const;

  /// Never null, even without elements.
  void *getData() { return data; }
  const void *getData() const { return data; }

  /// The element at a row-major position, which must be in bounds. A 64-bit
  /// integer beyond 2^53 is rounded.
  double at(int64_t position) const;
  /// Stores `roundToElement(getType(), value)`.
  void set(int64_t position, double value);
  /// The same for integer types, exactly; `setInteger` keeps the low bits.
  int64_t getInteger(int64_t position) const;
  void setInteger(int64_t position, int64_t value);
  std::vector<double> toDoubles() const;

  /// Overwrites every element with what no computation should yield: NaN, or
  /// the least integer of the type.
  void poison();

  /// `2x3xf32`.
  std::string toString() const { return attn::toString(shape, type); }
  /// The multi-index of a row-major position, such as `[0, 2, 1]`.
  std::string formatIndex(int64_t position) const;

private:
  struct Free {
    void operator()(void *memory) const;
  };
  using Storage = std::unique_ptr<void, Free>;

  Array(ElementType type, llvm::ArrayRef<int64_t> shape, int64_t numElements,
        Storage storage, void *data)
      : type(type), shape(shape), numElements(numElements),
        storage(std::move(storage)), data(data) {}
  static llvm::Expected<Array> allocate(ElementType type,
                                        llvm::ArrayRef<int64_t> shape);

  ElementType type;
  llvm::SmallVector<int64_t> shape;
  int64_t numElements;
  Storage storage;
  void *data;
};

/// The multi-index of a row-major position within `shape`.
llvm::SmallVector<int64_t> delinearize(llvm::ArrayRef<int64_t> shape,
                                       int64_t position);
/// A multi-index as text: `[0, 2, 1]`.
std::string formatIndex(llvm::ArrayRef<int64_t> index);

} // namespace attn

#endif // ATTN_SUPPORT_ARRAY_H
