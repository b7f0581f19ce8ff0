//===- DecomposeAttention.cpp - To be written ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_DECOMPOSEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

struct DecomposeAttentionPass final
    : impl::DecomposeAttentionPassBase<DecomposeAttentionPass> {
  void runOnOperation() override {}
};

} // namespace
} // namespace attn
