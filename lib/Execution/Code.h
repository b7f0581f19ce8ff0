//===- Code.h - The machine code of a function ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_CODE_H
#define ATTN_LIB_EXECUTION_CODE_H

#include "PackedCode.h"
#include "attn/Runtime/attn_rt_code.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Target/TargetMachine.h"

namespace attn {

/// A function as machine code, for one way in which arrays lie.
struct Code {
  /// Compiles `function` of `module`, which is used up. An error, of one line,
  /// also if a function is called that has no body.
  static llvm::Expected<std::unique_ptr<Code>>
  compile(mlir::ModuleOp module, mlir::func::FuncOp function,
          const CompileOptions &options, Lending lent);

  /// Takes pointers to its arguments: the results that it returns, then each
  /// argument, then the outputs that are lent to it.
  void (*function)(attn_rt_context *, void **) = nullptr;
  /// The counters in the code, if it counts.
  const int64_t *tileCounts = nullptr;
  /// What the code takes as it lies. Of the results no more than was asked for.
  Lending lent{0, 0};

  /// The kernels that it launches, if it is for a GPU: the emulator's, or a
  /// driver's.
  std::unique_ptr<EmulatedCode> emulated;
  std::unique_ptr<LoadableCode> loadable;

private:
  Code() = default;
  llvm::Error createJIT(std::unique_ptr<llvm::TargetMachine> machine);
  /// The address of a symbol, once the code is added.
  template <typename T> llvm::Error lookup(llvm::StringRef name, T &address);

  /// What the JIT says beside the error of a lookup; it may until it is gone.
  std::string linkMessage;
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace attn

#endif // ATTN_LIB_EXECUTION_CODE_H
