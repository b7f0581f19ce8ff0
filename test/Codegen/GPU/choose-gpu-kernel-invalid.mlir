// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-choose-gpu-kernel

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @double(%q: tensor<5x16xf64>, %k: tensor<7x16xf64>, %v: tensor<7x24xf64>,
    %init: tensor<5x24xf64>) -> tensor<5x24xf64> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: expected arithmetic in f32}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf64>, tensor<7x16xf64>, tensor<7x24xf64>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf64>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x24xf64>
  return %o : tensor<5x24xf64>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @large(%q: tensor<5x256xf16>, %k: tensor<7x256xf16>, %v: tensor<7x24xf16>,
    %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: #attn.gpu_kernel<mma_sync, rows = 128, keys = 256, warps = 8, stages = 1, splits = 1> takes 215040 bytes of shared memory, of which a block of sm_80 may have 166912}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x256xf16>, tensor<7x256xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 128, keys = 256, warps = 8, stages = 1, splits = 1>}
      -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @warpgroups(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>,
    %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1> is for sm_90a, not for sm_80}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>} -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}
