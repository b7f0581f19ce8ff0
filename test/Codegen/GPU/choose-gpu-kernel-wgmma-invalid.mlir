// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-choose-gpu-kernel=chip=sm_90a

// What the form wgmma is asked for and has not.

#q = affine_map<(n, d, e) -> (d)>
#k = affine_map<(n, d, e) -> (n, d)>
#v = affine_map<(n, d, e) -> (n, e)>
#o = affine_map<(n, d, e) -> (e)>
func.func @no_rows(%q: tensor<16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>,
    %init: tensor<24xf16>) -> tensor<24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: wgmma cannot be the form: there is no dimension of query rows}}
  %o = attn.generic ins(%q, %k, %v : tensor<16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>} -> tensor<24xf16>
  return %o : tensor<24xf16>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @unknown(%q: tensor<5x?xf16>, %k: tensor<7x?xf16>, %v: tensor<7x24xf16>,
    %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: wgmma cannot be the form: expected 1 to 576 features, but it is not known how many there are}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x?xf16>, tensor<7x?xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>} -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @wide(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x264xf16>,
    %init: tensor<5x264xf16>) -> tensor<5x264xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: wgmma cannot be the form: expected at most 256 channels, but there are 264}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x264xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x264xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>} -> tensor<5x264xf16>
  return %o : tensor<5x264xf16>
}

// -----

#q = affine_map<(a, b, c, h, m, n, d, e) -> (a, b, c, h, m, d)>
#k = affine_map<(a, b, c, h, m, n, d, e) -> (n, d)>
#v = affine_map<(a, b, c, h, m, n, d, e) -> (n, e)>
#o = affine_map<(a, b, c, h, m, n, d, e) -> (a, b, c, h, m, e)>
func.func @many(%q: tensor<2x3x2x3x5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>,
    %init: tensor<2x3x2x3x5x24xf16>) -> tensor<2x3x2x3x5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: wgmma cannot be the form: expected a query of at most 5 dimensions, but it has 6}}
  %o = attn.generic ins(%q, %k, %v : tensor<2x3x2x3x5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x3x2x3x5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>} -> tensor<2x3x2x3x5x24xf16>
  return %o : tensor<2x3x2x3x5x24xf16>
}

// -----

// What there is beside it has to fit as well.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @fallback(%q: tensor<5x256xf16>, %k: tensor<7x256xf16>, %v: tensor<7x64xf16>,
    %init: tensor<5x64xf16>) -> tensor<5x64xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: #attn.gpu_kernel<mma_sync, rows = 128, keys = 256, warps = 8, stages = 1, splits = 1> takes 239616 bytes of shared memory, of which a block of sm_90a may have 232448}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x256xf16>, tensor<7x256xf16>, tensor<7x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x64xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>,
       attn.gpu_fallback = #attn.gpu_kernel<mma_sync, rows = 128, keys = 256, warps = 8, stages = 1, splits = 1>} -> tensor<5x64xf16>
  return %o : tensor<5x64xf16>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @no_form(%q: tensor<5x20xf16>, %k: tensor<7x20xf16>, %v: tensor<7x24xf16>,
    %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: mma_sync cannot be the form: features or channels are no multiple of 8}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x20xf16>, tensor<7x20xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>} -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}
