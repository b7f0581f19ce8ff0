// RUN: attn-run %s --entry=pooling --random --check --require-fused | FileCheck %s
// RUN: attn-run %s --entry=one_query --random --check --require-fused | FileCheck %s
// RUN: attn-run %s --entry=one_query_f32 --random --check --require-fused | FileCheck %s --check-prefixes=CHECK,LSE
// RUN: attn-run %s --entry=pooling --emit=mlir --stop-after=tile | FileCheck %s --check-prefix=TILE

// Pooling by a learned query, one per head or one in all: a query row of its own
// is added, and the op is fused like any other.

// CHECK: check: result 0: ok
// LSE: check: result 1: ok
// TILE-LABEL: @pooling
// TILE: attn.online

#q = affine_map<(h, n, d, e) -> (h, d)>
#k = affine_map<(h, n, d, e) -> (h, n, d)>
#v = affine_map<(h, n, d, e) -> (h, n, e)>
#o = affine_map<(h, n, d, e) -> (h, e)>
#seen = affine_map<(h, n, d, e) -> (n)>
#one = affine_map<(h, n, d, e) -> (d)>
#row = affine_map<(h, n, d, e) -> (h)>
func.func @pooling(%q: tensor<2x4xf32>, %k: tensor<2x70x4xf32>, %v: tensor<2x70x3xf32>,
                   %seen: tensor<70xi1>) -> tensor<2x3xf32> {
  %init = tensor.empty() : tensor<2x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x4xf32>, tensor<2x70x4xf32>, tensor<2x70x3xf32>)
      inputs(%seen : tensor<70xi1>)
      weighting(#attn.softmax) outs(%init : tensor<2x3xf32>)
      {indexing_maps = [#q, #k, #v, #seen, #o]}
      mask {
      ^bb0(%x: i1):
        %j = attn.index 1
        %h = attn.index 0
        %late = arith.cmpi sge, %j, %h : index
        %both = arith.andi %x, %late : i1
        attn.yield %both : i1
      } -> tensor<2x3xf32>
  return %o : tensor<2x3xf32>
}

func.func @one_query(%q: tensor<4xbf16>, %k: tensor<2x70x4xbf16>, %v: tensor<2x70x3xbf16>) -> tensor<2x3xbf16> {
  %init = tensor.empty() : tensor<2x3xbf16>
  %o = attn.generic ins(%q, %k, %v : tensor<4xbf16>, tensor<2x70x4xbf16>, tensor<2x70x3xbf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x3xbf16>)
      {indexing_maps = [#one, #k, #v, #o]} -> tensor<2x3xbf16>
  return %o : tensor<2x3xbf16>
}

func.func @one_query_f32(%q: tensor<4xf32>, %k: tensor<70x4xf32>, %v: tensor<70x3xf32>)
    -> (tensor<3xf32>, tensor<f32>) {
  %init = tensor.empty() : tensor<3xf32>
  %rows = tensor.empty() : tensor<f32>
  %o:2 = attn.generic ins(%q, %k, %v : tensor<4xf32>, tensor<70x4xf32>, tensor<70x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3xf32>) lse(%rows : tensor<f32>)
      {indexing_maps = [affine_map<(n, d, e) -> (d)>, affine_map<(n, d, e) -> (n, d)>,
                        affine_map<(n, d, e) -> (n, e)>, affine_map<(n, d, e) -> (e)>,
                        affine_map<(n, d, e) -> ()>]}
      score {
      ^bb0(%s: f32):
        %j = attn.index 0
        %i = arith.index_cast %j : index to i32
        %f = arith.sitofp %i : i32 to f32
        %c = arith.constant 0.01 : f32
        %p = arith.mulf %f, %c : f32
        %t = arith.subf %s, %p : f32
        attn.yield %t : f32
      } -> tensor<3xf32>, tensor<f32>
  return %o#0, %o#1 : tensor<3xf32>, tensor<f32>
}
