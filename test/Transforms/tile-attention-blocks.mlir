// RUN: attn-opt %s --attn-tile | FileCheck %s
// RUN: not attn-opt %s --attn-tile="query-tile=24" 2>&1 | FileCheck %s --check-prefix=TILE
// RUN: not attn-opt %s --attn-tile="query-tiles=4" 2>&1 | FileCheck %s --check-prefix=TILES
// RUN: attn-opt %s --attn-tile="fusion=never" | FileCheck %s --check-prefix=NEVER

// A worker reads where its list begins and ends, then walks its entries, each
// checked where it is used: blocks of 48 keys, of which 100 have no whole number,
// in tiles of 48 keys and fewer.

// TILE: 'attn.generic' op expected a layout for query-tile, but there is none of 24 query rows that divide the 64 that share a list
// TILES: 'attn.generic' op expected query-tiles that divide the 64 query rows that share a list, but got 4 of 32
// NEVER: attn.generic

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#m = affine_map<(m, n, d, e) -> (m)>
#one = affine_map<(m, n, d, e) -> ()>

// CHECK-LABEL: @blocks
// CHECK-SAME: %[[INDPTR:[a-z0-9]+]]: tensor<4xi32>, %[[INDICES:[a-z0-9]+]]: tensor<?xi32>
// CHECK: scf.forall
// CHECK: tensor.extract %[[INDPTR]]
// CHECK: tensor.extract %[[INDPTR]]
// CHECK-COUNT-2: attn.check {{.*}}"{{.*}}expected indptr to hold numbers from 0 to {0}, the entries of indices, but got {1}"
// CHECK: attn.check {{.*}}"{{.*}}expected a list of blocks to end at {0}, where it begins, or behind, but got {1}"
// CHECK: attn.cost
// CHECK: scf.for
// CHECK: tensor.extract %[[INDICES]]
// CHECK: attn.check {{.*}}"{{.*}}expected the blocks of a list to be at least 0 and below {0}, but got {1}"
// CHECK: attn.check {{.*}}"{{.*}}expected the blocks of a list to ascend, above {0} after it, but got {1}"
// CHECK: attn.online
// CHECK-SAME: key_tile = 48
func.func @blocks(%q: tensor<150x16xf32>, %k: tensor<100x16xf32>, %v: tensor<100x8xf32>,
                  %indptr: tensor<4xi32>, %indices: tensor<?xi32>) -> tensor<150x8xf32> {
  %init = tensor.empty() : tensor<150x8xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<150x16xf32>, tensor<100x16xf32>, tensor<100x8xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<?xi32>) {rows = 64, keys = 48, maps = [#m, #one]}
      outs(%init : tensor<150x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<150x8xf32>
  return %o : tensor<150x8xf32>
}

// Of blocks of 8 keys, eight make a tile: checked at first, then walked by place,
// and copied next to each other, for two query tiles at a time. The mask reads the
// position of a key from the list.
// CHECK-LABEL: @gathered
// CHECK-SAME: %[[INDPTR:[a-z0-9]+]]: tensor<4xi32>, %[[INDICES:[a-z0-9]+]]: tensor<?xi32>
// CHECK: scf.forall
// CHECK: scf.for
// CHECK: attn.check {{.*}}"{{.*}}expected the blocks of a list to ascend, above {0} after it, but got {1}"
// CHECK: attn.cost
// CHECK: scf.for {{.*}} step %c64
// CHECK: %[[BOTH:.+]]:2 = scf.for {{.*}} iter_args({{.*}}) -> (tensor<?x16xf32>, tensor<?x8xf32>)
// CHECK: tensor.extract %[[INDICES]]
// CHECK: attn.pack {{.*}} role(key)
// CHECK: attn.pack {{.*}} role(value)
// CHECK: scf.for
// CHECK: attn.online
// CHECK-SAME: key_tile = 64
// CHECK: tensor.extract %[[INDICES]]
func.func @gathered(%q: tensor<150x16xf32>, %k: tensor<100x16xf32>, %v: tensor<100x8xf32>,
                    %indptr: tensor<4xi32>, %indices: tensor<?xi32>) -> tensor<150x8xf32> {
  %init = tensor.empty() : tensor<150x8xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<150x16xf32>, tensor<100x16xf32>, tensor<100x8xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<?xi32>) {rows = 64, keys = 8, maps = [#m, #one]}
      outs(%init : tensor<150x8xf32>) {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<150x8xf32>
  return %o : tensor<150x8xf32>
}

// Where each query row has a list of its own, a tile is of one, and of the heads
// that share it.
// CHECK-LABEL: @heads
// CHECK: scf.forall (%{{.*}}) in (5)
// CHECK: attn.online ins(%{{.*}} : tensor<4x16xf32>, tensor<{{.*}}x16xf32>
// CHECK-SAME: layout(#attn.lanes_along_features<4>)
#hq = affine_map<(g, m, n, d, e) -> (g, m, d)>
#hk = affine_map<(g, m, n, d, e) -> (n, d)>
#hv = affine_map<(g, m, n, d, e) -> (n, e)>
#ho = affine_map<(g, m, n, d, e) -> (g, m, e)>
#hl = affine_map<(g, m, n, d, e) -> (m)>
#h1 = affine_map<(g, m, n, d, e) -> ()>
func.func @heads(%q: tensor<4x5x16xf32>, %k: tensor<200x16xf32>, %v: tensor<200x8xf32>,
                 %indptr: tensor<6xi32>, %indices: tensor<?xi32>) -> tensor<4x5x8xf32> {
  %init = tensor.empty() : tensor<4x5x8xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<4x5x16xf32>, tensor<200x16xf32>, tensor<200x8xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<6xi32>, tensor<?xi32>) {rows = 1, keys = 40, maps = [#hl, #h1]}
      outs(%init : tensor<4x5x8xf32>) {indexing_maps = [#hq, #hk, #hv, #ho]} -> tensor<4x5x8xf32>
  return %o : tensor<4x5x8xf32>
}
