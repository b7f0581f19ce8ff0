//===- Interpreter.cpp - Functions, op by op --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "ScalarProgram.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/ContractOp.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/TypeSwitch.h"

#include <functional>

using namespace mlir;

namespace attn {
namespace reference {

/// Calls nest at most this deep, as the stack is finite.
static constexpr unsigned maxDepth = 256;

Expected<RuntimeValues> getOperands(ValueRange values, Operation *op,
                                    const Environment &env) {
  RuntimeValues operands;
  for (Value value : values) {
    auto found = env.find(value);
    if (found == env.end())
      return makeUnsupported(op, "an operand has no value");
    operands.push_back(found->second);
  }
  return operands;
}

//===----------------------------------------------------------------------===//
// What masks depend on
//===----------------------------------------------------------------------===//

/// Adds what an op reads, in its operands or its regions.
static void addReads(Operation *op, llvm::DenseSet<Value> &values) {
  values.insert(op->operand_begin(), op->operand_end());
  op->walk([&](Operation *inner) {
    values.insert(inner->operand_begin(), inner->operand_end());
  });
}

/// Adds what the mask of an op reads.
static void addMaskReads(AttentionOpInterface op,
                         llvm::DenseSet<Value> &values) {
  if (auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation()))
    for (Value starts : {ragged.getQueryStarts(), ragged.getKeyStarts()})
      if (starts)
        values.insert(starts);
  if (std::optional<BlockList> blocks = BlockList::of(op))
    values.insert_range(ArrayRef<Value>{blocks->indptr, blocks->indices});
  if (op.getMask().empty())
    return;
  for (auto [argument, input] :
       llvm::zip_equal(op.getMask().getArguments(), op.getInputs()))
    if (!argument.use_empty())
      values.insert(input);
  op.getMask().walk([&](Operation *inner) {
    values.insert(inner->operand_begin(), inner->operand_end());
  });
}

static void addMaskReads(NamedAttentionOpInterface op,
                         llvm::DenseSet<Value> &values) {
  values.insert_range(op.getMaskOperands());
  for (Region &region : op->getRegions())
    region.walk([&](Operation *inner) {
      values.insert(inner->operand_begin(), inner->operand_end());
    });
}

/// Adds what one op needs for what is needed of it.
static void addNeeds(Operation *op, bool resultsNeeded,
                     llvm::DenseSet<Value> &needed) {
  if (isControlFlow(op))
    return;
  bool isNeeded = llvm::any_of(op->getResults(), [&](Value result) {
    return needed.contains(result) || !isa<ShapedType>(result.getType());
  });
  if (isa<func::CallOp>(op) || (isNeeded && !isa<tensor::DimOp>(op)) ||
      (resultsNeeded && isa<func::ReturnOp>(op)))
    addReads(op, needed);
  else if (auto attention = dyn_cast<AttentionOpInterface>(op))
    addMaskReads(attention, needed);
  else if (auto named = dyn_cast<NamedAttentionOpInterface>(op))
    addMaskReads(named, needed);
}

/// The values of a function that its masks, its shapes and, if asked for, its
/// results depend on. Scalars are always computed.
static llvm::DenseSet<Value> findNeeded(Block &body, bool resultsNeeded) {
  // Uses before definitions; loops pass on what they need until nothing is new.
  SmallVector<Operation *> ops;
  std::function<void(Block &)> gather = [&](Block &block) {
    for (Operation &op : llvm::reverse(block)) {
      ops.push_back(&op);
      if (isControlFlow(&op))
        for (Region &region : llvm::reverse(op.getRegions()))
          for (Block &nested : region)
            gather(nested);
    }
  };
  gather(body);
  llvm::DenseSet<Value> needed;
  for (bool changed = true; changed;) {
    changed = false;
    for (Operation *op : ops) {
      if (isControlFlow(op))
        changed |= passNeedsOn(op, needed);
      else
        addNeeds(op, resultsNeeded, needed);
    }
  }
  return needed;
}

//===----------------------------------------------------------------------===//
// Functions
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> Interpreter::call(func::FuncOp function,
                                          ArrayRef<RuntimeValue> arguments,
                                          bool resultsNeeded) {
  if (function.isExternal() || !function.getBody().hasOneBlock())
    return makeError(function.getLoc(),
                     "reference expected function '" + function.getName() +
                         "' to have a body of one block");
  if (depth == maxDepth)
    return makeError(function.getLoc(),
                     "reference expected calls to nest at most " +
                         llvm::Twine(maxDepth) + " deep");
  Block &body = function.getBody().front();
  if (body.getNumArguments() != arguments.size())
    return makeError(function.getLoc(),
                     "function '" + function.getName() + "' takes " +
                         llvm::Twine(body.getNumArguments()) +
                         " arguments, but got " +
                         llvm::Twine(arguments.size()));
  Operation *terminator = body.empty() ? nullptr : &body.back();
  if (!isa_and_nonnull<func::ReturnOp>(terminator))
    return makeError(function.getLoc(), "reference expected function '" +
                                            function.getName() +
                                            "' to end with func.return");
  llvm::DenseSet<Value> callers = std::move(needed);
  needed.clear();
  if (masksOnly)
    needed = findNeeded(body, resultsNeeded);

  Environment env;
  for (auto [argument, value] : llvm::zip_equal(body.getArguments(), arguments))
    env[argument] = value;
  ++depth;
  Expected<RuntimeValues> results = evaluateBlock(body, env);
  --depth;
  needed = std::move(callers);
  return results;
}

Expected<RuntimeValues> Interpreter::evaluateBlock(Block &block,
                                                   Environment &env) {
  for (Operation &op : block.without_terminator()) {
    bool isNeeded = !masksOnly ||
                    llvm::any_of(op.getResults(), [&](Value result) {
                      return needed.contains(result);
                    });
    Expected<RuntimeValues> results =
        isControlFlow(&op) ? evaluateControlFlow(&op, env)
                           : evaluate(&op, env, isNeeded);
    if (!results)
      return results.takeError();
    if (trace)
      return RuntimeValues();
    if (results->size() != op.getNumResults())
      return makeUnsupported(&op);
    for (auto [result, value] : llvm::zip_equal(op.getResults(), *results)) {
      auto shaped = dyn_cast<ShapedType>(result.getType());
      if (shaped && !value.tensor)
        return makeUnsupported(&op);
      if (shaped && !matchesShape(shaped, value.tensor->shape))
        return makeError(op.getLoc(),
                         "'" + op.getName().getStringRef() +
                             "' expected a result of shape " +
                             formatShape(shaped.getShape()) + ", but got " +
                             formatShape(value.tensor->shape));
      if (chance && !isControlFlow(&op))
        chance->round(result, value);
      env[result] = std::move(value);
    }
  }
  Operation *terminator = block.getTerminator();
  return getOperands(terminator->getOperands(), terminator, env);
}

Expected<RuntimeValues> Interpreter::evaluateCall(func::CallOp op,
                                                  const Environment &env,
                                                  bool needed) {
  auto callee = SymbolTable::lookupNearestSymbolFrom<func::FuncOp>(
      op, op.getCalleeAttr());
  if (!callee)
    return makeUnsupported(op, "no function '" + op.getCallee() + "'");
  Expected<RuntimeValues> operands =
      getOperands(op.getOperands(), op, env);
  if (!operands)
    return operands.takeError();
  return call(callee, *operands, needed);
}

/// Results that are as their inits, for ops whose values nobody needs.
static Expected<RuntimeValues> copyInits(DestinationStyleOpInterface op,
                                         const Environment &env) {
  return getOperands(op.getDpsInits(), op, env);
}

Expected<RuntimeValues> Interpreter::evaluate(Operation *op,
                                              const Environment &env,
                                              bool needed) {
  for (Type type : op->getResultTypes())
    if (!isSupportedElement(getElementTypeOrSelf(type)) ||
        (isa<ShapedType>(type) && !isa<RankedTensorType>(type)))
      return makeUnsupported(op, "unknown result type");
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Expected<RuntimeValue> value =
        evaluateAttribute(op->getLoc(), constant.getValue());
    if (!value)
      return value.takeError();
    return RuntimeValues{std::move(*value)};
  }
  using Result = Expected<RuntimeValues>;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case<func::CallOp>(
          [&](auto call) -> Result { return evaluateCall(call, env, needed); })
      .Case<GenericOp>([&](auto generic) -> Result {
        return evaluateGeneric(generic, env, needed);
      })
      .Case<OnlineOp>([&](auto online) -> Result {
        return evaluateOnlineOp(online, env, *this);
      })
      .Case<ReplayOp>([&](auto replay) -> Result {
        return evaluateReplayOp(replay, env, *this);
      })
      .Case<MergeOp>(
          [&](auto merge) -> Result { return evaluateMergeOp(merge, env); })
      .Case<FinishOp>(
          [&](auto finish) -> Result { return evaluateFinishOp(finish, env); })
      .Case<PackOp>(
          [&](auto pack) -> Result { return evaluatePackOp(pack, env); })
      .Case<ContractOp>([&](auto contract) -> Result {
        return evaluateContractOp(contract, env);
      })
      .Case<NamedAttentionOpInterface>([&](auto named) -> Result {
        return evaluateNamedOp(named, env, *this, needed);
      })
      .Case<linalg::LinalgOp>([&](auto linalgOp) -> Result {
        flops += countProductFlops(linalgOp, env);
        if (!needed)
          return copyInits(
              cast<DestinationStyleOpInterface>(linalgOp.getOperation()), env);
        return evaluateLinalgOp(linalgOp, env, chance);
      })
      .Case<linalg::SoftmaxOp>([&](auto softmax) -> Result {
        return evaluateSoftmaxOp(softmax, env);
      })
      .Default([&](Operation *other) -> Result {
        if (isa_and_nonnull<tensor::TensorDialect>(other->getDialect())) {
          Result results = evaluateTensorOp(other, env);
          if (!results || !results->empty() || other->getNumResults() == 0)
            return results;
        }
        return evaluateElementwiseOp(other, env);
      });
}

