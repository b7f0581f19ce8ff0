//===- ContractOp.cpp - attn.contract ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/ContractOp.h"
#include "Interpreter.h"
#include "ScalarProgram.h"

using namespace mlir;

namespace attn {
namespace reference {
namespace {

/// An operand and what a step along each dimension adds to a position in it.
struct Mapped {
  const Tensor *tensor = nullptr;
  Cell scalar = Cell::ofInt(0);
  int64_t strides[3] = {0, 0, 0};

  int64_t at(ArrayRef<int64_t> point) const {
    int64_t position = 0;
    for (unsigned dim = 0; dim < 3; ++dim)
      position += strides[dim] * point[dim];
    return position;
  }
  Cell read(ArrayRef<int64_t> point) const {
    return tensor ? tensor->cells[at(point)] : scalar;
  }
};

} // namespace

/// Strides of an operand; its extents must be those of `extents`, which it
/// tells where they are not known yet (-1).
static Expected<Mapped> mapOperand(ContractOp op, const RuntimeValue &value,
                                   AffineMap map,
                                   llvm::MutableArrayRef<int64_t> extents) {
  Mapped mapped;
  mapped.tensor = value.tensor.get();
  mapped.scalar = value.scalar;
  if (!mapped.tensor)
    return mapped;
  ArrayRef<int64_t> shape = mapped.tensor->shape;
  SmallVector<int64_t> unit = getStrides(shape);
  for (unsigned position = 0, e = map.getNumResults(); position < e;
       ++position) {
    unsigned dim = map.getDimPosition(position);
    if (extents[dim] < 0)
      extents[dim] = shape[position];
    if (extents[dim] != shape[position])
      return makeError(op.getLoc(),
                       "'attn.contract' expected operands that agree on "
                       "extents, but got one of " +
                           formatShape(shape));
    mapped.strides[dim] = unit[position];
  }
  return mapped;
}

Expected<RuntimeValues> evaluateContractOp(ContractOp op,
                                           const Environment &env) {
  SmallVector<int64_t> extents(3, -1);
  SmallVector<Mapped> operands;
  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    auto mapped = mapOperand(op, env.lookup(operand),
                             op.getIndexingMap(index), extents);
    if (!mapped)
      return mapped.takeError();
    operands.push_back(*mapped);
  }
  const Mapped &lhs = operands[0], &rhs = operands[1], &init = operands.back();
  if (!lhs.tensor || !rhs.tensor || !init.tensor)
    return makeUnsupported(op, "expected tensors");
  for (int64_t &extent : extents)
    extent = std::max<int64_t>(extent, extent < 0 ? 1 : 0);
  std::optional<ScalarProgram> element;
  if (!op.getElement().empty()) {
    auto program = ScalarProgram::compile(op.getElement().front(), env);
    if (!program)
      return program.takeError();
    element = std::move(*program);
  }
  auto result = createTensor(op.getLoc(), init.tensor->shape,
                             init.tensor->elementType);
  if (!result)
    return result.takeError();
  auto type = cast<FloatType>((*result)->elementType);
  SmallVector<int64_t> point(3, 0);
  ArrayRef<int64_t> outer = ArrayRef<int64_t>(extents).take_front(2);
  if (getVolume(outer) != 0) {
    do {
      point[ContractOp::Features] = 0;
      double sum = op.getAccumulate() ? init.read(point).f : 0;
      for (int64_t k = 0; k < extents[ContractOp::Features]; ++k) {
        point[ContractOp::Features] = k;
        sum += lhs.read(point).f * rhs.read(point).f;
      }
      point[ContractOp::Features] = 0;
      Cell cell = Cell::ofFloat(sum);
      if (element) {
        element->argument(0) = cell;
        for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i)
          element->argument(1 + i) = operands[2 + i].read(point);
        if (!element->run(/*position=*/nullptr))
          return element->takeError();
        cell = element->result();
      }
      (*result)->cells[init.at(point)] =
          Cell::ofFloat(roundToType(type, cell.f));
    } while (
        advance(outer, llvm::MutableArrayRef<int64_t>(point).take_front(2)));
  }
  RuntimeValues results(1);
  results[0].tensor = *result;
  return results;
}

} // namespace reference
} // namespace attn
