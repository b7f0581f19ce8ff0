//===- ScalarProgram.cpp - Regions on scalars, decoded once -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ScalarProgram.h"

#include "attn/IR/Evaluation.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

//===----------------------------------------------------------------------===//
// Kernels that need more than slots
//===----------------------------------------------------------------------===//

static bool readPosition(const Instruction &in, Frame &frame) {
  frame.slots[in.result].i = frame.position[in.immediate];
  return true;
}

static bool readElement(const Instruction &in, Frame &frame) {
  int64_t offset = 0;
  for (auto [slot, extent] : llvm::zip_equal(in.indices, in.tensor->shape)) {
    int64_t index = frame.slots[slot].i;
    if (index < 0 || index >= extent)
      return frame.fail("read out of bounds: index " + llvm::Twine(index) +
                        " of a dimension of extent " + llvm::Twine(extent));
    offset = offset * extent + index;
  }
  frame.slots[in.result] = in.tensor->cells[offset];
  return true;
}

static bool readExtent(const Instruction &in, Frame &frame) {
  int64_t dim = frame.slots[in.indices[0]].i;
  if (dim < 0 || dim >= static_cast<int64_t>(in.tensor->shape.size()))
    return frame.fail("dimension " + llvm::Twine(dim) +
                      " of a tensor of rank " +
                      llvm::Twine(in.tensor->shape.size()));
  frame.slots[in.result].i = in.tensor->shape[dim];
  return true;
}

static bool affineMod(const Instruction &in, Frame &frame) {
  int64_t rhs = frame.slots[in.operands[1]].i;
  if (rhs <= 0)
    return frame.fail("affine division by a number below 1");
  int64_t remainder = frame.slots[in.operands[0]].i % rhs;
  frame.slots[in.result].i = remainder < 0 ? remainder + rhs : remainder;
  return true;
}

//===----------------------------------------------------------------------===//
// Decoding
//===----------------------------------------------------------------------===//

Expected<ScalarProgram> ScalarProgram::compile(Block &block,
                                               const Environment &env,
                                               ValueRange results) {
  ScalarProgram program;
  for (BlockArgument argument : block.getArguments())
    program.slotOf[argument] = program.addSlot();
  for (Operation &op : block) {
    if (op.hasTrait<OpTrait::IsTerminator>()) {
      results = op.getOperands();
      break;
    }
    if (Error error = program.append(&op, env))
      return error;
  }
  for (Value value : results) {
    Expected<unsigned> slot = program.getSlot(value, env);
    if (!slot)
      return slot.takeError();
    program.resultSlots.push_back(*slot);
  }
  return program;
}

Expected<ScalarProgram> ScalarProgram::compile(Operation *op,
                                               const Environment &env) {
  ScalarProgram program;
  // One slot per operand position; a value used twice reads the first.
  for (Value operand : op->getOperands())
    program.slotOf.try_emplace(operand, program.addSlot());
  if (Error error = program.append(op, env))
    return error;
  for (Value result : op->getResults())
    program.resultSlots.push_back(program.slotOf.lookup(result));
  return program;
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void ScalarProgram::roundByChance(ChanceRounding &chance, bool results) {
  for (Instruction &in : code)
    if (in.type && ChanceRounding::rounds(in.type) &&
        (results || !llvm::is_contained(resultSlots, in.result)))
      in.chance = &chance;
}

static ValueKind getKind(Type type) {
  if (isa<FloatType>(type))
    return ValueKind::Float;
  return type.isInteger(1) ? ValueKind::Flag : ValueKind::Integer;
}

/// How many roundings, in units of the last place, an op adds to what its
/// operands bring: none if it is exact (what a conversion drops shows when its
/// operand moves), one in `arith`, a few for a function.
static double countRoundings(Operation *op) {
  if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp,
          arith::SIToFPOp, arith::UIToFPOp, math::FmaOp, math::SqrtOp>(op))
    return 1;
  if (isa<math::AbsFOp, math::CeilOp, math::FloorOp, math::RoundOp,
          math::RoundEvenOp, math::TruncOp, math::CopySignOp, math::ClampFOp>(
          op))
    return 0;
  return isa_and_nonnull<math::MathDialect>(op->getDialect()) ? 4 : 0;
}

static void moveCell(Cell &cell, ValueKind kind, double distance) {
  if (kind == ValueKind::Float)
    cell.f += distance;
  else if (kind == ValueKind::Flag)
    cell.i ^= 1;
  else if (std::fabs(distance) < 0x1p62)
    cell.i += static_cast<int64_t>(std::round(distance));
}

static double getDistance(Cell there, Cell here, ValueKind kind) {
  if (kind != ValueKind::Float)
    return std::fabs(static_cast<double>(there.i) -
                     static_cast<double>(here.i));
  if (there.f == here.f || std::isnan(here.f))
    return 0;
  return std::isnan(there.f) ? INFINITY : std::fabs(there.f - here.f);
}

