// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=WHY
// RUN: attn-opt %s --attn-tile --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-tile --attn-verify-stage=stage=tile -o /dev/null

// Few query rows: heads that share a key head are the rows of a tile, several row
// dimensions are folded into one, and many keys are split. How many parts there
// are follows from extents alone.

// WHY: fused: one online pass; tiles of 4 query rows by 512 key rows; keys in up to 4 parts of 1024 or more; layout #attn.lanes_along_features<4> (cost 0.438), before #attn.lanes_along_rows<16> (cost 2), #attn.lanes_along_rows<32> (cost 3)
// WHY: fused: one online pass; tiles of 6 query rows by 320 key rows; keys in up to 32 parts of 1024 or more; layout #attn.lanes_along_features<6>
// WHY: fused: one online pass; tiles of 8 query rows by 256 key rows; layout #attn.lanes_along_features<8>
// WHY: fused: one online pass; tiles of 8 query rows by 256 key rows; keys in up to 4 parts of 1024 or more; layout #attn.lanes_along_features<8>
// WHY: fused: one online pass; tiles of 8 query rows by 256 key rows; keys in up to 2 parts of 2048 or more; layout #attn.lanes_along_features<8>
// WHY: fused: one online pass; tiles of 8 query rows by 256 key rows; keys in up to 2 parts of 4096 or more; layout #attn.lanes_along_features<8>
// WHY: fused: one online pass; tiles of 32 query rows by 64 key rows; layout #attn.lanes_along_rows<32>

// Each part leaves its state; the states are merged, and what they become is
// finished.
// CHECK-LABEL: @decode
// CHECK: %[[PARTS:.+]]:3 = scf.forall (%[[HEAD:.+]], %[[PART:.+]]) in (8, 4) shared_outs
// CHECK-SAME: tensor<8x1x4x4x16xf32>, tensor<8x1x4x4xf32>, tensor<8x1x4x4xf32>
// CHECK: attn.pack ins(%{{.+}} : tensor<4x16xf32>) {{.*}} layout(#attn.lanes_along_features<4>) role(query)
// CHECK: %[[FROM:.+]] = arith.muli %[[PART]], %c1024
// CHECK: %[[TO:.+]] = arith.addi %[[FROM]], %c1024
// CHECK: scf.for %{{.+}} = %[[FROM]] to %[[TO]] step %c512
// CHECK: attn.online ins(%{{.+}}, %{{.+}}, %{{.+}} : tensor<4x16xf32>, tensor<512x16xf32>, tensor<512x16xf32>)
// CHECK-SAME: layout(#attn.lanes_along_features<4>)
// CHECK: tensor.parallel_insert_slice
// CHECK: scf.forall (%{{.+}}) in (8) shared_outs
// CHECK: attn.merge ins(%{{.+}}, %{{.+}}, %{{.+}} : tensor<4x4x16xf32>, tensor<4x4xf32>, tensor<4x4xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_features<4>)
// CHECK: attn.finish {{.*}} layout(#attn.lanes_along_features<4>)
// CHECK-NOT: 4x4096
#q = affine_map<(h, g, n, d, e) -> (h, g, d)>
#k = affine_map<(h, g, n, d, e) -> (h, n, d)>
#v = affine_map<(h, g, n, d, e) -> (h, n, e)>
#o = affine_map<(h, g, n, d, e) -> (h, g, e)>
func.func @decode(%q: tensor<8x4x16xf32>, %k: tensor<8x4096x16xf32>, %v: tensor<8x4096x16xf32>,
                  %init: tensor<8x4x16xf32>) -> tensor<8x4x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<8x4x16xf32>, tensor<8x4096x16xf32>, tensor<8x4096x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<8x4x16xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<8x4x16xf32>
  return %o : tensor<8x4x16xf32>
}

