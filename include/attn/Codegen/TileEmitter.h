//===- TileEmitter.h - Vector code for a layout -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_TILEEMITTER_H
#define ATTN_CODEGEN_TILEEMITTER_H

#include "attn/IR/Attn.h"
#include "mlir/IR/PatternMatch.h"

namespace attn {

/// What the emitters know of the vector unit.
struct EmitOptions {
  int64_t vectorBits = 512;
  int64_t numRegisters = 32;
  /// Whether it multiplies pairs of bf16, adding to f32.
  bool hasBf16Dot = false;
};

} // namespace attn

#include "attn/Codegen/TileEmitter.h.inc"

namespace attn {

/// Attaches its emitter to each layout of the dialect.
void registerTileEmitters(mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_CODEGEN_TILEEMITTER_H
