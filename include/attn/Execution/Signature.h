//===- Signature.h - What a function takes and returns ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_SIGNATURE_H
#define ATTN_EXECUTION_SIGNATURE_H

#include "attn/Execution/Kernel.h"
#include "attn/Execution/ShapeRules.h"

namespace attn {

/// What calls of a function are held to.
struct Signature {
  llvm::SmallVector<TensorSpec> arguments, results;
  /// Which arguments the function writes: it says so itself, by
  /// `bufferization.writable = true`.
  std::vector<bool> written;
  ShapeRules rules;
};

/// The signature of `function`, which takes tensors and scalars and returns
/// tensors. An error names the first that cannot be passed as an array, or
/// whose layout is stated: each call says how its arrays lie.
llvm::Expected<Signature> readSignature(mlir::func::FuncOp function,
                                        bool memrefs = false);

/// DLPack's code of an element type, as in attn_rt.h.
uint8_t getTypeCode(ElementType type);

} // namespace attn

#endif // ATTN_EXECUTION_SIGNATURE_H
