// RUN: attn-opt %s --transform-interpreter --split-input-file --verify-diagnostics

// What cannot be tiled is refused by the op; tiling adds sentences of its own.

// Features: a tile would have a part of each similarity only.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 2] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @features(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.generic' op cannot be tiled along feature dimension d2: a part of a similarity is not a score}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
    return %out : tensor<5x3xf32>
  }
}

// -----

// Keys: a tile would weight against a part of the keys only.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [0, 4] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @keys(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.generic' op cannot be tiled along key row dimension d1: a row is weighted against all its keys; tile it as a partial reduction}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
    return %out : tensor<5x3xf32>
  }
}

// -----

// Channels, where a result lacks them: every tile would write it.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 0, 2] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @channels(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>, %rows: tensor<5xf32>)
      -> (tensor<5x3xf32>, tensor<5xf32>) {
    // expected-error @below {{'attn.generic' op cannot be tiled along channel dimension d3: result 1 does not span it}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    %out, %lse = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<5x3xf32>) lse(%rows : tensor<5xf32>)
        {indexing_maps = [#q, #k, #v, #o, #row]} -> tensor<5x3xf32>, tensor<5xf32>
    return %out, %lse : tensor<5x3xf32>, tensor<5xf32>
  }
}

// -----

// Channels of a step: every tile would update the statistics.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.online"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [0, 0, 0, 2] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @step(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>, %max: tensor<5xf32>, %sum: tensor<5xf32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.online' op cannot be tiled along channel dimension d3: result 1 does not span it}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    %out:3 = attn.online ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax)
        outs(%init : tensor<5x3xf32>) statistics(%max, %sum : tensor<5xf32>, tensor<5xf32>)
        {indexing_maps = [#q, #k, #v, #o, #row, #row]}
        -> tensor<5x3xf32>, tensor<5xf32>, tensor<5xf32>
    return %out#0 : tensor<5x3xf32>
  }
}

// -----

// Rows that are counted from the first of the step.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.online"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [2] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @rows(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %init: tensor<5x3xf32>, %max: tensor<5xf32>, %sum: tensor<5xf32>,
                  %count: index) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.online' op cannot be tiled: it counts its valid rows}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    %out:3 = attn.online ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) rows(%count)
        outs(%init : tensor<5x3xf32>) statistics(%max, %sum : tensor<5xf32>, tensor<5xf32>)
        {indexing_maps = [#q, #k, #v, #o, #row, #row]}
        -> tensor<5x3xf32>, tensor<5xf32>, tensor<5xf32>
    return %out#0 : tensor<5x3xf32>
  }
}

// -----

// Memrefs.
!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [2] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @memrefs(%q: memref<5x4xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                     %out: memref<5x3xf32>) {
    // expected-error @below {{'attn.generic' op cannot be tiled on memrefs: use tensors}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    attn.generic ins(%q, %k, %v : memref<5x4xf32>, memref<7x4xf32>, memref<7x3xf32>)
        weighting(#attn.softmax) outs(%out : memref<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]}
    return
  }
}

// -----

// Requests that lie packed have rows and keys of their own number.
!op = !transform.any_op
#q = affine_map<(r, m, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, n, d, e) -> (r + n, d)>
#v = affine_map<(r, m, n, d, e) -> (r + n, e)>
#o = affine_map<(r, m, n, d, e) -> (r + m, e)>
module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [0, 2] : (!op) -> (!op, !op)
    transform.yield
  }

  func.func @packed(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %init: tensor<5x3xf32>, %starts: tensor<3xi32>) -> tensor<5x3xf32> {
    // expected-error @below {{'attn.generic' op cannot be tiled: its requests are packed}}
    // expected-error-re @below {{{{.+}} to tile operation}}
    // expected-error @below {{failed to generate tiling loops}}
    %out = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax)
        query_starts(%starts : tensor<3xi32>) key_starts(%starts : tensor<3xi32>)
        outs(%init : tensor<5x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
    return %out : tensor<5x3xf32>
  }
}
