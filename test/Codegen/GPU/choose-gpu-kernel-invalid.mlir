// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-choose-gpu-kernel

// Steps of requests are none that the host knows.
#q = affine_map<(r, m, n, d, c, e) -> (r + m, d, c)>
#k = affine_map<(r, m, n, d, c, e) -> (r + n, d, c)>
#v = affine_map<(r, m, n, d, c, e) -> (r + n, e)>
#o = affine_map<(r, m, n, d, c, e) -> (r + m, e)>
func.func @feature_plane(%q: tensor<9x4x16xf16>, %k: tensor<11x4x16xf16>, %v: tensor<11x24xf16>,
    %o: tensor<9x24xf16>, %s: tensor<4xi32>) -> tensor<9x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: expected one feature dimension, but there are 2}}
  %r = attn.generic ins(%q, %k, %v : tensor<9x4x16xf16>, tensor<11x4x16xf16>, tensor<11x24xf16>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x24xf16>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x24xf16>
  return %r : tensor<9x24xf16>
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
