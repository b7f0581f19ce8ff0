//===- CompilerOutput.h - Objects, archives, shared libraries ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_COMPILEROUTPUT_H
#define ATTN_LIB_TOOLS_COMPILEROUTPUT_H

#include "CompilerCommand.h"

namespace attn {

/// The bytes of what `command` asks for: the object, or a library of it and the
/// runtime that lies beside `tool`, this program. An error, of one line, if
/// there is no runtime, no linker, or if linking fails.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
makeOutput(const CompilerCommand &command, Library &library,
           llvm::StringRef tool);

} // namespace attn

#endif // ATTN_LIB_TOOLS_COMPILEROUTPUT_H
