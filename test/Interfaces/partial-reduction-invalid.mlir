// RUN: attn-opt %s --transform-interpreter --split-input-file --verify-diagnostics

// Whose keys cannot be split.

// Features.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    // expected-error @below {{failed to tile using partial reduction}}
    transform.structured.tile_reduction_using_for %op reduction_dims = [2] by tile_sizes = [0, 0, 2]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }

  func.func @features(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.generic' op expected one key row dimension to split, but got dimensions [2]: name it, d1}}
    %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
    return %out : tensor<5x3xf32>
  }
}

// -----

// Keys and features.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    // expected-error @below {{failed to tile using partial reduction}}
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 4, 2]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }

  func.func @both(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.generic' op expected one key row dimension to split, but got dimensions [1, 2]: name it, d1}}
    %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
    return %out : tensor<5x3xf32>
  }
}

// -----

// A weight region that is not linear: it needs finished weights.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    // expected-error @below {{failed to tile using partial reduction}}
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 4]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }

  func.func @nonlinear(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.generic' op cannot be split: the weight region is not linear in the weight}}
    %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]}
        weight {
        ^bb0(%w: f32):
          %t = arith.mulf %w, %w : f32
          attn.yield %t : f32
        } -> tensor<5x3xf32>
    return %out : tensor<5x3xf32>
  }
}

// -----

// Weights that are asked for are finished.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#pair = affine_map<(m, n, d, e) -> (m, n)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    // expected-error @below {{failed to tile using partial reduction}}
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 4]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }

  func.func @weights(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>, %all: tensor<5x7xf32>)
      -> (tensor<5x3xf32>, tensor<5x7xf32>) {
    // expected-error @below {{'attn.generic' op cannot be split: the weights are asked for}}
    %out, %weights = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>) weights(%all : tensor<5x7xf32>)
        {indexing_maps = [#q, #k, #v, #o, #pair]} -> tensor<5x3xf32>, tensor<5x7xf32>
    return %out, %weights : tensor<5x3xf32>, tensor<5x7xf32>
  }
}