bool ScalarProgram::runEstimating(const int64_t *position) {
  errors.resize(slots.size(), 0);
  Frame frame;
  frame.slots = slots.data();
  frame.position = position;
  for (const Instruction &in : code) {
    if (!in.kernel(in, frame)) {
      failed = &in;
      message = std::move(frame.message);
      return false;
    }
    // Only math.sincos has two results.
    unsigned numResults = in.op->getNumResults();
    SmallVector<Cell, 2> here(slots.begin() + in.result,
                              slots.begin() + in.result + numResults);
    SmallVector<double, 2> found(numResults, 0);
    for (auto [error, cell] : llvm::zip_equal(found, here))
      if (in.unit != 0 && std::isfinite(cell.f))
        error = in.unit * std::fabs(cell.f) + in.least;
    for (unsigned slot : in.indices)
      if (errors[slot] != 0)
        found[0] = INFINITY;
    for (unsigned i = 0; i < in.numOperands; ++i) {
      unsigned slot = in.operands[i];
      double error = errors[slot];
      if (error == 0 ||
          llvm::is_contained(ArrayRef(in.operands).take_front(i), slot))
        continue;
      // Both sides of a comparison may move towards each other.
      if (isa<arith::CmpFOp>(in.op))
        error = errors[in.operands[0]] + errors[in.operands[1]];
      // What is not monotone is asked half way, too, where the way is long.
      SmallVector<double, 4> moves{error, -error};
      if (error > 0.25)
        moves.append({error / 2, -error / 2});
      Cell kept = slots[slot];
      SmallVector<double, 2> most(numResults, 0);
      for (double move : moves) {
        moveCell(slots[slot], in.operandKinds[i], move);
        bool valid = in.kernel(in, frame);
        for (unsigned r = 0; r < numResults; ++r)
          most[r] = std::max(most[r],
                             valid ? getDistance(slots[in.result + r], here[r],
                                                 in.resultKind)
                                   : INFINITY);
        slots[slot] = kept;
      }
      for (unsigned r = 0; r < numResults; ++r)
        found[r] += most[r];
    }
    for (unsigned r = 0; r < numResults; ++r) {
      slots[in.result + r] = here[r];
      errors[in.result + r] = found[r];
    }
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Decoding, op by op
//===----------------------------------------------------------------------===//

Expected<unsigned> ScalarProgram::getSlot(Value value,
                                          const Environment &env) {
  auto known = slotOf.find(value);
  if (known != slotOf.end())
    return known->second;
  auto captured = env.find(value);
  if (captured == env.end() || captured->second.tensor)
    return makeError(value.getLoc(),
                     "reference expected a scalar computed before its use");
  return slotOf[value] = addSlot(captured->second.scalar);
}

Error ScalarProgram::append(Operation *op, const Environment &env) {
  for (Type type : op->getResultTypes())
    if (!isSupportedElement(getElementTypeOrSelf(type)) ||
        isa<VectorType, MemRefType>(type))
      return makeUnsupported(op, "unknown result type");
  if (auto constant = dyn_cast<arith::ConstantOp>(op))
    return appendConstant(op, constant.getValue());
  if (isa<tensor::ExtractOp, tensor::DimOp>(op))
    return appendRead(op, env);
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op))
    return appendAffine(op, apply.getAffineMap(), env);
  if (auto min = dyn_cast<affine::AffineMinOp>(op))
    return appendAffine(op, min.getAffineMap(), env);
  if (auto max = dyn_cast<affine::AffineMaxOp>(op))
    return appendAffine(op, max.getAffineMap(), env);

  Instruction in;
  in.op = op;
  if (auto index = dyn_cast<IndexOp>(op)) {
    in.kernel = readPosition;
    in.immediate = index.getDim();
  } else if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    in.kernel = readPosition;
    in.immediate = index.getDim();
  } else {
    in.kernel = lookupKernel(op->getName().getStringRef());
    if (!in.kernel || op->getNumOperands() > 3 || op->getNumResults() == 0)
      return makeUnsupported(op);
  }
  if (auto compare = dyn_cast<arith::CmpIOp>(op))
    in.immediate = static_cast<int64_t>(compare.getPredicate());
  else if (auto compare = dyn_cast<arith::CmpFOp>(op))
    in.immediate = static_cast<int64_t>(compare.getPredicate());

  for (auto [index, operand] : llvm::enumerate(op->getOperands())) {
    Type type = getElementTypeOrSelf(operand.getType());
    if (!isSupportedElement(type))
      return makeUnsupported(op, "unknown operand type");
    Expected<unsigned> slot = getSlot(operand, env);
    if (!slot)
      return slot.takeError();
    in.operands[index] = *slot;
    in.operandKinds[index] = getKind(type);
    if (index == 0)
      in.width = getIntegerWidth(type);
  }
  in.numOperands = op->getNumOperands();
  Type resultType = getElementTypeOrSelf(op->getResult(0));
  in.resultKind = getKind(resultType);
  if (auto floatType = dyn_cast<FloatType>(resultType)) {
    Rounding rounding(floatType);
    in.type = floatType;
    double count = countRoundings(op);
    in.unit = count * rounding.unit;
    in.least = count * rounding.least;
  }
  in.resultWidth = getIntegerWidth(resultType);
  in.result = slots.size();
  for (Value result : op->getResults())
    slotOf[result] = addSlot();
  code.push_back(std::move(in));
  return Error::success();
}

