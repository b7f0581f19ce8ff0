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

#q = affine_map<(m, n, p, d, e) -> (m, d)>
#k = affine_map<(m, n, p, d, e) -> (n, p, d)>
#v = affine_map<(m, n, p, d, e) -> (n, p, e)>
#o = affine_map<(m, n, p, d, e) -> (m, e)>
#w = affine_map<(m, n, p, d, e) -> (m, n, p)>
func.func @key_plane(%q: tensor<5x16xf16>, %k: tensor<7x3x16xf16>, %v: tensor<7x3x24xf16>,
    %init: tensor<5x24xf16>, %none: tensor<5x7x3xf32>) -> tensor<5x7x3xf32> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: weights of keys in lists of blocks, or along several dimensions, are not built for GPUs}}
  %o, %w = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x3x16xf16>, tensor<7x3x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>) weights(%none : tensor<5x7x3xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<5x24xf16>, tensor<5x7x3xf32>
  return %w : tensor<5x7x3xf32>
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

#q = affine_map<(r, m, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, n, d, e) -> (r + n, d)>
#v = affine_map<(r, m, n, d, e) -> (r + n, e)>
#o = affine_map<(r, m, n, d, e) -> (r + m, e)>
#w = affine_map<(r, m, n, d, e) -> (r + m, n)>
func.func @weights_of_requests(%q: tensor<9x16xf32>, %k: tensor<11x16xf32>, %v: tensor<11x16xf32>,
    %o: tensor<9x16xf32>, %w: tensor<9x7xf32>, %s: tensor<4xi32>) -> tensor<9x7xf32> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: weights of packed requests are not built for GPUs}}
  %r:2 = attn.generic ins(%q, %k, %v : tensor<9x16xf32>, tensor<11x16xf32>, tensor<11x16xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x16xf32>) weights(%w : tensor<9x7xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<9x16xf32>, tensor<9x7xf32>
  return %r#1 : tensor<9x7xf32>
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
