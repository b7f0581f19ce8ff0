// BENCH: attn-run %s --random

// A tenth of the blocks of 64 x 64 pairs, six or seven of each row of blocks,
// spread over the keys. The lists are computed here: the kernel reads them as it
// would those of an argument.

func.func @bsr10(%q: tensor<1x8x4096x128xf32>, %k: tensor<1x8x4096x128xf32>,
                 %v: tensor<1x8x4096x128xf32>) -> tensor<1x8x4096x128xf32> {
  %no_bounds = tensor.empty() : tensor<65xi32>
  %indptr = linalg.generic
      {indexing_maps = [affine_map<(l) -> (l)>], iterator_types = ["parallel"]}
      outs(%no_bounds : tensor<65xi32>) {
  ^bb0(%out: i32):
    %l = linalg.index 0 : index
    %first = affine.apply affine_map<(l) -> ((l * 13) floordiv 2)>(%l)
    %bound = arith.index_cast %first : index to i32
    linalg.yield %bound : i32
  } -> tensor<65xi32>
  %no_blocks = tensor.empty() : tensor<416xi32>
  %indices = linalg.generic
      {indexing_maps = [affine_map<(o) -> (o)>], iterator_types = ["parallel"]}
      outs(%no_blocks : tensor<416xi32>) {
  ^bb0(%out: i32):
    %o = linalg.index 0 : index
    // Two rows of blocks have 6 and 7 entries.
    %pair = affine.apply affine_map<(o) -> (o floordiv 13)>(%o)
    %rest = affine.apply affine_map<(o) -> (o mod 13)>(%o)
    %c6 = arith.constant 6 : index
    %second = arith.cmpi uge, %rest, %c6 : index
    %behind = arith.subi %rest, %c6 : index
    %entry = arith.select %second, %behind, %rest : index
    %block = affine.apply affine_map<(e, p) -> (e * 9 + (e * 3 + p * 5) mod 9)>(%entry, %pair)
    %number = arith.index_cast %block : index to i32
    linalg.yield %number : i32
  } -> tensor<416xi32>
  %init = tensor.empty() : tensor<1x8x4096x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>)
      blocks(%indptr, %indices : tensor<65xi32>, tensor<416xi32>) {rows = 64, keys = 64, kind = logical}
      outs(%init : tensor<1x8x4096x128xf32>) -> tensor<1x8x4096x128xf32>
  return %o : tensor<1x8x4096x128xf32>
}
