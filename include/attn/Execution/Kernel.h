//===- Kernel.h - A compiled function with a checked call -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_KERNEL_H
#define ATTN_EXECUTION_KERNEL_H

#include "attn/Support/Array.h"
#include "attn/Pipelines/Pipelines.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

#include <memory>
#include <vector>

namespace attn {

/// What a function argument or result takes.
struct TensorSpec {
  ElementType type = ElementType::F32;
  /// Extents; a negative one is dynamic.
  llvm::SmallVector<int64_t> shape;
  /// A number that is passed by value, not a tensor of rank 0.
  bool scalar = false;
};

/// What a value of `type` takes: a ranked tensor or, with `scalars`, a scalar,
/// of elements that arrays hold. An error for any other type.
llvm::Expected<TensorSpec> getTensorSpec(mlir::Type type, bool scalars = true);

/// The error of a call that a check of the compiled code ended.
class CheckError : public llvm::ErrorInfo<CheckError> {
public:
  static char ID;
  explicit CheckError(std::string text) : text(std::move(text)) {}
  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

private:
  std::string text;
};

struct CompileOptions {
  /// The stages and their options; the target is read off `cpu`, `features`.
  StageOptions stages;
  /// As LLVM names it; empty: the host.
  std::string cpu;
  /// Changes to the features of the CPU, as in `+avx2,-fma`.
  std::string features;
  /// Verify the module after every pass, not only as it is read. It makes
  /// compilation slower.
  bool verifyEach = false;
};

/// Fills `options.cpu` and `options.stages.target`, the host's where no CPU is
/// given; `options.features` are changes to the features of that CPU. An error
/// if LLVM does not know the CPU or one of the features, or if it cannot
/// compile for them.
llvm::Error resolveTarget(CompileOptions &options);

/// An error if code for the target of `options`, which is resolved, may hold
/// instructions that this machine lacks.
llvm::Error checkHostRuns(const CompileOptions &options);

/// Runs the stages on `module`, up to `options.stages.stopAfter`. An error is
/// the first diagnostic, on one line, with its location. Remarks go to
/// `remarks`, if given.
llvm::Error lowerModule(mlir::ModuleOp module, const CompileOptions &options,
                        llvm::raw_ostream *remarks = nullptr);

/// Prints a module that has been through all stages as optimized LLVM IR, or as
/// assembly of the target.
llvm::Error printLLVM(mlir::ModuleOp module, const CompileOptions &options,
                      bool assembly, llvm::raw_ostream &os);

/// A function of a module, compiled in process. The call checks every argument
/// before it jumps: number, element type, rank, extents, and that extents which
/// an attention op wants equal are.
class Kernel {
public:
  /// Compiles @entry of `module`, which is lowered in place: names change. The
  /// function takes and returns ranked tensors (and takes scalars) of types
  /// that arrays hold. An error, of one line, also if this machine cannot
  /// execute what `options` ask for, or if a function is called that has no
  /// body.
  static llvm::Expected<std::unique_ptr<Kernel>>
  compile(mlir::ModuleOp module, llvm::StringRef entry,
          const CompileOptions &options = {});
  ~Kernel();

  llvm::ArrayRef<TensorSpec> getArguments() const;
  llvm::ArrayRef<TensorSpec> getResults() const;

  /// Calls the function. The results are its own memory, new in every call.
  /// Nothing is executed if an argument is not what it takes.
  llvm::Expected<std::vector<Array>>
  call(llvm::ArrayRef<const Array *> arguments) const;

  /// Key tiles that all calls so far have looked at, computed, and found full
  /// before computing them. Zeros unless compiled with `stages.countTiles`.
  struct TileCounts {
    int64_t examined = 0, computed = 0, full = 0;
  };
  TileCounts getTileCounts() const;

private:
  struct Impl;
  explicit Kernel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace attn

#endif // ATTN_EXECUTION_KERNEL_H
