//===- Assembler.h - From the text of kernels to code -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_ASSEMBLER_H
#define ATTN_EXECUTION_ASSEMBLER_H

#include "attn/Analysis/GPUTarget.h"
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

/// Of each kernel that a report is of, a line: registers, shared memory that
/// the code asks for, and bytes of local memory and of spills.
std::string summarizeReport(llvm::StringRef report);

} // namespace attn

#endif // ATTN_EXECUTION_ASSEMBLER_H
