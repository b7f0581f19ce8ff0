// RUN: attn-run %s --entry=singles --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --entry=singles --fusion=never --random --check | FileCheck %s
// RUN: attn-run %s --entry=doubles --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --entry=powers --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --entry=powers --fusion=never --random --check | FileCheck %s

// Clamping, classes of floats and powers of integers had no lowering.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>

// A number, infinity, its negative, NaN and zero, row by row. What is subnormal
// in f32 is not in the reference, which computes in f64.
func.func @singles(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %factors = arith.constant dense<[1.0, 0x7F800000, 0xFF800000, 0x7FC00000, 0.0]> : tensor<5xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%factors : tensor<5xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      score {
      ^bb0(%s: f32, %factor: f32):
        %low = arith.constant -0.25 : f32
        %high = arith.constant 0.5 : f32
        %clamped = math.clampf %s to [%low, %high] : f32
        %shift = arith.constant 2.0 : f32
        %apart = arith.addf %clamped, %shift : f32
        %x = arith.mulf %factor, %apart : f32
        %is_infinite = math.isinf %x : f32
        %is_normal = math.isnormal %x : f32
        %is_finite = math.isfinite %x : f32
        %is_nan = math.isnan %x : f32
        %one = arith.constant 1.0 : f32
        %three = arith.constant 3.0 : f32
        %a = arith.select %is_infinite, %one, %clamped : f32
        %b = arith.select %is_normal, %a, %three : f32
        %c = arith.select %is_finite, %b, %a : f32
        %t = arith.select %is_nan, %three, %c : f32
        attn.yield %t : f32
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// Scores are scaled around the smallest normal number.
func.func @doubles(%q: tensor<5x4xf64>, %k: tensor<7x4xf64>, %v: tensor<7x3xf64>)
    -> tensor<5x3xf64> {
  %init = tensor.empty() : tensor<5x3xf64>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf64>, tensor<7x4xf64>, tensor<7x3xf64>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf64>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f64):
        %least = arith.constant 1.0e-308 : f64
        %x = arith.mulf %s, %least : f64
        %is_normal = math.isnormal %x : f64
        %is_infinite = math.isinf %x : f64
        %one = arith.constant 1.0 : f64
        %a = arith.select %is_normal, %one, %s : f64
        %t = arith.select %is_infinite, %one, %a : f64
        attn.yield %t : f64
      } -> tensor<5x3xf64>
  return %o : tensor<5x3xf64>
}

func.func @powers(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %squares = math.ipowi %i, %j : index
        %squares64 = arith.index_cast %squares : index to i64
        %j16 = arith.index_cast %j : index to i16
        %two = arith.constant 2 : i16
        %twos = math.ipowi %two, %j16 : i16
        %i32 = arith.index_cast %i : index to i32
        %power = math.fpowi %s, %i32 : f32, i32
        %a = arith.sitofp %squares64 : i64 to f32
        %b = arith.sitofp %twos : i16 to f32
        %small = arith.constant 0.001 : f32
        %c = arith.addf %a, %b : f32
        %t = math.fma %c, %small, %power : f32
        attn.yield %t : f32
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
