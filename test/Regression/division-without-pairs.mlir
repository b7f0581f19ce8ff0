// RUN: attn-run %s --entry=overflow --shape=1:0x4 --shape=2:0x3 --random --random-range=3:-1:0 --fusion=always --check
// RUN: attn-run %s --entry=zero --shape=1:0x4 --shape=2:0x3 --random --fusion=always --check

// Without keys, a mask divides nothing; the copy of a division that is the same
// for all pairs trapped.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @overflow(%q: tensor<5x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>,
                    %minus_one: i64) -> tensor<5x3xf32> {
  %least = arith.constant -9223372036854775808 : i64
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %j = attn.index 1
        %position = arith.index_cast %j : index to i64
        %limit = arith.divsi %least, %minus_one : i64
        %visible = arith.cmpi sgt, %position, %limit : i64
        attn.yield %visible : i1
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

func.func @zero(%q: tensor<5x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>)
    -> tensor<5x3xf32> {
  %least = arith.constant -9223372036854775808 : i64
  %none = arith.constant 0 : i64
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %j = attn.index 1
        %position = arith.index_cast %j : index to i64
        %limit = arith.divsi %least, %none : i64
        %visible = arith.cmpi sgt, %position, %limit : i64
        attn.yield %visible : i1
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
