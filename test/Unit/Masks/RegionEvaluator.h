//===- RegionEvaluator.h - Runs scalar blocks on numbers --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Evaluates mask, `ranges` and `classify` regions as they stand, to compare
// what the analysis says of a mask with the mask itself. It shares nothing with
// the analysis.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_MASKS_REGIONEVALUATOR_H
#define ATTN_TEST_UNIT_MASKS_REGIONEVALUATOR_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include <vector>

namespace attn::test {

struct IntegerTensor {
  std::vector<int64_t> shape, elements;
};

/// What blocks see from outside.
struct Environment {
  llvm::DenseMap<mlir::Value, int64_t> scalars;
  llvm::DenseMap<mlir::Value, IntegerTensor> tensors;

  /// Evaluates the ops that stand before an op in its block: those on scalars,
  /// and `linalg.generic` that reads nothing but what its body extracts.
  void evaluateBefore(mlir::Operation *op);

private:
  void evaluateEmpty(mlir::Operation *op);
  void evaluateGeneric(mlir::Operation *op);
};

class RegionEvaluator {
public:
  RegionEvaluator(mlir::Block &block, const Environment &environment);

  /// What the block yields for these arguments and positions (`attn.index`).
  std::vector<int64_t> operator()(llvm::ArrayRef<int64_t> arguments,
                                  llvm::ArrayRef<int64_t> positions = {});

private:
  friend struct Environment;
  enum class Opcode {
    Constant,
    Index,
    Add,
    Subtract,
    Multiply,
    DivideToZero,
    DivideDown,
    DivideUp,
    Remainder,
    Minimum,
    Maximum,
    And,
    Or,
    ExclusiveOr,
    ShiftLeft,
    ShiftRight,
    Compare,
    Select,
    Copy,
    ZeroExtend,
    Absolute,
    Extract,
    Apply,
    ApplyMinimum,
    ApplyMaximum,
    Dim,
    /// scf.for: operands are the bounds, the step and the inits.
    Loop
  };
  struct Instruction {
    Opcode opcode;
    std::vector<unsigned> operands;
    unsigned result;
    int64_t immediate = 0;
    /// Of the result, in bits.
    unsigned width = 64;
    const IntegerTensor *tensor = nullptr;
    mlir::Operation *op = nullptr;
    /// Loop: the body, and the slots of its arguments, of what it yields and of
    /// the results.
    std::vector<Instruction> body{};
    std::vector<unsigned> bodyArguments{}, bodyYielded{}, loopResults{};
  };

  unsigned getSlot(mlir::Value value);
  unsigned addSlot(mlir::Value value);
  void compile(mlir::Operation &op);
  void compileLoop(mlir::Operation &op);
  void run(llvm::ArrayRef<Instruction> instructions,
           llvm::ArrayRef<int64_t> positions);
  void runLoop(const Instruction &loop, llvm::ArrayRef<int64_t> positions);
  int64_t evaluate(const Instruction &instruction,
                   llvm::ArrayRef<int64_t> positions);
  /// The same, with more bits than the result has.
  int64_t compute(const Instruction &instruction,
                  llvm::ArrayRef<int64_t> positions);

  const Environment &environment;
  std::vector<Instruction> instructions;
  std::vector<int64_t> slots;
  std::vector<unsigned> yielded;
  unsigned numArguments;
  llvm::DenseMap<mlir::Value, unsigned> slotOf;
};

} // namespace attn::test

#endif // ATTN_TEST_UNIT_MASKS_REGIONEVALUATOR_H
