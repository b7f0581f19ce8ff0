//===- NpyHeader.h - The header of a .npy file ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_SUPPORT_NPYHEADER_H
#define ATTN_LIB_SUPPORT_NPYHEADER_H

#include "attn/Support/Array.h"

namespace attn {

/// The dictionary at the head of a `.npy` file.
struct NpyHeader {
  std::string descr;
  bool fortranOrder = false;
  llvm::SmallVector<int64_t> shape;
};

/// Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
/// Errors do not name the file.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef text);

/// The type that `descr` stands for where `expected`, if any, is wanted.
llvm::Expected<ElementType>
parseNpyDescr(llvm::StringRef descr, std::optional<ElementType> expected);

/// Magic, version 1.0 or, for a long shape, 2.0, and dictionary, padded to a
/// multiple of 64 bytes.
std::string formatNpyHeader(const Array &array);

} // namespace attn

#endif // ATTN_LIB_SUPPORT_NPYHEADER_H
