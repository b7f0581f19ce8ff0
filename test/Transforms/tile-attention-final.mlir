// RUN: attn-opt %s --attn-tile --canonicalize | FileCheck %s
// RUN: attn-opt %s --attn-tile="query-tiles=2 key-tile=32" --canonicalize | FileCheck %s --check-prefix=BLOCK
// RUN: attn-opt %s --attn-bound --attn-tile --canonicalize | FileCheck %s --check-prefix=GAP
// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

// Weights that have to be final are those of a second walk, by statistics that
// the first one finished: its steps have no channels. No buffer spans both
// sequences but the result.

// CHECK-LABEL: @weights
// CHECK: scf.forall {{.*}} shared_outs(%{{.*}} = %{{.*}}, %[[ALL:.*]] = %{{.*}})
// CHECK-NOT: linalg.fill{{.*}}37x150
// CHECK: %[[FIRST:.*]]:3 = scf.for
// CHECK: attn.online {{.*}} : tensor<4x32xf32>, tensor<?x4xf32>, tensor<?x0xf32>)
// CHECK-SAME: outs(%{{.*}} : tensor<0x32xf32>)
// CHECK: scf.for
// CHECK: attn.replay {{.*}} contracted(%{{.*}} : tensor<?x3xf32>)
// CHECK-SAME: statistics(%[[FIRST]]#1, %[[FIRST]]#2 : tensor<32xf32>, tensor<32xf32>)
// CHECK-SAME: outs(%{{.*}}, %{{.*}} : tensor<3x32xf32>, tensor<?x?xf32>)
// CHECK-SAME: targets = [#attn.target<over_keys>, #attn.target<stored>]
// CHECK: attn.finish ins(%{{.*}}, %[[FIRST]]#1, %[[FIRST]]#2
// CHECK-SAME: finished
// CHECK-NOT: scf.forall (

// Query tiles that share key tiles have entries of statistics each.
// BLOCK-LABEL: @weights
// BLOCK: %[[FIRST:.*]]:3 = scf.for %{{.*}} = %{{.*}} to %c150 step %c32
// BLOCK: scf.for %{{.*}} = %c0 to %c2
// BLOCK: attn.online
// BLOCK: scf.for %{{.*}} = %{{.*}} to %c150 step %c32
// BLOCK: scf.for %{{.*}} = %c0 to %c2
// BLOCK: %[[MAX:.*]] = tensor.extract_slice %[[FIRST]]#1
// BLOCK: %[[SUM:.*]] = tensor.extract_slice %[[FIRST]]#2
// BLOCK: attn.replay {{.*}} statistics(%[[MAX]], %[[SUM]]

// REMARK: fused: two passes, for statistics and with final weights, as the weights are asked for; tiles
// REMARK: fused: two passes, for statistics and with final weights, as the weight region is not linear in the weight; tiles
// REMARK: fused: one pass with final weights, as the weight region is not linear in the weight; tiles

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @weights(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                   %init: tensor<37x3xf32>, %ws: tensor<37x150xf32>)
    -> (tensor<37x3xf32>, tensor<37x150xf32>) {
  %r:2 = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>) weights(%ws : tensor<37x150xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<37x3xf32>, tensor<37x150xf32>
  return %r#0, %r#1 : tensor<37x3xf32>, tensor<37x150xf32>
}

// The region is the second walk's, and so is the mask's fill: nothing else is
// written where no pair is visible.
// CHECK-LABEL: @squared
// CHECK: attn.online
// CHECK-NOT: weight {
// CHECK: attn.replay
// CHECK-SAME: targets = [#attn.target<over_keys>]
// CHECK: weight {
func.func @squared(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                   %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%w: f32):
        %t = arith.mulf %w, %w : f32
        attn.yield %t : f32
      } -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}

// Without statistics one walk is enough.
// CHECK-LABEL: @no_statistics
// CHECK-NOT: attn.online
// CHECK: attn.replay {{.*}} weighting(#attn.relu) layout(#attn.lanes_along_rows<32>) keys(
// CHECK-NOT: attn.online
func.func @no_statistics(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                         %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.relu) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%w: f32):
        %t = arith.mulf %w, %w : f32
        attn.yield %t : f32
      } -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}

// What no tile writes is zero: the keys of tiles that are skipped, and those
// behind the last tile. Nothing is written twice.
// CHECK-LABEL: @causal
// GAP-LABEL: @causal
// GAP: attn.online
// GAP-NOT: linalg.fill
// GAP: %[[WALK:.+]]:2 = scf.for
// GAP: scf.if
// GAP: linalg.fill
// GAP: else
// GAP-NOT: linalg.fill
// GAP: attn.replay
// GAP: %[[BEHIND:.+]] = tensor.extract_slice %[[WALK]]#1
// GAP: linalg.fill ins(%{{.+}}) outs(%[[BEHIND]]
// GAP-NOT: linalg.fill
func.func @causal(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                   %init: tensor<37x3xf32>, %ws: tensor<37x150xf32>)
    -> (tensor<37x3xf32>, tensor<37x150xf32>) {
  %r:2 = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>) weights(%ws : tensor<37x150xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %past = arith.cmpi sle, %j, %i : index
        attn.yield %past : i1
      } -> tensor<37x3xf32>, tensor<37x150xf32>
  return %r#0, %r#1 : tensor<37x3xf32>, tensor<37x150xf32>
}

