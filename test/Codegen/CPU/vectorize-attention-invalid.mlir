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

// -----

// Of the targets of a replay those are built that are stored or contracted over
// keys, each by the weight.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @row_target(%q: memref<4x8xf32>, %k: memref<7x4xf32>,
                      %r: memref<8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op cannot be vectorized: expected targets stored or over_keys, but got row}}
  attn.replay ins(%q, %k : memref<4x8xf32>, memref<7x4xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%r : memref<8xf32>)
      {indexing_maps = [#q, #k, #row], acc_type = f32, targets = [#attn.target<row>]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @element(%q: memref<4x8xf32>, %k: memref<7x4xf32>,
                   %w: memref<8x7xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op cannot be vectorized: expected the weight for each target, but got a region element}}
  attn.replay ins(%q, %k : memref<4x8xf32>, memref<7x4xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%w : memref<8x7xf32>)
      {indexing_maps = [#q, #k, #w], acc_type = f32, targets = [#attn.target<stored>]}
      element {
      ^bb0(%p: f32, %s: f32):
        attn.yield %s : f32
      }
  return
}
