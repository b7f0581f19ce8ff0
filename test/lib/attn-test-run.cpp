//===- attn-test-run.cpp - attn-run with test ops ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"
#include "attn/Tools/Driver.h"
#include "attn/InitAll.h"
#include "llvm/Support/InitLLVM.h"

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  attn::registerAllDialects(registry);
  attntest::registerTestDialect(registry);
  return attn::runMain(argc, argv, registry);
}
