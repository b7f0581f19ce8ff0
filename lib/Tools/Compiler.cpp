//===- Compiler.cpp - What attn-compile does --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Compiler.h"
#include "CompilerHeader.h"
#include "CompilerOutput.h"
#include "DriverCompile.h"

#include "attn/Execution/Module.h"
#include "attn/Support/LargeStack.h"
#include "attn/Support/Output.h"
#include "attn/Version.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

using namespace attn;
using namespace mlir;
using llvm::Error;

static constexpr int statusFailed = 1, statusBadInput = 2;

static int fail(int status, Error error) {
  llvm::errs() << "attn-compile: error: " << llvm::toString(std::move(error))
               << "\n";
  return status;
}

static OutputFile makeFile(const std::string &path, StringRef bytes) {
  return {path, [bytes](int file) {
            return writeBytes(file, bytes.data(), bytes.size());
          }};
}

static int compile(const CompilerCommand &command, const std::string &tool,
                   DialectRegistry &registry) {
  if (Error error = checkWritable({command.output, command.header}))
    return fail(statusBadInput, std::move(error));
  if (Error error = checkLibraryTargets(command.getLibraryOptions()))
    return fail(statusBadInput, std::move(error));
  MLIRContext context(registry, MLIRContext::Threading::DISABLED);
  llvm::Expected<OwningOpRef<ModuleOp>> module =
      parseModule(command.file, context);
  if (!module)
    return fail(statusBadInput, module.takeError());
  LibraryOptions options = command.getLibraryOptions();
  std::vector<UnfusedOp> unfused;
  options.compile.onRemark = [&](const StageRemark &remark) {
    if (readUnfused(remark, unfused))
      llvm::errs() << "attn-compile: " << unfused.back().location
                   << "unfused: " << unfused.back().reason << "\n";
  };
  llvm::Expected<Library> library = compileLibrary(**module, options);
  if (!library)
    return fail(statusFailed, library.takeError());
  std::string header;
  llvm::raw_string_ostream os(header);
  printLibraryHeader(os, *library, llvm::sys::path::filename(command.header));
  auto output = makeOutput(command, *library, tool);
  if (!output)
    return fail(statusFailed, output.takeError());
  Error error = writeFiles({makeFile(command.output, (*output)->getBuffer()),
                            makeFile(command.header, header)});
  return error ? fail(statusFailed, std::move(error)) : 0;
}

/// Says so if stdout could not take what was printed.
static int finish() {
  llvm::outs().flush();
  if (!llvm::outs().has_error())
    return 0;
  std::string message = llvm::outs().error().message();
  llvm::outs().clear_error();
  return fail(statusBadInput,
              llvm::createStringError("stdout cannot be written: " + message));
}

int attn::compileMain(int argc, char **argv, DialectRegistry &registry) {
  llvm::Expected<CompilerCommand> command =
      parseCompilerCommand(llvm::ArrayRef<char *>(argv, argc));
  if (!command)
    return fail(statusBadInput, command.takeError());
  if (command->help) {
    printCompilerHelp(llvm::outs());
    return finish();
  }
  if (command->version) {
    llvm::outs() << "attn-compile " << ATTN_VERSION << " (LLVM "
                 << ATTN_LLVM_VERSION << ")\n";
    return finish();
  }
  std::string tool = llvm::sys::fs::getMainExecutable(
      argv[0], reinterpret_cast<void *>(&compileMain));
  return runOnLargeStack([&] { return compile(*command, tool, registry); });
}
