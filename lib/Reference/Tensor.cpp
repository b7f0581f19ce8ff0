//===- Tensor.cpp - Values of the reference ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensor.h"
#include "attn/IR/Utils.h"

#include "mlir/IR/AffineExpr.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/CheckedArithmetic.h"
#include "llvm/Support/MathExtras.h"

#include <cmath>
#include <limits>
#include <unistd.h>

using namespace mlir;

namespace attn {
namespace reference {

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

Error makeError(Location loc, const llvm::Twine &message) {
  return llvm::createStringError(locateMessage(loc, message));
}

Error makeUnsupported(Operation *op, const llvm::Twine &reason) {
  std::string suffix = reason.str();
  return makeError(op->getLoc(), "reference cannot evaluate '" +
                                     op->getName().getStringRef() + "'" +
                                     (suffix.empty() ? "" : ": " + suffix));
}

//===----------------------------------------------------------------------===//
// Elements
//===----------------------------------------------------------------------===//

/// The least number of f32 that is normal.
constexpr double kLeastNormal = 0x1p-126;

bool isProductOfPairs(Type left, Type right, Type result) {
  return left.isBF16() && right.isBF16() && !result.isF64();
}

double boundFlushedSums(int64_t count) { return (count + 2) * kLeastNormal; }

double boundFlushedProduct(double left, double right) {
  bool isNormal =
      std::fabs(left) >= kLeastNormal && std::fabs(right) >= kLeastNormal;
  return isNormal ? 0 : std::fabs(left * right);
}

bool isSupportedElement(Type type) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return floatType.getWidth() <= 64;
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.getWidth() >= 1 && integer.getWidth() <= 64;
  return isa<IndexType>(type);
}

unsigned getIntegerWidth(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.getWidth();
  return isa<IndexType>(type) ? 64 : 0;
}

static llvm::APFloat convert(double value, const llvm::fltSemantics &to) {
  llvm::APFloat number(value);
  bool losesInfo;
  number.convert(to, llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number;
}

static double toDouble(llvm::APFloat number) {
  bool losesInfo;
  number.convert(llvm::APFloat::IEEEdouble(),
                 llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return number.convertToDouble();
}

double getSpacing(FloatType type, double value) {
  const llvm::fltSemantics &semantics = type.getFloatSemantics();
  auto bits = llvm::bit_cast<uint64_t>(value);
  int exponent = static_cast<int>(bits >> 52 & 0x7FF) - 1023;
  exponent =
      std::max<int>(exponent, llvm::APFloat::semanticsMinExponent(semantics));
  int precision = llvm::APFloat::semanticsPrecision(semantics);
  return llvm::bit_cast<double>(
      static_cast<uint64_t>(exponent - precision + 1 + 1023) << 52);
}

double roundToType(FloatType type, double value) {
  if (type.isF64())
    return value;
  if (type.isF32())
    return static_cast<float>(value);
  if ((!type.isF16() && !type.isBF16()) || !std::isfinite(value))
    return toDouble(convert(value, type.getFloatSemantics()));
  double most = type.isF16() ? 65504.0 : 0x1.FEp127;
  if (std::fabs(value) >= 2 * most)
    return std::copysign(INFINITY, value);
  // Doubles of this size have the spacing that numbers of the type have around
  // the value: their sum is rounded to it.
  double large = 0x1.8p52 * getSpacing(type, value);
  double rounded = std::copysign((value + large) - large, value);
  return std::fabs(rounded) > most ? std::copysign(INFINITY, value) : rounded;
}

llvm::APInt toBits(Type type, Cell cell) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return convert(cell.f, floatType.getFloatSemantics()).bitcastToAPInt();
  return llvm::APInt(64, cell.i).trunc(getIntegerWidth(type));
}

Cell fromBits(Type type, const llvm::APInt &bits) {
  if (auto floatType = dyn_cast<FloatType>(type))
    return Cell::ofFloat(
        toDouble(llvm::APFloat(floatType.getFloatSemantics(), bits)));
  return Cell::ofInt(wrapInteger(bits.getZExtValue(), bits.getBitWidth()));
}

//===----------------------------------------------------------------------===//
// Tensors
//===----------------------------------------------------------------------===//

/// The number of elements, or none if memory would not hold them.
static std::optional<int64_t> countCells(ArrayRef<int64_t> shape) {
  static const int64_t limit = [] {
    int64_t pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    int64_t bytes = pages > 0 && size > 0 ? pages * size : int64_t(1) << 36;
    return bytes / static_cast<int64_t>(sizeof(Cell));
  }();
  int64_t count = getVolume(shape);
  if (count < 0 || count > limit)
    return std::nullopt;
  return count;
}

Expected<std::shared_ptr<Tensor>> createTensor(Location loc,
                                               ArrayRef<int64_t> shape,
                                               Type elementType, bool poison) {
  for (int64_t extent : shape)
    if (extent < 0)
      return makeError(loc, "expected extents of at least 0, but got " +
                                std::to_string(extent));
  std::optional<int64_t> count = countCells(shape);
  if (!count)
    return makeError(loc, "a tensor of " + formatShape(shape) +
                              " elements is larger than memory");
  auto tensor = std::make_shared<Tensor>();
  tensor->shape.assign(shape.begin(), shape.end());
  tensor->elementType = elementType;
  Cell fill = poison && isa<FloatType>(elementType)
                  ? Cell::ofFloat(std::numeric_limits<double>::quiet_NaN())
                  : Cell::ofInt(0);
  tensor->cells.assign(*count, fill);
  return tensor;
}

Expected<RuntimeValue> evaluateAttribute(Location loc, Attribute attribute) {
  RuntimeValue value;
  if (auto number = dyn_cast<FloatAttr>(attribute);
      number && isSupportedElement(number.getType())) {
    value.scalar.f = toDouble(number.getValue());
    return value;
  }
  if (auto number = dyn_cast<IntegerAttr>(attribute);
      number && isSupportedElement(number.getType())) {
    value.scalar.i = wrapInteger(number.getValue().getZExtValue(),
                                 number.getValue().getBitWidth());
    return value;
  }
  auto dense = dyn_cast<DenseElementsAttr>(attribute);
  if (!dense || !isSupportedElement(dense.getElementType()) ||
      !isa<RankedTensorType>(dense.getType()))
    return makeError(loc, "reference cannot evaluate a constant of this type");
  auto tensor =
      createTensor(loc, dense.getType().getShape(), dense.getElementType());
  if (!tensor)
    return tensor.takeError();
  (*tensor)->exact = true;
  Cell *next = (*tensor)->cells.data();
  if (isa<FloatType>(dense.getElementType()))
    for (const llvm::APFloat &number : dense.getValues<llvm::APFloat>())
      *next++ = Cell::ofFloat(toDouble(number));
  else
    for (const llvm::APInt &number : dense.getValues<llvm::APInt>())
      *next++ =
          Cell::ofInt(wrapInteger(number.getZExtValue(), number.getBitWidth()));
  value.tensor = std::move(*tensor);
  return value;
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

SmallVector<int64_t> getStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size(), 1);
  for (size_t i = shape.size(); i > 1; --i)
    strides[i - 2] = static_cast<uint64_t>(strides[i - 1]) * shape[i - 1];
  return strides;
}

int64_t getVolume(ArrayRef<int64_t> extents) {
  if (llvm::is_contained(extents, 0))
    return 0;
  int64_t volume = 1;
  for (int64_t extent : extents) {
    std::optional<int64_t> product = llvm::checkedMul(volume, extent);
    if (!product)
      return -1;
    volume = *product;
  }
  return volume;
}

void delinearize(int64_t position, ArrayRef<int64_t> extents,
                 llvm::MutableArrayRef<int64_t> index) {
  for (size_t i = extents.size(); i-- > 0;) {
    index[i] = position % extents[i];
    position /= extents[i];
  }
}

bool advance(ArrayRef<int64_t> extents, llvm::MutableArrayRef<int64_t> index) {
  for (size_t i = extents.size(); i-- > 0;) {
    if (++index[i] < extents[i])
      return true;
    index[i] = 0;
  }
  return false;
}

std::string formatShape(ArrayRef<int64_t> shape) {
  std::string text;
  for (int64_t extent : shape)
    text += (text.empty() ? "" : "x") +
            (extent < 0 ? std::string("?") : std::to_string(extent));
  return text.empty() ? "()" : text;
}

bool matchesShape(ShapedType type, ArrayRef<int64_t> shape) {
  if (!type.hasRank() || type.getRank() != static_cast<int64_t>(shape.size()))
    return false;
  for (auto [expected, extent] : llvm::zip_equal(type.getShape(), shape))
    if (!ShapedType::isDynamic(expected) && expected != extent)
      return false;
  return true;
}

int64_t evaluateAffine(AffineExpr expr, ArrayRef<int64_t> dims) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 0;
  int64_t lhs = evaluateAffine(binary.getLHS(), dims);
  int64_t rhs = evaluateAffine(binary.getRHS(), dims);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return lhs + rhs;
  case AffineExprKind::Mul:
    return lhs * rhs;
  case AffineExprKind::Mod:
    return rhs > 0 ? llvm::mod(lhs, rhs) : 0;
  case AffineExprKind::FloorDiv:
    return rhs > 0 ? llvm::divideFloorSigned(lhs, rhs) : 0;
  case AffineExprKind::CeilDiv:
    return rhs > 0 ? llvm::divideCeilSigned(lhs, rhs) : 0;
  default:
    return 0;
  }
}

} // namespace reference
} // namespace attn
