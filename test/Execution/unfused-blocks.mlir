// RUN: attn-run %s --entry=logical --random --check | FileCheck %s
// RUN: attn-run %s --entry=pages --random --random-range=3:0:5 --check | FileCheck %s --check-prefixes=CHECK,LSE
// RUN: attn-run %s --entry=by_position --random --random-range=3:0:5 --check | FileCheck %s
// RUN: attn-run %s --entry=logical --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: not attn-run %s --entry=logical --random --require-fused 2>&1 | FileCheck %s --check-prefix=FUSED
// RUN: attn-run %s --entry=weights --random --check | FileCheck %s --check-prefixes=CHECK,WEIGHTS
// RUN: attn-run %s --entry=squared --random --random-range=3:0:5 --check | FileCheck %s --check-prefixes=CHECK,LSE,SQUARED

// What the kernel does not take of lists of blocks, two feature dimensions here, is
// a step for each block, and an end of the steps for each list; where weights have
// to be final, a step for each block and one more, by statistics of all blocks.

// CHECK: check: result 0: ok
// LSE: check: result 1: ok
// CONFIG: left unfused: expected one feature dimension, but there are 2
// FUSED: 'attn.generic' op cannot be fused: expected one feature dimension, but there are 2
// WEIGHTS: check: result 1: ok
// SQUARED: check: result 2: ok

#q = affine_map<(m, n, c, d, e) -> (m, c, d)>
#k = affine_map<(m, n, c, d, e) -> (n, c, d)>
#v = affine_map<(m, n, c, d, e) -> (n, e)>
#o = affine_map<(m, n, c, d, e) -> (m, e)>
#m = affine_map<(m, n, c, d, e) -> (m)>
#w = affine_map<(m, n, c, d, e) -> (m, n)>
#one = affine_map<(m, n, c, d, e) -> ()>

