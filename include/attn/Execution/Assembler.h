//===- Assembler.h - From the text of kernels to code -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_ASSEMBLER_H
#define ATTN_EXECUTION_ASSEMBLER_H

#include "attn/Analysis/GPUTarget.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Error.h"

namespace attn {

/// NVIDIA's assembler: `named` or, if that is empty, the `ptxas` of PATH, of
/// CUDA_HOME or of /usr/local/cuda. Empty if there is none.
std::string findAssembler(llvm::StringRef named = "");

/// The code of kernels, and what the assembler says of them, lines.
struct AssembledKernels {
  std::string code, report;
};

/// Assembles PTX for `gpu`. An error, of one line, says what the assembler does
/// not take.
llvm::Expected<AssembledKernels>
assemble(llvm::StringRef assembler, llvm::StringRef ptx, const GPUTarget &gpu);

/// By name of a kernel: the bytes of shared memory that its launches ask for,
/// the most where they differ. Kernels whose launches ask for none, or for what
/// is not known before they run, are not there.
llvm::StringMap<int64_t> getLaunchMemory(mlir::ModuleOp module);

/// Of each kernel that a report is of, a line: registers, bytes of shared
/// memory, of local memory and of spills. `launchMemory` is shared memory that
/// launches ask for, by kernel, beside what the code does.
std::string summarizeReport(llvm::StringRef report,
                            const llvm::StringMap<int64_t> &launchMemory);

} // namespace attn

#endif // ATTN_EXECUTION_ASSEMBLER_H
