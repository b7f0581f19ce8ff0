// RUN: attn-run %s --require-fused --random --check
// RUN: attn-run %s --require-fused --random --check --features=-avx512f
// RUN: attn-run %s --require-fused --random --check --cpu=x86-64

// A table of bf16 that is gathered called a function for each lane, which is in
// no library.
func.func @table(%q: tensor<2x90x16xf32>, %k: tensor<2x90x16xf32>, %v: tensor<2x90x16xf32>,
                 %t: tensor<90x90xbf16>) -> tensor<2x90x16xf32> {
  %init = tensor.empty() : tensor<2x90x16xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x90x16xf32>, tensor<2x90x16xf32>, tensor<2x90x16xf32>)
      outs(%init : tensor<2x90x16xf32>) {causal = #attn.causal<top_left>}
      score {
      ^bb0(%s: f32, %h: index, %i: index, %j: index):
        %read = tensor.extract %t[%i, %j] : tensor<90x90xbf16>
        %bias = arith.extf %read : bf16 to f32
        %score = arith.addf %s, %bias : f32
        attn.yield %score : f32
      } -> tensor<2x90x16xf32>
  return %o : tensor<2x90x16xf32>
}
