// RUN: attn-opt %s --attn-tile=require-fused=true --split-input-file --verify-diagnostics

// RUN: not attn-opt %s --attn-tile=query-tile=-4 --split-input-file 2>&1 | FileCheck %s --check-prefix=QUERY
// RUN: not attn-opt %s --attn-tile=key-tile=-1 --split-input-file 2>&1 | FileCheck %s --check-prefix=KEY
// RUN: not attn-opt %s --attn-tile=query-tiles=-2 --split-input-file 2>&1 | FileCheck %s --check-prefix=TILES
// RUN: not attn-opt %s --attn-tile=vector-bits=0 --split-input-file 2>&1 | FileCheck %s --check-prefix=ZERO
// RUN: not attn-opt %s --attn-tile=vector-bits=7 --split-input-file 2>&1 | FileCheck %s --check-prefix=SEVEN
// RUN: not attn-opt %s --attn-tile=vector-bits=-512 --split-input-file 2>&1 | FileCheck %s --check-prefix=NEGATIVE
// QUERY: error: expected query-tile of 0 or more, but got -4
// KEY: error: expected key-tile of 0 or more, but got -1
// TILES: error: expected query-tiles of 0 or more, but got -2
// ZERO: error: expected vector-bits to be a power of two from 64 to 4096, but got 0
// SEVEN: error: expected vector-bits to be a power of two from 64 to 4096, but got 7
// NEGATIVE: error: expected vector-bits to be a power of two from 64 to 4096, but got -512

// What the kernel does not take is an error under require-fused.

#q = affine_map<(m, n, c, d, e) -> (m, c, d)>
#k = affine_map<(m, n, c, d, e) -> (n, c, d)>
#v = affine_map<(m, n, c, d, e) -> (n, e)>
#o = affine_map<(m, n, c, d, e) -> (m, e)>
func.func @two_features(%q: tensor<5x2x4xf32>, %k: tensor<7x2x4xf32>, %v: tensor<7x3xf32>,
                        %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.generic' op cannot be fused: expected one feature dimension, but there are 2: collapse them, in one order, in the query and key (tensor.collapse_shape)}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x2x4xf32>, tensor<7x2x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

#q = affine_map<(m, n, d, c, e) -> (m, d)>
#k = affine_map<(m, n, d, c, e) -> (n, d)>
#v = affine_map<(m, n, d, c, e) -> (n, c, e)>
#o = affine_map<(m, n, d, c, e) -> (c, m, e)>
func.func @two_channels(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x2x3xf32>,
                        %init: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  // expected-error @below {{'attn.generic' op cannot be fused: expected one channel dimension, but there are 2: collapse them, in one order, in the value and output (tensor.collapse_shape)}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x2x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return %o : tensor<2x5x3xf32>
}

// -----

#q = affine_map<(m, n, e) -> (m)>
#k = affine_map<(m, n, e) -> (n)>
#v = affine_map<(m, n, e) -> (n, e)>
#o = affine_map<(m, n, e) -> (m, e)>
func.func @no_feature(%q: tensor<5xf32>, %k: tensor<7xf32>, %v: tensor<7x3xf32>,
                      %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.generic' op cannot be fused: expected one feature dimension, but there are 0: give one of extent 1 to the query and key (tensor.expand_shape)}}
  %o = attn.generic ins(%q, %k, %v : tensor<5xf32>, tensor<7xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

#q = affine_map<(m, n, d) -> (m, d)>
#k = affine_map<(m, n, d) -> (n, d)>
#v = affine_map<(m, n, d) -> (n)>
#o = affine_map<(m, n, d) -> (m)>
func.func @no_channel(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7xf32>,
                      %init: tensor<5xf32>) -> tensor<5xf32> {
  // expected-error @below {{'attn.generic' op cannot be fused: expected one channel dimension, but there are 0: give one of extent 1 to the value and output (tensor.expand_shape)}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5xf32>
  return %o : tensor<5xf32>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @few_pairs(%q: tensor<2x4xf32>, %k: tensor<2x4xf32>, %v: tensor<2x3xf32>,
                     %init: tensor<2x3xf32>) -> tensor<2x3xf32> {
  // expected-error @below {{'attn.generic' op cannot be fused: fusion does not pay for 4 pairs of a query row and a key row}}
  %o = attn.generic ins(%q, %k, %v : tensor<2x4xf32>, tensor<2x4xf32>, tensor<2x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x3xf32>
  return %o : tensor<2x3xf32>
}
