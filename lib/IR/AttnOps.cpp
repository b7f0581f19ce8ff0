//===- AttnOps.cpp - Definitions and assembly of the ops --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"

using namespace mlir;

/// regions ::= (name region)*, each name once, in any order.
template <typename... Regions>
static ParseResult parseRegions(OpAsmParser &parser, ArrayRef<StringRef> names,
                                Regions &...regions) {
  SmallVector<Region *> parsed{&regions...};
  StringRef keyword;
  while (succeeded(parser.parseOptionalKeyword(&keyword, names))) {
    Region *&region = parsed[llvm::find(names, keyword) - names.begin()];
    if (!region)
      return parser.emitError(parser.getCurrentLocation(),
                              "expected one region '" + keyword +
                                  "', but got another");
    if (parser.parseRegion(*region))
      return failure();
    region = nullptr;
  }
  return success();
}

/// In the order of the names, each after a space.
template <typename... Regions>
static void printRegions(OpAsmPrinter &printer, Operation *,
                         ArrayRef<StringRef> names, Regions &...regions) {
  SmallVector<Region *> printed{&regions...};
  for (auto [name, region] : llvm::zip_equal(names, printed)) {
    if (region->empty())
      continue;
    printer << ' ' << name << ' ';
    printer.printRegion(*region);
  }
}

#define GET_OP_CLASSES
#include "attn/IR/AttnOps.cpp.inc"
