// RUN: attn-opt %s --attn-bound --attn-tile --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-bound --attn-tile --attn-verify-stage=stage=tile -o /dev/null
// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=WHY
// RUN: attn-opt %s --attn-tile="query-tile=16" --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=ASKED
// RUN: attn-opt %s --attn-tile="vector-bits=256" --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=NARROW

// Where only the run knows how many query rows there are, few have tiles of their
// own, in which the heads that share keys are rows beside them: as many rows as
// make 16, or fewer where vectors hold fewer and tiles of many cost less. Of packed
// requests those of few rows are a loop over them, with two blocks for each here.
// A number of rows that is asked for is one for all.

// WHY: fused: up to 4 query rows; tiles of 8 query rows by {{.+}}; keys in up to 64 parts of 1024 or more; layout #attn.lanes_along_features<8> (cost 1.62), before #attn.lanes_along_rows<32> (cost 12)
// WHY: fused: one online pass; {{.+}}; layout #attn.lanes_along_rows<32>
// WHY: fused: one online pass; {{.+}}; layout #attn.lanes_along_rows
// WHY: fused: requests of 2 to 4 rows; tiles of 8 query rows by {{.+}}; keys in up to 64 parts of 1024 or more, by the number of requests; no tile has rows of two requests; layout #attn.lanes_along_features<8>
// WHY: fused: requests of one row; tiles of 4 query rows by {{.+}}; layout #attn.lanes_along_features<4>
// ASKED-NOT: few
// ASKED-NOT: lanes_along_features
// NARROW: fused: up to 4 query rows

// CHECK-LABEL: func.func @heads(
// CHECK-SAME: %[[Q:[a-z0-9_]+]]: tensor<2x4x?x8xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[Q]]
// CHECK: %[[FEW:.+]] = arith.cmpi ule, %[[ROWS]], %c4
// CHECK: scf.if %[[FEW]]
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_features<8>)
// CHECK: attn.finish {{.*}} layout(#attn.lanes_along_features<8>)
// CHECK: } else {
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_rows<32>)
#q = affine_map<(h, g, m, n, d, e) -> (h, g, m, d)>
#k = affine_map<(h, g, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, g, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, g, m, n, d, e) -> (h, g, m, e)>
func.func @heads(%q: tensor<2x4x?x8xf32>, %k: tensor<2x?x8xf32>, %v: tensor<2x?x5xf32>,
                 %init: tensor<2x4x?x5xf32>) -> tensor<2x4x?x5xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x4x?x8xf32>, tensor<2x?x8xf32>, tensor<2x?x5xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x4x?x5xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x4x?x5xf32>
  return %r : tensor<2x4x?x5xf32>
}

// CHECK-LABEL: func.func @packed(
// CHECK: scf.while
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_rows
// CHECK: %[[REQUEST:.+]] = arith.divui %{{.+}}, %c2
// CHECK: %[[BLOCK:.+]] = arith.remui %{{.+}}, %c2
// CHECK: attn.online {{.*}} layout(#attn.lanes_along_features<8>)
// CHECK: attn.merge
// CHECK: attn.finish {{.*}} layout(#attn.lanes_along_features<8>)
// CHECK: linalg.generic
#rq = affine_map<(r, h, g, m, n, d, e) -> (r + m, h, g, d)>
#rk = affine_map<(r, h, g, m, n, d, e) -> (r + n, h, d)>
#rv = affine_map<(r, h, g, m, n, d, e) -> (r + n, h, e)>
#ro = affine_map<(r, h, g, m, n, d, e) -> (r + m, h, g, e)>
func.func @packed(%q: tensor<?x2x4x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x2x5xf32>,
                  %init: tensor<?x2x4x5xf32>, %query_starts: tensor<?xi32>,
                  %key_starts: tensor<?xi32>) -> tensor<?x2x4x5xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<?x2x4x8xf32>, tensor<?x2x8xf32>, tensor<?x2x5xf32>)
      weighting(#attn.softmax)
      query_starts(%query_starts : tensor<?xi32>) key_starts(%key_starts : tensor<?xi32>)
      outs(%init : tensor<?x2x4x5xf32>)
      {indexing_maps = [#rq, #rk, #rv, #ro]} -> tensor<?x2x4x5xf32>
  return %r : tensor<?x2x4x5xf32>
}
