//===- InitAll.h - Registration for every tool ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_INITALL_H
#define ATTN_INITALL_H

#include "attn/IR/Attn.h"
#include "mlir/IR/DialectRegistry.h"

namespace attn {

/// Registers the dialect, the upstream dialects it works with, and every
/// external interface model that the pipelines rely on.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers our passes and pipelines with the global pass registry, for tools
/// that parse pass pipelines. The upstream passes are the tool's own choice.
void registerAllPasses();

} // namespace attn

#endif // ATTN_INITALL_H
