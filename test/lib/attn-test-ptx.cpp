//===- attn-test-ptx.cpp - Check PTX and say what was seen ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Emulator/PtxChecker.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

int main(int argc, char **argv) {
  auto file = llvm::MemoryBuffer::getFileOrSTDIN(argc > 1 ? argv[1] : "-");
  if (!file) {
    llvm::errs() << "attn-test-ptx: error: " << file.getError().message()
                 << "\n";
    return 2;
  }
  auto report = attn::checkPtx((*file)->getBuffer());
  if (!report) {
    llvm::outs() << "error: " << llvm::toString(report.takeError()) << "\n";
    return 1;
  }
  llvm::outs() << "ok: " << report->kernels << " kernels, " << report->paths
               << " paths, " << report->states
               << (report->more ? " states or more, " : " states, ")
               << report->accesses << " accesses, " << report->unknown
               << " of them unknown\n";
  return 0;
}
