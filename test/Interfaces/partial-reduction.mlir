// RUN: attn-opt %s --transform-interpreter --canonicalize --cse --split-input-file | FileCheck %s

!op = !transform.any_op
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#batch = affine_map<(b, m, n, d, e) -> (b)>
#o = affine_map<(b, m, n, d, e) -> (m, b, e)>
#row = affine_map<(b, m, n, d, e) -> (b, m)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_forall %op by num_threads = [0, 0, 6]
        : (!op) -> (!op, !op, !op, !op, !op, !op, !op)
    transform.yield
  }

  // Split keys, for few queries: each thread has a state of its own, for a block
  // of the keys; the states are merged, and the rows finished once.
  // CHECK-DAG: #[[$STATE:.+]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
  // CHECK-DAG: #[[$STATISTIC:.+]] = affine_map<(d0, d1, d2) -> (d0, d1)>
  // CHECK-DAG: #[[$BATCH:.+]] = affine_map<(d0, d1, d2) -> (d1)>
  // CHECK-DAG: #[[$LSE:.+]] = affine_map<(d0, d1, d2) -> (d1, d0)>
  // CHECK-LABEL: @split
  // CHECK-SAME: %[[Q:.+]]: tensor<2x1x4xf32>, %[[K:.+]]: tensor<2x30x4xf32>, %[[V:.+]]: tensor<2x30x3xf32>, %[[SINK:.+]]: tensor<2xf32>, %[[INIT:.+]]: tensor<1x2x3xf32>, %[[ROWS:.+]]: tensor<2x1xf32>
  // CHECK-DAG: %[[LOWEST:.+]] = arith.constant 0xFF800000 : f32
  // CHECK-DAG: %[[ZERO:.+]] = arith.constant 0.0
  // CHECK-DAG: %[[ACC0:.+]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.+}} : tensor<6x1x2x3xf32>)
  // CHECK-DAG: %[[MAX0:.+]] = linalg.fill ins(%[[LOWEST]] : f32) outs(%{{.+}} : tensor<6x1x2xf32>)
  // CHECK-DAG: %[[SUM0:.+]] = linalg.fill ins(%[[ZERO]] : f32) outs(%{{.+}} : tensor<6x1x2xf32>)
  // CHECK: %[[STATES:.+]]:3 = scf.forall (%[[S:.+]]) in (6) shared_outs(%[[ACC:.+]] = %[[ACC0]], %[[MAX:.+]] = %[[MAX0]], %[[SUM:.+]] = %[[SUM0]])
  // CHECK: %[[N:.+]] = affine.apply {{.+}}(%[[S]])
  // CHECK: tensor.extract_slice %[[K]][0, %[[N]], 0] [2, 5, 4]
  // CHECK: tensor.extract_slice %[[V]][0, %[[N]], 0] [2, 5, 3]
  // CHECK: %[[ACCT:.+]] = tensor.extract_slice %[[ACC]][%[[S]], 0, 0, 0] [1, 1, 2, 3] {{.+}} to tensor<1x2x3xf32>
  // CHECK: %[[A:.+]], %[[M:.+]], %[[L:.+]] = attn.online ins(%[[Q]],
  // CHECK-SAME: outs(%[[ACCT]] :
  // CHECK: %[[J:.+]] = attn.index 2
  // CHECK: arith.addi %[[J]], %[[N]]
  // CHECK: tensor.parallel_insert_slice %[[A]] into %[[ACC]][%[[S]], 0, 0, 0] [1, 1, 2, 3]
  // CHECK: tensor.parallel_insert_slice %[[M]] into %[[MAX]][%[[S]], 0, 0] [1, 1, 2]
  // CHECK: tensor.parallel_insert_slice %[[L]] into %[[SUM]][%[[S]], 0, 0] [1, 1, 2]
  // CHECK: %[[R:.+]]:3 = attn.merge ins(%[[STATES]]#0, %[[STATES]]#1, %[[STATES]]#2 :
  // CHECK-SAME: indexing_maps = [#[[$STATE]], #[[$STATISTIC]], #[[$STATISTIC]]]
  // CHECK: attn.finish ins(%[[R]]#0, %[[R]]#1, %[[R]]#2 : {{.+}}) weighting(#attn.softmax_sink, %[[SINK]] : tensor<2xf32>) keys(%c30) outs(%[[INIT]] : {{.+}}) lse(%[[ROWS]] :
  // CHECK-SAME: indexing_maps = [#[[$STATE]], #[[$STATISTIC]], #[[$STATISTIC]], #[[$BATCH]], #[[$STATE]], #[[$LSE]]]
  func.func @split(%q: tensor<2x1x4xf32>, %k: tensor<2x30x4xf32>, %v: tensor<2x30x3xf32>,
                   %sink: tensor<2xf32>, %init: tensor<1x2x3xf32>, %rows: tensor<2x1xf32>)
      -> (tensor<1x2x3xf32>, tensor<2x1xf32>) {
    %out, %lse = attn.generic ins(%q, %k, %v : tensor<2x1x4xf32>, tensor<2x30x4xf32>, tensor<2x30x3xf32>)
        weighting(#attn.softmax_sink, %sink : tensor<2xf32>)
        outs(%init : tensor<1x2x3xf32>) lse(%rows : tensor<2x1xf32>)
        {indexing_maps = [#q, #k, #v, #batch, #o, #row]}
        score {
        ^bb0(%s: f32):
          %j = attn.index 2
          %w = arith.index_cast %j : index to i64
          %x = arith.sitofp %w : i64 to f32
          %t = arith.addf %s, %x : f32
          attn.yield %t : f32
        } -> tensor<1x2x3xf32>, tensor<2x1xf32>
    return %out, %lse : tensor<1x2x3xf32>, tensor<2x1xf32>
  }
}

// -----

!op = !transform.any_op
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#pair = affine_map<(m, n, d, e) -> (m, n)>
#o = affine_map<(m, n, d, e) -> (m, e)>

module attributes {transform.with_named_sequence} {
  transform.named_sequence @__transform_main(%root: !op) {
    %op = transform.structured.match ops{["attn.generic"]} in %root : (!op) -> !op
    transform.structured.tile_reduction_using_for %op by tile_sizes = [0, 5]
        : (!op) -> (!op, !op, !op, !op, !op)
    transform.yield
  }

  // Side by side: every fifth key has the same state. The splits are a batch
  // dimension of the step, which sees one key in each.
  // CHECK-DAG: #[[$KEY:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d4, d1, d2)>
  // CHECK-DAG: #[[$PAIR:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d0, d4)>
  // CHECK-DAG: #[[$ACC:.+]] = affine_map<(d0, d1, d2, d3, d4) -> (d4, d0, d3)>
  // CHECK-LABEL: @side_by_side
  // CHECK: %[[STATE:.+]] = scf.for %[[N:[a-z0-9]+]] = %c0 to %c30 step %c5 iter_args(%[[A:.+]] = %{{.+}}) -> (tensor<5x2x3xf32>)
  // CHECK: %[[KT:.+]] = tensor.extract_slice %{{.+}}[%[[N]], 0] [5, 4]
  // CHECK: %[[KEYS:.+]] = tensor.expand_shape %[[KT]] {{.+}} into tensor<5x1x4xf32>
  // CHECK: attn.online ins(%{{.+}}, %[[KEYS]],
  // CHECK-SAME: outs(%[[A]] : tensor<5x2x3xf32>) {{.*}}indexing_maps = [#{{.+}}, #[[$KEY]], #{{.+}}, #[[$PAIR]], #[[$ACC]]]
  // CHECK: %[[J:.+]] = attn.index 4
  // CHECK: arith.addi %[[J]], %[[N]]
  // CHECK: attn.merge ins(%[[STATE]] :
  func.func @side_by_side(%q: tensor<2x4xf32>, %k: tensor<30x4xf32>, %v: tensor<30x3xf32>,
                          %bias: tensor<2x30xf32>, %init: tensor<2x3xf32>) -> tensor<2x3xf32> {
    %out = attn.generic ins(%q, %k, %v : tensor<2x4xf32>, tensor<30x4xf32>, tensor<30x3xf32>)
        inputs(%bias : tensor<2x30xf32>)
        weighting(#attn.identity) outs(%init : tensor<2x3xf32>)
        {indexing_maps = [#q, #k, #v, #pair, #o]}
        mask {
        ^bb0(%in: f32):
          %i = attn.index 0
          %j = attn.index 1
          %visible = arith.cmpi sle, %i, %j : index
          attn.yield %visible : i1
        } -> tensor<2x3xf32>
    return %out : tensor<2x3xf32>
  }
}
