// RUN: attn-opt %s --verify-roundtrip | FileCheck %s

// Packed requests: what starts a clause, and sums in maps.

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
#rows = affine_map<(r, h, m, n, d, e) -> (r + m, h)>
#lengths = affine_map<(r, h, m, n, d, e) -> (r)>
#padded = affine_map<(r, h, m, n, d, e) -> (r, h, n, d)>
#values = affine_map<(r, h, m, n, d, e) -> (r, h, n, e)>

// CHECK-DAG: #[[$Q:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d2, d1, d4)>
// CHECK-DAG: #[[$K:.+]] = affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d3, d1, d4)>
// CHECK-LABEL: func.func @generic(
// CHECK: attn.generic ins(
// CHECK-SAME: weighting(#attn.softmax)
// CHECK-SAME: query_starts(%{{.+}} : tensor<4xi32>) key_starts(%{{.+}} : tensor<4xi64>)
// CHECK-SAME: outs(%{{.+}} : tensor<9x2x3xf32>) lse(%{{.+}} : tensor<9x2xf32>)
// CHECK-SAME: indexing_maps = [#[[$Q]], #[[$K]],
// CHECK: mask {
// CHECK: attn.index 0
func.func @generic(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>, %v: tensor<11x2x3xf32>,
                   %o: tensor<9x2x3xf32>, %l: tensor<9x2xf32>,
                   %qs: tensor<4xi32>, %ks: tensor<4xi64>) {
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) key_starts(%ks : tensor<4xi64>) query_starts(%qs : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>) lse(%l : tensor<9x2xf32>)
      {indexing_maps = [#q, #k, #v, #o, #rows]}
      mask {
        %r = attn.index 0
        %j = attn.index 3
        %seen = arith.cmpi sge, %j, %r : index
        attn.yield %seen : i1
      } -> tensor<9x2x3xf32>, tensor<9x2xf32>
  return
}

// Keys of each request by themselves, with a length each.
// CHECK-LABEL: func.func @queries(
// CHECK: inputs(%{{.+}} : tensor<3xi32>)
// CHECK-SAME: query_starts(%{{.+}} : tensor<4xindex>) outs(
func.func @queries(%q: tensor<9x2x4xf32>, %k: tensor<3x2x7x4xf32>, %v: tensor<3x2x7x3xf32>,
                   %o: tensor<9x2x3xf32>, %n: tensor<3xi32>, %qs: tensor<4xindex>) {
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<3x2x7x4xf32>, tensor<3x2x7x3xf32>)
      inputs(%n : tensor<3xi32>)
      weighting(#attn.softmax) query_starts(%qs : tensor<4xindex>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #padded, #values, #lengths, #o]}
      mask {
      ^bb0(%length: i32):
        %j = attn.index 3
        %at = arith.index_cast %j : index to i32
        %seen = arith.cmpi slt, %at, %length : i32
        attn.yield %seen : i1
      } -> tensor<9x2x3xf32>
  return
}

// On memrefs too.
// CHECK-LABEL: func.func @memrefs(
// CHECK: query_starts(%{{.+}} : memref<?xi32>) key_starts(%{{.+}} : memref<?xi32>)
func.func @memrefs(%q: memref<?x2x4xf32>, %k: memref<?x2x4xf32>, %v: memref<?x2x3xf32>,
                   %o: memref<?x2x3xf32>, %qs: memref<?xi32>, %ks: memref<?xi32>) {
  attn.generic ins(%q, %k, %v : memref<?x2x4xf32>, memref<?x2x4xf32>, memref<?x2x3xf32>)
      weighting(#attn.softmax) query_starts(%qs : memref<?xi32>) key_starts(%ks : memref<?xi32>)
      outs(%o : memref<?x2x3xf32>) {indexing_maps = [#q, #k, #v, #o]}
  return
}

// CHECK-LABEL: func.func @sdpa(
// CHECK: attn.sdpa ins(
// CHECK-SAME: query_starts(%{{.+}} : tensor<?xi32>) key_starts(%{{.+}} : tensor<?xi32>)
// CHECK-SAME: causal = #attn.causal<bottom_right>
func.func @sdpa(%q: tensor<?x4x8xf32>, %k: tensor<?x2x8xf32>, %v: tensor<?x2x8xf32>,
                %o: tensor<?x4x8xf32>, %qs: tensor<?xi32>, %ks: tensor<?xi32>) {
  attn.sdpa ins(%q, %k, %v : tensor<?x4x8xf32>, tensor<?x2x8xf32>, tensor<?x2x8xf32>)
      key_starts(%ks : tensor<?xi32>) query_starts(%qs : tensor<?xi32>)
      outs(%o : tensor<?x4x8xf32>) {causal = #attn.causal<bottom_right>} -> tensor<?x4x8xf32>
  return
}

// Keys in pages of one table: a list of them for each request, or a row of the
// table, the first of which count.
#pages = affine_map<(r, h, m, p, n, d, e) -> (p, h, n, d)>
#paged_values = affine_map<(r, h, m, p, n, d, e) -> (p, h, n, e)>
#paged_rows = affine_map<(r, h, m, p, n, d, e) -> (r + m, h, d)>
#paged_out = affine_map<(r, h, m, p, n, d, e) -> (r + m, h, e)>
#request = affine_map<(r, h, m, p, n, d, e) -> (r)>
#none = affine_map<(r, h, m, p, n, d, e) -> ()>
// CHECK-LABEL: func.func @paged(
// CHECK: query_starts(%{{.+}} : tensor<4xi32>) blocks(%{{.+}}, %{{.+}} : tensor<4xi32>, tensor<?xi32>) {rows = 1, keys = 16, kind = physical, maps = [
// CHECK: query_starts(%{{.+}} : tensor<4xi32>) key_starts(%{{.+}} : tensor<?xi64>) blocks(%{{.+}}, %{{.+}} : tensor<2xi32>, tensor<3x?xi32>) {rows = 1, keys = 16, kind = physical, maps = [
func.func @paged(%q: tensor<9x2x4xf32>, %k: tensor<7x2x16x4xf32>, %v: tensor<7x2x16x3xf32>,
                 %o: tensor<9x2x3xf32>, %qs: tensor<4xi32>, %ks: tensor<?xi64>,
                 %indptr: tensor<4xi32>, %list: tensor<?xi32>,
                 %bounds: tensor<2xi32>, %table: tensor<3x?xi32>) {
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<7x2x16x4xf32>, tensor<7x2x16x3xf32>)
      weighting(#attn.softmax) query_starts(%qs : tensor<4xi32>)
      blocks(%indptr, %list : tensor<4xi32>, tensor<?xi32>) {keys = 16, kind = physical, maps = [#request, #none]}
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#paged_rows, #pages, #paged_values, #paged_out]} -> tensor<9x2x3xf32>
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<7x2x16x4xf32>, tensor<7x2x16x3xf32>)
      weighting(#attn.softmax) query_starts(%qs : tensor<4xi32>) key_starts(%ks : tensor<?xi64>)
      blocks(%bounds, %table : tensor<2xi32>, tensor<3x?xi32>) {keys = 16, kind = physical, maps = [#none, #request]}
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#paged_rows, #pages, #paged_values, #paged_out]} -> tensor<9x2x3xf32>
  return
}
