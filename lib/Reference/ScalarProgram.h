//===- ScalarProgram.h - Regions on scalars, decoded once -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A region is evaluated once per pair, so it is decoded first: every SSA value
// becomes a slot, every op an instruction that holds its kernel and its slots.
// Constants and captured scalars are slots that are filled when decoding.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_SCALARPROGRAM_H
#define ATTN_LIB_REFERENCE_SCALARPROGRAM_H

#include "ChanceRounding.h"
#include "Tensor.h"
#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "mlir/IR/ValueRange.h"

namespace attn {
namespace reference {

struct Instruction;
struct Frame;
/// Computes the results of an instruction. False if that is an error, which
/// `Frame::message` describes.
using Kernel = bool (*)(const Instruction &, Frame &);

enum class ValueKind { Float, Integer, Flag };

struct Instruction {
  Kernel kernel = nullptr;
  /// The slot of the first result; further results follow it.
  unsigned result = 0;
  unsigned operands[3] = {0, 0, 0};
  unsigned numOperands = 0;
  /// What the operands and the results hold.
  ValueKind operandKinds[3] = {}, resultKind = ValueKind::Integer;
  /// A float's own rounding, as `error += unit |value| + least`.
  double unit = 0, least = 0;
  /// The type of the first result where it is a float.
  mlir::FloatType type;
  /// Integer widths of the first operand and the first result; 0 for floats.
  unsigned width = 0, resultWidth = 0;
  /// A predicate, or the number of a dimension.
  int64_t immediate = 0;
  /// Tensor reads: the tensor, and the slots of the indices.
  TensorRef tensor;
  SmallVector<unsigned, 4> indices;
  mlir::Operation *op = nullptr;
  /// What rounds the first result, if anything does.
  ChanceRounding *chance = nullptr;
};

struct Frame {
  Cell *slots = nullptr;
  /// What `linalg.index` and `attn.index` read, by dimension.
  const int64_t *position = nullptr;
  std::string message;

  bool fail(const llvm::Twine &text) {
    message = text.str();
    return false;
  }
};

/// The kernel of an elementwise `arith` or `math` op, null if there is none.
Kernel lookupKernel(llvm::StringRef opName);
/// Parts of it.
Kernel lookupFloatKernel(llvm::StringRef opName);
Kernel lookupIntegerKernel(llvm::StringRef opName);

class ScalarProgram {
public:
  /// Decodes the ops of a block. The arguments of the block are the arguments
  /// of the program, the operands of its terminator, or `results` if there is
  /// none, its results. Other values come from `env`.
  static Expected<ScalarProgram> compile(mlir::Block &block,
                                         const Environment &env,
                                         mlir::ValueRange results = {});
  /// Decodes one op, whose operands are the arguments, except that tensors
  /// which it reads are taken from `env`.
  static Expected<ScalarProgram> compile(mlir::Operation *op,
                                         const Environment &env);

  Cell &argument(unsigned index) { return slots[index]; }
  Cell result(unsigned index = 0) const { return slots[resultSlots[index]]; }
  unsigned getNumResults() const { return resultSlots.size(); }
  /// By how much an argument may be missed, and a result is, where a kernel
  /// rounds each op in its own type; `run` leaves both alone.
  double &argumentError(unsigned index) {
    errors.resize(slots.size(), 0);
    return errors[index];
  }
  double resultError(unsigned index = 0) const {
    return resultSlots[index] < errors.size() ? errors[resultSlots[index]] : 0;
  }
  /// Whether the program is one op whose result is argument `index`.
  bool isCopyOf(unsigned index) const {
    return code.empty() && resultSlots.size() == 1 && resultSlots[0] == index;
  }

  /// Has `run` round by chance what ops yield; what the program does, too, if
  /// `results` is set.
  void roundByChance(ChanceRounding &chance, bool results);

  /// Runs at a position. False on an error, which `takeError` gives.
  bool run(const int64_t *position) {
    Frame frame;
    frame.slots = slots.data();
    frame.position = position;
    for (const Instruction &instruction : code) {
      if (!instruction.kernel(instruction, frame)) {
        failed = &instruction;
        message = std::move(frame.message);
        return false;
      }
      if (instruction.chance) {
        Cell &cell = slots[instruction.result];
        cell.f = instruction.chance->round(instruction.type, cell.f);
      }
    }
    return true;
  }
  /// The same, and follows the errors: each op's is what its result changes by
  /// when its operands move by theirs, and its rounding.
  bool runEstimating(const int64_t *position);
  Error takeError() const { return makeError(failed->op->getLoc(), message); }

private:
  Expected<unsigned> getSlot(mlir::Value value, const Environment &env);
  Error append(mlir::Operation *op, const Environment &env);
  Error appendConstant(mlir::Operation *op, mlir::Attribute value);
  Error appendRead(mlir::Operation *op, const Environment &env);
  Error appendAffine(mlir::Operation *op, mlir::AffineMap map,
                     const Environment &env);
  unsigned appendAffineExpr(mlir::Operation *op, mlir::AffineExpr expr,
                            unsigned numDims, ArrayRef<unsigned> operands);
  unsigned addSlot(Cell value = Cell::ofInt(0)) {
    slots.push_back(value);
    return slots.size() - 1;
  }

  std::vector<Instruction> code;
  std::vector<Cell> slots;
  /// By slot, the errors; fewer where the rest is 0.
  std::vector<double> errors;
  SmallVector<unsigned> resultSlots;
  llvm::DenseMap<mlir::Value, unsigned> slotOf;
  /// Dense constants within the block.
  llvm::DenseMap<mlir::Value, TensorRef> constants;
  const Instruction *failed = nullptr;
  std::string message;
};

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_SCALARPROGRAM_H
