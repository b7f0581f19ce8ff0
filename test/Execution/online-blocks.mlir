// RUN: attn-run %s --entry=logical --random --check | FileCheck %s
// RUN: attn-run %s --entry=shared --random --check | FileCheck %s
// RUN: attn-run %s --entry=pages --random --random-range=3:0:5 --shape=3:7 --check | FileCheck %s
// RUN: not attn-run %s --entry=unsorted --random 2>&1 | FileCheck %s --check-prefix=UNSORTED
// RUN: not attn-run %s --entry=unsorted --random --target=reference 2>&1 | FileCheck %s --check-prefix=UNSORTED
// RUN: not attn-run %s --entry=outside --random 2>&1 | FileCheck %s --check-prefix=OUTSIDE
// RUN: not attn-run %s --entry=short --random --shape=0:6x4 --shape=2:6x4 --shape=3:6 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: attn-run %s --entry=logical --emit=mlir --stop-after=tile | FileCheck %s --check-prefix=TILE

// A step over the keys that lists of blocks name updates its state: a step for each
// block, in loops over the lists. The state is that of other keys before.

// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
// CHECK: check: result 2: ok
// UNSORTED: attn-run: error: {{.*}}: expected the blocks of a list to ascend, above 3 after it, but got 1
// OUTSIDE: attn-run: error: {{.*}}: expected the blocks of a list to be at least 0 and below 5, but got 5
// SHORT: attn-run: error: {{.*}}: expected indptr to have 3 entries or more, one behind those of the lists, but got 2
// TILE-NOT: attn.online

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#m = affine_map<(m, n, d, e) -> (m)>
#one = affine_map<(m, n, d, e) -> ()>

