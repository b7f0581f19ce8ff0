// RUN: attn-run %s --random --shape=0:3x32x1x128 --shape=1:40x8x16x128 --shape=2:40x8x16x128 --shape=3:3x6 --shape=4:3 --random-range=3:0:39 --random-range=4:0:96 --check
// BENCH: --random --shape=0:8x32x1x128 --shape=1:2048x8x16x128 --shape=2:2048x8x16x128 --shape=3:8x256 --shape=4:8 --random-range=3:0:2047 --random-range=4:2048:4096

// A step of decoding over a cache in pages of 16 keys, as serving engines keep
// it: row r of %table names the pages of request r, the first %lengths[r] keys of
// which it has. Entries behind these are not looked at.
func.func @paged_decoding(%q: tensor<?x32x1x128xf32>, %k: tensor<?x8x16x128xf32>,
                          %v: tensor<?x8x16x128xf32>, %table: tensor<?x?xi32>,
                          %lengths: tensor<?xi32>) -> tensor<?x32x1x128xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %requests = tensor.dim %table, %c0 : tensor<?x?xi32>
  %width = tensor.dim %table, %c1 : tensor<?x?xi32>
  %pages = tensor.collapse_shape %table [[0, 1]] : tensor<?x?xi32> into tensor<?xi32>
  // Row r of the table begins at r times its width.
  %behind = arith.addi %requests, %c1 : index
  %no_bounds = tensor.empty(%behind) : tensor<?xi32>
  %indptr = linalg.generic
      {indexing_maps = [affine_map<(r) -> (r)>], iterator_types = ["parallel"]}
      outs(%no_bounds : tensor<?xi32>) {
  ^bb0(%out: i32):
    %r = linalg.index 0 : index
    %first = arith.muli %r, %width : index
    %bound = arith.index_cast %first : index to i32
    linalg.yield %bound : i32
  } -> tensor<?xi32>
  %init = tensor.empty(%requests) : tensor<?x32x1x128xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<?x32x1x128xf32>, tensor<?x8x16x128xf32>, tensor<?x8x16x128xf32>)
      blocks(%indptr, %pages : tensor<?xi32>, tensor<?xi32>) {rows = 1, keys = 16, kind = physical}
      outs(%init : tensor<?x32x1x128xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %length = tensor.extract %lengths[%b] : tensor<?xi32>
        %end = arith.index_cast %length : i32 to index
        %within = arith.cmpi slt, %j, %end : index
        attn.yield %within : i1
      } -> tensor<?x32x1x128xf32>
  return %o : tensor<?x32x1x128xf32>
}
