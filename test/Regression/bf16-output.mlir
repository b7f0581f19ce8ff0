// RUN: attn-run %s --random --require-fused --check | FileCheck %s
// RUN: attn-run %s --random --require-fused --check --cpu=x86-64-v3 | FileCheck %s

// Rounding vectors to bf16 ended in calls to __truncsfbf2, which nothing defines.
// CHECK: check: result 0: ok
func.func @bf16_output(%q: tensor<2x33x16xbf16>, %k: tensor<2x70x16xbf16>,
                       %v: tensor<2x70x8xbf16>) -> tensor<2x33x8xbf16> {
  %init = tensor.empty() : tensor<2x33x8xbf16>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x33x16xbf16>, tensor<2x70x16xbf16>, tensor<2x70x8xbf16>)
      outs(%init : tensor<2x33x8xbf16>) -> tensor<2x33x8xbf16>
  return %r : tensor<2x33x8xbf16>
}
