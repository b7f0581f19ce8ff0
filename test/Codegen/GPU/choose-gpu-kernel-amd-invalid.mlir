// RUN: attn-opt %s --verify-diagnostics --attn-choose-gpu-kernel=chip=gfx942

// A form whose instructions GPUs of AMD's have not.
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @fragments(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>,
    %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be a GPU kernel: #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1> is for GPUs of NVIDIA's, not for gfx942; the form there is plain}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>} -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}
