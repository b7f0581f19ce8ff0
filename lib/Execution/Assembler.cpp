//===- Assembler.cpp - From the text of kernels to code ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Assembler.h"
#include "attn/Support/TemporaryFile.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"

using namespace mlir;
using llvm::Error;
using llvm::StringRef;

namespace attn {

std::string findAssembler(StringRef named) {
  if (!named.empty()) {
    auto found = llvm::sys::findProgramByName(named);
    return found ? *found : named.str();
  }
  if (auto found = llvm::sys::findProgramByName("ptxas"))
    return *found;
  llvm::SmallVector<std::string> folders{"/usr/local/cuda"};
  if (auto home = llvm::sys::Process::GetEnv("CUDA_HOME"))
    folders.insert(folders.begin(), *home);
  for (const std::string &folder : folders) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, "bin", "ptxas");
    if (llvm::sys::fs::can_execute(path))
      return path.str().str();
  }
  return "";
}

static std::string readFile(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false,
                                            /*IsVolatile=*/true);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

llvm::Expected<AssembledKernels> assemble(StringRef assembler, StringRef ptx,
                                          const GPUTarget &gpu) {
  if (!llvm::sys::fs::can_execute(assembler))
    return llvm::createStringError("expected NVIDIA's assembler, but '" +
                                   assembler +
                                   "' is no program; name ptxas, "
                                   "or leave kernels to drivers with "
                                   "--ptxas=none");
  TemporaryFile text, code, messages;
  if (Error error = text.create("ptx", ptx))
    return std::move(error);
  if (Error error = code.create("cubin", ""))
    return std::move(error);
  if (Error error = messages.create("txt", ""))
    return std::move(error);
  std::string arch = "-arch=" + gpu.chip.str();
  StringRef arguments[] = {assembler,      "-v", arch,
                           text.getPath(), "-o", code.getPath()};
  std::optional<StringRef> redirects[] = {StringRef(), messages.getPath(),
                                          messages.getPath()};
  std::string failure;
  int status = llvm::sys::ExecuteAndWait(assembler, arguments, std::nullopt,
                                         redirects, 0, 0, &failure);
  AssembledKernels result{readFile(code.getPath()),
                          readFile(messages.getPath())};
  if (status == 0 && !result.code.empty())
    return result;
  for (StringRef line : llvm::split(result.report, '\n'))
    if (failure.empty() && (line.contains("fatal") || line.contains("error")))
      failure = line.trim().str();
  return llvm::createStringError(
      "the kernels cannot be assembled for " + gpu.chip + " by '" + assembler +
      "'" + (failure.empty() ? "" : ": " + failure) +
      "; take a later one, or leave them to drivers with --ptxas=none");
}

/// The number before `what` in a line, or 0.
static int64_t readNumber(StringRef line, StringRef what) {
  size_t end = line.find(what);
  if (end == StringRef::npos)
    return 0;
  StringRef before = line.take_front(end).rtrim();
  size_t begin = before.find_last_not_of("0123456789");
  int64_t number = 0;
  before.substr(begin == StringRef::npos ? 0 : begin + 1)
      .getAsInteger(10, number);
  return number;
}

std::string summarizeReport(StringRef report,
                            const llvm::StringMap<int64_t> &launchMemory) {
  std::string summary;
  StringRef kernel;
  int64_t stack = 0, stores = 0, loads = 0;
  for (StringRef line : llvm::split(report, '\n')) {
    if (line.contains("Compiling entry function"))
      kernel = line.split('\'').second.split('\'').first;
    if (line.contains("bytes stack frame")) {
      stack = readNumber(line, "bytes stack frame");
      stores = readNumber(line, "bytes spill stores");
      loads = readNumber(line, "bytes spill loads");
    }
    if (!line.contains("Used ") || kernel.empty())
      continue;
    // A byte stands for what the launch asks for.
    int64_t shared = readNumber(line, "bytes smem");
    int64_t asked = launchMemory.lookup(kernel);
    shared = asked && shared == 1 ? asked : shared + asked;
    summary += llvm::formatv("{0}: {1} registers, {2} bytes of shared memory, "
                             "{3} of stack, {4} of spill stores, {5} of spill "
                             "loads\n",
                             kernel, readNumber(line, "registers"), shared,
                             stack, stores, loads)
                   .str();
    kernel = "";
  }
  return summary;
}

llvm::StringMap<int64_t> getLaunchMemory(ModuleOp module) {
  llvm::StringMap<int64_t> memory;
  module.walk([&](gpu::LaunchFuncOp launch) {
    Value bytes = launch.getDynamicSharedMemorySize();
    std::optional<int64_t> known =
        bytes ? getConstantIntValue(bytes) : std::nullopt;
    if (!known)
      return;
    int64_t &most = memory[launch.getKernelName().getValue()];
    most = std::max(most, *known);
  });
  return memory;
}

} // namespace attn
