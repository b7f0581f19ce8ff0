// RUN: attn-run %s --random --shape=1x8x37x64 --check

// A score of one's own. The region gets the scaled product and the position of the
// pair; this is ALiBi, a penalty on distance with one slope per head.
func.func @custom_score(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                        %v: tensor<1x8x?x64xf32>, %slopes: tensor<8xf32>)
    -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x8x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
      outs(%init : tensor<1x8x?x64xf32>) {causal = #attn.causal<top_left>}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %slope = tensor.extract %slopes[%h] : tensor<8xf32>
        %steps = arith.subi %j, %i : index
        %integer = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %integer : i32 to f32
        %penalty = arith.mulf %slope, %distance : f32
        %t = arith.addf %s, %penalty : f32
        attn.yield %t : f32
      } -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
