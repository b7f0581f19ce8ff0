// RUN: attn-run %s --random --shape=0:107x8x64 --shape=1:90x2x16x64 --shape=2:90x2x16x64 --shape=3:6x40 --random-range=3:0:89 --check

// A step of a server over a cache in pages of 16 keys: prompts that come in whole
// and requests that go on by one token, in one call over one page table. Queries
// lie one after the other, %query_starts say where; row r of %table names the
// pages of request r, and %key_starts how many keys it has by now. Entries behind
// these are not looked at. Here a prompt of 70 tokens, one of 33 whose first 100
// keys are known already, and four tokens that meet what came before them.
func.func @served_batch(%q: tensor<?x8x64xf32>, %k: tensor<?x2x16x64xf32>,
                        %v: tensor<?x2x16x64xf32>, %table: tensor<6x?xi32>) -> tensor<?x8x64xf32> {
  %query_starts = arith.constant dense<[0, 70, 71, 72, 105, 106, 107]> : tensor<7xi32>
  %key_starts = arith.constant dense<[0, 70, 200, 201, 334, 905, 1005]> : tensor<7xi32>
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %width = tensor.dim %table, %c1 : tensor<6x?xi32>
  %pages = tensor.collapse_shape %table [[0, 1]] : tensor<6x?xi32> into tensor<?xi32>
  // Row r of the table begins at r times its width.
  %no_bounds = tensor.empty() : tensor<7xi32>
  %indptr = linalg.generic
      {indexing_maps = [affine_map<(r) -> (r)>], iterator_types = ["parallel"]}
      outs(%no_bounds : tensor<7xi32>) {
  ^bb0(%out: i32):
    %r = linalg.index 0 : index
    %first = arith.muli %r, %width : index
    %bound = arith.index_cast %first : index to i32
    linalg.yield %bound : i32
  } -> tensor<7xi32>
  %rows = tensor.dim %q, %c0 : tensor<?x8x64xf32>
  %init = tensor.empty(%rows) : tensor<?x8x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<?x8x64xf32>, tensor<?x2x16x64xf32>, tensor<?x2x16x64xf32>)
      query_starts(%query_starts : tensor<7xi32>) key_starts(%key_starts : tensor<7xi32>)
      blocks(%indptr, %pages : tensor<7xi32>, tensor<?xi32>) {keys = 16, kind = physical}
      outs(%init : tensor<?x8x64xf32>) {causal = #attn.causal<bottom_right>} -> tensor<?x8x64xf32>
  return %o : tensor<?x8x64xf32>
}
