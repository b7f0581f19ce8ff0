// Channels that do not lie next to each other are stored one by one: rows of
// the output, here of 7 elements, may begin anywhere.
// RUN: attn-run %s --target=gpu-emulator --random=3 --check | FileCheck %s
// CHECK: check: result 0: ok

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, e, m)>
func.func @channels(%q: tensor<2x5x16xf16>, %k: tensor<2x23x16xf16>, %v: tensor<2x23x24xf16>)
    -> tensor<2x24x7xf16> {
  %init = tensor.empty() : tensor<2x24x7xf16>
  %part = tensor.extract_slice %init[0, 0, 0] [2, 24, 5] [1, 1, 1]
      : tensor<2x24x7xf16> to tensor<2x24x5xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<2x5x16xf16>, tensor<2x23x16xf16>, tensor<2x23x24xf16>)
      weighting(#attn.softmax) outs(%part : tensor<2x24x5xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64} -> tensor<2x24x5xf16>
  %all = tensor.insert_slice %o into %init[0, 0, 0] [2, 24, 5] [1, 1, 1]
      : tensor<2x24x5xf16> into tensor<2x24x7xf16>
  return %all : tensor<2x24x7xf16>
}
