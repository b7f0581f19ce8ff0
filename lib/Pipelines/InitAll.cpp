//===- InitAll.cpp - Registration for every tool ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/InitAll.h"
#include "attn/Codegen/Passes.h"
#include "attn/Codegen/TileEmitter.h"
#include "attn/Interfaces/Interfaces.h"
#include "attn/Pipelines/Pipelines.h"
#include "attn/Transforms/Passes.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllExtensions.h"
#include "mlir/Target/LLVMIR/Dialect/All.h"

using namespace mlir;

void attn::registerAllDialects(DialectRegistry &registry) {
  registerRuntimeVerifiableOpInterfaceExternalModels(registry);
  mlir::registerAllDialects(registry);
  mlir::registerAllExtensions(registry);
  mlir::registerAllToLLVMIRTranslations(registry);
  registry.insert<AttnDialect>();
  registerAggregatedOpInterfaceExternalModels(registry);
  registerBufferizableOpInterfaceExternalModels(registry);
  registerMemoryEffectOpInterfaceExternalModels(registry);
  registerTilingInterfaceExternalModels(registry);
  registerTileEmitters(registry);
}

void attn::registerAllPasses() {
  registerAttnPasses();
  registerAttnCodegenPasses();
  registerPipelines();
}
