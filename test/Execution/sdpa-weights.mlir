// RUN: attn-run %s --random --check --require-fused | FileCheck %s
// RUN: attn-run %s --random --check --threads=1 --cpu=x86-64 | FileCheck %s
// RUN: rm -rf %t && mkdir %t
// RUN: %python %S/../Pipelines/Inputs/round-trip.py %t %s | FileCheck %s --check-prefix=STAGES
// RUN: attn-run %s --random --print-config 2>&1 | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --random --cpu=x86-64-v4 --count-tiles | FileCheck %s --check-prefix=TILES

// Weights as results, beside the output and a log-sum-exp, in two element types;
// the first rows see nothing, and their weights are zero.

// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
// CHECK: check: result 2: ok
// STAGES: 1 files: gone through
// CONFIG: fused: two passes, for statistics and with final weights, as the weights are asked for; tiles of
// The second pass is not counted.
// TILES: key tiles: 4 looked at, 4 computed, 0 of them full

func.func @weights(%q: tensor<2x40x8xf32>, %k: tensor<2x70x8xf32>, %v: tensor<2x70x5xf32>)
    -> (tensor<2x40x5xf32>, tensor<2x40xf32>, tensor<2x40x70xf16>) {
  %init = tensor.empty() : tensor<2x40x5xf32>
  %rows = tensor.empty() : tensor<2x40xf32>
  %pairs = tensor.empty() : tensor<2x40x70xf16>
  %offset = arith.constant -3 : i32
  %o:3 = attn.sdpa ins(%q, %k, %v : tensor<2x40x8xf32>, tensor<2x70x8xf32>, tensor<2x70x5xf32>)
      offset(%offset : i32)
      outs(%init : tensor<2x40x5xf32>) lse(%rows : tensor<2x40xf32>) weights(%pairs : tensor<2x40x70xf16>)
      {causal = #attn.causal<offset>} -> tensor<2x40x5xf32>, tensor<2x40xf32>, tensor<2x40x70xf16>
  return %o#0, %o#1, %o#2 : tensor<2x40x5xf32>, tensor<2x40xf32>, tensor<2x40x70xf16>
}
