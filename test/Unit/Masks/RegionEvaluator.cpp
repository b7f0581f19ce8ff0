//===- RegionEvaluator.cpp - Runs scalar blocks on numbers ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RegionEvaluator.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn::test {

RegionEvaluator::RegionEvaluator(Block &block, const Environment &environment)
    : environment(environment), numArguments(block.getNumArguments()) {
  for (BlockArgument argument : block.getArguments())
    addSlot(argument);
  for (Operation &op : block) {
    if (isa<YieldOp, linalg::YieldOp>(op)) {
      for (Value value : op.getOperands())
        yielded.push_back(getSlot(value));
      break;
    }
    compile(op);
  }
}

unsigned RegionEvaluator::getSlot(Value value) {
  auto [it, inserted] = slotOf.try_emplace(value, slots.size());
  if (inserted) {
    auto known = environment.scalars.find(value);
    if (known == environment.scalars.end())
      llvm::report_fatal_error("captured value without a number");
    slots.push_back(known->second);
  }
  return it->second;
}

unsigned RegionEvaluator::addSlot(Value value) {
  slotOf[value] = slots.size();
  slots.push_back(0);
  return slots.size() - 1;
}

void RegionEvaluator::compileLoop(Operation &op) {
  Instruction loop{Opcode::Loop, {}, 0};
  for (Value operand : op.getOperands())
    loop.operands.push_back(getSlot(operand));
  Block &body = op.getRegion(0).front();
  for (BlockArgument argument : body.getArguments())
    loop.bodyArguments.push_back(addSlot(argument));
  std::vector<Instruction> before = std::move(instructions);
  instructions.clear();
  for (Operation &inner : body.without_terminator())
    compile(inner);
  loop.body = std::move(instructions);
  instructions = std::move(before);
  for (Value value : body.getTerminator()->getOperands())
    loop.bodyYielded.push_back(getSlot(value));
  for (Value result : op.getResults())
    loop.loopResults.push_back(addSlot(result));
  instructions.push_back(std::move(loop));
}

void RegionEvaluator::compile(Operation &op) {
  if (isa<scf::ForOp>(op))
    return compileLoop(op);
  Instruction instruction{Opcode::Copy, {}, 0};
  instruction.op = &op;
  ValueRange operands = op.getOperands();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    instruction.opcode = Opcode::Constant;
    auto value = cast<IntegerAttr>(constant.getValue());
    instruction.immediate = value.getType().isInteger(1)
                                ? value.getValue().getZExtValue()
                                : value.getValue().getSExtValue();
  } else if (auto index = dyn_cast<IndexOp>(op)) {
    instruction.opcode = Opcode::Index;
    instruction.immediate = index.getDim();
  } else if (auto index = dyn_cast<linalg::IndexOp>(op)) {
    instruction.opcode = Opcode::Index;
    instruction.immediate = index.getDim();
  } else if (isa<tensor::ExtractOp, tensor::DimOp>(op)) {
    instruction.opcode = isa<tensor::DimOp>(op) ? Opcode::Dim : Opcode::Extract;
    instruction.tensor = &environment.tensors.find(operands[0])->second;
    operands = operands.drop_front();
  } else {
    int opcode =
        llvm::StringSwitch<int>(op.getName().getStringRef())
            .Case("arith.addi", int(Opcode::Add))
            .Case("arith.subi", int(Opcode::Subtract))
            .Case("arith.muli", int(Opcode::Multiply))
            .Cases({"arith.divsi", "arith.divui"}, int(Opcode::DivideToZero))
            .Case("arith.floordivsi", int(Opcode::DivideDown))
            .Cases({"arith.ceildivsi", "arith.ceildivui"},
                   int(Opcode::DivideUp))
            .Cases({"arith.remsi", "arith.remui"}, int(Opcode::Remainder))
            .Cases({"arith.minsi", "arith.minui"}, int(Opcode::Minimum))
            .Cases({"arith.maxsi", "arith.maxui"}, int(Opcode::Maximum))
            .Case("arith.andi", int(Opcode::And))
            .Case("arith.ori", int(Opcode::Or))
            .Case("arith.xori", int(Opcode::ExclusiveOr))
            .Case("arith.shli", int(Opcode::ShiftLeft))
            .Cases({"arith.shrsi", "arith.shrui"}, int(Opcode::ShiftRight))
            .Case("arith.cmpi", int(Opcode::Compare))
            .Case("arith.select", int(Opcode::Select))
            .Cases({"arith.index_cast", "arith.extsi", "arith.trunci"},
                   int(Opcode::Copy))
            .Case("arith.extui", int(Opcode::ZeroExtend))
            .Case("math.absi", int(Opcode::Absolute))
            .Case("affine.apply", int(Opcode::Apply))
            .Case("affine.min", int(Opcode::ApplyMinimum))
            .Case("affine.max", int(Opcode::ApplyMaximum))
            .Default(-1);
    if (opcode < 0)
      llvm::report_fatal_error(llvm::Twine("cannot evaluate ") +
                               op.getName().getStringRef());
    instruction.opcode = Opcode(opcode);
    if (auto compare = dyn_cast<arith::CmpIOp>(op))
      instruction.immediate = int64_t(compare.getPredicate());
    if (instruction.opcode == Opcode::ZeroExtend)
      instruction.immediate =
          op.getOperand(0).getType().getIntOrFloatBitWidth();
  }
  if (auto type = dyn_cast<IntegerType>(op.getResult(0).getType()))
    instruction.width = type.getWidth();
  for (Value operand : operands)
    instruction.operands.push_back(getSlot(operand));
  instruction.result = addSlot(op.getResult(0));
  instructions.push_back(std::move(instruction));
}

