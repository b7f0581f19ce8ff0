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
    %c3 = arith.constant 3 : index
    %c5 = arith.constant 5 : index
    %c6 = arith.constant 6 : index
    %c9 = arith.constant 9 : index
    %c13 = arith.constant 13 : index
    %pair = arith.divui %o, %c13 : index
    %rest = arith.remui %o, %c13 : index
    %second = arith.cmpi uge, %rest, %c6 : index
    %behind = arith.subi %rest, %c6 : index
    %entry = arith.select %second, %behind, %rest : index
    // 9 entry + (3 entry + 5 pair) mod 9
    %spread = arith.muli %entry, %c3 : index
    %moved = arith.muli %pair, %c5 : index
    %both = arith.addi %spread, %moved : index
    %within = arith.remui %both, %c9 : index
    %first = arith.muli %entry, %c9 : index
    %block = arith.addi %first, %within : index
    %number = arith.index_cast %block : index to i32
    linalg.yield %number : i32
  } -> tensor<416xi32>
  %init = tensor.empty() : tensor<1x8x4096x128xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>, tensor<1x8x4096x128xf32>)
      blocks(%indptr, %indices : tensor<65xi32>, tensor<416xi32>) {rows = 64, keys = 64, kind = logical}
      outs(%init : tensor<1x8x4096x128xf32>) -> tensor<1x8x4096x128xf32>
  return %o : tensor<1x8x4096x128xf32>
}
