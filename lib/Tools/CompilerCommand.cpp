//===- CompilerCommand.cpp - The command line of attn-compile ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompilerCommand.h"
#include "CommandLine.h"

#include "attn/Execution/Assembler.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using namespace attn;
using llvm::createStringError;
using llvm::Error;
using llvm::StringRef;

using Option = CommandOption<CompilerCommand>;
using Value = OptionValue;

/// Names between commas, each once.
static Error parseNames(StringRef text, StringRef option,
                        std::vector<std::string> &result) {
  llvm::SmallVector<StringRef> names;
  text.split(names, ',');
  result.clear();
  for (StringRef name : names) {
    if (name.empty())
      return makeValueError(
          "--" + option.str() + "=NAME,... with a name in each place", text);
    if (llvm::is_contained(result, name))
      return makeValueError(
          "--" + option.str() + "=NAME,... with each name once", text);
    result.push_back(name.str());
  }
  return Error::success();
}

static Error parseCpus(StringRef text, CompilerCommand &command) {
  return parseNames(text, "cpu", command.cpus);
}

static Error parseChips(StringRef text, CompilerCommand &command) {
  if (Error error = parseNames(text, "chip", command.chips))
    return error;
  for (const std::string &name : command.chips)
    if (!GPUTarget::find(name))
      return makeValueError("--chip of " + GPUTarget::listChips(), name);
    else if (GPUTarget::find(name)->isAMD())
      return llvm::createStringError(
          "expected a --chip of NVIDIA's, but got " + name +
          ", for which libraries are not built; print its kernels with "
          "attn-run --target=gpu --chip=" +
          name + " --emit=asm");
  return Error::success();
}

static Error parseTriple(StringRef text, CompilerCommand &command) {
  command.gpu = text == "gpu";
  command.triple = command.gpu || text == "cpu" ? "" : text.str();
  return Error::success();
}

static Error parseFusionPolicy(StringRef text, CompilerCommand &command) {
  return parsePolicy(text, "fusion", command.fusion);
}

static Error parseWgmmaPolicy(StringRef text, CompilerCommand &command) {
  return parsePolicy(text.empty() ? StringRef("always") : text, "wgmma",
                     command.wgmma);
}

static const Option optionTable[] = {
    {"o", Value::Required, "NAME",
     "the object (.o), static (.a) or shared library (.so) to write",
     Option::parseText<&CompilerCommand::output>},
    {"header", Value::Required, "FILE.h",
     "the C header to write (default: beside it, libNAME.so's is NAME.h)",
     Option::parseText<&CompilerCommand::header>},
    {"cpu", Value::Required, "NAME,...",
     "the CPUs to compile for, the least first; the last that a machine can "
     "execute runs there (default: this machine's)",
     parseCpus},
    {"features", Value::Required, "LIST",
     "changes to the features of each --cpu, such as +avx2,-fma",
     Option::parseText<&CompilerCommand::features>},
    {"target", Value::Required, "gpu|TRIPLE",
     "GPUs of NVIDIA's, or another architecture or system, such as "
     "aarch64-linux-gnu",
     parseTriple},
    {"chip", Value::Required, "NAME,...",
     "the GPUs to compile for (default: sm_80); later ones run the latest that "
     "they follow on",
     parseChips},
    {"ptxas", Value::Required, "PROGRAM",
     "NVIDIA's assembler, or none: drivers take the text (default: the one in "
     "PATH, CUDA_HOME or /usr/local/cuda)",
     Option::parseText<&CompilerCommand::assembler>},
    {"wgmma", Value::Optional, "auto|always|never",
     "which kernels take the form wgmma on sm_90a (default: those that can, "
     "beside others; without a value: without these)",
     parseWgmmaPolicy},
    {"prefix", Value::Required, "TEXT",
     "what the names of functions begin with",
     Option::parseText<&CompilerCommand::prefix>},
    {"row-major", Value::None, "",
     "take only arrays that lie row by row: half the code", nullptr,
     &CompilerCommand::rowMajor},
    {"cc", Value::Required, "PROGRAM",
     "the C compiler that links a shared library (default: cc)",
     Option::parseText<&CompilerCommand::linker>},
    {"runtime", Value::Required, "FILE.a",
     "the runtime that goes into a library (default: the one beside this tool)",
     Option::parseText<&CompilerCommand::runtime>},
    {"fusion", Value::Required, "auto|always|never",
     "which ops to fuse (default: those that are faster fused)",
     parseFusionPolicy},
    {"require-fused", Value::None, "", "make the unfused fallback an error",
     nullptr, &CompilerCommand::requireFused},
    {"verify-each", Value::None, "", "verify the module after every pass",
     nullptr, &CompilerCommand::verifyEach},
    {"help", Value::None, "", "print this", nullptr, &CompilerCommand::help},
    {"version", Value::None, "", "print the version", nullptr,
     &CompilerCommand::version}};

