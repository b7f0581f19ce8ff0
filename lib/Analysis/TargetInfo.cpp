//===- TargetInfo.cpp - Vector units by feature -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/TargetInfo.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/ADT/StringSet.h"

using namespace attn;

TargetInfo TargetInfo::fromFeatures(llvm::StringRef features) {
  llvm::SmallVector<llvm::StringRef> words;
  features.split(words, ',', /*MaxSplit=*/-1, /*KeepEmpty=*/false);
  llvm::StringSet<> enabled;
  for (llvm::StringRef word : words) {
    if (word.consume_front("-"))
      enabled.erase(word);
    else if (word.consume_front("+"))
      enabled.insert(word);
  }
  TargetInfo info;
  info.hasFma = enabled.contains("fma");
  if (enabled.contains("avx512f") && enabled.contains("avx512vl") &&
      enabled.contains("avx512dq") && enabled.contains("avx512bw")) {
    info.vectorBits = 512;
    info.numRegisters = 32;
    info.hasScalef = true;
    info.hasFma = true;
    info.hasBf16Dot = enabled.contains("avx512bf16");
  } else if (enabled.contains("avx2")) {
    info.vectorBits = 256;
  }
  return info;
}
