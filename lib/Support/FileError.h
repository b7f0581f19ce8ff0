//===- FileError.h - Errors that name a file --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_SUPPORT_FILEERROR_H
#define ATTN_LIB_SUPPORT_FILEERROR_H

#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"

namespace attn {

/// `text` as an error that names the file.
inline llvm::Error makeFileError(llvm::StringRef path,
                                 const llvm::Twine &text) {
  return llvm::createStringError("'" + path + "': " + text);
}

inline llvm::Error addPath(llvm::StringRef path, llvm::Error error) {
  return makeFileError(path, llvm::toString(std::move(error)));
}

} // namespace attn

#endif // ATTN_LIB_SUPPORT_FILEERROR_H
