//===- CompilerHeader.h - The C header of a library -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_COMPILERHEADER_H
#define ATTN_LIB_TOOLS_COMPILERHEADER_H

#include "attn/Execution/Library.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

/// Prints the header of `library`, C99 and C++: what hosts need of the runtime,
/// and the functions, each with what it takes. `name` is that of the file.
void printLibraryHeader(llvm::raw_ostream &os, const Library &library,
                        llvm::StringRef name);

/// The functions of the runtime that hosts call, of a GPU or of a CPU.
llvm::ArrayRef<llvm::StringRef> getHostFunctions(bool gpu);

} // namespace attn

#endif // ATTN_LIB_TOOLS_COMPILERHEADER_H
