// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bufferize | FileCheck %s

// An iteration of the parallel loop costs as many keys as its rows see, where
// that is not the same for all.

// CHECK-LABEL: func.func @causal(
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (3, 32)
// CHECK: %[[END:.+]] = arith.addi %{{.+}}, %c1
// CHECK: %[[CLIPPED:.+]] = arith.minsi %[[END]], %c256
// CHECK: %[[KEYS:.+]] = arith.maxsi %[[CLIPPED]], %c0
// CHECK: attn.cost %[[KEYS]]
// CHECK: attn.online
func.func @causal(%q: tensor<3x256x16xf32>, %k: tensor<3x256x16xf32>,
                  %v: tensor<3x256x16xf32>) -> tensor<3x256x16xf32> {
  %init = tensor.empty() : tensor<3x256x16xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<3x256x16xf32>, tensor<3x256x16xf32>, tensor<3x256x16xf32>)
      outs(%init : tensor<3x256x16xf32>)
      {causal = #attn.causal<top_left>} -> tensor<3x256x16xf32>
  return %o : tensor<3x256x16xf32>
}

// CHECK-LABEL: func.func @dense(
// CHECK-NOT: attn.cost
func.func @dense(%q: tensor<3x256x16xf32>, %k: tensor<3x256x16xf32>,
                 %v: tensor<3x256x16xf32>) -> tensor<3x256x16xf32> {
  %init = tensor.empty() : tensor<3x256x16xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<3x256x16xf32>, tensor<3x256x16xf32>, tensor<3x256x16xf32>)
      outs(%init : tensor<3x256x16xf32>) -> tensor<3x256x16xf32>
  return %o : tensor<3x256x16xf32>
}

#q = affine_map<(x, y, u, w, d, e) -> (x, y, d)>
#k = affine_map<(x, y, u, w, d, e) -> (u, w, d)>
#v = affine_map<(x, y, u, w, d, e) -> (u, w, e)>
#o = affine_map<(x, y, u, w, d, e) -> (x, y, e)>

// Of several key dimensions all count: rows of keys, and in each what is seen.
// CHECK-LABEL: func.func @two_key_dimensions(
// CHECK: %[[KEYS:.+]] = scf.for {{.+}} iter_args(%[[SUM:.+]] = %{{.+}}) -> (index)
// CHECK: arith.addi %[[SUM]]
// CHECK: attn.cost %[[KEYS]]
// CHECK: attn.online
func.func @two_key_dimensions(%q: tensor<64x64x16xf32>,
                              %k: tensor<64x64x16xf32>,
                              %v: tensor<64x64x16xf32>,
                              %init: tensor<64x64x16xf32>)
    -> tensor<64x64x16xf32> {
  %o = attn.generic
      ins(%q, %k, %v : tensor<64x64x16xf32>, tensor<64x64x16xf32>, tensor<64x64x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<64x64x16xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
      ^bb0:
        %x = attn.index 0
        %w = attn.index 3
        %seen = arith.cmpi sle, %w, %x : index
        attn.yield %seen : i1
      } -> tensor<64x64x16xf32>
  return %o : tensor<64x64x16xf32>
}