// 13 rows, of which 4 share a list; of the last block there are 2 keys.
func.func @logical(%q: tensor<13x4xf32>, %k: tensor<22x4xf32>, %v: tensor<22x3xf32>,
                   %a: tensor<13x3xf32>, %s: tensor<13xf32>)
    -> (tensor<13x3xf32>, tensor<13xf32>, tensor<13xf32>) {
  %indptr = arith.constant dense<[0, 2, 2, 5, 6]> : tensor<5xi32>
  %indices = arith.constant dense<[0, 4, 1, 2, 4, 3]> : tensor<6xi32>
  %ones = arith.constant dense<1.0> : tensor<13xf32>
  %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<13x4xf32>, tensor<22x4xf32>, tensor<22x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<5xi32>, tensor<6xi32>) {rows = 4, keys = 5, maps = [#m, #one]}
      outs(%a : tensor<13x3xf32>) statistics(%s, %ones : tensor<13xf32>, tensor<13xf32>)
      {indexing_maps = [#q, #k, #v, #o, #m, #m], scale = 0.5 : f64}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %c6 = arith.constant 6 : index
        %end = arith.addi %i, %c6 : index
        %visible = arith.cmpi sle, %j, %end : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%x: f32):
        %j = attn.index 1
        %number = arith.index_cast %j : index to i32
        %far = arith.sitofp %number : i32 to f32
        %c = arith.constant 0.125 : f32
        %y = arith.mulf %far, %c : f32
        %z = arith.addf %x, %y : f32
        attn.yield %z : f32
      } -> tensor<13x3xf32>, tensor<13xf32>, tensor<13xf32>
  return %acc, %max, %sum : tensor<13x3xf32>, tensor<13xf32>, tensor<13xf32>
}

#bq = affine_map<(b, m, n, d, e) -> (b, m, d)>
#bk = affine_map<(b, m, n, d, e) -> (b, n, d)>
#bv = affine_map<(b, m, n, d, e) -> (b, n, e)>
#bo = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>

// Lists of their own for each of the batch, in bf16, with bias.
func.func @shared(%q: tensor<2x5x4xbf16>, %k: tensor<2x21x4xbf16>, %v: tensor<2x21x3xbf16>,
                  %bias: tensor<5x21xf32>, %a: tensor<2x5x3xf32>, %s: tensor<2x5xf32>)
    -> (tensor<2x5x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>) {
  %indptr = arith.constant dense<[[0, 1, 3], [0, 2, 2]]> : tensor<2x3xi64>
  %indices = arith.constant dense<[[2, 0, 1], [1, 2, -1]]> : tensor<2x3xi64>
  %ones = arith.constant dense<1.0> : tensor<2x5xf32>
  %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<2x5x4xbf16>, tensor<2x21x4xbf16>, tensor<2x21x3xbf16>)
      inputs(%bias : tensor<5x21xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x3xi64>, tensor<2x3xi64>) {rows = 3, keys = 8, maps = [#bm, #b]}
      outs(%a : tensor<2x5x3xf32>) statistics(%s, %ones : tensor<2x5xf32>, tensor<2x5xf32>)
      {indexing_maps = [#bq, #bk, #bv, affine_map<(b, m, n, d, e) -> (m, n)>, #bo, #bm, #bm]}
      score {
      ^bb0(%x: f32, %y: f32):
        %z = arith.addf %x, %y : f32
        attn.yield %z : f32
      } -> tensor<2x5x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>
  return %acc, %max, %sum : tensor<2x5x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>
}

#pq = affine_map<(b, m, p, n, d, e) -> (b, m, d)>
#pk = affine_map<(b, m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(b, m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(b, m, p, n, d, e) -> (b, m, e)>
#pm = affine_map<(b, m, p, n, d, e) -> (b, m)>
#pb = affine_map<(b, m, p, n, d, e) -> (b)>
#pone = affine_map<(b, m, p, n, d, e) -> ()>

// Pages, of which the lists of two requests name four and three.
func.func @pages(%q: tensor<2x5x4xf32>, %k: tensor<6x8x4xf32>, %v: tensor<6x8x3xf32>,
                 %pages: tensor<?xi32>, %a: tensor<2x5x3xf32>, %s: tensor<2x5xf32>)
    -> (tensor<2x5x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>) {
  %indptr = arith.constant dense<[0, 4, 7]> : tensor<3xi64>
  %ones = arith.constant dense<1.0> : tensor<2x5xf32>
  %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<6x8x4xf32>, tensor<6x8x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %pages : tensor<3xi64>, tensor<?xi32>) {keys = 8, kind = physical, maps = [#pb, #pone]}
      outs(%a : tensor<2x5x3xf32>) statistics(%s, %ones : tensor<2x5xf32>, tensor<2x5xf32>)
      {indexing_maps = [#pq, #pk, #pv, #po, #pm, #pm]}
      mask {
        %i = attn.index 1
        %j = attn.index 3
        %c19 = arith.constant 19 : index
        %end = arith.addi %i, %c19 : index
        %visible = arith.cmpi sle, %j, %end : index
        attn.yield %visible : i1
      } -> tensor<2x5x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>
  return %acc, %max, %sum : tensor<2x5x3xf32>, tensor<2x5xf32>, tensor<2x5xf32>
}

func.func @unsorted(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>, %a: tensor<6x4xf32>, %s: tensor<6xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[4, 3, 1]> : tensor<3xi32>
  %acc, %max, %sum = attn.online ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, maps = [#m, #one]}
      outs(%a : tensor<6x4xf32>) statistics(%s, %s : tensor<6xf32>, tensor<6xf32>)
      {indexing_maps = [#q, #k, #v, #o, #m, #m]} -> tensor<6x4xf32>, tensor<6xf32>, tensor<6xf32>
  return %acc : tensor<6x4xf32>
}

func.func @outside(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>, %a: tensor<6x4xf32>, %s: tensor<6xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[4, 3, 5]> : tensor<3xi32>
  %acc, %max, %sum = attn.online ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, maps = [#m, #one]}
      outs(%a : tensor<6x4xf32>) statistics(%s, %s : tensor<6xf32>, tensor<6xf32>)
      {indexing_maps = [#q, #k, #v, #o, #m, #m]} -> tensor<6x4xf32>, tensor<6xf32>, tensor<6xf32>
  return %acc : tensor<6x4xf32>
}

func.func @short(%q: tensor<?x4xf32>, %k: tensor<22x4xf32>, %a: tensor<?x4xf32>, %s: tensor<?xf32>) -> tensor<?x4xf32> {
  %indptr = arith.constant dense<[0, 1]> : tensor<2xi32>
  %indices = arith.constant dense<[4, 3, 5]> : tensor<3xi32>
  %acc, %max, %sum = attn.online ins(%q, %k, %k : tensor<?x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<3xi32>) {rows = 3, keys = 5, maps = [#m, #one]}
      outs(%a : tensor<?x4xf32>) statistics(%s, %s : tensor<?xf32>, tensor<?xf32>)
      {indexing_maps = [#q, #k, #v, #o, #m, #m]} -> tensor<?x4xf32>, tensor<?xf32>, tensor<?xf32>
  return %acc : tensor<?x4xf32>
}
