// RUN: attn-run %s --entry=mask --random=1 --check | FileCheck %s
// RUN: attn-run %s --entry=score --random=1 --check | FileCheck %s

// A symbol at the end of i64, which stands for "no limit", was subtracted from
// the position of a row; the difference wrapped from the second query tile on.
// CHECK: check: result 0: ok: 450 elements

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @mask(%q: tensor<150x4xf32>, %k: tensor<170x4xf32>, %v: tensor<170x3xf32>,
                %limited: i1, %flags: tensor<150x170xi1>) -> tensor<150x3xf32> {
  %init = tensor.empty() : tensor<150x3xf32>
  %none = arith.constant -9223372036854775808 : index
  %hundred = arith.constant 100 : index
  %limit = arith.select %limited, %none, %hundred : index
  %o = attn.generic ins(%q, %k, %v : tensor<150x4xf32>, tensor<170x4xf32>, tensor<170x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<150x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %late = arith.cmpi sge, %i, %limit : index
        %flag = tensor.extract %flags[%i, %j] : tensor<150x170xi1>
        %visible = arith.andi %late, %flag : i1
        attn.yield %visible : i1
      } -> tensor<150x3xf32>
  return %o : tensor<150x3xf32>
}

func.func @score(%q: tensor<150x4xf32>, %k: tensor<170x4xf32>, %v: tensor<170x3xf32>,
                 %limited: i1) -> tensor<150x3xf32> {
  %init = tensor.empty() : tensor<150x3xf32>
  %none = arith.constant -9223372036854775808 : index
  %hundred = arith.constant 100 : index
  %limit = arith.select %limited, %none, %hundred : index
  %o = attn.generic ins(%q, %k, %v : tensor<150x4xf32>, tensor<170x4xf32>, tensor<170x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<150x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %late = arith.cmpi slt, %limit, %i : index
        %negated = arith.negf %s : f32
        %score = arith.select %late, %negated, %s : f32
        attn.yield %score : f32
      } -> tensor<150x3xf32>
  return %o : tensor<150x3xf32>
}