// Heads that share keys are rows of one tile where rows are few: 30 of 32. Their
// weights lie side by side, and are written where they lie.
// CHECK-LABEL: @heads
// GAP-LABEL: @heads
// CHECK: attn.online ins(%{{.*}}, %{{.*}} : tensor<4x32xf32>
// CHECK: %[[SLICE:.*]] = tensor.extract_slice %{{.*}} : tensor<1x10x3x150xf32> to tensor<1x10x3x?xf32>
// CHECK: %[[ROWS:.*]] = tensor.collapse_shape %[[SLICE]] {{\[\[}}0], [1, 2], [3]] : tensor<1x10x3x?xf32> into tensor<1x30x?xf32>
// CHECK: attn.replay {{.*}} layout(#attn.lanes_along_rows<32>)
// CHECK-SAME: outs(%{{.*}}, %[[ROWS]] : tensor<3x32xf32>, tensor<1x30x?xf32>)
#hq = affine_map<(h, g, m, n, d, e) -> (h, g, m, d)>
#hk = affine_map<(h, g, m, n, d, e) -> (h, n, d)>
#hv = affine_map<(h, g, m, n, d, e) -> (h, n, e)>
#ho = affine_map<(h, g, m, n, d, e) -> (h, g, m, e)>
#hw = affine_map<(h, g, m, n, d, e) -> (h, g, m, n)>
func.func @heads(%q: tensor<2x10x3x4xf32>, %k: tensor<2x150x4xf32>, %v: tensor<2x150x3xf32>,
                 %init: tensor<2x10x3x3xf32>, %ws: tensor<2x10x3x150xf32>)
    -> (tensor<2x10x3x3xf32>, tensor<2x10x3x150xf32>) {
  %r:2 = attn.generic ins(%q, %k, %v : tensor<2x10x3x4xf32>, tensor<2x150x4xf32>, tensor<2x150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x10x3x3xf32>) weights(%ws : tensor<2x10x3x150xf32>)
      {indexing_maps = [#hq, #hk, #hv, #ho, #hw]} -> tensor<2x10x3x3xf32>, tensor<2x10x3x150xf32>
  return %r#0, %r#1 : tensor<2x10x3x3xf32>, tensor<2x10x3x150xf32>
}

// Fewer rows yet are cheaper with lanes along the features.
// CHECK-LABEL: @few
// CHECK: attn.online ins(%{{.*}} : tensor<2x4xf32>, {{.*}}x0xf32>) {{.*}} layout(#attn.lanes_along_features<2>)
// CHECK: attn.replay {{.*}} layout(#attn.lanes_along_features<2>)
// CHECK: attn.finish {{.*}} layout(#attn.lanes_along_features<2>) {{.*}} {finished
// GAP-LABEL: @few
func.func @few(%q: tensor<2x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
               %init: tensor<2x3xf32>, %ws: tensor<2x150xf32>)
    -> (tensor<2x3xf32>, tensor<2x150xf32>) {
  %r:2 = attn.generic ins(%q, %k, %v : tensor<2x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x3xf32>) weights(%ws : tensor<2x150xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<2x3xf32>, tensor<2x150xf32>
  return %r#0, %r#1 : tensor<2x3xf32>, tensor<2x150xf32>
}

// Where only the run knows how many rows there are, few have tiles of their own.
// CHECK-LABEL: @unknown
// CHECK: %[[FEW:.*]] = arith.cmpi ule, %{{.*}}, %c4
// CHECK: scf.if %[[FEW]]
// CHECK: attn.replay {{.*}} layout(#attn.lanes_along_features<8>)
// CHECK: } else {
// CHECK: attn.replay {{.*}} layout(#attn.lanes_along_rows<32>)
// GAP-LABEL: @unknown
func.func @unknown(%q: tensor<2x4x?x4xf32>, %k: tensor<2x150x4xf32>, %v: tensor<2x150x3xf32>,
                   %init: tensor<2x4x?x3xf32>, %ws: tensor<2x4x?x150xf32>)
    -> (tensor<2x4x?x3xf32>, tensor<2x4x?x150xf32>) {
  %r:2 = attn.generic ins(%q, %k, %v : tensor<2x4x?x4xf32>, tensor<2x150x4xf32>, tensor<2x150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x4x?x3xf32>) weights(%ws : tensor<2x4x?x150xf32>)
      {indexing_maps = [#hq, #hk, #hv, #ho, #hw]} -> tensor<2x4x?x3xf32>, tensor<2x4x?x150xf32>
  return %r#0, %r#1 : tensor<2x4x?x3xf32>, tensor<2x4x?x150xf32>
}
