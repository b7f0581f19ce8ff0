//===- Interpreter.h - Functions, op by op ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_INTERPRETER_H
#define ATTN_LIB_REFERENCE_INTERPRETER_H

#include "Tensor.h"
#include "attn/Reference/Reference.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/DenseSet.h"

namespace attn {

class AttentionOpInterface;
class GenericOp;
class NamedAttentionOpInterface;
class OnlineOp;
class ReplayOp;
class MergeOp;
class FinishOp;
class PackOp;
class ContractOp;

namespace reference {

class ChanceRounding;
using RuntimeValues = SmallVector<RuntimeValue>;

/// Evaluates functions of one module.
class Interpreter {
public:
  explicit Interpreter(mlir::ModuleOp module) : module(module) {}

  /// Evaluates masks only, and what they depend on.
  bool masksOnly = false;
  /// Stops at the first attention op and fills `trace`.
  std::optional<SmallVector<int64_t>> tracePosition;
  /// Rounds what is between ops; null for numbers that nothing rounds.
  ChanceRounding *chance = nullptr;
  /// Whether kernels may round weights to f16.
  bool roundsWeights = false;

  int64_t visiblePairs = 0;
  double flops = 0;
  /// Those of ReferenceResult, and the rows that they are of.
  std::vector<ReferenceAlternatives> alternatives;
  int64_t numUndecidedRows = 0;
  std::optional<PairTrace> trace;

  /// The values returned; nothing once `trace` is filled. In masks-only mode
  /// those that masks do not depend on are zero.
  Expected<RuntimeValues> call(mlir::func::FuncOp function,
                               ArrayRef<RuntimeValue> arguments,
                               bool resultsNeeded);

private:
  /// What the terminator of a block gives; nothing once `trace` is filled.
  Expected<RuntimeValues> evaluateBlock(mlir::Block &block, Environment &env);
  Expected<RuntimeValues> evaluateControlFlow(mlir::Operation *op,
                                              Environment &env);
  Expected<RuntimeValues> evaluateFor(mlir::scf::ForOp op, Environment &env);
  Expected<RuntimeValues> evaluateWhile(mlir::scf::WhileOp op,
                                        Environment &env);
  Expected<RuntimeValues> evaluate(mlir::Operation *op, const Environment &env,
                                   bool needed);
  Expected<RuntimeValues> evaluateCall(mlir::func::CallOp op,
                                       const Environment &env, bool needed);
  Expected<RuntimeValues> evaluateGeneric(GenericOp op, const Environment &env,
                                          bool needed);
  /// Requests of different lengths, one by one.
  Expected<RuntimeValues> evaluateRequests(GenericOp op,
                                           ArrayRef<RuntimeValue> mapped,
                                           const Environment &env, bool needed);
  /// All rows of `mapped`, or of one request.
  Expected<RuntimeValues> evaluateRows(GenericOp op,
                                       ArrayRef<RuntimeValue> mapped,
                                       const Environment &env, bool needed,
                                       std::optional<int64_t> request);

  mlir::ModuleOp module;
  unsigned depth = 0;
  /// In masks-only mode, what masks depend on in the function at hand.
  llvm::DenseSet<mlir::Value> needed;
};

/// Whether the op is one of `scf` that the interpreter evaluates.
bool isControlFlow(mlir::Operation *op);
/// Adds what values that are needed come from by way of control flow; whether
/// there was any.
bool passNeedsOn(mlir::Operation *op, llvm::DenseSet<mlir::Value> &needed);

/// The tensor or scalar of every operand, in order.
Expected<RuntimeValues> getOperands(mlir::ValueRange values,
                                    mlir::Operation *op,
                                    const Environment &env);

/// Ops of the `tensor` dialect; no values at all for an op it does not know.
Expected<RuntimeValues> evaluateTensorOp(mlir::Operation *op,
                                         const Environment &env);
/// Structured ops.
Expected<RuntimeValues> evaluateLinalgOp(mlir::linalg::LinalgOp op,
                                         const Environment &env,
                                         ChanceRounding *chance);
/// Softmax along a dimension.
Expected<RuntimeValues> evaluateSoftmaxOp(mlir::linalg::SoftmaxOp op,
                                          const Environment &env);
/// 2 per product of a contraction, 0 for other structured ops.
double countProductFlops(mlir::linalg::LinalgOp op, const Environment &env);
/// Elementwise ops and other ops on scalars, on tensors element by element.
Expected<RuntimeValues> evaluateElementwiseOp(mlir::Operation *op,
                                              const Environment &env);
/// A named op, by its own definition.
Expected<RuntimeValues> evaluateNamedOp(NamedAttentionOpInterface op,
                                        const Environment &env,
                                        Interpreter &interpreter, bool needed);
class AttentionRows;
/// The number of query rows that a step has.
int64_t countValidRows(OnlineOp op, const AttentionRows &rows,
                       const Environment &env);
/// A tensor with room for bounds: those of `init` if it has some, else the size
/// of its elements.
std::shared_ptr<Tensor> copyWithBounds(const Tensor &init);

/// The tiled form of attention.
Expected<RuntimeValues> evaluateOnlineOp(OnlineOp op, const Environment &env,
                                         Interpreter &interpreter);
Expected<RuntimeValues> evaluateReplayOp(ReplayOp op, const Environment &env,
                                         Interpreter &interpreter);
Expected<RuntimeValues> evaluateMergeOp(MergeOp op, const Environment &env);
Expected<RuntimeValues> evaluateFinishOp(FinishOp op, const Environment &env);
Expected<RuntimeValues> evaluatePackOp(PackOp op, const Environment &env);
Expected<RuntimeValues> evaluateContractOp(ContractOp op,
                                           const Environment &env);

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_INTERPRETER_H
