//===- attn-opt.cpp - The opt driver ----------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/InitAll.h"
#include "attn/Tools/Opt.h"
#include "mlir/InitAllPasses.h"

int main(int argc, char **argv) {
  mlir::registerAllPasses();
  attn::registerAllPasses();
  mlir::DialectRegistry registry;
  attn::registerAllDialects(registry);
  return attn::runOpt(argc, argv, registry);
}
