// RUN: attn-opt %s --attn-decompose | FileCheck %s

// The unfused path: the scores are a tensor, and only linalg is left.

// CHECK-LABEL: @plain
// CHECK-NOT: attn.{{generic|yield|index}}
// CHECK: tensor<37x150xf32>
// CHECK-NOT: attn.{{generic|yield|index}}
// CHECK: linalg.generic
// CHECK-NOT: attn.{{generic|yield|index}}

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @plain(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                 %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}
