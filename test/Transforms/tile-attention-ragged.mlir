// RUN: attn-opt %s --attn-bound --attn-tile="query-tiles=1" --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-bound --attn-tile --attn-verify-stage=stage=tile -o /dev/null
// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=WHY
// RUN: attn-opt %s --attn-decompose --canonicalize --cse | FileCheck %s --check-prefix=UNFUSED

// Packed requests. As many workers as the rows fill blocks, floor(700 / 32), and
// one for each request; a worker finds its request by a search in the starts. It
// reads, walks and writes rows of this request alone, and nothing where a block
// is empty.

// WHY: no tile has rows of two requests; layout #attn.lanes_along_rows<32>

// CHECK-DAG: #[[$WORKERS:.+]] = affine_map<()[s0] -> (s0 + 20)>
// CHECK-LABEL: func.func @packed(
// CHECK-SAME: %[[Q:.+]]: tensor<700x8xf32>, %[[K:.+]]: tensor<?x8xf32>, %{{.+}}: tensor<?x8xf32>, %{{.+}}: tensor<700x8xf32>, %[[ROWS:.+]]: tensor<?xi32>, %[[KEYS:.+]]: tensor<?xi32>)
// CHECK: %[[STARTS:.+]] = tensor.dim %[[ROWS]]
// CHECK: %[[COUNT:.+]] = affine.apply #[[$WORKERS]]()[%[[STARTS]]]
// CHECK: scf.forall (%[[BLOCK:.+]]) in (%[[COUNT]])
// CHECK: %[[FOUND:.+]]:2 = scf.while
// CHECK: tensor.extract %[[ROWS]]
// CHECK: arith.cmpi sle, %{{.+}}, %[[BLOCK]]
// CHECK: tensor.extract %[[ROWS]][%[[FOUND]]#0]
// CHECK: %[[VALID:.+]] = arith.maxsi %{{.+}}, %c0
// CHECK: tensor.extract %[[KEYS]][%[[FOUND]]#0]
// CHECK: %[[NONE:.+]] = arith.cmpi eq, %[[VALID]], %c0
// CHECK: %[[LENGTH:.+]] = arith.select %[[NONE]], %c0, %{{.+}}
// CHECK: tensor.extract_slice %[[K]][%{{.+}}, 0] [%[[LENGTH]], 8]
// CHECK: %[[END:.+]] = arith.minsi %{{.+}}, %[[LENGTH]]
// CHECK: scf.for %{{.+}} = %c0 to %[[END]]
// CHECK: attn.online {{.*}} rows(%[[VALID]])
// CHECK: attn.finish {{.*}} keys(%[[LENGTH]])

// Unfused, a loop over the requests.
// UNFUSED-LABEL: func.func @packed(
// UNFUSED: scf.for
// UNFUSED: tensor.extract_slice
// UNFUSED: linalg.generic
// UNFUSED: tensor.insert_slice
#q = affine_map<(r, m, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, n, d, e) -> (r + n, d)>
#v = affine_map<(r, m, n, d, e) -> (r + n, e)>
#o = affine_map<(r, m, n, d, e) -> (r + m, e)>
func.func @packed(%q: tensor<700x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>,
                  %o: tensor<700x8xf32>, %query_starts: tensor<?xi32>,
                  %key_starts: tensor<?xi32>) -> tensor<700x8xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<700x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      weighting(#attn.softmax)
      query_starts(%query_starts : tensor<?xi32>) key_starts(%key_starts : tensor<?xi32>)
      outs(%o : tensor<700x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %seen = arith.cmpi sle, %j, %i : index
        attn.yield %seen : i1
      } -> tensor<700x8xf32>
  return %r : tensor<700x8xf32>
}
