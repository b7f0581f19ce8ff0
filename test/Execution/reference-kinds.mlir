// RUN: attn-test-run %s --entry=top --target=reference | FileCheck %s --check-prefix=TOP
// RUN: attn-test-run %s --entry=fewer --target=reference | FileCheck %s --check-prefix=FEWER
// RUN: attn-test-run %s --entry=sampled --target=reference | FileCheck %s --check-prefix=SAMPLED
// RUN: attn-test-run %s --entry=top --require-fused | FileCheck %s --check-prefix=TOP
// RUN: attn-test-run %s --entry=fewer --require-fused | FileCheck %s --check-prefix=FEWER
// RUN: not attn-test-run %s --entry=top --fusion=never 2>&1 | FileCheck %s --check-prefix=TOP-UNFUSED
// RUN: not attn-test-run %s --entry=sampled --fusion=never 2>&1 | FileCheck %s --check-prefix=UNFUSED

// Weightings of other kinds than accumulate: the reference evaluates them, and
// the unfused fallback refuses them in one sentence. With one
// feature and a query of 1, the scores of a row are the keys.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>

// Scores 1, 3, 2, 3 (twice that in row 1): the two largest are equal, and so
// weighed 1/2. The log-sum-exp is theirs: 3 + log 2, 6 + log 2.
// TOP: result 0: 2x1xf32
// TOP-NEXT: {{\[\[}}30.00000]
// TOP-NEXT: [30.00000]]
// TOP: result 1: 2xf32
// TOP-NEXT: [3.69315 6.69315]
// TOP: result 2: 2x4xf32
// TOP-NEXT: {{\[\[}}0.00000 0.50000 0.00000 0.50000]
// TOP-NEXT: [0.00000 0.50000 0.00000 0.50000]]
// TOP-UNFUSED: 'attn.generic' op cannot be lowered: #attntest.top<2> is not of kind accumulate
func.func @top() -> (tensor<2x1xf32>, tensor<2xf32>, tensor<2x4xf32>) {
  %q = arith.constant dense<[[1.0], [2.0]]> : tensor<2x1xf32>
  %k = arith.constant dense<[[1.0], [3.0], [2.0], [3.0]]> : tensor<4x1xf32>
  %v = arith.constant dense<[[10.0], [20.0], [30.0], [40.0]]> : tensor<4x1xf32>
  %init = tensor.empty() : tensor<2x1xf32>
  %lse = tensor.empty() : tensor<2xf32>
  %weights = tensor.empty() : tensor<2x4xf32>
  %o:3 = attn.generic ins(%q, %k, %v : tensor<2x1xf32>, tensor<4x1xf32>, tensor<4x1xf32>)
      weighting(#attntest.top<2>) outs(%init : tensor<2x1xf32>) lse(%lse : tensor<2xf32>)
      weights(%weights : tensor<2x4xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row, #w]}
      -> tensor<2x1xf32>, tensor<2xf32>, tensor<2x4xf32>
  return %o#0, %o#1, %o#2 : tensor<2x1xf32>, tensor<2xf32>, tensor<2x4xf32>
}

// Row 0 sees nothing, row 1 one key, row 2 two of them: the lower wins a tie.
// FEWER: result 0: 3x1xf32
// FEWER-NEXT: {{\[\[}} 0.00000]
// FEWER-NEXT: [10.00000]
// FEWER-NEXT: [10.00000]]
func.func @fewer() -> tensor<3x1xf32> {
  %q = arith.constant dense<0.0> : tensor<3x1xf32>
  %k = arith.constant dense<1.0> : tensor<4x1xf32>
  %v = arith.constant dense<[[10.0], [20.0], [30.0], [40.0]]> : tensor<4x1xf32>
  %init = tensor.empty() : tensor<3x1xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<3x1xf32>, tensor<4x1xf32>, tensor<4x1xf32>)
      weighting(#attntest.top<1>) outs(%init : tensor<3x1xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi slt, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<3x1xf32>
  return %o : tensor<3x1xf32>
}

// Four equal scores: the cumulative mass is 1/4, 1/2, 3/4, 1.
// SAMPLED: result 0: 3x1xf32
// SAMPLED-NEXT: {{\[\[}}10.00000]
// SAMPLED-NEXT: [30.00000]
// SAMPLED-NEXT: [40.00000]]
// UNFUSED: 'attn.generic' op cannot be lowered: #attntest.sampled is not of kind accumulate
func.func @sampled() -> tensor<3x1xf32> {
  %q = arith.constant dense<0.0> : tensor<3x1xf32>
  %k = arith.constant dense<1.0> : tensor<4x1xf32>
  %v = arith.constant dense<[[10.0], [20.0], [30.0], [40.0]]> : tensor<4x1xf32>
  %u = arith.constant dense<[0.1, 0.6, 0.9]> : tensor<3xf32>
  %init = tensor.empty() : tensor<3x1xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<3x1xf32>, tensor<4x1xf32>, tensor<4x1xf32>)
      weighting(#attntest.sampled, %u : tensor<3xf32>) outs(%init : tensor<3x1xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]} -> tensor<3x1xf32>
  return %o : tensor<3x1xf32>
}
