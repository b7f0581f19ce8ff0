//===- main.cpp - A program that uses an installed attn ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiles a module from text, calls it, prints the first column of the result,
// then calls it with an argument of the wrong shape, which is refused.
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Kernel.h"
#include "attn/InitAll.h"

#include "mlir/Parser/Parser.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

static constexpr char source[] = R"mlir(
func.func @causal(%q: tensor<3x4xf32>, %k: tensor<3x4xf32>,
                  %v: tensor<3x4xf32>) -> tensor<3x4xf32> {
  %init = tensor.empty() : tensor<3x4xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      outs(%init : tensor<3x4xf32>) {causal = #attn.causal<top_left>} -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}
)mlir";

static llvm::Error run() {
  mlir::DialectRegistry registry;
  attn::registerAllDialects(registry);
  mlir::MLIRContext context(registry);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  if (!module)
    return llvm::createStringError("the module does not parse");

  auto kernel = attn::Kernel::compile(*module, "causal");
  if (!kernel)
    return kernel.takeError();
  auto rows = attn::Array::create(
      attn::ElementType::F32, {3, 4},
      {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2});
  if (!rows)
    return rows.takeError();
  auto results = (*kernel)->call({&*rows, &*rows, &*rows});
  if (!results)
    return results.takeError();
  for (int row = 0; row < 3; ++row)
    llvm::outs() << llvm::format("%.4f\n", results->front().at(4 * row));

  auto wrong = attn::Array::create(attn::ElementType::F32, {2, 4});
  if (!wrong)
    return wrong.takeError();
  auto refused = (*kernel)->call({&*rows, &*rows, &*wrong});
  if (refused)
    return llvm::createStringError("an argument of a wrong shape was taken");
  llvm::outs() << "refused: " << llvm::toString(refused.takeError()) << "\n";
  return llvm::Error::success();
}

int main() {
  llvm::Error error = run();
  if (!error)
    return 0;
  llvm::errs() << "downstream: " << llvm::toString(std::move(error)) << "\n";
  return 1;
}
