// RUN: attn-run %s --random --shape=0:8x4x5x64 --shape=1:8x70x64 --shape=2:8x70x64 --shape=3:20x8x16x64 --shape=4:20x8x16x64 --shape=5:4x3 --random-range=5:0:19 --check

// Requests that begin alike, as with one long instruction: all their rows attend
// to the prefix at once, each attends to what follows in pages of its own, and the
// two are put together by their log-sum-exps.
#q = affine_map<(h, b, m, n, d, e) -> (h, b, m, d)>
#k = affine_map<(h, b, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, b, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, b, m, n, d, e) -> (h, b, m, e)>
#l = affine_map<(h, b, m, n, d, e) -> (h, b, m)>
#pq = affine_map<(h, b, m, p, n, d, e) -> (h, b, m, d)>
#pk = affine_map<(h, b, m, p, n, d, e) -> (p, h, n, d)>
#pv = affine_map<(h, b, m, p, n, d, e) -> (p, h, n, e)>
#po = affine_map<(h, b, m, p, n, d, e) -> (h, b, m, e)>
#pl = affine_map<(h, b, m, p, n, d, e) -> (h, b, m)>
#list = affine_map<(h, b, m, p, n, d, e) -> (b)>
#all = affine_map<(h, b, m, p, n, d, e) -> ()>
#out = affine_map<(h, b, m, e) -> (h, b, m, e)>
#row = affine_map<(h, b, m, e) -> (h, b, m)>
func.func @shared_prefix(%q: tensor<8x?x?x64xf32>, %k: tensor<8x?x64xf32>, %v: tensor<8x?x64xf32>,
                         %pk: tensor<?x8x16x64xf32>, %pv: tensor<?x8x16x64xf32>,
                         %table: tensor<?x3xi32>) -> tensor<8x?x?x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %b = tensor.dim %q, %c1 : tensor<8x?x?x64xf32>
  %m = tensor.dim %q, %c2 : tensor<8x?x?x64xf32>
  %init = tensor.empty(%b, %m) : tensor<8x?x?x64xf32>
  %rows = tensor.empty(%b, %m) : tensor<8x?x?xf32>
  %prefix:2 = attn.generic ins(%q, %k, %v : tensor<8x?x?x64xf32>, tensor<8x?x64xf32>, tensor<8x?x64xf32>)
      weighting(#attn.softmax) outs(%init : tensor<8x?x?x64xf32>) lse(%rows : tensor<8x?x?xf32>)
      {indexing_maps = [#q, #k, #v, #o, #l], scale = 0.125} -> tensor<8x?x?x64xf32>, tensor<8x?x?xf32>

  %pages = tensor.collapse_shape %table [[0, 1]] : tensor<?x3xi32> into tensor<?xi32>
  %behind = arith.addi %b, %c1 : index
  %no_bounds = tensor.empty(%behind) : tensor<?xi32>
  %indptr = linalg.generic
      {indexing_maps = [affine_map<(r) -> (r)>], iterator_types = ["parallel"]}
      outs(%no_bounds : tensor<?xi32>) {
  ^bb0(%out: i32):
    %r = linalg.index 0 : index
    %first = affine.apply affine_map<(r) -> (r * 3)>(%r)
    %bound = arith.index_cast %first : index to i32
    linalg.yield %bound : i32
  } -> tensor<?xi32>
  %own:2 = attn.generic ins(%q, %pk, %pv : tensor<8x?x?x64xf32>, tensor<?x8x16x64xf32>, tensor<?x8x16x64xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %pages : tensor<?xi32>, tensor<?xi32>) {keys = 16, kind = physical, maps = [#list, #all]}
      outs(%init : tensor<8x?x?x64xf32>) lse(%rows : tensor<8x?x?xf32>)
      {indexing_maps = [#pq, #pk, #pv, #po, #pl], scale = 0.125} -> tensor<8x?x?x64xf32>, tensor<8x?x?xf32>

  %o = linalg.generic
      {indexing_maps = [#out, #row, #out, #row, #out],
       iterator_types = ["parallel", "parallel", "parallel", "parallel"]}
      ins(%prefix#0, %prefix#1, %own#0, %own#1 : tensor<8x?x?x64xf32>, tensor<8x?x?xf32>, tensor<8x?x?x64xf32>, tensor<8x?x?xf32>)
      outs(%init : tensor<8x?x?x64xf32>) {
  ^bb0(%x: f32, %lx: f32, %y: f32, %ly: f32, %out: f32):
    // The share of the second is 1 / (1 + exp(lx - ly)).
    %one = arith.constant 1.0 : f32
    %apart = arith.subf %lx, %ly : f32
    %ratio = math.exp %apart : f32
    %sum = arith.addf %one, %ratio : f32
    %share = arith.divf %one, %sum : f32
    %difference = arith.subf %y, %x : f32
    %moved = arith.mulf %share, %difference : f32
    %z = arith.addf %x, %moved : f32
    linalg.yield %z : f32
  } -> tensor<8x?x?x64xf32>
  return %o : tensor<8x?x?x64xf32>
}
