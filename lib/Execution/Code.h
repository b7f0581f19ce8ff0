//===- Code.h - The machine code of a function ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_EXECUTION_CODE_H
#define ATTN_LIB_EXECUTION_CODE_H

#include "attn/Execution/Kernel.h"
#include "attn/Runtime/attn_rt.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
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
