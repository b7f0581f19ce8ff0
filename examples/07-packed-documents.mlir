// RUN: attn-run %s --random --shape=0:1x8x41x64 --shape=1:1x8x41x64 --shape=2:1x8x41x64 --shape=3:41 --random-range=3:0:4 --check
// BENCH: --random --shape=0:1x8x2048x64 --shape=1:1x8x2048x64 --shape=2:1x8x2048x64 --shape=3:2048 %runs=3:61,203,97,310,40,128,75,164,9,118,233,57,190,31,150,182

// Several documents packed into one row of tokens: a token sees what comes before
// it in its own document. %doc holds the document of every token.
func.func @packed_documents(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                            %v: tensor<1x8x?x64xf32>, %doc: tensor<?xi32>)
    -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x8x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
      outs(%init : tensor<1x8x?x64xf32>) {causal = #attn.causal<top_left>}
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %mine = tensor.extract %doc[%i] : tensor<?xi32>
        %other = tensor.extract %doc[%j] : tensor<?xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      } -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
