//===- DriverReference.h - Results beside the reference ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_DRIVERREFERENCE_H
#define ATTN_LIB_EXECUTION_DRIVERREFERENCE_H

#include "attn/Execution/Kernel.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Turns the named ops of `module` into core ops, which the reference knows.
llvm::Error generalizeForReference(mlir::ModuleOp module);

/// Evaluates @entry in double precision and rounds each result to its type.
llvm::Expected<std::vector<Array>>
evaluateAsArrays(mlir::ModuleOp module, llvm::StringRef entry,
                 llvm::ArrayRef<const Array *> arguments,
                 llvm::ArrayRef<TensorSpec> results);

/// Compares each result with the reference, within the tolerance that its
/// scores and weights allow (see `getTolerance`), and prints a line for each.
/// False if one differs.
llvm::Expected<bool> checkResults(llvm::raw_ostream &os, mlir::ModuleOp module,
                                  llvm::StringRef entry,
                                  llvm::ArrayRef<const Array *> arguments,
                                  llvm::ArrayRef<Array> results);

/// Prints similarity, score, mask and weight of one pair: positions along the
/// batch dimensions, then the query row and the key row.
llvm::Error printPairTrace(llvm::raw_ostream &os, mlir::ModuleOp module,
                           llvm::StringRef entry,
                           llvm::ArrayRef<const Array *> arguments,
                           llvm::ArrayRef<int64_t> position);

} // namespace attn

#endif // ATTN_LIB_EXECUTION_DRIVERREFERENCE_H
