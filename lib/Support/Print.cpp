//===- Print.cpp - Arrays as text -------------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Print.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace attn;

namespace {
/// Walks the elements that are shown, first to choose one format for all.
class ArrayPrinter {
public:
  ArrayPrinter(llvm::raw_ostream &os, const Array &array)
      : os(os), array(array), strides(array.getStrides()) {}
  void print();

private:
  /// The entries of `dim` that are shown; -1 stands for those left out.
  llvm::SmallVector<int64_t> getShown(int64_t dim) const;
  void chooseFormat(int64_t dim, int64_t position);
  std::string format(int64_t position) const;
  void printFrom(int64_t dim, int64_t position);

  llvm::raw_ostream &os;
  const Array &array;
  llvm::SmallVector<int64_t> strides;
  double largest = 0;
  bool scientific = false;
  size_t width = 0;
};
} // namespace

llvm::SmallVector<int64_t> ArrayPrinter::getShown(int64_t dim) const {
  constexpr int64_t maxElements = 1000;
  int64_t extent = array.getShape()[dim];
  int64_t edge = array.getNumElements() <= maxElements ? extent
                 : dim + 2 >= array.getRank()          ? 3
                                                       : 1;
  llvm::SmallVector<int64_t> shown;
  for (int64_t entry = 0; entry < extent; ++entry) {
    if (entry == edge && extent > 2 * edge) {
      shown.push_back(-1);
      entry = extent - edge;
    }
    shown.push_back(entry);
  }
  return shown;
}

std::string ArrayPrinter::format(int64_t position) const {
  if (array.getType() == ElementType::I1)
    return array.getInteger(position) ? "true" : "false";
  if (!isFloat(array.getType()))
    return std::to_string(array.getInteger(position));
  double value = array.at(position);
  if (std::isnan(value))
    return "nan";
  if (std::isinf(value))
    return value < 0 ? "-inf" : "inf";
  std::string text;
  llvm::raw_string_ostream(text)
      << llvm::format(scientific ? "%.5e" : "%.5f", value);
  return text;
}

/// With `scientific` settled by the magnitude, the width of the widest.
void ArrayPrinter::chooseFormat(int64_t dim, int64_t position) {
  if (dim == array.getRank()) {
    double magnitude = std::fabs(array.at(position));
    if (std::isfinite(magnitude))
      largest = std::max(largest, magnitude);
    width = std::max(width, format(position).size());
    return;
  }
  for (int64_t entry : getShown(dim))
    if (entry >= 0)
      chooseFormat(dim + 1, position + entry * strides[dim]);
}

void ArrayPrinter::printFrom(int64_t dim, int64_t position) {
  if (dim == array.getRank()) {
    os << llvm::right_justify(format(position), width);
    return;
  }
  bool innermost = dim + 1 == array.getRank();
  os << "[";
  bool first = true;
  for (int64_t entry : getShown(dim)) {
    if (!first) {
      os << (innermost ? " " : "\n");
      if (!innermost)
        os.indent(dim + 1);
    }
    first = false;
    if (entry < 0)
      os << "...";
    else
      printFrom(dim + 1, position + entry * strides[dim]);
  }
  os << "]";
}

void ArrayPrinter::print() {
  if (array.getNumElements() == 0) {
    os << "[]\n";
    return;
  }
  chooseFormat(0, 0);
  scientific = largest >= 1e6 || (largest > 0 && largest < 1e-3);
  width = 0;
  chooseFormat(0, 0);
  printFrom(0, 0);
  os << "\n";
}

void attn::printArray(llvm::raw_ostream &os, const Array &array) {
  ArrayPrinter(os, array).print();
}
