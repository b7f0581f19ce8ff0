// RUN: attn-opt %s --split-input-file --attn-specialize-rows | FileCheck %s

// One query row has a kernel of its own where the run knows their number.

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (n, d)>
#v = affine_map<(h, m, n, d, e) -> (n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
#l = affine_map<(h, m, n, d, e) -> (h, m)>
#n = affine_map<(h, m, n, d, e) -> (n)>
// CHECK-LABEL: func.func @rows(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<4x?x8xf32>, %[[K:[^:]+]]: tensor<?x8xf32>
// CHECK: %[[ROWS:.+]] = tensor.dim %[[Q]], %{{.+}} : tensor<4x?x8xf32>
// CHECK: %[[ONE:.+]] = arith.cmpi eq, %[[ROWS]], %{{.+}} : index
// CHECK: %[[R:.+]]:2 = scf.if %[[ONE]] -> (tensor<4x?x3xf32>, tensor<4x?xf32>) {
// CHECK: %[[CAST:.+]] = tensor.cast %[[Q]] : tensor<4x?x8xf32> to tensor<4x1x8xf32>
// CHECK: %[[ROW:.+]] = tensor.extract_slice %[[INIT:.+]][0, 0, 0] [4, 1, 3] [1, 1, 1] : tensor<4x?x3xf32> to tensor<4x1x3xf32>
// CHECK: %[[SINGLE:.+]], %[[LSE:.+]] = attn.generic ins(%[[CAST]], %[[K]], %{{.+}} : tensor<4x1x8xf32>, tensor<?x8xf32>, tensor<?x3xf32>) inputs(%{{.+}} : tensor<?xf32>)
// CHECK-SAME: outs(%[[ROW]] : tensor<4x1x3xf32>) lse(%{{.+}} : tensor<4x1xf32>)
// CHECK: attn.index 1
// CHECK-DAG: %[[BACK:.+]] = tensor.insert_slice %[[SINGLE]] into %[[INIT]][0, 0, 0] [4, 1, 3] [1, 1, 1] : tensor<4x1x3xf32> into tensor<4x?x3xf32>
// CHECK-DAG: %[[BACKLSE:.+]] = tensor.insert_slice %[[LSE]] into %{{.+}}[0, 0] [4, 1] [1, 1] : tensor<4x1xf32> into tensor<4x?xf32>
// CHECK: scf.yield %[[BACK]], %[[BACKLSE]]
// CHECK: } else {
// CHECK: attn.generic ins(%[[Q]], %[[K]]
// CHECK: return %[[R]]#0, %[[R]]#1
func.func @rows(%q: tensor<4x?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x3xf32>, %b: tensor<?xf32>,
                %init: tensor<4x?x3xf32>, %lse: tensor<4x?xf32>) -> (tensor<4x?x3xf32>, tensor<4x?xf32>) {
  %r:2 = attn.generic ins(%q, %k, %v : tensor<4x?x8xf32>, tensor<?x8xf32>, tensor<?x3xf32>)
      inputs(%b : tensor<?xf32>) weighting(#attn.softmax)
      outs(%init : tensor<4x?x3xf32>) lse(%lse : tensor<4x?xf32>)
      {indexing_maps = [#q, #k, #v, #n, #o, #l]}
      score {
      ^bb0(%s: f32, %x: f32):
        %i = attn.index 1
        %number = arith.index_cast %i : index to i32
        %at = arith.sitofp %number : i32 to f32
        %t = arith.addf %s, %at : f32
        %u = arith.addf %t, %x : f32
        attn.yield %u : f32
      } -> tensor<4x?x3xf32>, tensor<4x?xf32>
  return %r#0, %r#1 : tensor<4x?x3xf32>, tensor<4x?xf32>
}

// -----

// One tensor for queries and keys: the rows of the former are known alone.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
// CHECK-LABEL: func.func @one_tensor(
// CHECK-SAME: %[[X:[^:]+]]: tensor<?x8xf32>
// CHECK: %[[CAST:.+]] = tensor.cast %[[X]] : tensor<?x8xf32> to tensor<1x8xf32>
// CHECK: attn.generic ins(%[[CAST]], %[[X]], %[[X]] :
func.func @one_tensor(%x: tensor<?x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = attn.generic ins(%x, %x, %x : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

// Not where rows are known, where there are few keys, where lists of blocks
// depend on the row, or where rows fill vectors anyway.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#m = affine_map<(m, n, d, e) -> (m)>
#none = affine_map<(m, n, d, e) -> ()>
// CHECK-LABEL: func.func @not(
// CHECK-NOT: scf.if
func.func @not(%known: tensor<1x8xf32>, %q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %few: tensor<127x8xf32>,
               %indptr: tensor<?xi32>, %indices: tensor<?xi32>, %o: tensor<1x8xf32>, %init: tensor<?x8xf32>)
    -> (tensor<1x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) {
  %a = attn.generic ins(%known, %k, %k : tensor<1x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      weighting(#attn.softmax) outs(%o : tensor<1x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<1x8xf32>
  %b = attn.generic ins(%q, %few, %few : tensor<?x8xf32>, tensor<127x8xf32>, tensor<127x8xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<?x8xf32>
  %c = attn.generic ins(%q, %k, %k : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<?xi32>, tensor<?xi32>) {rows = 4, keys = 16, maps = [#m, #none]}
      outs(%init : tensor<?x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<?x8xf32>
  return %a, %b, %c : tensor<1x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>
}

// -----

// One row goes over its pairs again as well.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
// CHECK-LABEL: func.func @squares(
// CHECK: scf.if
// CHECK: attn.generic {{.*}} tensor<1x8xf32>
// CHECK: } else {
// CHECK: attn.generic {{.*}} tensor<?x8xf32>
func.func @squares(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %init: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %r = attn.generic ins(%q, %k, %k : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%w: f32):
        %t = arith.mulf %w, %w : f32
        attn.yield %t : f32
      } -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}