void attn::printCompilerHelp(llvm::raw_ostream &os) {
  os << "usage: attn-compile FILE.mlir -o NAME [options]\n\n"
        "Compiles the public functions of a module (- reads stdin) for C.\n\n";
  CommandLine<CompilerCommand>(optionTable).printHelp(os);
}

/// Reads off the name of the output what it is, and where its header goes.
static Error readOutput(CompilerCommand &command) {
  if (command.output.empty())
    return createStringError("expected -o NAME, but no output is named");
  StringRef extension = llvm::sys::path::extension(command.output);
  StringRef stem = llvm::sys::path::stem(command.output);
  if (extension == ".a")
    command.kind = LibraryKind::Static;
  else if (extension == ".so")
    command.kind = LibraryKind::Shared;
  else if (extension != ".o")
    return makeValueError("-o NAME with NAME ending in .o, .a or .so",
                          command.output);
  if (command.kind != LibraryKind::Object)
    stem.consume_front("lib");
  if (command.header.empty()) {
    llvm::SmallString<128> path(llvm::sys::path::parent_path(command.output));
    llvm::sys::path::append(path, stem + ".h");
    command.header = path.str().str();
  }
  return Error::success();
}

static Error checkTogether(const CompilerCommand &command) {
  if (command.gpu && (!command.cpus.empty() || !command.features.empty()))
    return createStringError("expected --chip with --target=gpu, not --cpu and "
                             "--features");
  if (!command.gpu && (!command.chips.empty() || !command.assembler.empty()))
    return createStringError("expected --chip and --ptxas together with "
                             "--target=gpu");
  if (command.wgmma == WgmmaPolicy::Always &&
      !llvm::is_contained(command.chips, "sm_90a"))
    return createStringError(
        "expected --wgmma together with --chip=sm_90a, but got " +
        (command.chips.empty() ? "none"
                               : "--chip=" + llvm::join(command.chips, ",")));
  bool library = command.kind != LibraryKind::Object;
  llvm::Triple host(llvm::sys::getProcessTriple());
  llvm::Triple target(llvm::Triple::normalize(command.triple));
  bool foreign =
      !command.triple.empty() &&
      (target.getArch() != host.getArch() || target.getOS() != host.getOS());
  if (!command.linker.empty() && command.kind != LibraryKind::Shared)
    return createStringError("expected --cc with a shared library: what is no "
                             "shared library is not linked");
  if (!command.runtime.empty() && !library)
    return createStringError("expected --runtime with a library: an object "
                             "holds no runtime");
  if (foreign && library && command.runtime.empty())
    return createStringError(
        "expected --runtime=FILE.a, the runtime for " + command.triple +
        ", to go into a library for another target; or write an object");
  if (foreign && command.kind == LibraryKind::Shared && command.linker.empty())
    return createStringError("expected --cc=PROGRAM, the C compiler that links "
                             "for " +
                             command.triple + "; or write an object");
  return Error::success();
}

LibraryOptions CompilerCommand::getLibraryOptions() const {
  LibraryOptions options;
  options.compile.triple = triple;
  options.compile.features = features;
  options.compile.pic = true;
  options.compile.jit = false;
  options.compile.verifyEach = verifyEach;
  options.compile.stages.requireFused = requireFused;
  options.compile.stages.fusion = fusion;
  options.cpus = cpus;
  options.compile.stages.device = gpu ? Device::GPU : Device::CPU;
  options.compile.stages.wgmma = wgmma;
  options.chips = chips;
  options.assembler = assembler == "none" ? "" : findAssembler(assembler);
  options.strided = !rowMajor;
  options.prefix = prefix;
  return options;
}

llvm::Expected<CompilerCommand>
attn::parseCompilerCommand(llvm::ArrayRef<char *> argv) {
  CompilerCommand command;
  if (Error error =
          CommandLine<CompilerCommand>(optionTable).parse(argv, command))
    return error;
  if (command.help || command.version)
    return command;
  if (Error error = readOutput(command))
    return error;
  if (Error error = checkTogether(command))
    return error;
  return command;
}