// The second list is empty; rows of the third see a part of what theirs names.
func.func @logical(%q: tensor<13x2x4xf32>, %k: tensor<22x2x4xf32>, %v: tensor<22x3xf32>) -> tensor<13x3xf32> {
  %indptr = arith.constant dense<[0, 2, 2, 5, 6]> : tensor<5xi32>
  %indices = arith.constant dense<[0, 4, 1, 2, 4, 3]> : tensor<6xi32>
  %init = tensor.empty() : tensor<13x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<13x2x4xf32>, tensor<22x2x4xf32>, tensor<22x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<5xi32>, tensor<6xi32>) {rows = 4, keys = 5, maps = [#m, #one]}
      outs(%init : tensor<13x3xf32>) {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %c6 = arith.constant 6 : index
        %end = arith.addi %i, %c6 : index
        %visible = arith.cmpi sle, %j, %end : index
        attn.yield %visible : i1
      } -> tensor<13x3xf32>
  return %o : tensor<13x3xf32>
}

#bq = affine_map<(b, m, p, n, c, d, e) -> (b, m, c, d)>
#bk = affine_map<(b, m, p, n, c, d, e) -> (p, n, c, d)>
#bv = affine_map<(b, m, p, n, c, d, e) -> (p, n, e)>
#bo = affine_map<(b, m, p, n, c, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, p, n, c, d, e) -> (b, m)>
#b = affine_map<(b, m, p, n, c, d, e) -> (b)>
#bone = affine_map<(b, m, p, n, c, d, e) -> ()>
func.func @pages(%q: tensor<2x5x2x4xf16>, %k: tensor<6x8x2x4xf16>, %v: tensor<6x8x3xf16>, %pages: tensor<7xi32>)
    -> (tensor<2x5x3xf16>, tensor<2x5xf32>) {
  %indptr = arith.constant dense<[0, 4, 7]> : tensor<3xi64>
  %sink = arith.constant dense<0.5> : tensor<2x5xf32>
  %init = tensor.empty() : tensor<2x5x3xf16>
  %linit = tensor.empty() : tensor<2x5xf32>
  %o, %l = attn.generic ins(%q, %k, %v : tensor<2x5x2x4xf16>, tensor<6x8x2x4xf16>, tensor<6x8x3xf16>)
      weighting(#attn.softmax_sink, %sink : tensor<2x5xf32>)
      blocks(%indptr, %pages : tensor<3xi64>, tensor<7xi32>) {keys = 8, kind = physical, maps = [#b, #bone]}
      outs(%init : tensor<2x5x3xf16>) lse(%linit : tensor<2x5xf32>)
      {indexing_maps = [#bq, #bk, #bv, #bm, #bo, #bm]}
      mask {
        %i = attn.index 1
        %j = attn.index 3
        %c19 = arith.constant 19 : index
        %end = arith.addi %i, %c19 : index
        %visible = arith.cmpi sle, %j, %end : index
        attn.yield %visible : i1
      } -> tensor<2x5x3xf16>, tensor<2x5xf32>
  return %o, %l : tensor<2x5x3xf16>, tensor<2x5xf32>
}

// A bias and visibility by the position in a list, with room for more.
#bbias = affine_map<(b, m, p, n, c, d, e) -> (m, n)>
#bseen = affine_map<(b, m, p, n, c, d, e) -> (b, n)>
func.func @by_position(%q: tensor<2x5x2x4xf32>, %k: tensor<6x8x2x4xf32>, %v: tensor<6x8x3xf32>, %pages: tensor<7xi32>,
                       %bias: tensor<5x32xf32>, %seen: tensor<2x35xi1>) -> tensor<2x5x3xf32> {
  %indptr = arith.constant dense<[0, 4, 7]> : tensor<3xi64>
  %init = tensor.empty() : tensor<2x5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x5x2x4xf32>, tensor<6x8x2x4xf32>, tensor<6x8x3xf32>)
      inputs(%bias, %seen : tensor<5x32xf32>, tensor<2x35xi1>) weighting(#attn.softmax)
      blocks(%indptr, %pages : tensor<3xi64>, tensor<7xi32>) {keys = 8, kind = physical, maps = [#b, #bone]}
      outs(%init : tensor<2x5x3xf32>)
      {indexing_maps = [#bq, #bk, #bv, #bbias, #bseen, #bo]}
      mask {
      ^bb0(%x: f32, %visible: i1):
        attn.yield %visible : i1
      } score {
      ^bb0(%s: f32, %x: f32, %visible: i1):
        %t = arith.addf %s, %x : f32
        attn.yield %t : f32
      } -> tensor<2x5x3xf32>
  return %o : tensor<2x5x3xf32>
}

// Weights that are asked for, of blocks that no list names as well.
func.func @weights(%q: tensor<13x2x4xf32>, %k: tensor<22x2x4xf32>, %v: tensor<22x3xf32>)
    -> (tensor<13x3xf32>, tensor<13x22xf32>) {
  %indptr = arith.constant dense<[0, 2, 2, 5, 6]> : tensor<5xi32>
  %indices = arith.constant dense<[0, 4, 1, 2, 4, 3]> : tensor<6xi32>
  %init = tensor.empty() : tensor<13x3xf32>
  %winit = tensor.empty() : tensor<13x22xf32>
  %o, %w = attn.generic ins(%q, %k, %v : tensor<13x2x4xf32>, tensor<22x2x4xf32>, tensor<22x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<5xi32>, tensor<6xi32>) {rows = 4, keys = 5, maps = [#m, #one]}
      outs(%init : tensor<13x3xf32>) weights(%winit : tensor<13x22xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<13x3xf32>, tensor<13x22xf32>
  return %o, %w : tensor<13x3xf32>, tensor<13x22xf32>
}

// Squares of weights of pages, by the position in a list, with room for more; what
// the regions read, an operand and an input, stands beside the statistics.
#bw = affine_map<(b, m, p, n, c, d, e) -> (n, b, m)>
func.func @squared(%q: tensor<2x5x2x4xf16>, %k: tensor<6x8x2x4xf16>, %v: tensor<6x8x3xf16>, %pages: tensor<7xi32>,
                   %factor: tensor<2x5xf16>) -> (tensor<2x5x3xf16>, tensor<2x5xf32>, tensor<35x2x5xf32>) {
  %indptr = arith.constant dense<[0, 4, 7]> : tensor<3xi64>
  %sink = arith.constant dense<[[0.5, -1.0, 0.0, 2.0, 1.0], [0.25, 3.0, -2.0, 0.0, 0.5]]> : tensor<2x5xf32>
  %init = tensor.empty() : tensor<2x5x3xf16>
  %linit = tensor.empty() : tensor<2x5xf32>
  %winit = tensor.empty() : tensor<35x2x5xf32>
  %o, %l, %w = attn.generic ins(%q, %k, %v : tensor<2x5x2x4xf16>, tensor<6x8x2x4xf16>, tensor<6x8x3xf16>)
      inputs(%factor : tensor<2x5xf16>) weighting(#attn.softmax_sink, %sink : tensor<2x5xf32>)
      blocks(%indptr, %pages : tensor<3xi64>, tensor<7xi32>) {keys = 8, kind = physical, maps = [#b, #bone]}
      outs(%init : tensor<2x5x3xf16>) lse(%linit : tensor<2x5xf32>) weights(%winit : tensor<35x2x5xf32>)
      {indexing_maps = [#bq, #bk, #bv, #bm, #bm, #bo, #bm, #bw]}
      mask {
      ^bb0(%f: f32):
        %i = attn.index 1
        %j = attn.index 3
        %c19 = arith.constant 19 : index
        %end = arith.addi %i, %c19 : index
        %visible = arith.cmpi sle, %j, %end : index
        attn.yield %visible : i1
      } weight {
      ^bb0(%x: f32, %f: f32):
        %j = attn.index 3
        %j32 = arith.index_cast %j : index to i32
        %place = arith.sitofp %j32 : i32 to f32
        %square = arith.mulf %x, %x : f32
        %scaled = arith.mulf %square, %f : f32
        %y = arith.mulf %scaled, %place : f32
        attn.yield %y : f32
      } -> tensor<2x5x3xf16>, tensor<2x5xf32>, tensor<35x2x5xf32>
  return %o, %l, %w : tensor<2x5x3xf16>, tensor<2x5xf32>, tensor<35x2x5xf32>
}
