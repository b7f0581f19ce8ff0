//===- Verify.h - Verification that ops share -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_VERIFY_H
#define ATTN_IR_VERIFY_H

#include "attn/IR/Attn.h"

namespace attn {
namespace detail {

/// Constraints (C1) to (C5), (C9), (C12) and (C13) of `attn.generic`.
mlir::LogicalResult verifyAttentionOperands(AttentionOpInterface op);

/// Constraints (C6) to (C8) of `attn.generic`.
mlir::LogicalResult verifyAttentionRegions(AttentionOpInterface op);

/// Constraint (C14) of `attn.generic`.
mlir::LogicalResult verifyBoundRegions(GenericOp op);

/// The weighting is of one of `kinds` and has what its kind asks for. Reported
/// as constraint `label`.
mlir::LogicalResult verifyWeighting(mlir::Operation *op, llvm::StringRef label,
                                    WeightingAttrInterface weighting,
                                    llvm::ArrayRef<WeightingKind> kinds);

/// Statistic `number` of the weighting has its leading dimension and its
/// elements. Reported as constraint `label`.
mlir::LogicalResult verifyStatistic(mlir::Operation *op, llvm::StringRef label,
                                    WeightingAttrInterface weighting,
                                    unsigned number, mlir::Type type,
                                    mlir::FloatType accType);

/// Names the arguments of `ranges` and `classify`: b0, m_lo, m_hi, n_lo, ...
void nameBoundArguments(GenericOp op, mlir::Region &region,
                        mlir::OpAsmSetValueNameFn setName);

/// (C7) of `attn.generic` for one op in a region of `owner`, reported as
/// constraint `label`.
mlir::LogicalResult verifyElementwiseOp(mlir::Operation *owner,
                                        mlir::Operation *op,
                                        llvm::StringRef regionName,
                                        llvm::StringRef label);

/// The same for all ops of a region.
mlir::LogicalResult verifyElementwiseBody(mlir::Region &region,
                                          llvm::StringRef regionName,
                                          llvm::StringRef label);

/// The region has arguments of the given types and ends with an `attn.yield` of
/// `results`. Reported as constraint `label`.
mlir::LogicalResult verifyBodySignature(mlir::Region &region,
                                        llvm::StringRef regionName,
                                        mlir::TypeRange arguments,
                                        mlir::TypeRange results,
                                        llvm::StringRef label);

/// Operands are all tensors or all memrefs, scalars aside, and results have
/// the types of the inits. Reported as constraint `label`.
mlir::LogicalResult verifyDestinationStyle(mlir::DestinationStyleOpInterface op,
                                           llvm::StringRef label);

/// An operand of a tile in a layout: how errors call it, what it is to the
/// tile, its logical dimensions and its type.
struct StoredOperand {
  std::string name;
  LayoutAttrInterface layout;
  OperandRole role;
  mlir::AffineMap map;
  mlir::Type type;
  /// Leading dimensions that the map does not name.
  unsigned numLeading = 0;
};

/// The operand has the extents that the layout fixes, and the innermost of them
/// unit stride. Reported as constraint `label`.
mlir::LogicalResult verifyStoredShape(mlir::Operation *op,
                                      llvm::StringRef label,
                                      const StoredOperand &operand);

/// The same, and its elements have the layout's type.
mlir::LogicalResult verifyStoredOperand(mlir::Operation *op,
                                        llvm::StringRef label,
                                        const StoredOperand &operand,
                                        mlir::FloatType accType);

/// The dimensions that (C16) of `attn.online` asks for. Without them, stored
/// shapes have no meaning.
mlir::LogicalResult verifyTileDimensions(OnlineOp op);

/// Constraints (C16) and (C17) of `attn.online` otherwise.
mlir::LogicalResult verifyLayout(OnlineOp op);

/// Constraint (C5) of `attn.finish`, and of `attn.merge`.
mlir::LogicalResult verifyLayout(FinishOp op);
mlir::LogicalResult verifyLayout(MergeOp op);

/// There is a `key_tile` where the number of key rows is dynamic, and there are
/// no more key rows than it says. `map` is where the key is stored.
mlir::LogicalResult verifyKeyTile(AttentionOpInterface op,
                                  llvm::StringRef label,
                                  std::optional<uint64_t> keyTile,
                                  mlir::AffineMap map);

/// Operands agree on the extent of each dimension: (C4) of all that have maps.
/// Those that `isFree` holds for may have any extent along dimension 0.
mlir::LogicalResult
verifyExtents(AttentionOpInterface op, llvm::ArrayRef<mlir::Value> operands,
              llvm::function_ref<bool(unsigned)> isFree = nullptr);

/// Names the arguments of a region of pairs: q, k, s, w, in0, in1, ...
void nameRegionArguments(AttentionOpInterface op, mlir::Region &region,
                         mlir::OpAsmSetValueNameFn setName);

/// How errors call operand `index`: "query", "input 2", "output", ...
std::string getOperandName(AttentionOpInterface op, unsigned index);
std::string getOperandName(FinishOp op, unsigned index);

/// The extents of a shaped type, none for a scalar.
llvm::ArrayRef<int64_t> getShapeOrScalar(mlir::Type type);

/// The widest of f32 and the float element types of `types`.
mlir::FloatType getWidestFloat(mlir::TypeRange types);

/// Prints `(f32, index)`-like lists of types.
std::string printTypes(mlir::TypeRange types);

/// Reads of inputs and writes (and reads) of inits of an op on memrefs.
void getDestinationStyleEffects(
    mlir::DestinationStyleOpInterface op, bool readsInits,
    llvm::SmallVectorImpl<mlir::SideEffects::EffectInstance<
        mlir::MemoryEffects::Effect>> &effects);

} // namespace detail
} // namespace attn

#endif // ATTN_IR_VERIFY_H
