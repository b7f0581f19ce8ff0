//===- ControlFlow.cpp - scf.for, scf.if, scf.while -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "attn/IR/Attn.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {
namespace reference {

bool isControlFlow(Operation *op) {
  return isa<scf::ForOp, scf::IfOp, scf::WhileOp>(op);
}

static void assign(ValueRange values, RuntimeValues numbers,
                   Environment &env) {
  for (auto [value, number] : llvm::zip_equal(values, numbers))
    env[value] = std::move(number);
}

Expected<RuntimeValues> Interpreter::evaluateControlFlow(Operation *op,
                                                         Environment &env) {
  if (auto loop = dyn_cast<scf::ForOp>(op))
    return evaluateFor(loop, env);
  if (auto loop = dyn_cast<scf::WhileOp>(op))
    return evaluateWhile(loop, env);
  auto branch = cast<scf::IfOp>(op);
  auto condition = getOperands(branch.getCondition(), op, env);
  if (!condition)
    return condition.takeError();
  Region &region = (condition->front().scalar.i & 1) ? branch.getThenRegion()
                                                     : branch.getElseRegion();
  if (region.empty())
    return RuntimeValues();
  return evaluateBlock(region.front(), env);
}

Expected<RuntimeValues> Interpreter::evaluateFor(scf::ForOp op,
                                                 Environment &env) {
  auto bounds = getOperands(
      {op.getLowerBound(), op.getUpperBound(), op.getStep()}, op, env);
  if (!bounds)
    return bounds.takeError();
  auto carried = getOperands(op.getInitArgs(), op, env);
  if (!carried)
    return carried.takeError();
  int64_t lower = (*bounds)[0].scalar.i, upper = (*bounds)[1].scalar.i;
  int64_t step = (*bounds)[2].scalar.i;
  if (step < 1)
    return makeError(op.getLoc(), "'scf.for' expected a step of at least 1, "
                                  "but got " +
                                      llvm::Twine(step));
  auto isBelow = [&](int64_t number) {
    return op.getUnsignedCmp()
               ? static_cast<uint64_t>(number) < static_cast<uint64_t>(upper)
               : number < upper;
  };
  // Counted rather than added, so that the last step cannot wrap.
  uint64_t distance = static_cast<uint64_t>(upper) - lower;
  uint64_t count = isBelow(lower) ? (distance - 1) / step + 1 : 0;
  for (uint64_t i = 0; i < count; ++i) {
    env[op.getInductionVar()].scalar =
        Cell::ofInt(static_cast<int64_t>(lower + i * step));
    assign(op.getRegionIterArgs(), std::move(*carried), env);
    carried = evaluateBlock(*op.getBody(), env);
    if (!carried)
      return carried.takeError();
    if (trace)
      return RuntimeValues();
  }
  return carried;
}

Expected<RuntimeValues> Interpreter::evaluateWhile(scf::WhileOp op,
                                                   Environment &env) {
  auto carried = getOperands(op.getInits(), op, env);
  if (!carried)
    return carried.takeError();
  while (true) {
    assign(op.getBeforeArguments(), std::move(*carried), env);
    // The condition, and what goes on.
    auto decided = evaluateBlock(*op.getBeforeBody(), env);
    if (!decided)
      return decided.takeError();
    if (trace)
      return RuntimeValues();
    bool goesOn = decided->front().scalar.i & 1;
    RuntimeValues passed(llvm::drop_begin(*decided));
    if (!goesOn)
      return passed;
    assign(op.getAfterArguments(), std::move(passed), env);
    carried = evaluateBlock(*op.getAfterBody(), env);
    if (!carried)
      return carried.takeError();
    if (trace)
      return RuntimeValues();
  }
}

/// What is needed of a value that control flow passes on is needed of all that
/// it may come from. Returns whether that added anything.
bool passNeedsOn(Operation *op, llvm::DenseSet<Value> &needed) {
  bool changed = false;
  auto need = [&](Value value) { changed |= needed.insert(value).second; };
  auto pass = [&](ValueRange to, ValueRange from) {
    for (auto [target, source] : llvm::zip_equal(to, from))
      if (needed.contains(target) || !isa<ShapedType>(target.getType()))
        need(source);
  };
  if (auto loop = dyn_cast<scf::ForOp>(op)) {
    for (Value bound : {loop.getLowerBound(), loop.getUpperBound(),
                        loop.getStep()})
      need(bound);
    // What a step gives is what the next one gets.
    for (auto [result, argument] :
         llvm::zip_equal(loop.getResults(), loop.getRegionIterArgs()))
      if (needed.contains(result))
        need(argument);
    pass(loop.getRegionIterArgs(), loop.getInitArgs());
    pass(loop.getRegionIterArgs(), loop.getYieldedValues());
  } else if (auto branch = dyn_cast<scf::IfOp>(op)) {
    need(branch.getCondition());
    for (Region *region : {&branch.getThenRegion(), &branch.getElseRegion()})
      if (!region->empty())
        pass(branch.getResults(),
             region->front().getTerminator()->getOperands());
  } else if (auto loop = dyn_cast<scf::WhileOp>(op)) {
    need(loop.getConditionOp().getCondition());
    pass(loop.getResults(), loop.getConditionOp().getArgs());
    pass(loop.getAfterArguments(), loop.getConditionOp().getArgs());
    pass(loop.getBeforeArguments(), loop.getInits());
    pass(loop.getBeforeArguments(), loop.getYieldOp().getResults());
  }
  return changed;
}

} // namespace reference
} // namespace attn
