// RUN: attn-opt %s --attn-vectorize --split-input-file --verify-diagnostics
// RUN: not attn-opt %s --attn-vectorize=vector-bits=7 --split-input-file 2>&1 | FileCheck %s
// CHECK: error: expected vector-bits to be a power of two from 64 to 4096, but got 7

// Who emits a tile is the layout's to say.

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @no_layout(%q: memref<4x8xf32>, %k: memref<7x4xf32>,
                     %v: memref<7x3xf32>, %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op cannot be vectorized: expected a layout; run attn-tile}}
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) outs(%a : memref<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]}
  return
}
