//===- PackedCode.h - A function with a uniform entry -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_PACKEDCODE_H
#define ATTN_LIB_EXECUTION_PACKEDCODE_H

#include "DeviceCode.h"
#include "attn/Execution/Kernel.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/IR/Module.h"
#include "llvm/Target/TargetMachine.h"

namespace attn {

/// Which arrays of a call are rows that lie anywhere, with any outer strides.
/// The others lie row by row.
struct Lending {
  Lending(size_t numArguments, size_t numResults)
      : arguments(numArguments), results(numResults) {}

  bool none() const {
    return !llvm::is_contained(arguments, true) &&
           !llvm::is_contained(results, true);
  }
  bool operator<(const Lending &other) const {
    return std::tie(arguments, results) <
           std::tie(other.arguments, other.results);
  }

  std::vector<bool> arguments, results;
};

/// A function as optimized LLVM IR, with all that it calls.
struct PackedCode {
  std::unique_ptr<llvm::Module> module;
  /// The name of an `attn_rt_entry`.
  std::string entry;
  /// Whether it counts key tiles.
  bool counts = false;
  /// The kernels that it launches, if it is for a GPU: for the emulator, or for
  /// drivers.
  std::unique_ptr<EmulatedCode> emulated;
  std::vector<KernelImages> images;
};

/// Takes `function` of `module`, which is used up, through the stages. `lent`
/// is left with what the code takes as it lies: of the results no more than was
/// asked for. `assembler` is that of GPUs, which is not needed. An error, of
/// one line, also if a function is called that has no body.
llvm::Expected<PackedCode>
compilePacked(mlir::ModuleOp module, mlir::func::FuncOp function,
              const CompileOptions &options, Lending &lent,
              llvm::LLVMContext &context, llvm::TargetMachine &machine,
              llvm::StringRef assembler = "");

} // namespace attn

#endif // ATTN_LIB_EXECUTION_PACKEDCODE_H
