//===- LinalgOps.cpp - Structured ops ---------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "Products.h"
#include "ScalarProgram.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace attn {
namespace reference {
namespace {

/// An operand of a structured op. If its map is linear, the element at point i
/// is `base` + sum_d strides[d] i[d].
struct MappedOperand {
  const Tensor *tensor = nullptr;
  Cell scalar = Cell::ofInt(0);
  AffineMap map;
  bool isLinear = true;
  int64_t base = 0;
  SmallVector<int64_t> strides;
};

/// expr as constant + sum_d coefficients[d] d. False if it is not linear.
bool linearize(AffineExpr expr, SmallVectorImpl<int64_t> &coefficients,
               int64_t &constant, int64_t factor = 1) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr)) {
    coefficients[dim.getPosition()] += factor;
    return true;
  }
  if (auto number = dyn_cast<AffineConstantExpr>(expr)) {
    constant += factor * number.getValue();
    return true;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return false;
  if (expr.getKind() == AffineExprKind::Add)
    return linearize(binary.getLHS(), coefficients, constant, factor) &&
           linearize(binary.getRHS(), coefficients, constant, factor);
  auto by = dyn_cast<AffineConstantExpr>(binary.getRHS());
  return expr.getKind() == AffineExprKind::Mul && by &&
         linearize(binary.getLHS(), coefficients, constant,
                   factor * by.getValue());
}

/// One structured op.
class StructuredOp {
public:
  StructuredOp(linalg::LinalgOp op, const Environment &env,
               ChanceRounding *chance)
      : op(op), env(env), chance(chance) {}
  Expected<RuntimeValues> evaluate();

private:
  Error computeExtents(ArrayRef<RuntimeValue> operands);
  Error prepare(MappedOperand &operand);
  Error outOfBounds(const MappedOperand &operand);
  /// The position of an operand's element at a point; -1 if out of bounds.
  int64_t locate(const MappedOperand &operand, ArrayRef<int64_t> point) const;
  Error run(ScalarProgram &program);
  bool runMultiplyAdd();
  void boundFlushedProducts();
  void moveBounds(ScalarProgram &program);

  linalg::LinalgOp op;
  const Environment &env;
  ChanceRounding *chance;
  SmallVector<int64_t> extents;
  SmallVector<MappedOperand> mapped;
  SmallVector<std::shared_ptr<Tensor>> outputs;
};

} // namespace

Error StructuredOp::computeExtents(ArrayRef<RuntimeValue> operands) {
  AffineMap shapesToLoops = op.getShapesToLoopsMap();
  if (!shapesToLoops)
    return makeUnsupported(op, "loop extents do not follow from its operands");
  SmallVector<int64_t> shapes;
  for (const RuntimeValue &operand : operands)
    if (operand.tensor)
      llvm::append_range(shapes, operand.tensor->shape);
  if (shapesToLoops.getNumDims() != shapes.size())
    return makeUnsupported(op);
  for (AffineExpr expr : shapesToLoops.getResults()) {
    extents.push_back(evaluateAffine(expr, shapes));
    if (extents.back() < 0)
      return makeUnsupported(op, "negative loop extent");
  }
  if (getVolume(extents) < 0)
    return makeUnsupported(op, "more than 2^63 iterations");
  return Error::success();
}

Error StructuredOp::outOfBounds(const MappedOperand &operand) {
  return makeError(op.getLoc(),
                   "'" + op->getName().getStringRef() +
                       "' expected operands that agree with loops of " +
                       formatShape(extents) + ", but got one of " +
                       formatShape(operand.tensor->shape));
}

Error StructuredOp::prepare(MappedOperand &operand) {
  operand.strides.assign(extents.size(), 0);
  if (!operand.tensor)
    return Error::success();
  SmallVector<int64_t> unit = getStrides(operand.tensor->shape);
  bool isEmpty = getVolume(extents) == 0;
  for (auto [dim, expr] : llvm::enumerate(operand.map.getResults())) {
    SmallVector<int64_t> coefficients(extents.size(), 0);
    int64_t constant = 0;
    if (!linearize(expr, coefficients, constant)) {
      operand.isLinear = false;
      continue;
    }
    int64_t least = constant, most = constant;
    for (auto [coefficient, extent] : llvm::zip_equal(coefficients, extents))
      (coefficient < 0 ? least : most) += coefficient * (extent - 1);
    int64_t extent = operand.tensor->shape[dim];
    // A plain dimension must be as long as its loop; others may be longer.
    bool isDim = isa<AffineDimExpr>(expr);
    if ((isDim && extent != most + 1) ||
        (!isEmpty && (least < 0 || most >= extent)))
      return outOfBounds(operand);
    operand.base += constant * unit[dim];
    for (auto [stride, coefficient] :
         llvm::zip_equal(operand.strides, coefficients))
      stride += coefficient * unit[dim];
  }
  return Error::success();
}

