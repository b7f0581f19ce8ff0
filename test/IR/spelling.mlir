// RUN: attn-opt %s --verify-roundtrip | FileCheck %s

// Numbers and lists are taken as they are meant, and printed in one spelling.

// CHECK-LABEL: @numbers
// CHECK: attn.sdpa
// CHECK-SAME: {scale = 1.000000e+00 : f64, softcap = 2.500000e-01 : f64, window = array<i64: 128, 0>}
func.func @numbers(%q: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>) {scale = 1, softcap = 0.25 : f32, window = [128, 0]}
      -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: @core
// CHECK: attn.generic
// CHECK-SAME: scale = 1.250000e-01 : f64
func.func @core(%q: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %r = attn.generic ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      weighting(#attn.softmax) outs(%q : tensor<5x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f32} -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// What is at its default is not printed.
// CHECK-LABEL: @defaults
// CHECK: attn.generic
// CHECK-NOT: scale
// CHECK: return
func.func @defaults(%q: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %r = attn.generic ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      weighting(#attn.softmax) outs(%q : tensor<5x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 1} -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
