// RUN: attn-opt %s --attn-choose-gpu-kernel | FileCheck %s
// RUN: attn-opt %s --attn-choose-gpu-kernel=chip=sm_90 | FileCheck %s --check-prefix=LARGE
// RUN: attn-opt %s --attn-choose-gpu-kernel=chip=sm_86 | FileCheck %s --check-prefix=SMALL
// RUN: not attn-opt %s --attn-choose-gpu-kernel=chip=sm_70 2>&1 | FileCheck %s --check-prefix=CHIP

// CHIP: expected chip to be one of sm_80, sm_86, {{.*}}, sm_121a, gfx942, but got sm_70

// Forms by elements and regions, tiles by what fits a chip.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: @halves
// CHECK: attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 4, stages = 2, splits = 1>
func.func @halves(%q: tensor<5x64xf16>, %k: tensor<7x64xf16>, %v: tensor<7x80xf16>)
    -> tensor<5x80xf16> {
  %init = tensor.empty() : tensor<5x80xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x64xf16>, tensor<7x64xf16>, tensor<7x80xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x80xf16>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x80xf16>
  return %o : tensor<5x80xf16>
}

// Of wide rows fewer fit the registers.
// CHECK-LABEL: @wide
// CHECK: #attn.gpu_kernel<mma_sync, rows = 64, keys = 32,
func.func @wide(%q: tensor<5x256xbf16>, %k: tensor<7x256xbf16>, %v: tensor<7x256xbf16>)
    -> tensor<5x256xf32> {
  %init = tensor.empty() : tensor<5x256xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x256xbf16>, tensor<7x256xbf16>, tensor<7x256xbf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x256xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x256xf32>
  return %o : tensor<5x256xf32>
}

// In f32, the wider the fewer keys, where a block may have 99 KiB.
// CHECK-LABEL: @singles
// CHECK: #attn.gpu_kernel<plain, rows = 32, keys = 32, warps = 2, stages = 1, splits = 1>
// SMALL-LABEL: @singles
// SMALL: #attn.gpu_kernel<plain, rows = 32, keys = 16, warps = 2, stages = 1, splits = 1>
func.func @singles(%q: tensor<5x256xf32>, %k: tensor<7x256xf32>, %v: tensor<7x256xf32>)
    -> tensor<5x256xf32> {
  %init = tensor.empty() : tensor<5x256xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x256xf32>, tensor<7x256xf32>, tensor<7x256xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x256xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x256xf32>
  return %o : tensor<5x256xf32>
}

// Weights that may be larger than f16 holds are not rounded to it.
// CHECK-LABEL: @identity
// CHECK: #attn.gpu_kernel<plain,
func.func @identity(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>)
    -> tensor<5x24xf16> {
  %init = tensor.empty() : tensor<5x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.identity) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}

// A similarity of one's own.
// CHECK-LABEL: @distance
// CHECK: #attn.gpu_kernel<plain,
func.func @distance(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>)
    -> tensor<5x24xf16> {
  %init = tensor.empty() : tensor<5x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32):
        %d = arith.subf %a, %b : f32
        %s = arith.mulf %d, %d : f32
        %n = arith.negf %s : f32
        attn.yield %n : f32
      } -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}

// A choice that is there stays; what an init is filled with is not made.
// CHECK-LABEL: @given
// CHECK-NOT: linalg.fill
// CHECK: #attn.gpu_kernel<plain, rows = 16, keys = 48, warps = 1, stages = 1, splits = 1>
func.func @given(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>)
    -> tensor<5x24xf16> {
  %zero = arith.constant 0.0 : f16
  %empty = tensor.empty() : tensor<5x24xf16>
  %init = linalg.fill ins(%zero : f16) outs(%empty : tensor<5x24xf16>) -> tensor<5x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 48, warps = 1, stages = 1, splits = 1>}
      -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}

