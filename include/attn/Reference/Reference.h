//===- Reference.h - The double-precision evaluator -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The reference gives the dialect its meaning: it interprets a function op by
// op, in two plain passes over each query row, and shares no code with the
// lowering. All float arithmetic is in double and nothing is rounded on the
// way, whatever the types say; only an explicit `arith.truncf` rounds. Integers
// wrap at the width of their type.
//
// It understands the core ops (`attn.generic`, `attn.online`, `attn.merge`,
// `attn.finish`, `attn.pack`), structured `linalg` ops, elementwise `arith` and
// `math`, `affine.apply`, `min` and `max`, most of `tensor`, `scf.for`,
// `scf.if` and `scf.while`, and calls, recursive ones too, all on tensors.
// Named attention ops evaluate themselves, from their own definition.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_REFERENCE_REFERENCE_H
#define ATTN_REFERENCE_REFERENCE_H

#include "attn/Support/Array.h"
#include "mlir/IR/BuiltinOps.h"

#include <optional>

namespace attn {

/// One result of a function. A scalar is a tensor of rank 0.
struct ReferenceTensor {
  llvm::SmallVector<int64_t> shape;
  mlir::Type elementType;
  /// Row-major, never rounded to the element type. Integers beyond 2^53 are
  /// rounded to the nearest double; i1 is 0 or 1.
  std::vector<double> values;
  /// Per element, the size of what it is made of, which its error is small
  /// against: of an attention op's output, sum_j b_j |v_j|, b_j being |w_j| or
  /// a 1024th of the row's largest; of its log-sum-exp, 1 or its size; of its
  /// weights, b_j. Empty if the tensor is no such result or computed from one
  /// otherwise than by moving elements.
  std::vector<double> magnitude;
  /// Per element, by how much a kernel may miss it, before it is rounded to its
  /// own type: the roundings of the score, of every op of the score region in
  /// the op's own type, of weighting and sums, followed through to the element.
  /// Infinite where nothing can be said: a read at an index within the error of
  /// another. Empty where `magnitude` is.
  std::vector<double> error;
  /// Per element, by how much more a kernel may miss it that multiplies
  /// matrices in pairs of bf16, for which numbers that are not normal may count
  /// as 0. Empty if the tensor is no such product, moved at most.
  std::vector<double> flushed;
  /// Per element, by how much more a kernel may miss it since numbers on the
  /// way are of types of less than 32 bits, and may be rounded to them. Empty
  /// if there are none, or the elements are no floats.
  std::vector<double> rounded;
  /// Per element, which of `ReferenceResult::alternatives` is its, -1 for none.
  /// Empty if no element has any.
  std::vector<int64_t> alternatives;
};

/// What an element is where its row makes one choice or another, by the number
/// of the choice, the reference's own first: the scores differ by less than a
/// kernel may miss them.
struct ReferenceAlternatives {
  /// Elements of one row are all of one choice, in whichever results they are.
  int64_t row = 0;
  std::vector<double> values, magnitudes, errors;
};

struct ReferenceResult {
  std::vector<ReferenceTensor> results;
  std::vector<ReferenceAlternatives> alternatives;
  /// (query row, key row) pairs that masks leave, over all attention ops.
  int64_t visiblePairs = 0;
  /// 2 (D_qk + D_v) per visible pair, over all attention ops, and 2 per product
  /// of a contraction.
  double flops = 0;
};

/// What masks leave to compute; see ReferenceResult.
struct ReferenceWork {
  int64_t visiblePairs = 0;
  double flops = 0;
};

/// One pair of a query row and a key row, step by step.
struct PairTrace {
  /// sum_d similarity(q, k).
  double similarity = 0;
  /// scale * similarity.
  double scaledScore = 0;
  /// Whether the mask lets the pair be seen.
  bool visible = true;
  /// After the score region; none for a hidden pair, where it is not evaluated.
  std::optional<double> score;
  /// After weighting and weight region; 0 for a hidden pair.
  double weight = 0;
  /// The number of keys that the query row sees.
  int64_t visibleKeys = 0;
};

/// What the bounds of a reference are for.
struct ReferenceOptions {
  /// Whether kernels may round weights to f16, to multiply them by values of
  /// it, as those of GPUs do.
  bool roundsWeights = false;
  /// Whether to find out what numbers of less than 32 bits on the way may lose,
  /// for which the function is evaluated several times.
  bool boundsRoundings = true;
};

/// Evaluates function `entry` of `module` on `arguments`, one per argument of
/// the function (of rank 0 for scalars). An error, of one line, if there is no
/// such function, an argument has another type or shape, an op is not known to
/// the reference (`reference cannot evaluate 'op.name'`), extents disagree, or
/// a read is out of bounds. Reads in score and weight regions count for visible
/// pairs only.
llvm::Expected<ReferenceResult>
evaluateReference(mlir::ModuleOp module, llvm::StringRef entry,
                  llvm::ArrayRef<const Array *> arguments,
                  const ReferenceOptions &options = {});

/// The work of the same evaluation, without its products: masks are evaluated,
/// and of everything else only what they depend on. Errors are as above.
llvm::Expected<ReferenceWork>
countVisiblePairs(mlir::ModuleOp module, llvm::StringRef entry,
                  llvm::ArrayRef<const Array *> arguments);

/// Follows one pair of the first `attn.generic` or named op evaluated.
/// `position` holds, for a named op, one number per dimension of its rows, then
/// the key: batch, head, i, j. For `attn.generic` it holds one number per batch
/// dimension, then per query row dimension, then per key row dimension, each
/// list in the order of the op's dimensions. If it is one number short and
/// there are several query row dimensions, as for grouped heads, its number for
/// the last batch dimension counts the pairs (last batch dimension, first query
/// row dimension): the query head. Errors are as above, or if the position is
/// not one of the op's, or no such op is evaluated.
llvm::Expected<PairTrace> tracePair(mlir::ModuleOp module,
                                    llvm::StringRef entry,
                                    llvm::ArrayRef<const Array *> arguments,
                                    llvm::ArrayRef<int64_t> position);

} // namespace attn

#endif // ATTN_REFERENCE_REFERENCE_H
