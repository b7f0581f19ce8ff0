// RUN: attn-run %s --entry=scalars --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --entry=scalars --fusion=never --random --check | FileCheck %s
// RUN: attn-run %s --entry=halves --random --check | FileCheck %s --check-prefix=HALVES

// A scalar wider than the accumulation type was extended to it, and f16 was
// truncated to bf16, which is as wide.
// CHECK: check: result 0: ok
// HALVES: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#scalar = affine_map<(m, n, d, e) -> ()>
func.func @scalars(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                   %factor: f64, %sink: f64) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%factor : f64)
      weighting(#attn.softmax_sink, %sink : f64) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #scalar, #scalar, #o]}
      score {
      ^bb0(%s: f32, %x: f32):
        %t = arith.mulf %s, %x : f32
        attn.yield %t : f32
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

func.func @halves(%q: tensor<5x4xf16>) -> tensor<4x8xbf16> {
  %tile = tensor.empty() : tensor<4x8xbf16>
  %packed = attn.pack ins(%q : tensor<5x4xf16>) outs(%tile : tensor<4x8xbf16>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q}
      element {
      ^bb0(%x: f16):
        %wide = arith.extf %x : f16 to f32
        %brain = arith.truncf %wide : f32 to bf16
        attn.yield %brain : bf16
      } -> tensor<4x8xbf16>
  return %packed : tensor<4x8xbf16>
}
