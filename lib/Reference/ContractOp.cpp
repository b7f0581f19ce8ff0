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
    auto mapped =
        mapOperand(op, env.lookup(operand), op.getIndexingMap(index), extents);
    if (!mapped)
      return mapped.takeError();
    operands.push_back(*mapped);
  }
  const Mapped &lhs = operands[0], &rhs = operands[1], &init = operands.back();
  if (!lhs.tensor || !rhs.tensor || !init.tensor)
    return makeUnsupported(op, "expected tensors");
  for (int64_t &extent : extents)
    extent = std::max<int64_t>(extent, extent < 0 ? 1 : 0);
  // What becomes of lhs, of rhs and of a sum, and the first input of each.
  std::optional<ScalarProgram> programs[3];
  const unsigned firstInputs[] = {
      op.getFactorInputIndex(0), op.getFactorInputIndex(1), op.getInputIndex()};
  const size_t numInputs[] = {op.getLhsInputs().size(),
                              op.getRhsInputs().size(), op.getInputs().size()};
  for (auto [i, region] : llvm::enumerate(op->getRegions())) {
    if (region.empty())
      continue;
    auto program = ScalarProgram::compile(region.front(), env);
    if (!program)
      return program.takeError();
    programs[i] = std::move(*program);
  }
  auto result =
      createTensor(op.getLoc(), init.tensor->shape, init.tensor->elementType);
  if (!result)
    return result.takeError();
  auto type = cast<FloatType>((*result)->elementType);
  bool inPairs = isProductOfPairs(op.getFactorType(0), op.getFactorType(1),
                                  op.getAccumulationType()) &&
                 op.getElement().empty();
  if (inPairs)
    (*result)->flushed.assign((*result)->size(),
                              boundFlushedSums(extents[ContractOp::Features]));
  SmallVector<int64_t> point(3, 0);
  auto apply = [&](unsigned number, Cell cell) -> Expected<Cell> {
    std::optional<ScalarProgram> &program = programs[number];
    if (!program)
      return cell;
    program->argument(0) = cell;
    for (unsigned i = 0; i < numInputs[number]; ++i)
      program->argument(1 + i) = operands[firstInputs[number] + i].read(point);
    if (!program->run(/*position=*/nullptr))
      return program->takeError();
    return program->result();
  };
  ArrayRef<int64_t> outer = ArrayRef<int64_t>(extents).take_front(2);
  if (getVolume(outer) != 0) {
    do {
      point[ContractOp::Features] = 0;
      double sum = op.getAccumulate() ? init.read(point).f : 0;
      for (int64_t k = 0; k < extents[ContractOp::Features]; ++k) {
        point[ContractOp::Features] = k;
        Expected<Cell> left = apply(0, lhs.read(point));
        if (!left)
          return left.takeError();
        Expected<Cell> right = apply(1, rhs.read(point));
        if (!right)
          return right.takeError();
        sum += left->f * right->f;
        if (inPairs)
          (*result)->flushed[init.at(point)] +=
              boundFlushedProduct(left->f, right->f);
      }
      point[ContractOp::Features] = 0;
      Expected<Cell> cell = apply(2, Cell::ofFloat(sum));
      if (!cell)
        return cell.takeError();
      (*result)->cells[init.at(point)] =
          Cell::ofFloat(roundToType(type, cell->f));
    } while (
        advance(outer, llvm::MutableArrayRef<int64_t>(point).take_front(2)));
  }
  RuntimeValues results(1);
  results[0].tensor = *result;
  return results;
}

} // namespace reference
} // namespace attn
