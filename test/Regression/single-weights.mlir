// RUN: attn-run %s --entry=weights --random --random-range=0:-4:4 --random-range=1:-4:4 --check | FileCheck %s
// RUN: attn-run %s --entry=remainder --random --random-range=0:-4:4 --check | FileCheck %s
// RUN: attn-run %s --entry=floor --random --check | FileCheck %s --check-prefixes=CHECK,STEP

// Right numbers that a check once refused: single weights, some of them below
// the least normal number, and scores with a step, where a score within its
// error of one may be on either side. That wrong numbers are still seen is
// tested in test/Unit/Tools/CheckTest.cpp.
// CHECK-NOT: differ
// CHECK: check: result 0: ok
// STEP-SAME: not decided: their scores are too large for the precision, or within their error of a step
// CHECK-NOT: differ

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @weights(%q: tensor<64x64xf32>, %k: tensor<64x64xf32>) -> (tensor<64x64xf32>, tensor<64x64xf32>) {
  %i = tensor.empty() : tensor<64x64xf32>
  %wi = tensor.empty() : tensor<64x64xf32>
  %o:2 = attn.generic ins(%q, %k, %k : tensor<64x64xf32>, tensor<64x64xf32>, tensor<64x64xf32>) weighting(#attn.softmax)
      outs(%i : tensor<64x64xf32>) weights(%wi : tensor<64x64xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<64x64xf32>, tensor<64x64xf32>
  return %o#0, %o#1 : tensor<64x64xf32>, tensor<64x64xf32>
}

func.func @remainder(%q: tensor<32x8xf32>, %k: tensor<40x8xf32>, %v: tensor<40x5xf32>) -> tensor<32x5xf32> {
  %i = tensor.empty() : tensor<32x5xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<32x8xf32>, tensor<40x8xf32>, tensor<40x5xf32>) weighting(#attn.softmax)
      outs(%i : tensor<32x5xf32>) {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %c = arith.constant 0.001 : f32
        %r = arith.remf %s, %c : f32
        %f = arith.constant 1.0e4 : f32
        %t = arith.mulf %r, %f : f32
        attn.yield %t : f32
      } -> tensor<32x5xf32>
  return %o : tensor<32x5xf32>
}

// The dot products of equal rows are whole numbers but for rounding: each is on
// a step of the floor.
func.func @floor(%v: tensor<6x5xf32>) -> tensor<6x5xf32> {
  %i = tensor.empty() : tensor<6x5xf32>
  %q = arith.constant dense<0.1> : tensor<6x10xf32>
  %k = arith.constant dense<1.0> : tensor<6x10xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<6x10xf32>, tensor<6x10xf32>, tensor<6x5xf32>) weighting(#attn.identity)
      outs(%i : tensor<6x5xf32>) {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %r = math.floor %s : f32
        attn.yield %r : f32
      } -> tensor<6x5xf32>
  return %o : tensor<6x5xf32>
}