static int64_t divideDown(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient * b != a && (a < 0) != (b < 0) ? quotient - 1 : quotient;
}

static bool compare(arith::CmpIPredicate predicate, int64_t a, int64_t b) {
  uint64_t ua = a, ub = b;
  switch (predicate) {
  case arith::CmpIPredicate::eq:
    return a == b;
  case arith::CmpIPredicate::ne:
    return a != b;
  case arith::CmpIPredicate::slt:
    return a < b;
  case arith::CmpIPredicate::sle:
    return a <= b;
  case arith::CmpIPredicate::sgt:
    return a > b;
  case arith::CmpIPredicate::sge:
    return a >= b;
  case arith::CmpIPredicate::ult:
    return ua < ub;
  case arith::CmpIPredicate::ule:
    return ua <= ub;
  case arith::CmpIPredicate::ugt:
    return ua > ub;
  case arith::CmpIPredicate::uge:
    return ua >= ub;
  }
  return false;
}

static int64_t evaluateAffine(AffineExpr expr, ArrayRef<int64_t> dims,
                              ArrayRef<int64_t> symbols) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return constant.getValue();
  if (auto dim = dyn_cast<AffineDimExpr>(expr))
    return dims[dim.getPosition()];
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
    return symbols[symbol.getPosition()];
  auto binary = cast<AffineBinaryOpExpr>(expr);
  int64_t a = evaluateAffine(binary.getLHS(), dims, symbols);
  int64_t b = evaluateAffine(binary.getRHS(), dims, symbols);
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    return a + b;
  case AffineExprKind::Mul:
    return a * b;
  case AffineExprKind::FloorDiv:
    return divideDown(a, b);
  case AffineExprKind::CeilDiv:
    return -divideDown(-a, b);
  default:
    return a - divideDown(a, b) * b;
  }
}

int64_t RegionEvaluator::evaluate(const Instruction &instruction,
                                  ArrayRef<int64_t> positions) {
  int64_t exact = compute(instruction, positions);
  return instruction.width == 1 ? exact & 1
                                : llvm::SignExtend64(exact, instruction.width);
}

int64_t RegionEvaluator::compute(const Instruction &instruction,
                                 ArrayRef<int64_t> positions) {
  auto get = [&](unsigned index) { return slots[instruction.operands[index]]; };
  switch (instruction.opcode) {
  case Opcode::Loop: // Has several results, and a function of its own.
    return 0;
  case Opcode::Constant:
    return instruction.immediate;
  case Opcode::Index:
    return positions[instruction.immediate];
  case Opcode::Add:
    return uint64_t(get(0)) + uint64_t(get(1));
  case Opcode::Subtract:
    return uint64_t(get(0)) - uint64_t(get(1));
  case Opcode::Multiply:
    return uint64_t(get(0)) * uint64_t(get(1));
  case Opcode::DivideToZero:
    return get(0) / get(1);
  case Opcode::DivideDown:
    return divideDown(get(0), get(1));
  case Opcode::DivideUp:
    return -divideDown(-get(0), get(1));
  case Opcode::Remainder:
    return get(0) % get(1);
  case Opcode::Minimum:
    return std::min(get(0), get(1));
  case Opcode::Maximum:
    return std::max(get(0), get(1));
  case Opcode::And:
    return get(0) & get(1);
  case Opcode::Or:
    return get(0) | get(1);
  case Opcode::ExclusiveOr:
    return get(0) ^ get(1);
  case Opcode::ShiftLeft:
    return uint64_t(get(0)) << get(1);
  case Opcode::ShiftRight:
    return get(0) >> get(1);
  case Opcode::Compare:
    return compare(arith::CmpIPredicate(instruction.immediate), get(0), get(1));
  case Opcode::Select:
    return get(0) ? get(1) : get(2);
  case Opcode::Copy:
    return get(0);
  case Opcode::ZeroExtend:
    return get(0) & ((uint64_t(1) << instruction.immediate) - 1);
  case Opcode::Absolute:
    return std::abs(get(0));
  case Opcode::Extract: {
    int64_t offset = 0;
    for (size_t i = 0; i < instruction.operands.size(); ++i) {
      if (get(i) < 0 || get(i) >= instruction.tensor->shape[i])
        llvm::report_fatal_error("read out of bounds");
      offset = offset * instruction.tensor->shape[i] + get(i);
    }
    return instruction.tensor->elements[offset];
  }
  case Opcode::Dim:
    return instruction.tensor->shape[get(0)];
  case Opcode::Apply:
  case Opcode::ApplyMinimum:
  case Opcode::ApplyMaximum: {
    AffineMap map =
        cast<AffineMapAttr>(instruction.op->getAttr("map")).getValue();
    std::vector<int64_t> values;
    for (unsigned slot : instruction.operands)
      values.push_back(slots[slot]);
    ArrayRef<int64_t> all = values;
    std::vector<int64_t> results;
    for (AffineExpr expr : map.getResults())
      results.push_back(evaluateAffine(expr, all.take_front(map.getNumDims()),
                                       all.drop_front(map.getNumDims())));
    return instruction.opcode == Opcode::ApplyMaximum
               ? *std::max_element(results.begin(), results.end())
               : *std::min_element(results.begin(), results.end());
  }
  }
  return 0;
}