// Two rows of three heads are six rows of a tile; row r is row r mod 3 of head
// r / 3. An input that has no heads is the same for all. There are as many parts
// as the number of keys gives.
// CHECK-LABEL: @folded
// CHECK-DAG: %[[KEYS:.+]] = tensor.dim %{{.+}}, %c1
// CHECK: %[[COUNT:.+]] = affine.min {{.*}}()[%[[KEYS]]]
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (2, %[[COUNT]]) shared_outs
// CHECK: bufferization.alloc_tensor() : tensor<2x3x320xf32>
// CHECK: tensor.collapse_shape %{{.+}} {{\[\[}}0, 1], [2]] : tensor<2x3x16xf32> into tensor<6x16xf32>
// CHECK: linalg.generic {{.*}} ins(%{{.+}} : tensor<3x?xf32>) outs(%{{.+}} : tensor<2x3x?xf32>)
// CHECK: attn.online
// CHECK: score {
// CHECK: attn.index 0
// CHECK: arith.remui %{{.+}}, %c3
// CHECK: attn.finish
// CHECK: tensor.expand_shape %{{.+}} {{\[\[}}0], [1, 2], [3]]
#q4 = affine_map<(h, g, m, n, d, e) -> (h, g, m, d)>
#k4 = affine_map<(h, g, m, n, d, e) -> (h, n, d)>
#v4 = affine_map<(h, g, m, n, d, e) -> (h, n, e)>
#x4 = affine_map<(h, g, m, n, d, e) -> (m, n)>
#o4 = affine_map<(h, g, m, n, d, e) -> (h, g, m, e)>
func.func @folded(%q: tensor<2x2x3x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x16xf32>, %x: tensor<3x?xf32>,
                  %init: tensor<2x2x3x16xf32>) -> tensor<2x2x3x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<2x2x3x16xf32>, tensor<2x?x16xf32>, tensor<2x?x16xf32>)
      inputs(%x : tensor<3x?xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x2x3x16xf32>)
      {indexing_maps = [#q4, #k4, #v4, #x4, #o4]}
      score {
      ^bb0(%s: f32, %y: f32):
        %i = attn.index 2
        %integer = arith.index_cast %i : index to i32
        %z = arith.sitofp %integer : i32 to f32
        %t = arith.mulf %y, %z : f32
        %u = arith.addf %s, %t : f32
        attn.yield %u : f32
      } -> tensor<2x2x3x16xf32>
  return %o : tensor<2x2x3x16xf32>
}

// Heads whose number is not known come in tiles of eight.
// CHECK-LABEL: @unknown_group
// CHECK: attn.pack {{.*}} -> tensor<8x16xf32>
// CHECK: attn.online {{.*}} rows(
func.func @unknown_group(%q: tensor<8x?x1x16xf32>, %k: tensor<8x512x16xf32>, %v: tensor<8x512x16xf32>,
                         %init: tensor<8x?x1x16xf32>) -> tensor<8x?x1x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<8x?x1x16xf32>, tensor<8x512x16xf32>, tensor<8x512x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<8x?x1x16xf32>)
      {indexing_maps = [#q4, #k4, #v4, #o4]} -> tensor<8x?x1x16xf32>
  return %o : tensor<8x?x1x16xf32>
}

// A part costs more where a tile has more rows: parts of such are longer where there
// are 16 workers nevertheless.
// CHECK-LABEL: @four_heads
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (4, 4) shared_outs
// CHECK-LABEL: @eight_heads
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (8, 2) shared_outs
// CHECK-LABEL: @sixteen_heads
// CHECK: scf.forall (%{{.+}}, %{{.+}}) in (16, 2) shared_outs
func.func @four_heads(%q: tensor<4x8x16xf32>, %k: tensor<4x4096x16xf32>, %v: tensor<4x4096x16xf32>,
                 %init: tensor<4x8x16xf32>) -> tensor<4x8x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<4x8x16xf32>, tensor<4x4096x16xf32>, tensor<4x4096x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<4x8x16xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<4x8x16xf32>
  return %o : tensor<4x8x16xf32>
}
func.func @eight_heads(%q: tensor<8x8x16xf32>, %k: tensor<8x4096x16xf32>, %v: tensor<8x4096x16xf32>,
                 %init: tensor<8x8x16xf32>) -> tensor<8x8x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<8x8x16xf32>, tensor<8x4096x16xf32>, tensor<8x4096x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<8x8x16xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<8x8x16xf32>
  return %o : tensor<8x8x16xf32>
}
func.func @sixteen_heads(%q: tensor<16x8x16xf32>, %k: tensor<16x8192x16xf32>, %v: tensor<16x8192x16xf32>,
                 %init: tensor<16x8x16xf32>) -> tensor<16x8x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<16x8x16xf32>, tensor<16x8192x16xf32>, tensor<16x8192x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<16x8x16xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<16x8x16xf32>
  return %o : tensor<16x8x16xf32>
}

// 32 heads of one key head fill the lanes.
// CHECK-LABEL: @many
// CHECK: attn.pack {{.*}} -> tensor<16x32xf32>
func.func @many(%q: tensor<1x32x1x16xf32>, %k: tensor<1x512x16xf32>, %v: tensor<1x512x16xf32>,
                %init: tensor<1x32x1x16xf32>) -> tensor<1x32x1x16xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<1x32x1x16xf32>, tensor<1x512x16xf32>, tensor<1x512x16xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x32x1x16xf32>)
      {indexing_maps = [#q4, #k4, #v4, #o4]} -> tensor<1x32x1x16xf32>
  return %o : tensor<1x32x1x16xf32>
}
