//===- Nesting.h - How deep a text nests ------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_NESTING_H
#define ATTN_SUPPORT_NESTING_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace attn {

/// How deep a text may nest: parsers, printers and passes recurse.
constexpr int64_t maxNesting = 256;
/// How many characters aliases may stand for: what they name is printed in
/// full where it is nested.
constexpr int64_t maxExpansion = int64_t(1) << 28;

/// An error, `name:line:column: ...`, if `text` nests deeper than `maxNesting`,
/// or stands for more than `maxExpansion` characters: brackets, signs in front
/// of signs, and aliases (`#a = ...`, `!t = ...`) that refer to each other.
/// Comments and strings are skipped.
llvm::Error checkNesting(llvm::StringRef text, llvm::StringRef name);

} // namespace attn

#endif // ATTN_SUPPORT_NESTING_H
