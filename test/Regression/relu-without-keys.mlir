// RUN: attn-run %s --random --shape=1:0x4 --shape=2:0x4 --check | FileCheck %s
// RUN: attn-run %s --random --shape=1:0x4 --shape=2:0x4 --fusion=never --check | FileCheck %s

// ReLU attention divides by the number of keys. Of none the output is 0, not 0 / 0.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @none(%q: tensor<20x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x4xf32>) -> tensor<20x4xf32> {
  %init = tensor.empty() : tensor<20x4xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<20x4xf32>, tensor<?x4xf32>, tensor<?x4xf32>)
      weighting(#attn.relu) outs(%init : tensor<20x4xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<20x4xf32>
  return %o : tensor<20x4xf32>
}