int64_t StructuredOp::locate(const MappedOperand &operand,
                             ArrayRef<int64_t> point) const {
  int64_t position = operand.base;
  if (operand.isLinear) {
    for (auto [stride, index] : llvm::zip_equal(operand.strides, point))
      position += stride * index;
    return position;
  }
  position = 0;
  for (auto [expr, extent] :
       llvm::zip_equal(operand.map.getResults(), operand.tensor->shape)) {
    int64_t index = evaluateAffine(expr, point);
    if (index < 0 || index >= extent)
      return -1;
    position = position * extent + index;
  }
  return position;
}

Error StructuredOp::run(ScalarProgram &program) {
  unsigned numInputs = op.getNumDpsInputs();
  SmallVector<int64_t> point(extents.size(), 0);
  SmallVector<int64_t> positions(mapped.size(), 0);
  do {
    for (auto [index, operand] : llvm::enumerate(mapped)) {
      if (!operand.tensor) {
        program.argument(index) = operand.scalar;
        continue;
      }
      int64_t position = locate(operand, point);
      if (position < 0)
        return outOfBounds(operand);
      positions[index] = position;
      program.argument(index) = operand.tensor->cells[position];
    }
    if (!program.run(point.data()))
      return program.takeError();
    for (auto [index, output] : llvm::enumerate(outputs))
      output->cells[positions[numInputs + index]] = program.result(index);
  } while (advance(extents, point));
  return Error::success();
}

/// A body `out + a * b` of floats, as matrix products have, needs no
/// interpretation. Returns whether the op was one.
bool StructuredOp::runMultiplyAdd() {
  Block &body = *op.getBlock();
  if (mapped.size() != 3 || outputs.size() != 1 || extents.empty() ||
      !llvm::all_of(mapped, [](const MappedOperand &operand) {
        return operand.tensor && operand.isLinear &&
               isa<FloatType>(operand.tensor->elementType);
      }))
    return false;
  auto strip = [](Value value) {
    while (auto extend = value.getDefiningOp<arith::ExtFOp>())
      value = extend.getIn();
    return value;
  };
  auto add = body.getTerminator()->getOperand(0).getDefiningOp<arith::AddFOp>();
  if (!add)
    return false;
  bool outFirst = add.getLhs() == body.getArgument(2);
  auto mul =
      (outFirst ? add.getRhs() : add.getLhs()).getDefiningOp<arith::MulFOp>();
  if (!mul || (outFirst ? add.getLhs() : add.getRhs()) != body.getArgument(2))
    return false;
  Value lhs = strip(mul.getLhs()), rhs = strip(mul.getRhs());
  if (lhs != body.getArgument(0) || rhs != body.getArgument(1))
    return false;

  auto get = [&](unsigned index) {
    const MappedOperand &operand = mapped[index];
    return Strided<const Cell>{operand.tensor->cells.data() + operand.base,
                               operand.strides};
  };
  addProducts(extents, get(0), get(1),
              {outputs[0]->cells.data() + mapped[2].base, mapped[2].strides});
  return true;
}

/// The same, as far as numbers that are not normal go.
void StructuredOp::boundFlushedProducts() {
  const Tensor &left = *mapped[0].tensor, &right = *mapped[1].tensor;
  Tensor &out = *outputs[0];
  if (!isProductOfPairs(left.elementType, right.elementType, out.elementType))
    return;
  out.flushed.assign(out.size(),
                     boundFlushedSums(getVolume(extents) / out.size()));
  auto isNormal = [](Cell cell) { return boundFlushedProduct(cell.f, 1) == 0; };
  if (llvm::all_of(left.cells, isNormal) && llvm::all_of(right.cells, isNormal))
    return;
  SmallVector<int64_t> point(extents.size(), 0);
  do {
    out.flushed[locate(mapped[2], point)] +=
        boundFlushedProduct(left.cells[locate(mapped[0], point)].f,
                            right.cells[locate(mapped[1], point)].f);
  } while (advance(extents, point));
}

