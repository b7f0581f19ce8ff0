//===- Kernel.h - A compiled function with a checked call -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_KERNEL_H
#define ATTN_EXECUTION_KERNEL_H

#include "attn/Emulator/Emulator.h"
#include "attn/Pipelines/Pipelines.h"
#include "attn/Support/Array.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/SmallVector.h"

#include <functional>
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
/// of elements that arrays hold; with `memrefs`, a memref with the layout of an
/// array, too. An error for any other type.
llvm::Expected<TensorSpec> getTensorSpec(mlir::Type type, bool scalars = true,
                                         bool memrefs = false);

/// What a stage found or chose for an op.
struct StageRemark {
  /// `file:line:column: `, or nothing where that is not known.
  std::string location;
  /// What it is about, as in `fusion`, and what it says.
  std::string name, text;
  /// Something was not done that could have been hoped for.
  bool missed = false;
};

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

/// What code is generated for. Nothing of it is set for the process.
struct TargetDescription {
  /// As LLVM writes it; empty: this process's.
  std::string triple;
  /// As LLVM names it; empty or `native`: the host.
  std::string cpu;
  /// Changes to the features of the CPU, as in `+avx2,-fma`.
  std::string features;
  /// Code that runs wherever it is loaded.
  bool pic = true;
  /// For memory of this process, not for a file.
  bool jit = true;
};

struct CompileOptions : TargetDescription {
  /// The stages and their options; their target is read off the description.
  StageOptions stages;
  /// Verify the module after every pass, not only as it is read. It makes
  /// compilation slower.
  bool verifyEach = false;
  /// Whether kernels of a GPU, if `stages.device` is one, run on this machine's
  /// CPU, and how.
  bool emulated = false;
  EmulatorOptions emulator;
  /// Called with each remark of the stages, in the order of the source, once
  /// they have run.
  std::function<void(const StageRemark &)> onRemark;
};

/// Where the elements of an array lie, as DLPack has it: `type` is a constant
/// of attn_rt.h or attn_rt_gpu.h.
struct ArrayPlace {
  int32_t type = 1, number = 0;
};

/// An array of somebody else, borrowed for a call: its elements are neither
/// copied nor kept. Code for a GPU takes arrays on it, all of a call, or copies
/// those of the CPU.
struct ArrayView {
  ElementType type = ElementType::F32;
  ArrayPlace place;
  /// The element at position 0 in every dimension.
  void *data = nullptr;
  /// Extents, and strides in elements. The innermost stride is 1, or the extent
  /// at most 1; the others are any that are not negative.
  llvm::SmallVector<int64_t> shape, strides;

  /// All of `array`, which outlives the view.
  static ArrayView of(Array &array);
  /// The same of an array that the function only reads.
  static ArrayView of(const Array &array);
};

/// How to call a kernel.
struct CallOptions {
  /// How many threads a parallel loop takes: 1 the caller's alone, 0 as many as
  /// OpenMP would take. Results do not depend on it.
  int threads = 0;
  /// On a GPU, a CUcontext and a CUstream of it. Null: the current context or,
  /// without one, the primary one of the GPU; its default stream. Calls wait.
  void *cudaContext = nullptr, *cudaStream = nullptr;
};

/// Fills `options.cpu` and `options.stages.target`, the host's where no CPU is
/// given; `options.features` are changes to the features of that CPU. An error
/// if LLVM does not know the CPU or one of the features, or if it cannot
/// compile for them.
llvm::Error resolveTarget(CompileOptions &options);

/// An error if code for the target of `options`, which is resolved, may hold
/// instructions that this machine lacks.
llvm::Error checkHostRuns(const CompileOptions &options);

/// Drops the functions that function `entry` does not call; the others become
/// private.
llvm::Error dropUncalled(mlir::ModuleOp module, llvm::StringRef entry);

/// Runs the stages on `module`, after `options.stages.startAfter` and up to
/// `options.stages.stopAfter`. An error is the first diagnostic, on one line,
/// with its location.
llvm::Error lowerModule(mlir::ModuleOp module, const CompileOptions &options);

/// Prints a module that has been through all stages as optimized LLVM IR, or as
/// assembly of the target.
llvm::Error printLLVM(mlir::ModuleOp module, const CompileOptions &options,
                      bool assembly, llvm::raw_ostream &os);

/// Prints the kernels of a module that has been through stage `nvvm`, for the
/// GPU `chip`: optimized LLVM IR, or with `text` what its driver takes, PTX of
/// the least version that has the chip, or for one of AMD's the assembly of it.
llvm::Error printKernels(mlir::ModuleOp module, llvm::StringRef chip, bool text,
                         llvm::raw_ostream &os);

/// What to compile for the GPU that calls run on where they say nothing else:
/// the latest chip that it is or follows on. An error, of one line, says what
/// is missing: a GPU, its driver, or a later one of either.
llvm::Expected<GPUTarget> findPresentGPU();

/// A function of a module, compiled in process. The call checks every argument
/// before it jumps: number, element type, rank, extents, strides, and that
/// extents which an attention op wants equal are. What only the run can check
/// ends the call with a `CheckError`. Calls of one kernel may run at once.
class Kernel {
public:
  /// Compiles @entry of `module`, which stays as it is and need not stay. With
  /// `options.stages.startAfter`, the module is what that stage left. The
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

  /// Calls the function. The results are its own memory, new in every call;
  /// arguments are not written, unless the function says that it does, by
  /// `bufferization.writable = true`.
  /// Nothing is executed if an argument is not what it takes.
  llvm::Expected<std::vector<Array>>
  call(llvm::ArrayRef<const Array *> arguments,
       const CallOptions &options = {}) const;

  /// The same with borrowed arrays, which are read where they are: no argument
  /// is copied, nor written. Results are written into `outputs`, one each, of
  /// which no two elements, nor one and an argument's, share memory; what is
  /// computed in a `tensor.empty` is computed there, what the function has
  /// elsewhere is copied. After an error they hold anything.
  ///
  /// Where arrays do not lie row by row (slices, transposed outer dimensions,
  /// repeated rows of stride 0), the code is another one, compiled in the first
  /// such call for those arrays that do not: that call takes as long as
  /// `compile`. An error if the kernel was compiled from what stage `bufferize`
  /// or a later one has left.
  llvm::Error call(llvm::ArrayRef<ArrayView> arguments,
                   llvm::ArrayRef<ArrayView> outputs,
                   const CallOptions &options = {}) const;

  /// Calls the function on a GPU `runs` times (0: as many as half a second
  /// holds, at least 7) after warm-up, with arguments that are copied there
  /// once. How long the GPU took each time, by its clock, in milliseconds.
  /// `results` are those of the last call.
  llvm::Expected<std::vector<double>>
  timeOnGPU(llvm::ArrayRef<const Array *> arguments, int64_t runs,
            std::vector<Array> &results) const;

  /// Key tiles that all calls so far have looked at, computed, and found full
  /// before computing them. Zeros unless compiled with `stages.countTiles`.
  struct TileCounts {
    int64_t examined = 0, computed = 0, full = 0;
  };
  TileCounts getTileCounts() const;

  /// What the launches of all calls so far have done, on a GPU that is
  /// emulated.
  EmulatorCounts getEmulatorCounts() const;

private:
  struct Impl;
  explicit Kernel(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl;
};

} // namespace attn

#endif // ATTN_EXECUTION_KERNEL_H
