// RUN: attn-test-run %s --entry=few --emit=mlir --stop-after=tile | FileCheck %s
// RUN: attn-test-run %s --entry=few --random --check | FileCheck %s --check-prefix=RIGHT
// RUN: attn-test-run %s --entry=many --random --check | FileCheck %s --check-prefix=RIGHT

// A layout that the compiler has never heard of is proposed, chosen where it
// costs less, and emitted.

// CHECK-LABEL: @few
// CHECK: attn.pack {{.*}} layout(#attntest.half_lanes<
// CHECK: attn.online {{.*}} layout(#attntest.half_lanes<
// CHECK: attn.finish {{.*}} layout(#attntest.half_lanes<
// CHECK-LABEL: @many
// CHECK-NOT: half_lanes
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_rows<
// CHECK-NOT: half_lanes
// RIGHT: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @few(%q: tensor<2x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>) -> tensor<2x3xf32> {
  %init = tensor.empty() : tensor<2x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3xf32>
  return %o : tensor<2x3xf32>
}

func.func @many(%q: tensor<100x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>) -> tensor<100x3xf32> {
  %init = tensor.empty() : tensor<100x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<100x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<100x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<100x3xf32>
  return %o : tensor<100x3xf32>
}
