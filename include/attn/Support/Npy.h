//===- Npy.h - Reading and writing .npy files -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_NPY_H
#define ATTN_SUPPORT_NPY_H

#include "attn/Support/Array.h"

namespace attn {

/// Reads a `.npy` file of version 1.0, 2.0 or 3.0: little-endian, C order. The
/// format is numpy.lib.format's. bf16, which it lacks, is stored as two-byte
/// words, `<V2`, as ml_dtypes does. Where `expected` is given, the file must
/// hold that type; a bf16 is then also read from `<u2`, an index from `<i8`.
///
/// Every error is one line that names the file, what was expected, what came,
/// and how to mend it. Nothing is allocated before the sizes are known to agree
/// with the length of the file.
llvm::Expected<Array>
readNpy(llvm::StringRef path,
        std::optional<ElementType> expected = std::nullopt);

/// Writes `array` as version 1.0, to a temporary file beside `path` that then
/// takes its name: on an error nothing is left behind and what was at `path`
/// stays. A device or pipe is written in place, a symbolic link followed.
llvm::Error writeNpy(llvm::StringRef path, const Array &array);

/// Writes all of `files` or none: no file takes its name before every file is
/// complete.
llvm::Error
writeNpyFiles(llvm::ArrayRef<std::pair<std::string, const Array *>> files);

} // namespace attn

#endif // ATTN_SUPPORT_NPY_H