/// An op that only moves elements, such as a transposition, moves their bounds.
void StructuredOp::moveBounds(ScalarProgram &program) {
  if (outputs.size() != 1)
    return;
  Tensor &to = *outputs[0];
  for (unsigned index = 0, e = op.getNumDpsInputs(); index < e; ++index) {
    if (!program.isCopyOf(index))
      continue;
    const Tensor *from = mapped[index].tensor;
    to.exact = from && from->exact;
    if (!from || (!from->hasBounds() && from->flushed.empty()) ||
        !op.hasOnlyProjectedPermutations() || to.size() != getVolume(extents))
      return;
    if (from->hasBounds()) {
      to.magnitude.assign(to.size(), 0);
      to.error.assign(to.size(), 0);
    }
    if (!from->flushed.empty())
      to.flushed.assign(to.size(), 0);
    if (!from->alternatives.empty())
      to.alternatives.assign(to.size(), -1);
    SmallVector<int64_t> point(extents.size(), 0);
    do {
      int64_t source = locate(mapped[index], point);
      int64_t target = locate(mapped.back(), point);
      if (from->hasBounds()) {
        to.magnitude[target] = from->magnitude[source];
        to.error[target] = from->error[source];
      }
      if (!from->flushed.empty())
        to.flushed[target] = from->flushed[source];
      if (!from->alternatives.empty())
        to.alternatives[target] = from->alternatives[source];
    } while (advance(extents, point));
    return;
  }
}

Expected<RuntimeValues> StructuredOp::evaluate() {
  Expected<RuntimeValues> operands = getOperands(op->getOperands(), op, env);
  if (!operands)
    return operands.takeError();
  unsigned numInputs = op.getNumDpsInputs();
  if (op->getNumResults() + numInputs != operands->size())
    return makeUnsupported(op, "expected tensors");
  if (Error error = computeExtents(*operands))
    return error;
  for (unsigned i = 0, e = op->getNumResults(); i < e; ++i) {
    const TensorRef &init = (*operands)[numInputs + i].tensor;
    if (!init)
      return makeUnsupported(op, "expected tensors");
    auto output = std::make_shared<Tensor>();
    output->shape = init->shape;
    output->elementType = init->elementType;
    output->cells = init->cells;
    outputs.push_back(std::move(output));
  }
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  for (auto [index, operand] : llvm::enumerate(*operands)) {
    MappedOperand next;
    next.map = maps[index];
    next.scalar = operand.scalar;
    next.tensor = index < numInputs ? operand.tensor.get()
                                    : outputs[index - numInputs].get();
    if (Error error = prepare(next))
      return error;
    mapped.push_back(std::move(next));
  }
  Expected<ScalarProgram> program = ScalarProgram::compile(*op.getBlock(), env);
  if (!program)
    return program.takeError();
  if (program->getNumResults() != outputs.size())
    return makeUnsupported(op);
  if (getVolume(extents) != 0) {
    // What is summed up may be rounded each time, but not that of products.
    if (chance)
      program->roundByChance(*chance, /*results=*/op.getNumReductionLoops());
    if (runMultiplyAdd())
      boundFlushedProducts();
    else if (Error error = run(*program))
      return error;
    moveBounds(*program);
  }
  RuntimeValues results(outputs.size());
  for (auto [result, output] : llvm::zip_equal(results, outputs))
    result.tensor = std::move(output);
  return results;
}

Expected<RuntimeValues> evaluateLinalgOp(linalg::LinalgOp op,
                                         const Environment &env,
                                         ChanceRounding *chance) {
  return StructuredOp(op, env, chance).evaluate();
}

double countProductFlops(linalg::LinalgOp op, const Environment &env) {
  if (!linalg::isaContractionOpInterface(op) || !op.getShapesToLoopsMap())
    return 0;
  SmallVector<int64_t> shapes;
  for (Value operand : op->getOperands())
    if (TensorRef tensor = env.lookup(operand).tensor)
      llvm::append_range(shapes, tensor->shape);
  if (op.getShapesToLoopsMap().getNumDims() != shapes.size())
    return 0;
  double flops = 2;
  for (AffineExpr expr : op.getShapesToLoopsMap().getResults())
    flops *= evaluateAffine(expr, shapes);
  return flops;
}

} // namespace reference
} // namespace attn
