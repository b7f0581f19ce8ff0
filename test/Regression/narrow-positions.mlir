// RUN: attn-run %s --entry=wraps --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=stays --require-fused --random --check | FileCheck %s

// Positions that wrap in 8 bits were widened as if they did not.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @wraps(%q: tensor<200x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<200x3xf32> {
  %init = tensor.empty() : tensor<200x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<200x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<200x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %offset = arith.constant 122 : i8
        %narrow = arith.index_cast %i : index to i8
        %moved = arith.addi %narrow, %offset : i8
        %last = arith.index_cast %moved : i8 to index
        %visible = arith.cmpi sle, %j, %last : index
        attn.yield %visible : i1
      } -> tensor<200x3xf32>
  return %o : tensor<200x3xf32>
}

// Narrow strides wrap too: 40 lanes of 77 are far beyond 8 bits.
func.func @stays(%q: tensor<40x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<40x3xf32> {
  %init = tensor.empty() : tensor<40x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<40x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<40x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %i8 = arith.index_cast %i : index to i8
        %j8 = arith.index_cast %j : index to i8
        %factor = arith.constant 77 : i8
        %hash = arith.muli %i8, %factor : i8
        %sum = arith.addi %hash, %j8 : i8
        %zero = arith.constant 0 : i8
        %visible = arith.cmpi sge, %sum, %zero : i8
        attn.yield %visible : i1
      } -> tensor<40x3xf32>
  return %o : tensor<40x3xf32>
}
