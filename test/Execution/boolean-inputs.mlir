// RUN: attn-run %s --entry=everywhere --require-fused --random --check
// RUN: attn-run %s --entry=everywhere --features=-avx512f --require-fused --random --check
// RUN: attn-run %s --entry=pack --random --random-range=1:0:2 --check | FileCheck %s

// Booleans along the query rows, the key rows and both, in every region.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#m = affine_map<(m, n, d, e) -> (m)>
#n = affine_map<(m, n, d, e) -> (n)>
#p = affine_map<(m, n, d, e) -> (m, n)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @everywhere(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                      %row: tensor<37xi1>, %key: tensor<150xi1>, %pair: tensor<37x150xi1>)
    -> tensor<37x3xf32> {
  %half = arith.constant 0.5 : f32
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<37x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      inputs(%row, %key, %pair : tensor<37xi1>, tensor<150xi1>, tensor<37x150xi1>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #m, #n, #p, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32, %r: i1, %c: i1, %x: i1):
        %product = arith.mulf %a, %b : f32
        %negated = arith.negf %product : f32
        %term = arith.select %r, %negated, %product : f32
        attn.yield %term : f32
      }
      score {
      ^bb0(%s: f32, %r: i1, %c: i1, %x: i1):
        %shifted = arith.addf %s, %half : f32
        %score = arith.select %x, %shifted, %s : f32
        attn.yield %score : f32
      }
      mask {
      ^bb0(%r: i1, %c: i1, %x: i1):
        %either = arith.ori %c, %x : i1
        attn.yield %either : i1
      }
      weight {
      ^bb0(%w: f32, %r: i1, %c: i1, %x: i1):
        %kept = arith.select %x, %w, %zero : f32
        attn.yield %kept : f32
      } -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}

// CHECK: result 0: 3x4xi8
// CHECK: ok: 12 elements
func.func @pack(%b: tensor<2x3xi1>, %init: tensor<3x4xi8>) -> tensor<3x4xi8> {
  %r = attn.pack ins(%b : tensor<2x3xi1>) outs(%init : tensor<3x4xi8>)
      layout(#attn.lanes_along_rows<4>) role(input)
      {indexing_map = affine_map<(m, n, d, e) -> (m, n)>}
      element {
      ^bb0(%x: i1):
        %byte = arith.extui %x : i1 to i8
        attn.yield %byte : i8
      } -> tensor<3x4xi8>
  return %r : tensor<3x4xi8>
}
