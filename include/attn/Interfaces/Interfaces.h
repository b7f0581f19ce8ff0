//===- Interfaces.h - Models of upstream's interfaces -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_INTERFACES_INTERFACES_H
#define ATTN_INTERFACES_INTERFACES_H

#include "mlir/IR/DialectRegistry.h"

namespace attn {

/// Registers the models through which the dialect's ops bufferize in place.
void registerBufferizableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

/// Registers the models through which `attn.generic` and `attn.online` are
/// tiled (`TilingInterface`) and the keys of `attn.generic` split
/// (`PartialReductionOpInterface`).
void registerTilingInterfaceExternalModels(mlir::DialectRegistry &registry);

/// Registers the models through which the core ops but `attn.pack` expand into
/// `linalg` (`linalg::AggregatedOpInterface`).
void registerAggregatedOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

/// Registers the model through which passes that ask for effects on memory
/// (`MemoryEffectOpInterface`), which deallocation insists on, see a fence.
void registerMemoryEffectOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

/// Registers the models that say what ops on tensors take for granted
/// (`RuntimeVerifiableOpInterface`). They go before upstream's, of which the
/// first to come stays.
void registerRuntimeVerifiableOpInterfaceExternalModels(
    mlir::DialectRegistry &registry);

} // namespace attn

#endif // ATTN_INTERFACES_INTERFACES_H
