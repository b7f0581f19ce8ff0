//===- Library.h - Functions compiled ahead of time -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_LIBRARY_H
#define ATTN_EXECUTION_LIBRARY_H

#include "attn/Execution/Signature.h"
#include "llvm/Support/MemoryBuffer.h"

namespace attn {

/// How functions are compiled for C.
struct LibraryOptions {
  /// The target but its CPU and what kind of code, and the stages.
  CompileOptions compile;
  /// The CPUs to compile for, the least first; none: this machine's. Where code
  /// runs, the last is taken that the machine can execute.
  std::vector<std::string> cpus;
  /// The GPUs whose kernels are embedded, if `compile.stages.device` is one:
  /// as text, which later GPUs take, too, and as their code if there is an
  /// assembler. The host's code is then for any CPU of the architecture.
  std::vector<std::string> chips;
  /// NVIDIA's assembler, `ptxas`; empty: none.
  std::string assembler;
  /// Whether arrays are taken that do not lie row by row; it takes twice the
  /// code.
  bool strided = true;
  /// What the symbols of the functions begin with.
  std::string prefix;
};

/// A function of a library.
struct LibraryFunction {
  /// In the module, and in C.
  std::string name, symbol;
  Signature signature;
  /// The extents of results that are those of arguments.
  struct ResultExtent {
    unsigned result, dim, argument, argumentDim;
  };
  std::vector<ResultExtent> resultExtents;
};

/// What was compiled.
struct Library {
  std::vector<LibraryFunction> functions;
  /// The CPUs, or GPUs, as LLVM names them.
  std::vector<std::string> cpus;
  /// Whether functions run on a GPU.
  bool gpu = false;
  /// As LLVM writes it.
  std::string triple;
  /// The object, in which nothing is visible but the functions. It needs the C
  /// runtime, the C library, and that of mathematical functions.
  std::unique_ptr<llvm::MemoryBuffer> object;
};

/// Compiles every public function of `module` to one object. Each takes a
/// context of the runtime, its arguments and where its results go, and returns
/// a status: `docs/libraries.md`. The same module and options give the same
/// bytes. An error, of one line, if there is no such function, if one of them
/// cannot be called from C, if the target is none of 64 bits and ELF, or if the
/// assembler fails.
llvm::Expected<Library> compileLibrary(mlir::ModuleOp module,
                                       const LibraryOptions &options);

/// An error if code for C cannot be compiled for one of the CPUs.
llvm::Error checkLibraryTargets(const LibraryOptions &options);

} // namespace attn

#endif // ATTN_EXECUTION_LIBRARY_H
