// RUN: attn-opt %s --transform-interpreter --canonicalize --cse --split-input-file | FileCheck %s

!op = !transform.any_op
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#pair = affine_map<(b, m, n, d, e) -> (m, n)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#row = affine_map<(b, m, n, d, e) -> (b, m)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_forall %op tile_sizes [1, 5] : (!op) -> (!op, !op)
    transform.yield
  }

  // Operands are sliced by their maps, positions in the regions stay those of
  // the whole op, and captured tensors are read as they were.
  // CHECK-LABEL: @rows
  // CHECK-SAME: %[[Q:.+]]: tensor<2x15x4xf32>, %[[K:.+]]: tensor<2x7x4xf32>, %[[V:.+]]: tensor<2x7x3xf32>, %[[BIAS:.+]]: tensor<15x7xf32>, %[[TABLE:.+]]: tensor<21xf32>
  // CHECK: scf.forall (%[[B:.+]], %[[T:.+]]) in (2, 3) shared_outs(%[[O:.+]] = {{.+}}, %[[L:.+]] = {{.+}})
  // CHECK: %[[M:.+]] = affine.apply {{.+}}(%[[T]])
  // CHECK: %[[QT:.+]] = tensor.extract_slice %[[Q]][%[[B]], %[[M]], 0] [1, 5, 4]
  // CHECK: %[[KT:.+]] = tensor.extract_slice %[[K]][%[[B]], 0, 0] [1, 7, 4]
  // CHECK: %[[VT:.+]] = tensor.extract_slice %[[V]][%[[B]], 0, 0] [1, 7, 3]
  // CHECK: %[[BIAST:.+]] = tensor.extract_slice %[[BIAS]][%[[M]], 0] [5, 7]
  // CHECK: %[[OT:.+]] = tensor.extract_slice %[[O]][%[[B]], %[[M]], 0] [1, 5, 3]
  // CHECK: %[[LT:.+]] = tensor.extract_slice %[[L]][%[[B]], %[[M]]] [1, 5]
  // CHECK: %[[OUT:.+]], %[[LSE:.+]] = attn.generic ins(%[[QT]], %[[KT]], %[[VT]]
  // CHECK-SAME: inputs(%[[BIAST]]
  // CHECK-SAME: outs(%[[OT]]
  // CHECK-SAME: lse(%[[LT]]
  // CHECK: %[[I:.+]] = attn.index 1
  // CHECK: %[[ROW:.+]] = arith.addi %[[I]], %[[M]]
  // CHECK: %[[J:.+]] = attn.index 2
  // CHECK: arith.addi %[[ROW]], %[[J]]
  // CHECK: tensor.extract %[[TABLE]]
  // CHECK: tensor.parallel_insert_slice %[[OUT]] into %[[O]][%[[B]], %[[M]], 0] [1, 5, 3]
  // CHECK: tensor.parallel_insert_slice %[[LSE]] into %[[L]][%[[B]], %[[M]]] [1, 5]
  func.func @rows(%q: tensor<2x15x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
                  %bias: tensor<15x7xf32>, %table: tensor<21xf32>,
                  %init: tensor<2x15x3xf32>, %rows: tensor<2x15xf32>)
      -> (tensor<2x15x3xf32>, tensor<2x15xf32>) {
    %out, %lse = attn.generic ins(%q, %k, %v : tensor<2x15x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
        inputs(%bias : tensor<15x7xf32>)
        weighting(#attn.softmax) outs(%init : tensor<2x15x3xf32>) lse(%rows : tensor<2x15xf32>)
        {indexing_maps = [#q, #k, #v, #pair, #o, #row]}
        score {
        ^bb0(%s: f32, %in: f32):
          %i = attn.index 1
          %j = attn.index 2
          %at = arith.addi %i, %j : index
          %r = tensor.extract %table[%at] : tensor<21xf32>
          %t = arith.addf %in, %r : f32
          %u = arith.addf %s, %t : f32
          attn.yield %u : f32
        } -> tensor<2x15x3xf32>, tensor<2x15xf32>
    return %out, %lse : tensor<2x15x3xf32>, tensor<2x15xf32>
  }
}

// -----

!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [5] : (!op) -> (!op, !op)
    transform.yield
  }

  // What `attn-bound` found is kept: the rows of a tile are moved to where they
  // are in the op, and the keys that they see are its keys.
  // CHECK-LABEL: @bounds
  // CHECK: scf.for %[[M:[a-z0-9]+]] =
  // CHECK: ranges {
  // CHECK: ^bb0(%{{.+}}: index, %[[HI:.+]]: index):
  // CHECK: %[[LAST:.+]] = arith.addi %[[HI]], %[[M]]
  // CHECK: %[[END:.+]] = arith.addi %[[LAST]], %c1
  // CHECK: attn.yield %c0, %[[END]]
  // CHECK: classify {
  // CHECK: ^bb0(%{{.+}}: index, %[[HI:.+]]: index, %[[FIRST:.+]]: index, %{{.+}}: index):
  // CHECK: %[[LAST:.+]] = arith.addi %[[HI]], %[[M]]
  // CHECK: arith.cmpi sgt, %[[FIRST]], %[[LAST]]
  func.func @bounds(%q: tensor<15x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %init: tensor<15x3xf32>) -> tensor<15x3xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %false = arith.constant false
    %out = attn.generic ins(%q, %k, %v : tensor<15x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
        weighting(#attn.softmax) outs(%init : tensor<15x3xf32>)
        {indexing_maps = [#q, #k, #v, #o]}
        mask {
          %i = attn.index 0
          %j = attn.index 1
          %visible = arith.cmpi sle, %j, %i : index
          attn.yield %visible : i1
        }
        ranges {
        ^bb0(%m_lo: index, %m_hi: index):
          %end = arith.addi %m_hi, %c1 : index
          attn.yield %c0, %end : index, index
        }
        classify {
        ^bb0(%m_lo: index, %m_hi: index, %n_lo: index, %n_hi: index):
          %none = arith.cmpi sgt, %n_lo, %m_hi : index
          attn.yield %none, %false : i1, i1
        } -> tensor<15x3xf32>
    return %out : tensor<15x3xf32>
  }
}

// -----

!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.online"]} in %root : (!op) -> !op
    transform.structured.tile_using_for %op tile_sizes [0, 7] : (!op) -> (!op, !op)
    transform.yield
  }

  // A step takes in its keys part by part: the state is carried along.
  // CHECK-LABEL: @step
  // CHECK-SAME: %[[Q:.+]]: tensor<15x4xf32>
  // CHECK: scf.for %[[N:[a-z0-9]+]] = %c0 to %c21 step %c7 iter_args(%[[ACC:.+]] = %{{.+}}, %[[MAX:.+]] = %{{.+}}, %[[SUM:.+]] = %{{.+}})
  // CHECK: %[[KT:.+]] = tensor.extract_slice %{{.+}}[%[[N]], 0] [7, 4]
  // CHECK: %[[VT:.+]] = tensor.extract_slice %{{.+}}[%[[N]], 0] [7, 3]
  // CHECK: %[[R:.+]], %[[R1:.+]], %[[R2:.+]] = attn.online ins(%[[Q]], %[[KT]], %[[VT]]
  // CHECK-SAME: outs(%[[ACC]] : {{.+}}) statistics(%[[MAX]], %[[SUM]] :
  // CHECK: scf.yield %[[R]], %[[R1]], %[[R2]]
  func.func @step(%q: tensor<15x4xf32>, %k: tensor<21x4xf32>, %v: tensor<21x3xf32>,
                  %a: tensor<15x3xf32>, %m: tensor<15xf32>, %l: tensor<15xf32>)
      -> (tensor<15x3xf32>, tensor<15xf32>, tensor<15xf32>) {
    %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<15x4xf32>, tensor<21x4xf32>, tensor<21x3xf32>)
        weighting(#attn.softmax)
        outs(%a : tensor<15x3xf32>) statistics(%m, %l : tensor<15xf32>, tensor<15xf32>)
        {indexing_maps = [#q, #k, #v, #o, #row, #row]}
        -> tensor<15x3xf32>, tensor<15xf32>, tensor<15xf32>
    return %acc, %max, %sum : tensor<15x3xf32>, tensor<15xf32>, tensor<15xf32>
  }
}
