// RUN: attn-test-run %s --stop-after=tile | FileCheck %s

// Where the weight of a key depends on the keys before it, the first walk is
// that of the mass, and the second carries the mass so far, from tile to tile,
// beside what it accumulates.

// CHECK-LABEL: @sampled
// CHECK: %[[NONE:.+]] = linalg.fill {{.*}} outs(%{{.+}} : tensor<32xf32>)
// CHECK: %[[FIRST:.+]]:3 = scf.for
// CHECK: attn.online {{.*}} weighting(#attn.softmax)
// CHECK-NOT: attn.online
// CHECK: %[[SECOND:.+]]:2 = scf.for {{.*}} iter_args(%[[ACC:.+]] = %{{.+}}, %[[BEFORE:.+]] = %{{.+}}) -> (tensor<3x32xf32>, tensor<32xf32>)
// CHECK: attn.replay
// CHECK-SAME: inputs(%[[U:.+]] : tensor<32xf32>)
// CHECK-SAME: weighting(#attn.softmax)
// CHECK-SAME: statistics(%[[FIRST]]#1, %[[FIRST]]#2
// CHECK-SAME: outs(%[[ACC]], %[[BEFORE]] : tensor<3x32xf32>, tensor<32xf32>)
// CHECK-SAME: targets = [#attn.target<over_keys>, #attn.target<row_state>]
// CHECK: element {
// CHECK-NEXT: ^bb0(%[[MASS:.+]]: f32, %{{.+}}: f32, %[[STATE:.+]]: f32, %[[AT:.+]]: f32)
// CHECK: attn.yield %{{.+}}, %[[MASS]] : f32, f32
// CHECK: attn.finish ins(%[[SECOND]]#0
// CHECK-SAME: finished

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @sampled(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                   %u: tensor<37xf32>) -> tensor<37x3xf32> {
  %init = tensor.empty() : tensor<37x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attntest.sampled, %u : tensor<37xf32>) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]} -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}
