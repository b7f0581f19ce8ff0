// Weights that meet values of f16 in matrices are rounded to f16, which shows
// in an output of f32: the check knows.
// RUN: attn-run %s --target=gpu-emulator --random=3 --check | FileCheck %s
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @rounded(%q: tensor<19x16xf16>, %k: tensor<23x16xf16>, %v: tensor<23x24xf16>)
    -> tensor<19x24xf32> {
  %init = tensor.empty() : tensor<19x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<19x16xf16>, tensor<23x16xf16>, tensor<23x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<19x24xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<19x24xf32>
  return %o : tensor<19x24xf32>
}
