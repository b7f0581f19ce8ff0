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

// Of the targets of a replay those over query rows are not built, nor are
// further pairs.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
func.func @over_rows(%q: memref<4x8xf32>, %k: memref<7x4xf32>,
                     %g: memref<7x4xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op cannot be vectorized: expected targets stored, over_keys, row or row_state, but got over_rows}}
  attn.replay ins(%q, %k : memref<4x8xf32>, memref<7x4xf32>)
      contracted(%q : memref<4x8xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%g : memref<7x4xf32>)
      {indexing_maps = [#q, #k, #q, #k], acc_type = f32, targets = [#attn.target<over_rows>]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @pairs(%q: memref<4x8xf32>, %k: memref<7x4xf32>,
                 %w: memref<8x7xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op cannot be vectorized: expected query and key as the only pair, but got 1 more}}
  attn.replay ins(%q, %k : memref<4x8xf32>, memref<7x4xf32>)
      pairs(%q, %k : memref<4x8xf32>, memref<7x4xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%w : memref<8x7xf32>)
      {indexing_maps = [#q, #k, #q, #k, #w], acc_type = f32, targets = [#attn.target<stored>]}
      element {
      ^bb0(%p: f32, %s: f32, %x: f32):
        %t = arith.mulf %p, %x : f32
        attn.yield %t : f32
      }
  return
}

// -----

// Pairs are multiplied as they are: a region would see elements.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @region_of_pairs(%q: memref<4x8xbf16>, %k: memref<7x4xbf16>,
                           %v: memref<7x3xbf16>, %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op cannot be vectorized: expected the product as similarity in #attn.lanes_along_rows<8, pairs>, but got a region}}
  attn.online ins(%q, %k, %v : memref<4x8xbf16>, memref<7x4xbf16>, memref<7x3xbf16>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8, pairs>)
      outs(%a : memref<3x8xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc]}
      similarity {
      ^bb0(%x: f32, %y: f32):
        %difference = arith.subf %x, %y : f32
        attn.yield %difference : f32
      }
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @region_of_few_pairs(%q: memref<2x4xbf16>, %k: memref<7x4xbf16>,
                               %v: memref<7x3xbf16>, %a: memref<2x3xf32>) {
  // expected-error @below {{'attn.online' op cannot be vectorized: expected the product as similarity in #attn.lanes_along_features<2, pairs>, but got a region}}
  attn.online ins(%q, %k, %v : memref<2x4xbf16>, memref<7x4xbf16>, memref<7x3xbf16>)
      weighting(#attn.identity) layout(#attn.lanes_along_features<2, pairs>)
      outs(%a : memref<2x3xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc]}
      similarity {
      ^bb0(%x: f32, %y: f32):
        %difference = arith.subf %x, %y : f32
        attn.yield %difference : f32
      }
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @unknown_pairs(%q: memref<?x8xbf16>, %k: memref<7x?xbf16>,
                         %v: memref<7x3xbf16>, %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op cannot be vectorized: expected features of a known number in #attn.lanes_along_rows<8, pairs>, but got 'memref<7x?xbf16>'}}
  attn.online ins(%q, %k, %v : memref<?x8xbf16>, memref<7x?xbf16>, memref<7x3xbf16>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8, pairs>)
      outs(%a : memref<3x8xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

// Few rows are gone over again for weights, and for values by them.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @few_rows_mass(%q: memref<4x8xf32>, %k: memref<7x8xf32>,
                         %s: memref<4xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op cannot be vectorized: expected one target over_keys and at most one stored, but got [#attn.target<row>]}}
  attn.replay ins(%q, %k : memref<4x8xf32>, memref<7x8xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_features<4>) keys(%keys)
      outs(%s : memref<4xf32>)
      {indexing_maps = [#q, #k, #row], acc_type = f32, targets = [#attn.target<row>]}
  return
}
