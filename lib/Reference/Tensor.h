//===- Tensor.h - Values of the reference -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_TENSOR_H
#define ATTN_LIB_REFERENCE_TENSOR_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/TypeUtilities.h"
#include "mlir/IR/Value.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <vector>

namespace attn {
namespace reference {

using llvm::ArrayRef;
using llvm::Error;
using llvm::Expected;
using llvm::SmallVector;

/// An element: a float as a double; an integer sign-extended, but i1 as 0 or 1.
union Cell {
  double f;
  int64_t i;

  static Cell ofFloat(double value) {
    Cell cell;
    cell.f = value;
    return cell;
  }
  static Cell ofInt(int64_t value) {
    Cell cell;
    cell.i = value;
    return cell;
  }
};

/// A row-major tensor. The bounds are those of ReferenceTensor, empty if
/// unknown.
struct Tensor {
  SmallVector<int64_t> shape;
  mlir::Type elementType;
  std::vector<Cell> cells;
  std::vector<double> magnitude, error, flushed;
  /// Those of ReferenceTensor.
  std::vector<int64_t> alternatives;
  /// Whether the elements are inputs or constants, moved but never computed.
  bool exact = false;

  int64_t size() const { return cells.size(); }
  bool hasBounds() const { return !magnitude.empty(); }
};
using TensorRef = std::shared_ptr<const Tensor>;

/// What an SSA value holds: a tensor, or else a scalar.
struct RuntimeValue {
  Cell scalar = Cell::ofInt(0);
  TensorRef tensor;
};
using Environment = llvm::DenseMap<mlir::Value, RuntimeValue>;

/// A one-line error, after `file:line:column: ` where that is known.
Error makeError(mlir::Location loc, const llvm::Twine &message);
/// `reference cannot evaluate 'op.name'`, with `reason` after a colon.
Error makeUnsupported(mlir::Operation *op, const llvm::Twine &reason = "");

/// Whether a kernel may add products of factors of these types, in a result of
/// another, in pairs of bf16.
bool isProductOfPairs(mlir::Type left, mlir::Type right, mlir::Type result);
/// What `Tensor::flushed` is of a sum of `count` such products: what it begins
/// with, every partial sum and what it is rounded to may count as 0.
double boundFlushedSums(int64_t count);
/// What a product adds to that, of which a factor may count as 0.
double boundFlushedProduct(double left, double right);

/// Whether cells of this type can be evaluated: floats of at most 64 bits,
/// integers of at most 64 bits, index.
bool isSupportedElement(mlir::Type type);
/// Bits of an integer type, 64 for an index, 0 for a float.
unsigned getIntegerWidth(mlir::Type type);
/// Keeps the low `width` bits, in the form of a Cell.
inline int64_t wrapInteger(uint64_t value, unsigned width) {
  if (width == 1)
    return value & 1;
  if (width == 0 || width >= 64)
    return value;
  return static_cast<int64_t>(value << (64 - width)) >> (64 - width);
}
/// How far apart the numbers of `type`, of at most 32 bits, are that a finite
/// value lies between.
double getSpacing(mlir::FloatType type, double value);
/// The nearest number of `type`, ties to even.
double roundToType(mlir::FloatType type, double value);
/// The element as its bits in memory, and back.
llvm::APInt toBits(mlir::Type type, Cell cell);
Cell fromBits(mlir::Type type, const llvm::APInt &bits);

/// A tensor of zeros, or of NaN where `poison` is set and the type is a float.
/// An error if an extent is negative or memory would not hold it.
Expected<std::shared_ptr<Tensor>> createTensor(mlir::Location loc,
                                               ArrayRef<int64_t> shape,
                                               mlir::Type elementType,
                                               bool poison = false);
/// The value of a float, integer or dense elements attribute.
Expected<RuntimeValue> evaluateAttribute(mlir::Location loc,
                                         mlir::Attribute attribute);

/// Row-major strides in elements; meaningless for a shape without elements.
SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape);
/// Elements in a box: the product of the extents, -1 if it is out of range.
int64_t getVolume(ArrayRef<int64_t> extents);
/// The multi-index of a row-major position.
void delinearize(int64_t position, ArrayRef<int64_t> extents,
                 llvm::MutableArrayRef<int64_t> index);
/// Steps a multi-index in row-major order; false after the last.
bool advance(ArrayRef<int64_t> extents, llvm::MutableArrayRef<int64_t> index);
/// `2x3`, `()` for rank 0.
std::string formatShape(ArrayRef<int64_t> shape);
/// Whether `shape` is one that `type` allows.
bool matchesShape(mlir::ShapedType type, ArrayRef<int64_t> shape);

/// The value of an affine expression without symbols. Divisors must be
/// positive.
int64_t evaluateAffine(mlir::AffineExpr expr, ArrayRef<int64_t> dims);

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_TENSOR_H
