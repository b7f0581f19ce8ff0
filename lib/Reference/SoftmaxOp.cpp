//===- SoftmaxOp.cpp - linalg.softmax ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include <cmath>
#include <limits>

using namespace mlir;

namespace attn {
namespace reference {

/// Elements of which the greatest is infinite give NaN.
Expected<RuntimeValues> evaluateSoftmaxOp(linalg::SoftmaxOp op,
                                          const Environment &env) {
  if (!isa<FloatType>(getElementTypeOrSelf(op.getInput())))
    return makeUnsupported(op, "elements are no floats");
  Expected<RuntimeValues> operands = getOperands(op.getInput(), op, env);
  if (!operands)
    return operands.takeError();
  const Tensor &input = *operands->front().tensor;
  Expected<std::shared_ptr<Tensor>> created =
      createTensor(op.getLoc(), input.shape, input.elementType);
  if (!created)
    return created.takeError();
  Tensor &output = **created;
  int64_t extent = input.shape[op.getDimension()];
  int64_t stride = getStrides(input.shape)[op.getDimension()];
  for (int64_t number = 0, e = input.size(); number < e; ++number) {
    // Each row from the position that it begins at.
    if (number / stride % extent != 0)
      continue;
    double greatest = -std::numeric_limits<double>::infinity(), sum = 0;
    for (int64_t i = 0; i < extent; ++i)
      greatest = std::fmax(greatest, input.cells[number + i * stride].f);
    for (int64_t i = 0; i < extent; ++i) {
      double power = std::exp(input.cells[number + i * stride].f - greatest);
      output.cells[number + i * stride] = Cell::ofFloat(power);
      sum += power;
    }
    for (int64_t i = 0; i < extent; ++i)
      output.cells[number + i * stride].f /= sum;
  }
  RuntimeValues results(1);
  results[0].tensor = std::move(*created);
  return results;
}

} // namespace reference
} // namespace attn
