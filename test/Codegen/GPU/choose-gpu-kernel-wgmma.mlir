// RUN: attn-opt %s --attn-choose-gpu-kernel=chip=sm_90a | FileCheck %s
// RUN: attn-opt %s --attn-choose-gpu-kernel="chip=sm_90a wgmma=always" | FileCheck %s --check-prefix=ALWAYS
// RUN: attn-opt %s --attn-choose-gpu-kernel="chip=sm_90a wgmma=never" | FileCheck %s --check-prefix=NEVER
// RUN: attn-opt %s --attn-choose-gpu-kernel=chip=sm_90 | FileCheck %s --check-prefix=NEVER

// On sm_90a kernels take the form wgmma where they can, with another for arrays
// that have no tensor maps.

// NEVER-NOT: wgmma
// ALWAYS-NOT: gpu_fallback

// More query tiles than multiprocessors: these have a block each.
// CHECK-LABEL: @dense
// CHECK: attn.gpu_fallback = #attn.gpu_kernel<mma_sync, rows = 64, keys = 64,
// CHECK-SAME: attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3, splits = 1, blocks = 132>
// ALWAYS-LABEL: @dense
// ALWAYS: attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 128, keys = 128,
func.func @dense(%q: tensor<16x2048x64xf16>, %k: tensor<16x2048x64xf16>, %v: tensor<16x2048x64xf16>)
    -> tensor<16x2048x64xf16> {
  %init = tensor.empty() : tensor<16x2048x64xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<16x2048x64xf16>, tensor<16x2048x64xf16>, tensor<16x2048x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<16x2048x64xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      -> tensor<16x2048x64xf16>
  return %o : tensor<16x2048x64xf16>
}

// A group of heads is a tile of a warpgroup, the keys of which are in as many
// parts as leave each multiprocessor one.
// CHECK-LABEL: @decode
// CHECK: #attn.gpu_kernel<wgmma, rows = 64, keys = 128, warps = 4, stages = 3, splits = 16, folded = true>
// ALWAYS-LABEL: @decode
func.func @decode(%q: tensor<8x4x1x128xbf16>, %k: tensor<8x8192x128xbf16>, %v: tensor<8x8192x128xbf16>)
    -> tensor<8x4x1x128xbf16> {
  %init = tensor.empty() : tensor<8x4x1x128xbf16>
  %o = attn.generic ins(%q, %k, %v : tensor<8x4x1x128xbf16>, tensor<8x8192x128xbf16>, tensor<8x8192x128xbf16>)
      weighting(#attn.softmax) outs(%init : tensor<8x4x1x128xbf16>)
      {indexing_maps = [affine_map<(h, g, m, n, d, e) -> (h, g, m, d)>, affine_map<(h, g, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, g, m, n, d, e) -> (h, n, e)>, affine_map<(h, g, m, n, d, e) -> (h, g, m, e)>]}
      -> tensor<8x4x1x128xbf16>
  return %o : tensor<8x4x1x128xbf16>
}

// Few tiles have a block each; few keys are one tile.
// CHECK-LABEL: @short
// CHECK: #attn.gpu_kernel<wgmma, rows = 64, keys = 48, warps = 4, stages = 3, splits = 1>
// ALWAYS-LABEL: @short
func.func @short(%q: tensor<3x40x64xf16>, %k: tensor<3x40x64xf16>, %v: tensor<3x40x64xf16>)
    -> tensor<3x40x64xf16> {
  %init = tensor.empty() : tensor<3x40x64xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<3x40x64xf16>, tensor<3x40x64xf16>, tensor<3x40x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<3x40x64xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      -> tensor<3x40x64xf16>
  return %o : tensor<3x40x64xf16>
}

// A mask that reads data has lists of keys, and fewer registers for rows; a score
// that reads something for each pair has fewer keys, too.
// CHECK-LABEL: @documents
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 80, warps = 8, stages = 3, splits = 1>
// ALWAYS-LABEL: @documents
func.func @documents(%q: tensor<16x2048x128xf16>, %k: tensor<16x2048x128xf16>, %v: tensor<16x2048x128xf16>,
    %document: tensor<2048xi32>) -> tensor<16x2048x128xf16> {
  %init = tensor.empty() : tensor<16x2048x128xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<16x2048x128xf16>, tensor<16x2048x128xf16>, tensor<16x2048x128xf16>)
      weighting(#attn.softmax) outs(%init : tensor<16x2048x128xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %mine = tensor.extract %document[%i] : tensor<2048xi32>
        %other = tensor.extract %document[%j] : tensor<2048xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      } -> tensor<16x2048x128xf16>
  return %o : tensor<16x2048x128xf16>
}

// CHECK-LABEL: @slopes
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3, splits = 1, blocks = 132>
// ALWAYS-LABEL: @slopes
func.func @slopes(%q: tensor<16x2048x64xf16>, %k: tensor<16x2048x64xf16>, %v: tensor<16x2048x64xf16>,
    %slopes: tensor<16xf32>) -> tensor<16x2048x64xf16> {
  %init = tensor.empty() : tensor<16x2048x64xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<16x2048x64xf16>, tensor<16x2048x64xf16>, tensor<16x2048x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<16x2048x64xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      score {
      ^bb0(%s: f32):
        %h = attn.index 0
        %slope = tensor.extract %slopes[%h] : tensor<16xf32>
        %t = arith.mulf %s, %slope : f32
        attn.yield %t : f32
      } -> tensor<16x2048x64xf16>
  return %o : tensor<16x2048x64xf16>
}

// CHECK-LABEL: @table
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 112, warps = 8, stages = 3, splits = 1, blocks = 132>
// ALWAYS-LABEL: @table
func.func @table(%q: tensor<16x2048x64xf16>, %k: tensor<16x2048x64xf16>, %v: tensor<16x2048x64xf16>,
    %table: tensor<4096xf32>) -> tensor<16x2048x64xf16> {
  %init = tensor.empty() : tensor<16x2048x64xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<16x2048x64xf16>, tensor<16x2048x64xf16>, tensor<16x2048x64xf16>)
      weighting(#attn.softmax) outs(%init : tensor<16x2048x64xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 1
        %j = attn.index 2
        %both = arith.addi %i, %j : index
        %learned = tensor.extract %table[%both] : tensor<4096xf32>
        %t = arith.addf %s, %learned : f32
        attn.yield %t : f32
      } -> tensor<16x2048x64xf16>
  return %o : tensor<16x2048x64xf16>
}
