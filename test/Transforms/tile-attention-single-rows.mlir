// RUN: attn-opt %s --attn-bound --attn-tile --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-bound --attn-tile --attn-verify-stage=stage=tile -o /dev/null
// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=WHY
// RUN: attn-opt %s --attn-tile="query-tile=16" --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=ASKED

// Requests of one row are copied next to each other, and are an op of few rows, the
// 4 that share a key head; the other op takes them for empty. What comes of them is
// put in its place among the results. A number of rows that is asked for is one for
// all, and so it is where an input has rows at positions within a request.

// WHY: fused: one online pass; {{.+}}; layout #attn.lanes_along_rows<32>
// WHY: fused: requests of one row; tiles of 4 query rows by {{.+}}; layout #attn.lanes_along_features<4>
// WHY: fused: one online pass
// WHY-NOT: requests of one row
// ASKED-NOT: requests of one row

// CHECK-LABEL: func.func @packed(
// CHECK-SAME: %[[Q:[a-z0-9_]+]]: tensor<?x2x4x8xf32>, %{{.+}}: tensor<?x2x8xf32>, %{{.+}}: tensor<?x2x8xf32>, %{{.+}}: tensor<?x2x4x8xf32>, %[[ROWS:[a-z0-9_]+]]: tensor<?xi32>,
// CHECK: scf.forall
// CHECK: %[[COUNT:.+]] = arith.select %{{.+}}, %c1, %c0
// CHECK: %[[ROW:.+]] = tensor.extract_slice %[[Q]][%{{.+}}, 0, 0, 0] [%[[COUNT]], 2, 4, 8]
// CHECK: tensor.parallel_insert_slice %[[ROW]] into %{{.+}}[%{{.+}}, 0, 0, 0] [%[[COUNT]], 2, 4, 8]
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_features<4>)
// CHECK: scf.while
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_rows<32>)
// CHECK: scf.forall
// CHECK: tensor.parallel_insert_slice %{{.+}} into %{{.+}}[%{{.+}}, 0, 0, 0] [%{{.+}}, 2, 4, 8]
#q = affine_map<(r, h, g, m, n, d, e) -> (r + m, h, g, d)>
#k = affine_map<(r, h, g, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, g, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, g, m, n, d, e) -> (r + m, h, g, e)>
#i = affine_map<(r, h, g, m, n, d, e) -> (m)>
func.func @packed(%q: tensor<?x2x4x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x2x8xf32>,
                  %o: tensor<?x2x4x8xf32>, %query_starts: tensor<?xi32>,
                  %key_starts: tensor<?xi32>) -> tensor<?x2x4x8xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<?x2x4x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>)
      weighting(#attn.softmax)
      query_starts(%query_starts : tensor<?xi32>) key_starts(%key_starts : tensor<?xi32>)
      outs(%o : tensor<?x2x4x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 3
        %j = attn.index 4
        %seen = arith.cmpi sge, %j, %i : index
        attn.yield %seen : i1
      } -> tensor<?x2x4x8xf32>
  return %r : tensor<?x2x4x8xf32>
}

func.func @within(%q: tensor<?x2x4x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x2x8xf32>,
                  %o: tensor<?x2x4x8xf32>, %query_starts: tensor<?xi32>,
                  %key_starts: tensor<?xi32>, %bias: tensor<?xf32>) -> tensor<?x2x4x8xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<?x2x4x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>)
      inputs(%bias : tensor<?xf32>) weighting(#attn.softmax)
      query_starts(%query_starts : tensor<?xi32>) key_starts(%key_starts : tensor<?xi32>)
      outs(%o : tensor<?x2x4x8xf32>)
      {indexing_maps = [#q, #k, #v, #i, #o]}
      score {
      ^bb0(%s: f32, %b: f32):
        %t = arith.addf %s, %b : f32
        attn.yield %t : f32
      } -> tensor<?x2x4x8xf32>
  return %r : tensor<?x2x4x8xf32>
}
