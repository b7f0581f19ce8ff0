// REQUIRES: avx2
// RUN: attn-run %s --entry=sixteen --random --check | FileCheck %s
// RUN: attn-run %s --entry=sixteen --cpu=haswell --random --check | FileCheck %s
// RUN: attn-run %s --entry=twelve --cpu=haswell --random --shape=1:2x2100x24 --shape=2:2x2100x8 --check | FileCheck %s
// RUN: attn-run %s --entry=twelve --cpu=haswell --print-config | FileCheck %s --check-prefix=TWELVE

// More rows than are kept on the stack lie along the lanes; their keys are split as
// those of fewer rows are, if one tile has them all.
// CHECK: check: result 0: ok
// TWELVE: tiles of 8 query rows by 128 key rows; 2 query tiles share each key tile; layout #attn.lanes_along_rows<8>

#q = affine_map<(h, g, n, d, e) -> (h, g, d)>
#k = affine_map<(h, g, n, d, e) -> (h, n, d)>
#v = affine_map<(h, g, n, d, e) -> (h, n, e)>
#o = affine_map<(h, g, n, d, e) -> (h, g, e)>
func.func @sixteen(%q: tensor<2x16x24xf32>, %k: tensor<2x3001x24xf32>, %v: tensor<2x3001x8xf32>)
    -> tensor<2x16x8xf32> {
  %init = tensor.empty() : tensor<2x16x8xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x16x24xf32>, tensor<2x3001x24xf32>, tensor<2x3001x8xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x16x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x16x8xf32>
  return %o : tensor<2x16x8xf32>
}

func.func @twelve(%q: tensor<2x12x24xf64>, %k: tensor<2x?x24xf64>, %v: tensor<2x?x8xf64>)
    -> tensor<2x12x8xf64> {
  %init = tensor.empty() : tensor<2x12x8xf64>
  %o = attn.generic ins(%q, %k, %v : tensor<2x12x24xf64>, tensor<2x?x24xf64>, tensor<2x?x8xf64>)
      weighting(#attn.softmax) outs(%init : tensor<2x12x8xf64>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x12x8xf64>
  return %o : tensor<2x12x8xf64>
}
