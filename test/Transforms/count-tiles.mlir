// RUN: attn-opt %s --attn-count-tiles --split-input-file | FileCheck %s

// The counters are there where an op counts, and nowhere else.

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
// CHECK: memref.global @attn_tile_counts : memref<3xi64> = dense<0>
// CHECK-LABEL: @counts
func.func @counts(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                  %acc: memref<3x8xf32>) {
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) outs(%acc : memref<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc], count_tiles}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
// CHECK-NOT: memref.global
// CHECK-LABEL: @does_not
func.func @does_not(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                    %acc: memref<3x8xf32>) {
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) outs(%acc : memref<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]}
  return
}
