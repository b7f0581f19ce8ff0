//===- CompilerCommand.h - The command line of attn-compile -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_COMPILERCOMMAND_H
#define ATTN_LIB_TOOLS_COMPILERCOMMAND_H

#include "attn/Execution/Library.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

enum class LibraryKind { Object, Static, Shared };

/// The command line of attn-compile, each value checked as far as it can be
/// without the module.
struct CompilerCommand {
  std::string file, output, header;
  /// What the name of the output says.
  LibraryKind kind = LibraryKind::Object;
  std::vector<std::string> cpus;
  /// Whether functions run on a GPU; for which GPUs, and what assembles for
  /// them.
  bool gpu = false;
  std::vector<std::string> chips;
  std::string assembler;
  WgmmaPolicy wgmma = WgmmaPolicy::Auto;
  std::string features, triple, prefix;
  /// What links a shared library; the runtime that goes into libraries.
  std::string linker, runtime;
  bool rowMajor = false;
  bool requireFused = false;
  FusionPolicy fusion = FusionPolicy::Auto;
  /// Verify the module after every pass.
  bool verifyEach = false;
  bool help = false, version = false;

  LibraryOptions getLibraryOptions() const;
};

/// Reads the command line. An error is one line.
llvm::Expected<CompilerCommand>
parseCompilerCommand(llvm::ArrayRef<char *> argv);

/// What `--help` prints.
void printCompilerHelp(llvm::raw_ostream &os);

} // namespace attn

#endif // ATTN_LIB_TOOLS_COMPILERCOMMAND_H
