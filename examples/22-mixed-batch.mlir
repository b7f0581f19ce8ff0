// RUN: attn-run %s --random --shape=0:107x8x64 --shape=1:1005x2x64 --shape=2:1005x2x64 --check

// What a server runs at each step: prompts that come in whole and requests that
// go on by one token, in one call. Queries lie one after the other, and so do the
// keys of each request; the starts say where, and no row sees another's request.
// Here a prompt of 70 tokens, one of 33 whose first 100 keys are known already,
// and four tokens that meet what came before them.
func.func @mixed_batch(%q: tensor<?x8x64xf32>, %k: tensor<?x2x64xf32>,
                       %v: tensor<?x2x64xf32>) -> tensor<?x8x64xf32> {
  %query_starts = arith.constant dense<[0, 70, 71, 72, 105, 106, 107]> : tensor<7xi32>
  %key_starts = arith.constant dense<[0, 70, 200, 201, 334, 905, 1005]> : tensor<7xi32>
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %q, %c0 : tensor<?x8x64xf32>
  %init = tensor.empty(%rows) : tensor<?x8x64xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<?x8x64xf32>, tensor<?x2x64xf32>, tensor<?x2x64xf32>)
      query_starts(%query_starts : tensor<7xi32>) key_starts(%key_starts : tensor<7xi32>)
      outs(%init : tensor<?x8x64xf32>) {causal = #attn.causal<bottom_right>}
      -> tensor<?x8x64xf32>
  return %o : tensor<?x8x64xf32>
}
