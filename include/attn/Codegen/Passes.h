//===- Passes.h - Passes that make vectors and LLVM -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_PASSES_H
#define ATTN_CODEGEN_PASSES_H

#include "attn/Analysis/GPUTarget.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/X86Vector/X86VectorDialect.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Pass/Pass.h"

namespace attn {

/// The policies by name, for options.
inline llvm::cl::ValuesClass getWgmmaPolicyValues() {
  return llvm::cl::values(
      clEnumValN(WgmmaPolicy::Auto, "auto",
                 "those that can, with another for other arrays"),
      clEnumValN(WgmmaPolicy::Always, "always",
                 "those that can, without others"),
      clEnumValN(WgmmaPolicy::Never, "never", "none"));
}

#define GEN_PASS_DECL
#include "attn/Codegen/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "attn/Codegen/Passes.h.inc"

/// |x| = max(x, -x) of integers, `index` included, which conversions do not
/// know.
void populateExpandAbsIPatterns(mlir::RewritePatternSet &patterns);

} // namespace attn

#endif // ATTN_CODEGEN_PASSES_H
