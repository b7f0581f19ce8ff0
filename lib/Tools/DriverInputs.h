//===- DriverInputs.h - The arguments of a run ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_DRIVERINPUTS_H
#define ATTN_LIB_TOOLS_DRIVERINPUTS_H

#include "DriverOptions.h"

#include "attn/Execution/Kernel.h"

namespace attn {

/// Makes the arguments of a function: the first ones from --input files, the
/// others at random, each of its spec's type, rank and static extents. An error
/// if some are missing, are too many or do not fit.
llvm::Expected<std::vector<Array>>
prepareArguments(llvm::ArrayRef<TensorSpec> specs,
                 const DriverOptions &options);

/// Pointers to arrays, as calls take them.
std::vector<const Array *> getPointers(llvm::ArrayRef<Array> arrays);

} // namespace attn

#endif // ATTN_LIB_TOOLS_DRIVERINPUTS_H