Error ScalarProgram::appendConstant(Operation *op, Attribute attribute) {
  Expected<RuntimeValue> value = evaluateAttribute(op->getLoc(), attribute);
  if (!value)
    return value.takeError();
  if (value->tensor)
    constants[op->getResult(0)] = value->tensor;
  else
    slotOf[op->getResult(0)] = addSlot(value->scalar);
  return Error::success();
}

/// `tensor.extract` and `tensor.dim`.
Error ScalarProgram::appendRead(Operation *op, const Environment &env) {
  Instruction in;
  in.op = op;
  in.kernel = isa<tensor::DimOp>(op) ? readExtent : readElement;
  in.resultKind = getKind(op->getResult(0).getType());
  in.tensor = constants.lookup(op->getOperand(0));
  if (!in.tensor)
    in.tensor = env.lookup(op->getOperand(0)).tensor;
  if (!in.tensor)
    return makeUnsupported(op, "expected a tensor computed outside the region");
  if (isa<tensor::ExtractOp>(op) &&
      in.tensor->shape.size() != op->getNumOperands() - 1)
    return makeUnsupported(op, "expected one index per dimension");
  for (Value index : op->getOperands().drop_front()) {
    Expected<unsigned> slot = getSlot(index, env);
    if (!slot)
      return slot.takeError();
    in.indices.push_back(*slot);
  }
  in.result = slotOf[op->getResult(0)] = addSlot();
  code.push_back(std::move(in));
  return Error::success();
}

/// `affine.apply`; `affine.min` and `affine.max` reduce over the results.
Error ScalarProgram::appendAffine(Operation *op, AffineMap map,
                                  const Environment &env) {
  SmallVector<unsigned> operands;
  for (Value operand : op->getOperands()) {
    Expected<unsigned> slot = getSlot(operand, env);
    if (!slot)
      return slot.takeError();
    operands.push_back(*slot);
  }
  Kernel reduce = lookupIntegerKernel(
      isa<affine::AffineMinOp>(op) ? "arith.minsi" : "arith.maxsi");
  unsigned slot = 0;
  for (auto [index, expr] : llvm::enumerate(map.getResults())) {
    unsigned next = appendAffineExpr(op, expr, map.getNumDims(), operands);
    if (index == 0) {
      slot = next;
      continue;
    }
    Instruction in;
    in.op = op;
    in.kernel = reduce;
    in.numOperands = 2;
    in.operandKinds[0] = in.operandKinds[1] = ValueKind::Integer;
    in.width = in.resultWidth = 64;
    in.operands[0] = slot;
    in.operands[1] = next;
    slot = in.result = addSlot();
    code.push_back(std::move(in));
  }
  slotOf[op->getResult(0)] = slot;
  return Error::success();
}

unsigned ScalarProgram::appendAffineExpr(Operation *op, AffineExpr expr,
                                         unsigned numDims,
                                         ArrayRef<unsigned> operands) {
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return operands[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return operands[numDims + symbol.getPosition()];
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return addSlot(Cell::ofInt(constant.getValue()));
  auto binary = cast<AffineBinaryOpExpr>(expr);
  Instruction in;
  in.op = op;
  in.numOperands = 2;
  in.operandKinds[0] = in.operandKinds[1] = ValueKind::Integer;
  in.width = in.resultWidth = 64;
  in.operands[0] = appendAffineExpr(op, binary.getLHS(), numDims, operands);
  in.operands[1] = appendAffineExpr(op, binary.getRHS(), numDims, operands);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    in.kernel = lookupIntegerKernel("arith.addi");
    break;
  case AffineExprKind::Mul:
    in.kernel = lookupIntegerKernel("arith.muli");
    break;
  case AffineExprKind::FloorDiv:
    in.kernel = lookupIntegerKernel("arith.floordivsi");
    break;
  case AffineExprKind::CeilDiv:
    in.kernel = lookupIntegerKernel("arith.ceildivsi");
    break;
  default:
    in.kernel = affineMod;
    break;
  }
  in.result = addSlot();
  code.push_back(in);
  return in.result;
}

Kernel lookupKernel(llvm::StringRef opName) {
  if (Kernel kernel = lookupFloatKernel(opName))
    return kernel;
  return lookupIntegerKernel(opName);
}

} // namespace reference
} // namespace attn
