// RUN: attn-opt %s --verify-roundtrip | FileCheck %s
// RUN: attn-opt %s --mlir-print-op-generic | attn-opt | FileCheck %s

// Lists of key blocks are printed as they are read, with what is left out.

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
// CHECK-LABEL: @generic
// CHECK: weighting(#attn.softmax) blocks(%{{.+}}, %{{.+}} : tensor<2x4xi64>, tensor<2x?xi64>)
// CHECK-SAME: {rows = 2, keys = 3, kind = logical, maps = [#map{{[0-9]*}}, #map{{[0-9]*}}]} outs
func.func @generic(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
                   %indptr: tensor<2x4xi64>, %indices: tensor<2x?xi64>,
                   %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x4xi64>, tensor<2x?xi64>) {maps = [#bm, #b], kind = logical, keys = 3, rows = 2}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}

// What is not said of rows is one, of the kind logical.
// CHECK-LABEL: @sdpa
// CHECK: attn.sdpa
// CHECK-SAME: offset(%{{.+}} : i32) blocks(%{{.+}}, %{{.+}} : memref<6xi32>, memref<?xindex>) {rows = 1, keys = 16, kind = logical} outs
func.func @sdpa(%q: memref<5x4xf32>, %k: memref<70x4xf32>, %v: memref<70x3xf32>,
                %indptr: memref<6xi32>, %indices: memref<?xindex>, %by: i32,
                %o: memref<5x3xf32>) {
  attn.sdpa ins(%q, %k, %v : memref<5x4xf32>, memref<70x4xf32>, memref<70x3xf32>)
      blocks(%indptr, %indices : memref<6xi32>, memref<?xindex>) {keys = 16}
      offset(%by : i32)
      outs(%o : memref<5x3xf32>) {causal = #attn.causal<offset>}
  return
}

// Where query has no heads and no batch, one list serves all its rows, or some.
// CHECK-LABEL: @pages_without_heads
// CHECK: {rows = 3, keys = 8, kind = physical}
func.func @pages_without_heads(%q: tensor<5x4xf32>, %k: tensor<9x8x4xf32>, %v: tensor<9x8x3xf32>,
                               %indptr: tensor<3xi32>, %indices: tensor<?xi32>,
                               %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<9x8x4xf32>, tensor<9x8x3xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 3, keys = 8, kind = physical}
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

#q2 = affine_map<(m, n, d, e) -> (m, d)>
#k2 = affine_map<(m, n, d, e) -> (n, d)>
#v2 = affine_map<(m, n, d, e) -> (n, e)>
#o2 = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#one = affine_map<(m, n, d, e) -> ()>
// CHECK-LABEL: @online
// CHECK: attn.online
// CHECK-SAME: blocks(%{{.+}}, %{{.+}} : tensor<2xi32>, tensor<3xi32>) {rows = 1, keys = 2, kind = logical, maps = [#map{{[0-9]*}}, #map{{[0-9]*}}]} outs
func.func @online(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %indptr: tensor<2xi32>, %indices: tensor<3xi32>, %a: tensor<5x3xf32>,
                  %m: tensor<5xf32>, %l: tensor<5xf32>) -> tensor<5x3xf32> {
  %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<3xi32>) {keys = 2, maps = [#one, #one]}
      outs(%a : tensor<5x3xf32>) statistics(%m, %l : tensor<5xf32>, tensor<5xf32>)
      {indexing_maps = [#q2, #k2, #v2, #o2, #row, #row]} -> tensor<5x3xf32>, tensor<5xf32>, tensor<5xf32>
  return %acc : tensor<5x3xf32>
}
