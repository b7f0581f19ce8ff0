// Hand-checkable numbers: Q = K = V = rows (.1 .2 .3 .4), (.5 .6 .7 .8),
// (.9 1. 1.1 1.2). Weights that sum to 1 make each row rise by .1.

// RUN: attn-run %s --entry=softmax --target=reference | FileCheck %s --check-prefix=SOFTMAX
// RUN: attn-run %s --entry=softcap --target=reference | FileCheck %s --check-prefix=SOFTCAP
// RUN: attn-run %s --entry=empty_row --target=reference | FileCheck %s --check-prefix=EMPTY

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>

func.func private @rows() -> tensor<3x4xf32> {
  %x = arith.constant dense<[[0.1, 0.2, 0.3, 0.4], [0.5, 0.6, 0.7, 0.8],
                             [0.9, 1.0, 1.1, 1.2]]> : tensor<3x4xf32>
  return %x : tensor<3x4xf32>
}

// SOFTMAX:      result 0: 3x4xf32
// SOFTMAX-NEXT: [0.55298 0.65298 0.75298 0.85298]
// SOFTMAX-NEXT: [0.63276 0.73276 0.83276 0.93276]
// SOFTMAX-NEXT: [0.70113 0.80113 0.90113 1.00113]
func.func @softmax() -> tensor<3x4xf32> {
  %x = call @rows() : () -> tensor<3x4xf32>
  %init = tensor.empty() : tensor<3x4xf32>
  %o = attn.generic ins(%x, %x, %x : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3x4xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64} -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}

// SOFTCAP:      [0.62546 0.72546 0.82546 0.92546]
// SOFTCAP-NEXT: [0.59143 0.69143 0.79143 0.89143]
// SOFTCAP-NEXT: [0.54948 0.64948 0.74948 0.84948]
func.func @softcap() -> tensor<3x4xf32> {
  %x = call @rows() : () -> tensor<3x4xf32>
  %init = tensor.empty() : tensor<3x4xf32>
  %o = attn.generic ins(%x, %x, %x : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3x4xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %two = arith.constant 2.0 : f32
        %t = math.tanh %s : f32
        %r = arith.mulf %two, %t : f32
        attn.yield %r : f32
      } -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}

// A row that sees nothing gives 0, and a log-sum-exp of -inf; one that sees one
// key gives that key's value, and its score, here .70 / 2.
// EMPTY:      result 0: 3x4xf32
// EMPTY-NEXT: [0.00000 0.00000 0.00000 0.00000]
// EMPTY-NEXT: [0.10000 0.20000 0.30000 0.40000]
// EMPTY:      result 1: 3xf32
// EMPTY-NEXT: -inf 0.35000 1.74887
func.func @empty_row() -> (tensor<3x4xf32>, tensor<3xf32>) {
  %x = call @rows() : () -> tensor<3x4xf32>
  %init = tensor.empty() : tensor<3x4xf32>
  %init_lse = tensor.empty() : tensor<3xf32>
  %o, %lse = attn.generic ins(%x, %x, %x : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3x4xf32>) lse(%init_lse : tensor<3xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row], scale = 0.5 : f64}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %seen = arith.cmpi slt, %j, %i : index
        attn.yield %seen : i1
      } -> tensor<3x4xf32>, tensor<3xf32>
  return %o, %lse : tensor<3x4xf32>, tensor<3xf32>
}
