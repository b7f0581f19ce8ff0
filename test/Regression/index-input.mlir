// RUN: attn-run %s --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --fusion=never --random --check | FileCheck %s

// Packing an input of index elements asked for a width that index has none of.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#pair = affine_map<(m, n, d, e) -> (m, n)>
func.func @index_input(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %lengths = arith.constant dense<[3, 0, 7, 6, 1]> : tensor<5xindex>
  %first = arith.constant dense<[[0, 1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1, 0],
                                 [3, 3, 3, 3, 4, 4, 4], [0, 9, 0, 9, 0, 9, 0],
                                 [-1, -9, 5, 6, 7, 8, 9]]> : tensor<5x7xindex>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%lengths, %first : tensor<5xindex>, tensor<5x7xindex>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #pair, #o]}
      mask {
      ^bb0(%length: index, %rest: index):
        %j = attn.index 1
        %inside = arith.cmpi slt, %j, %length : index
        %three = arith.constant 3 : index
        %near = arith.cmpi sle, %rest, %three : index
        %visible = arith.andi %inside, %near : i1
        attn.yield %visible : i1
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
