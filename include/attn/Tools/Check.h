//===- Check.h - Results beside the reference -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_CHECK_H
#define ATTN_TOOLS_CHECK_H

#include "attn/Reference/Reference.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Evaluates @entry in double precision and rounds each result to its type.
llvm::Expected<std::vector<Array>>
evaluateAsArrays(mlir::ModuleOp module, llvm::StringRef entry,
                 llvm::ArrayRef<const Array *> arguments);

/// Compares each result with what the reference expects and prints a line for
/// each; false if one differs or none was compared. The reference is evaluated
/// before the kernel runs, which may write into its arguments. The output of an
/// attention op has the tolerance that the reference derives. Where the
/// reference gives alternatives for a row, the row may be any one of them, the
/// same one in all results, and is held to that one's tolerance; a row that is
/// none of them differs from the reference's own. What other ops
/// compute from one has no such bound: it is held to 256 roundings of the
/// largest element, and what rounding to types of less than 32 bits on the way
/// may add. Results that are no floats must agree exactly.
llvm::Expected<bool> checkResults(llvm::raw_ostream &os,
                                  const ReferenceResult &reference,
                                  llvm::ArrayRef<Array> results);

/// Prints similarity, score, mask and weight of one pair: positions along the
/// batch dimensions, then the query row and the key row.
llvm::Error printPairTrace(llvm::raw_ostream &os, mlir::ModuleOp module,
                           llvm::StringRef entry,
                           llvm::ArrayRef<const Array *> arguments,
                           llvm::ArrayRef<int64_t> position);

} // namespace attn

#endif // ATTN_TOOLS_CHECK_H
