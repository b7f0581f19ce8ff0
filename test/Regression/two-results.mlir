// RUN: attn-run %s --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --fusion=never --random --check | FileCheck %s

// Ops with two results crashed the compiler: it kept the first.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @two_results(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %carries = arith.constant -4 : index
        %sum, %carry = arith.addui_extended %i, %carries : index, i1
        %twice, %overflow = arith.addui_extended %j, %j : index, i1
        %hidden = arith.ori %carry, %overflow : i1
        %true = arith.constant true
        %visible = arith.xori %hidden, %true : i1
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %i32 = arith.index_cast %i : index to i32
        %j32 = arith.index_cast %j : index to i32
        %large = arith.constant -1500000000 : i32
        %x = arith.muli %i32, %large : i32
        %low, %high = arith.mulsi_extended %x, %j32 : i32
        %low_u, %high_u = arith.mului_extended %x, %j32 : i32
        %halves = arith.subi %high, %high_u : i32
        %bias = arith.sitofp %halves : i32 to f32
        %sin, %cos = math.sincos %s : f32
        %half = arith.constant 0.5 : f32
        %c = math.fma %cos, %half, %sin : f32
        %t = arith.addf %c, %bias : f32
        attn.yield %t : f32
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