void RegionEvaluator::run(ArrayRef<Instruction> instructions,
                          ArrayRef<int64_t> positions) {
  for (const Instruction &instruction : instructions) {
    if (instruction.opcode == Opcode::Loop)
      runLoop(instruction, positions);
    else
      slots[instruction.result] = evaluate(instruction, positions);
  }
}

void RegionEvaluator::runLoop(const Instruction &loop,
                              ArrayRef<int64_t> positions) {
  std::vector<int64_t> carried;
  for (unsigned init : ArrayRef(loop.operands).drop_front(3))
    carried.push_back(slots[init]);
  int64_t end = slots[loop.operands[1]], step = slots[loop.operands[2]];
  for (int64_t i = slots[loop.operands[0]]; i < end; i += step) {
    slots[loop.bodyArguments[0]] = i;
    for (size_t k = 0; k < carried.size(); ++k)
      slots[loop.bodyArguments[1 + k]] = carried[k];
    run(loop.body, positions);
    for (size_t k = 0; k < carried.size(); ++k)
      carried[k] = slots[loop.bodyYielded[k]];
  }
  for (size_t k = 0; k < carried.size(); ++k)
    slots[loop.loopResults[k]] = carried[k];
}

std::vector<int64_t> RegionEvaluator::operator()(ArrayRef<int64_t> arguments,
                                                 ArrayRef<int64_t> positions) {
  if (arguments.size() != numArguments)
    llvm::report_fatal_error("wrong number of arguments");
  std::copy(arguments.begin(), arguments.end(), slots.begin());
  run(instructions, positions);
  std::vector<int64_t> results;
  for (unsigned slot : yielded)
    results.push_back(slots[slot]);
  return results;
}

void Environment::evaluateEmpty(Operation *op) {
  std::vector<int64_t> &shape = tensors[op->getResult(0)].shape;
  unsigned next = 0;
  for (int64_t size : cast<ShapedType>(op->getResult(0).getType()).getShape())
    shape.push_back(ShapedType::isDynamic(size)
                        ? scalars.lookup(op->getOperand(next++))
                        : size);
}

void Environment::evaluateGeneric(Operation *op) {
  Block &body = op->getRegion(0).front();
  std::vector<int64_t> shape = tensors.lookup(op->getOperand(0)).shape;
  int64_t size = 1;
  for (int64_t extent : shape)
    size *= extent;
  std::vector<IntegerTensor> results(op->getNumResults(), {shape, {}});
  RegionEvaluator evaluator(body, *this);
  std::vector<int64_t> arguments(body.getNumArguments());
  std::vector<int64_t> positions(shape.size());
  for (int64_t i = 0; i < size; ++i) {
    int64_t rest = i;
    for (size_t dim = shape.size(); dim-- > 0; rest /= shape[dim])
      positions[dim] = rest % shape[dim];
    std::vector<int64_t> yielded = evaluator(arguments, positions);
    for (size_t result = 0; result < results.size(); ++result)
      results[result].elements.push_back(yielded[result]);
  }
  for (size_t result = 0; result < results.size(); ++result)
    tensors[op->getResult(result)] = std::move(results[result]);
}

void Environment::evaluateBefore(Operation *op) {
  for (Operation &before : *op->getBlock()) {
    if (&before == op)
      return;
    if (isa<tensor::EmptyOp>(before))
      evaluateEmpty(&before);
    else if (isa<linalg::GenericOp>(before))
      evaluateGeneric(&before);
    if (before.getNumResults() != 1 ||
        !before.getResult(0).getType().isIntOrIndex())
      continue;
    Block empty;
    RegionEvaluator evaluator(empty, *this);
    evaluator.compile(before);
    scalars[before.getResult(0)] =
        evaluator.evaluate(evaluator.instructions.front(), {});
  }
}

} // namespace attn::test
