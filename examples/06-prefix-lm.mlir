// RUN: attn-run %s --random --shape=1x8x37x64 --random-range=3:0:38 --check
// BENCH: --random --shape=1x8x2048x64 --random-range=3:512:513

// Prefix language model: a row sees the whole prefix, and what comes before it.
// The length of the prefix is known at run time only.
func.func @prefix_lm(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                     %v: tensor<1x8x?x64xf32>, %prefix: i32) -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
  %end = arith.index_cast %prefix : i32 to index
  %init = tensor.empty(%rows) : tensor<1x8x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
      outs(%init : tensor<1x8x?x64xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %inside = arith.cmpi slt, %j, %end : index
        %past = arith.cmpi sle, %j, %i : index
        %visible = arith.ori %inside, %past : i1
        attn.yield %visible : i1
      } -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