// Of channels that warps share a thread has as many as registers go round for; with
// hidden pairs there are fewer keys to a tile, as there are with less memory. Few rows
// have more warps.
// CHECK-LABEL: @latent
// CHECK: #attn.gpu_kernel<mma_sync, rows = 64, keys = 32, warps = 8,
// CHECK: #attn.gpu_kernel<mma_sync, rows = 64, keys = 32, warps = 8,
// LARGE-LABEL: @latent
// LARGE: #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 8,
// LARGE: #attn.gpu_kernel<mma_sync, rows = 64, keys = 32, warps = 8,
// SMALL-LABEL: @latent
// SMALL: #attn.gpu_kernel<mma_sync, rows = 32, keys = 16, warps = 4,
// SMALL: #attn.gpu_kernel<mma_sync, rows = 32, keys = 16, warps = 4,
func.func @latent(%q: tensor<64x576xf16>, %k: tensor<96x576xf16>, %v: tensor<96x512xf16>)
    -> (tensor<64x512xf16>, tensor<64x512xf16>) {
  %init = tensor.empty() : tensor<64x512xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<64x576xf16>, tensor<96x576xf16>, tensor<96x512xf16>)
      weighting(#attn.softmax) outs(%init : tensor<64x512xf16>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<64x512xf16>
  %p = attn.generic ins(%q, %k, %v : tensor<64x576xf16>, tensor<96x576xf16>, tensor<96x512xf16>)
      weighting(#attn.softmax) outs(%init : tensor<64x512xf16>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<64x512xf16>
  return %o, %p : tensor<64x512xf16>, tensor<64x512xf16>
}

// CHECK-LABEL: @latent_rows
// CHECK: #attn.gpu_kernel<mma_sync, rows = 32, keys = 32, warps = 8,
// CHECK: #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 4,
// LARGE-LABEL: @latent_rows
// LARGE: #attn.gpu_kernel<mma_sync, rows = 32, keys = 64, warps = 8,
// LARGE: #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 4,
// SMALL-LABEL: @latent_rows
// SMALL: #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 4,
// SMALL: #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 4,
func.func @latent_rows(%q: tensor<32x576xf16>, %one: tensor<576xf16>, %k: tensor<96x576xf16>,
                       %v: tensor<96x512xf16>) -> (tensor<32x512xf16>, tensor<512xf16>) {
  %init = tensor.empty() : tensor<32x512xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<32x576xf16>, tensor<96x576xf16>, tensor<96x512xf16>)
      weighting(#attn.softmax) outs(%init : tensor<32x512xf16>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<32x512xf16>
  %init1 = tensor.empty() : tensor<512xf16>
  %p = attn.generic ins(%one, %k, %v : tensor<576xf16>, tensor<96x576xf16>, tensor<96x512xf16>)
      weighting(#attn.softmax) outs(%init1 : tensor<512xf16>)
      {indexing_maps = [affine_map<(n, d, e) -> (d)>, affine_map<(n, d, e) -> (n, d)>,
                        affine_map<(n, d, e) -> (n, e)>, affine_map<(n, d, e) -> (e)>]} -> tensor<512xf16>
  return %o, %p : tensor<32x512xf16>, tensor<512xf16>
}

// One row of each of 8 heads, and many keys: parts of 4 tiles or more.
// CHECK-LABEL: @decode
// CHECK: #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 4, stages = 2, splits = 16>
#hq = affine_map<(h, m, n, d, e) -> (h, m, d)>
#hk = affine_map<(h, m, n, d, e) -> (h, n, d)>
#hv = affine_map<(h, m, n, d, e) -> (h, n, e)>
#ho = affine_map<(h, m, n, d, e) -> (h, m, e)>
func.func @decode(%q: tensor<8x1x64xf16>, %k: tensor<8x?x64xf16>, %v: tensor<8x?x64xf16>)
    -> tensor<8x1x64xf16> {
  %init = tensor.empty() : tensor<8x1x64xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<8x1x64xf16>, tensor<8x?x64xf16>, tensor<8x?x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<8x1x64xf16>)
      {indexing_maps = [#hq, #hk, #hv, #ho]} -> tensor<8x1x64xf16>
  return %o : tensor<8x1x64xf16>
}

// All 100 rows of two heads that share their keys are one tile; of more rows each
// head has tiles of its own.
// CHECK-LABEL: @grouped
// CHECK: #attn.gpu_kernel<mma_sync, rows = 128, keys = 64, warps = 8, stages = {{.}}, splits = 1, folded = true>
// CHECK: #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 4, stages = 2, splits = 1>
#gq = affine_map<(g, m, n, d, e) -> (g, m, d)>
#gk = affine_map<(g, m, n, d, e) -> (n, d)>
#gv = affine_map<(g, m, n, d, e) -> (n, e)>
#go = affine_map<(g, m, n, d, e) -> (g, m, e)>
func.func @grouped(%q: tensor<2x50x64xf16>, %k: tensor<70x64xf16>, %v: tensor<70x64xf16>,
                   %q2: tensor<2x65x64xf16>) -> (tensor<2x50x64xf16>, tensor<2x65x64xf16>) {
  %init = tensor.empty() : tensor<2x50x64xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<2x50x64xf16>, tensor<70x64xf16>, tensor<70x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x50x64xf16>)
      {indexing_maps = [#gq, #gk, #gv, #go]} -> tensor<2x50x64xf16>
  %init2 = tensor.empty() : tensor<2x65x64xf16>
  %o2 = attn.generic ins(%q2, %k, %v : tensor<2x65x64xf16>, tensor<70x64xf16>, tensor<70x64xf16>)
      weighting(#attn.softmax) outs(%init2 : tensor<2x65x64xf16>)
      {indexing_maps = [#gq, #gk, #gv, #go]} -> tensor<2x65x64xf16>
  return %o, %o2 : tensor<2x50x64xf16>, tensor<2x65x64xf16>
}
