//===- main.cpp - A program that uses an installed attn ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/InitAll.h"
#include "attn/Version.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/raw_ostream.h"

static constexpr char source[] = R"mlir(
func.func @attention(%q: tensor<1x2x3x4xf32>, %k: tensor<1x2x5x4xf32>,
                     %v: tensor<1x2x5x6xf32>) -> tensor<1x2x3x6xf32> {
  %init = tensor.empty() : tensor<1x2x3x6xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x2x3x4xf32>, tensor<1x2x5x4xf32>, tensor<1x2x5x6xf32>)
      outs(%init : tensor<1x2x3x6xf32>) -> tensor<1x2x3x6xf32>
  return %o : tensor<1x2x3x6xf32>
}
)mlir";

int main() {
  mlir::DialectRegistry registry;
  attn::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module || failed(mlir::verify(*module)))
    return 1;
  int64_t count = 0;
  module->walk([&](attn::SdpaOp) { ++count; });
  llvm::outs() << "attn " ATTN_VERSION << ": " << count << " op\n";
  return 0;
}
