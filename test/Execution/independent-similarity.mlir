// RUN: attn-run %s --entry=distance --random --require-fused --check | FileCheck %s
// RUN: attn-run %s --entry=distance --random --require-fused --check --cpu=x86-64-v3 | FileCheck %s
// RUN: attn-run %s --entry=additive --random --require-fused --check | FileCheck %s

// Similarities written here and nowhere else: -|q - k|^2, and one that is not
// bilinear and reads an input over the features.
// CHECK: check: result 0: ok

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
#d = affine_map<(h, m, n, d, e) -> (d)>

func.func @distance(%q: tensor<2x37x5xf32>, %k: tensor<2x301x5xf32>,
                    %v: tensor<2x301x3xf32>) -> tensor<2x37x3xf32> {
  %init = tensor.empty() : tensor<2x37x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<2x37x5xf32>, tensor<2x301x5xf32>, tensor<2x301x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1.5 : f64}
      similarity {
      ^bb0(%a: f32, %b: f32):
        %difference = arith.subf %a, %b : f32
        %square = arith.mulf %difference, %difference : f32
        %negated = arith.negf %square : f32
        attn.yield %negated : f32
      } -> tensor<2x37x3xf32>
  return %o : tensor<2x37x3xf32>
}

func.func @additive(%q: tensor<2x21x5xf32>, %k: tensor<2x140x5xf32>,
                    %v: tensor<2x140x3xf32>, %w: tensor<5xf32>) -> tensor<2x21x3xf32> {
  %init = tensor.empty() : tensor<2x21x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<2x21x5xf32>, tensor<2x140x5xf32>, tensor<2x140x3xf32>)
      inputs(%w : tensor<5xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x21x3xf32>)
      {indexing_maps = [#q, #k, #v, #d, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32, %weight: f32):
        %sum = arith.addf %a, %b : f32
        %tanh = math.tanh %sum : f32
        %term = arith.mulf %weight, %tanh : f32
        attn.yield %term : f32
      } -> tensor<2x21x3xf32>
  return %o : tensor<2x21x3xf32>
}
