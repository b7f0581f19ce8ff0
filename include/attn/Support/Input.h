//===- Input.h - Reading files that may have no end -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_INPUT_H
#define ATTN_SUPPORT_INPUT_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBuffer.h"

namespace attn {

/// How many bytes are read of what is not a file of known size: pipes may go
/// on, and devices do.
constexpr int64_t maxStreamBytes = int64_t(256) << 20;

/// The contents of a file, or of stdin for `-`, with a null character behind
/// them. An error, of one line, for a directory, for what cannot be read, and
/// for a stream of more than `maxBytes`.
llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
readInput(llvm::StringRef path, int64_t maxBytes = maxStreamBytes);

} // namespace attn

#endif // ATTN_SUPPORT_INPUT_H
