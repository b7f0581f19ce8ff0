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
// `math`, `affine.apply`, `min` and `max`, most of `tensor`, and calls, all on
// tensors. Named attention ops have to be generalized first.
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
  /// Per element, what its error is relative to: of an attention op's output,
  /// sum_j b_j |v_j|; of its log-sum-exp, 1; of its weights, b. Here b is |w|
  /// or, where a weight changes by more than its own size with the score or in
  /// the weight region, as much more as that. Empty if the tensor is no such
  /// result or computed from one otherwise than by moving elements.
  std::vector<double> magnitude;
  /// Per element, the size of the numbers that its row's scores are computed
  /// from: the larger of |scale| max_j sum_d |similarity(q_d, k_jd)| over the
  /// visible keys and of max_j |s_j| over those whose weight is not 0, s_j the
  /// score after the score region; where that region or the similarity's rounds
  /// to a type narrower than f32, in its units. Empty where `magnitude` is.
  std::vector<double> scoreMagnitude;
  /// The number of features D summed over; 0 where `magnitude` is empty.
  int64_t features = 0;
};

struct ReferenceResult {
  std::vector<ReferenceTensor> results;
  /// (query row, key row) pairs that masks leave, over all attention ops.
  int64_t visiblePairs = 0;
  /// 2 (D_qk + D_v) per visible pair, over all attention ops.
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

/// Evaluates function `entry` of `module` on `arguments`, one per argument of
/// the function (of rank 0 for scalars). An error, of one line, if there is no
/// such function, an argument has another type or shape, an op is not known to
/// the reference (`reference cannot evaluate 'op.name'`), extents disagree, or
/// a read is out of bounds. Reads in score and weight regions count for visible
/// pairs only.
llvm::Expected<ReferenceResult>
evaluateReference(mlir::ModuleOp module, llvm::StringRef entry,
                  llvm::ArrayRef<const Array *> arguments);

/// The work of the same evaluation, without its products: masks are evaluated,
/// and of everything else only what they depend on. Errors are as above.
llvm::Expected<ReferenceWork>
countVisiblePairs(mlir::ModuleOp module, llvm::StringRef entry,
                  llvm::ArrayRef<const Array *> arguments);

/// Follows one pair of the first `attn.generic` evaluated. `position` holds one
/// number per batch dimension, then per query row dimension, then per key row
/// dimension of that op, each list in the order of the op's dimensions: for
/// most ops batch, head, i, j. If it is one number short and there are several
/// query row dimensions, as for grouped heads, its number for the last batch
/// dimension counts the pairs (last batch dimension, first query row
/// dimension): the query head. Errors are as above, or if the position is not
/// one of the op's, or no `attn.generic` is evaluated.
llvm::Expected<PairTrace> tracePair(mlir::ModuleOp module,
                                    llvm::StringRef entry,
                                    llvm::ArrayRef<const Array *> arguments,
                                    llvm::ArrayRef<int64_t> position);

} // namespace attn

#endif // ATTN_REFERENCE_REFERENCE_H
