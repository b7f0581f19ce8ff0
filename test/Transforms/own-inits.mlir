// RUN: attn-opt %s --attn-own-inits --verify-roundtrip | FileCheck %s

#q = affine_map<(g, m, n, d, e) -> (g, m, d)>
#k = affine_map<(g, m, n, d, e) -> (n, d)>
#v = affine_map<(g, m, n, d, e) -> (n, e)>
#o = affine_map<(g, m, n, d, e) -> (g, m, e)>

// A view of an argument becomes the same view of a tensor like the argument.
// CHECK-LABEL: @view
// CHECK-SAME: %[[INIT:[^:]+]]: tensor<6x?xf32>)
// CHECK: %[[E:.+]] = tensor.dim %[[INIT]]
// CHECK: %[[NEW:.+]] = tensor.empty(%[[E]]) : tensor<6x?xf32>
// CHECK: %[[VIEW:.+]] = tensor.expand_shape %[[NEW]]
// CHECK: attn.generic {{.*}} outs(%[[VIEW]]
func.func @view(%q: tensor<2x3x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x?xf32>,
                %e: index, %init: tensor<6x?xf32>) -> tensor<2x3x?xf32> {
  %0 = tensor.expand_shape %init [[0, 1], [2]] output_shape [2, 3, %e] : tensor<6x?xf32> into tensor<2x3x?xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x3x4xf32>, tensor<7x4xf32>, tensor<7x?xf32>)
      weighting(#attn.softmax) outs(%0 : tensor<2x3x?xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3x?xf32>
  return %o : tensor<2x3x?xf32>
}

// What is given away is written, and so is what a private function was handed.
// CHECK-LABEL: @given
// CHECK-NOT: tensor.empty
// CHECK-LABEL: @private
// CHECK-NOT: tensor.empty
func.func @given(%q: tensor<2x3x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x5xf32>,
                 %init: tensor<2x3x5xf32> {bufferization.writable = true}) -> tensor<2x3x5xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<2x3x4xf32>, tensor<7x4xf32>, tensor<7x5xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x3x5xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3x5xf32>
  return %o : tensor<2x3x5xf32>
}
func.func private @private(%q: tensor<2x3x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x5xf32>,
                           %init: tensor<2x3x5xf32>) -> tensor<2x3x5xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<2x3x4xf32>, tensor<7x4xf32>, tensor<7x5xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x3x5xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3x5xf32>
  return %o : tensor<2x3x5xf32>
}
