//===- Print.h - Arrays as text ---------------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_PRINT_H
#define ATTN_SUPPORT_PRINT_H

#include "attn/Support/Array.h"

namespace attn {

/// Prints the elements in nested brackets, a line per row, as numpy does. Of
/// more than 1000 elements it shows the corners: three entries from each end of
/// the last two dimensions, one from each end of the others.
void printArray(llvm::raw_ostream &os, const Array &array);

} // namespace attn

#endif // ATTN_SUPPORT_PRINT_H
