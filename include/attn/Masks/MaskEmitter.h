//===- MaskEmitter.h - Index arithmetic, folded as emitted ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_MASKS_MASKEMITTER_H
#define ATTN_MASKS_MASKEMITTER_H

#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include <map>
#include <tuple>

namespace attn {

/// An index or a truth value: a constant, or an SSA value.
class Scalar {
public:
  Scalar(int64_t constant = 0) : constant(constant) {}
  Scalar(mlir::Value value) : value(value) {}

  bool isConstant() const { return !value; }
  bool isConstant(int64_t number) const { return !value && constant == number; }
  int64_t getConstant() const { return constant; }
  /// Null for a constant.
  mlir::Value getValue() const { return value; }

  bool operator==(const Scalar &other) const {
    return value == other.value && constant == other.constant;
  }
  bool operator!=(const Scalar &other) const { return !(*this == other); }

private:
  mlir::Value value;
  int64_t constant = 0;
};

/// Emits `arith` ops on `index` and `i1` at the end of a block. What is
/// constant is computed at once, an op is never emitted twice, offsets are
/// gathered
/// (`(x + 1) - 1` is `x`), and a minimum, maximum or comparison that is decided
/// by what was assumed of the values is not emitted. Constants stand at the
/// start of the block.
class IndexEmitter {
public:
  IndexEmitter(mlir::OpBuilder &builder, mlir::Location loc,
               mlir::Block &block);

  void assumeNonNegative(mlir::Value value) { nonNegative.insert(value); }
  void assumeLessEqual(mlir::Value lhs, mlir::Value rhs) {
    lessEqual.insert({lhs, rhs});
  }
  bool isKnownNonNegative(Scalar value) const;
  /// lhs <= rhs, if it is known whether.
  std::optional<bool> decideLessEqual(Scalar lhs, Scalar rhs,
                                      unsigned depth = 2) const;

  Scalar add(Scalar lhs, Scalar rhs);
  /// `value + 1`, added inside of minima and maxima where that is no loss.
  Scalar incrementInside(Scalar value);
  Scalar subtract(Scalar lhs, Scalar rhs);
  Scalar negate(Scalar value) { return subtract(0, value); }
  Scalar multiply(Scalar lhs, Scalar rhs);
  Scalar minimum(Scalar lhs, Scalar rhs);
  Scalar maximum(Scalar lhs, Scalar rhs);

  /// Divisions: the divisor must be positive.
  Scalar floorDivide(Scalar lhs, Scalar rhs);
  Scalar ceilDivide(Scalar lhs, Scalar rhs);
  Scalar truncatingDivide(Scalar lhs, Scalar rhs);

  Scalar isLessEqual(Scalar lhs, Scalar rhs);
  /// The same where no offset may change sides: either may be any number.
  Scalar isLessEqualAsIs(Scalar lhs, Scalar rhs);
  Scalar isEqual(Scalar lhs, Scalar rhs);
  Scalar conjoin(Scalar lhs, Scalar rhs);
  Scalar disjoin(Scalar lhs, Scalar rhs);
  Scalar invert(Scalar truth);
  Scalar select(Scalar condition, Scalar ifTrue, Scalar ifFalse);

  /// A signless integer or index, read as signed, as an index.
  Scalar toIndex(mlir::Value value);

  mlir::Value materialize(Scalar value);
  mlir::Value materializeTruth(Scalar truth);

  /// The number of ops emitted so far.
  unsigned getNumOps() const { return numOps; }
  /// Counts ops that were emitted past this.
  void countOps(unsigned count) { numOps += count; }
  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }

private:
  enum class Opcode {
    Add,
    Subtract,
    Multiply,
    Minimum,
    Maximum,
    FloorDivide,
    CeilDivide,
    TruncatingDivide,
    LessEqual,
    Less,
    Equal,
    NotEqual,
    And,
    Or,
    Not,
    Select
  };
  struct Definition {
    Opcode opcode;
    Scalar operands[3];
  };

  /// Emits the op, or finds it.
  Scalar emit(Opcode opcode, Scalar a, Scalar b, Scalar c = 0);
  mlir::Value create(Opcode opcode, Scalar a, Scalar b, Scalar c);
  /// How `value` was made, if by this opcode.
  std::optional<Definition> getDefinition(Scalar value, Opcode opcode) const;
  /// Splits `value` into a value, or zero, and a constant.
  std::pair<Scalar, int64_t> split(Scalar value) const;
  mlir::Value getConstant(int64_t constant, mlir::Type type);
  Scalar extremum(Opcode opcode, Scalar lhs, Scalar rhs);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  mlir::Block &block;
  unsigned numOps = 0;
  using Key =
      std::tuple<int, void *, int64_t, void *, int64_t, void *, int64_t>;
  std::map<Key, mlir::Value> emitted;
  llvm::DenseMap<mlir::Value, Definition> definitions;
  std::map<std::pair<void *, int64_t>, mlir::Value> constants;
  llvm::DenseMap<mlir::Value, mlir::Value> casts;
  llvm::DenseSet<mlir::Value> nonNegative;
  llvm::DenseSet<std::pair<mlir::Value, mlir::Value>> lessEqual;
};

} // namespace attn

#endif // ATTN_MASKS_MASKEMITTER_H
