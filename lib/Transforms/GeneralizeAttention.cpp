//===- GeneralizeAttention.cpp - Named ops into the core op ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_GENERALIZEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct GeneralizeAttentionPass final
    : impl::GeneralizeAttentionPassBase<GeneralizeAttentionPass> {
  void runOnOperation() override {}
};

} // namespace
} // namespace attn
