//===- Opt.cpp - The driver behind attn-opt ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Opt.h"
#include "attn/Support/Input.h"
#include "attn/Support/LargeStack.h"
#include "attn/Support/Nesting.h"
#include "attn/Version.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

using namespace attn;
using namespace mlir;

static int fail(int status, const llvm::Twine &message) {
  llvm::errs() << "attn-opt: error: " << message << "\n";
  return status;
}

/// LLVM's code generator has options that are named like stages' and that would
/// be read and forgotten.
static bool isStageOption(llvm::StringRef text) {
  if (!text.consume_front("-"))
    return false;
  text.consume_front("-");
  llvm::StringRef name = text.split('=').first;
  return name == "stop-after" || name == "start-after";
}

static int refuseStageOption(llvm::StringRef text) {
  auto [name, stage] = text.ltrim('-').split('=');
  return fail(2,
              "expected stages among the options of the pipeline, but got '" +
                  text + "'; write --attn-cpu-pipeline=" + name + "=" +
                  (stage.empty() ? "STAGE" : stage));
}

/// Reads the file, and writes what comes of it.
static int process(const std::string &inputName, const std::string &outputName,
                   DialectRegistry &registry, const MlirOptMainConfig &config) {
  auto input = readInput(inputName);
  if (!input)
    return fail(1, llvm::toString(input.takeError()));
  if (!isBytecode(**input))
    if (llvm::Error error = checkNesting((*input)->getBuffer(),
                                         (*input)->getBufferIdentifier()))
      return fail(1, llvm::toString(std::move(error)));
  std::string message;
  std::unique_ptr<llvm::ToolOutputFile> output =
      openOutputFile(outputName, &message);
  if (!output)
    return fail(1, message);
  if (failed(MlirOptMain(output->os(), std::move(*input), registry, config)))
    return 1;
  output->keep();
  return 0;
}

int attn::runOpt(int argc, char **argv, DialectRegistry &registry) {
  llvm::InitLLVM init(argc, argv);
  for (char *argument : llvm::ArrayRef(argv, argc).drop_front()) {
    if (llvm::StringRef(argument) == "--")
      break;
    if (isStageOption(argument))
      return refuseStageOption(argument);
  }
  static llvm::cl::opt<std::string> inputName(llvm::cl::Positional,
                                              llvm::cl::desc("<input file>"),
                                              llvm::cl::init("-"));
  static llvm::cl::opt<std::string> outputName(
      "o", llvm::cl::desc("Output filename"),
      llvm::cl::value_desc("filename"), llvm::cl::init("-"));
  llvm::cl::SetVersionPrinter([](llvm::raw_ostream &os) {
    os << "attn " ATTN_VERSION "\nLLVM version " LLVM_VERSION_STRING "\n";
  });
  std::string help = registerCLIOptions(
      "attn " ATTN_VERSION ": modular optimizer driver\n", registry);
  if (!llvm::cl::ParseCommandLineOptions(argc, argv, help, &llvm::errs()))
    return 2;
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (config.shouldListPasses())
    printRegisteredPasses();
  if (config.shouldShowDialects())
    for (llvm::StringRef name : registry.getDialectNames())
      llvm::outs() << name << "\n";
  if (config.shouldListPasses() || config.shouldShowDialects())
    return 0;
  return runOnLargeStack(
      [&] { return process(inputName, outputName, registry, config); });
}
