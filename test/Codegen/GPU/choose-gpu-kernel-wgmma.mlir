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

// A mask that reads data has lists of keys; a score that reads something for each
// pair has fewer keys.
// CHECK-LABEL: @documents
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3, splits = 1>
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

// Long tiles where nothing is read or hidden, and the keys fill them.
// CHECK-LABEL: @long
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 176, warps = 8, stages = 2, splits = 1, blocks = 132>
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3, splits = 1, blocks = 132>
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 80, warps = 8, stages = 2, splits = 1, blocks = 132>
// ALWAYS-LABEL: @long
func.func @long(%q: tensor<?x?x128xf16>, %k: tensor<?x?x128xf16>, %short: tensor<?x256x128xf16>,
    %wide: tensor<?x?x256xf16>, %init: tensor<?x?x128xf16>, %wideinit: tensor<?x?x256xf16>)
    -> (tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x256xf16>) {
  %o = attn.generic ins(%q, %k, %k : tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x128xf16>)
      weighting(#attn.softmax) outs(%init : tensor<?x?x128xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      -> tensor<?x?x128xf16>
  %s = attn.generic ins(%q, %short, %short : tensor<?x?x128xf16>, tensor<?x256x128xf16>, tensor<?x256x128xf16>)
      weighting(#attn.softmax) outs(%init : tensor<?x?x128xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      -> tensor<?x?x128xf16>
  %w = attn.generic ins(%wide, %wide, %wide : tensor<?x?x256xf16>, tensor<?x?x256xf16>, tensor<?x?x256xf16>)
      weighting(#attn.softmax) outs(%wideinit : tensor<?x?x256xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      -> tensor<?x?x256xf16>
  return %o, %s, %w : tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x256xf16>
}

// Of a mask that is known each multiprocessor takes tiles in turns, too; where
// only data tells which keys are met, whichever is free has the next.
// CHECK-LABEL: @masked
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3, splits = 1, blocks = 132>
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3, splits = 1>
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 112, warps = 8, stages = 3, splits = 1, blocks = 132>
// ALWAYS-LABEL: @masked
func.func @masked(%q: tensor<?x?x128xf16>, %k: tensor<?x?x128xf16>, %documents: tensor<?xi32>, %bias: tensor<?x?xf32>,
    %init: tensor<?x?x128xf16>) -> (tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x128xf16>) {
  %causal = attn.generic ins(%q, %k, %k : tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x128xf16>)
      weighting(#attn.softmax) outs(%init : tensor<?x?x128xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<?x?x128xf16>
  %same = attn.generic ins(%q, %k, %k : tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x128xf16>)
      weighting(#attn.softmax) outs(%init : tensor<?x?x128xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %mine = tensor.extract %documents[%i] : tensor<?xi32>
        %other = tensor.extract %documents[%j] : tensor<?xi32>
        %visible = arith.cmpi eq, %mine, %other : i32
        attn.yield %visible : i1
      } -> tensor<?x?x128xf16>
  %biased = attn.generic ins(%q, %k, %k : tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x128xf16>)
      inputs(%bias : tensor<?x?xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x?x128xf16>)
      {indexing_maps = [affine_map<(h, m, n, d, e) -> (h, m, d)>, affine_map<(h, m, n, d, e) -> (h, n, d)>,
                        affine_map<(h, m, n, d, e) -> (h, n, e)>, affine_map<(h, m, n, d, e) -> (m, n)>,
                        affine_map<(h, m, n, d, e) -> (h, m, e)>]}
      score {
      ^bb0(%x: f32, %y: f32):
        %z = arith.addf %x, %y : f32
        attn.yield %z : f32
      } -> tensor<?x?x128xf16>
  return %causal, %same, %biased : tensor<?x?x128xf16>, tensor<?x?x128xf16>, tensor<?x?x128xf16>
}

// Requests of few rows each, and lists of 64, have tiles of a warpgroup.
// CHECK-LABEL: @requests
// CHECK: #attn.gpu_kernel<wgmma, rows = 64, keys = 128, warps = 4, stages = 3,
// CHECK: #attn.gpu_kernel<wgmma, rows = 128, keys = 128, warps = 8, stages = 3,
// ALWAYS-LABEL: @requests
func.func @requests(%q: tensor<180x64xf16>, %long: tensor<280x64xf16>, %k: tensor<900x64xf16>, %starts: tensor<4xi32>,
    %init: tensor<180x64xf16>, %longinit: tensor<280x64xf16>) -> (tensor<180x64xf16>, tensor<280x64xf16>) {
  %o = attn.generic ins(%q, %k, %k : tensor<180x64xf16>, tensor<900x64xf16>, tensor<900x64xf16>)
      weighting(#attn.softmax) query_starts(%starts : tensor<4xi32>) key_starts(%starts : tensor<4xi32>)
      outs(%init : tensor<180x64xf16>)
      {indexing_maps = [affine_map<(r, m, n, d, e) -> (r + m, d)>, affine_map<(r, m, n, d, e) -> (r + n, d)>,
                        affine_map<(r, m, n, d, e) -> (r + n, e)>, affine_map<(r, m, n, d, e) -> (r + m, e)>]}
      -> tensor<180x64xf16>
  %l = attn.generic ins(%long, %k, %k : tensor<280x64xf16>, tensor<900x64xf16>, tensor<900x64xf16>)
      weighting(#attn.softmax) query_starts(%starts : tensor<4xi32>) key_starts(%starts : tensor<4xi32>)
      outs(%longinit : tensor<280x64xf16>)
      {indexing_maps = [affine_map<(r, m, n, d, e) -> (r + m, d)>, affine_map<(r, m, n, d, e) -> (r + n, d)>,
                        affine_map<(r, m, n, d, e) -> (r + n, e)>, affine_map<(r, m, n, d, e) -> (r + m, e)>]}
      -> tensor<280x64xf16>
  return %o, %l : tensor<180x64xf16>, tensor<280x64xf16>
}