//===----------------------------------------------------------------------===//
// Elementwise ops
//===----------------------------------------------------------------------===//

Expected<RuntimeValues> evaluateElementwiseOp(Operation *op,
                                              const Environment &env) {
  Expected<ScalarProgram> program = ScalarProgram::compile(op, env);
  if (!program)
    return program.takeError();
  Expected<RuntimeValues> operands = getOperands(op->getOperands(), op, env);
  if (!operands)
    return operands.takeError();
  RuntimeValues results(op->getNumResults());

  // Scalars, and reads of single elements.
  if (!isa<RankedTensorType>(op->getResult(0).getType())) {
    for (auto [index, operand] : llvm::enumerate(*operands))
      program->argument(index) = operand.scalar;
    if (!program->run(nullptr))
      return program->takeError();
    for (auto [index, result] : llvm::enumerate(results))
      result.scalar = program->result(index);
    return results;
  }

  const Tensor *shape = nullptr;
  for (const RuntimeValue &operand : *operands) {
    if (!operand.tensor)
      continue;
    if (shape && shape->shape != operand.tensor->shape)
      return makeError(op->getLoc(), "'" + op->getName().getStringRef() +
                                         "' expected operands of one shape, "
                                         "but got " +
                                         formatShape(shape->shape) + " and " +
                                         formatShape(operand.tensor->shape));
    shape = operand.tensor.get();
  }
  if (!shape)
    return makeUnsupported(op);
  SmallVector<std::shared_ptr<Tensor>> tensors;
  for (Type type : op->getResultTypes()) {
    auto tensor =
        createTensor(op->getLoc(), shape->shape, getElementTypeOrSelf(type));
    if (!tensor)
      return tensor.takeError();
    tensors.push_back(std::move(*tensor));
  }
  for (int64_t i = 0, e = shape->size(); i < e; ++i) {
    for (auto [index, operand] : llvm::enumerate(*operands))
      program->argument(index) =
          operand.tensor ? operand.tensor->cells[i] : operand.scalar;
    if (!program->run(nullptr))
      return program->takeError();
    for (auto [index, tensor] : llvm::enumerate(tensors))
      tensor->cells[i] = program->result(index);
  }
  for (auto [result, tensor] : llvm::zip_equal(results, tensors))
    result.tensor = std::move(tensor);
  return results;
}

} // namespace reference
} // namespace attn
