// RUN: attn-run %s --entry=grouped --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=grouped --target=gpu --print-config | FileCheck %s --check-prefix=FOLDED
// RUN: attn-run %s --entry=grouped_tiles --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=two_stages --target=gpu-emulator --random --shape=0:2x19x40 --shape=1:2x150x40 --shape=2:2x150x24 --check | FileCheck %s
// RUN: attn-run %s --entry=two_stages --target=gpu-emulator --random --shape=0:2x19x40 --shape=1:2x0x40 --shape=2:2x0x24 --schedule=5 --check | FileCheck %s
// RUN: attn-run %s --entry=three_stages --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=latent --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=latent --target=gpu --chip=sm_86 --print-config | FileCheck %s --check-prefix=LATENT
// RUN: attn-run %s --entry=shared_rows --target=gpu-emulator --random --check | FileCheck %s --check-prefix=SHARED
// RUN: attn-run %s --entry=wide --target=gpu-emulator --random --check | FileCheck %s

// How a tile is computed: heads of a group that are rows of one tile, keys and
// values in several stages, channels in several warps.

// CHECK: {{ 0}} bank conflicts
// CHECK: check: result 0: ok
// FOLDED: gpu kernel: mma_sync: tiles of 64 query rows {{.*}}; 24 rows of several dimensions in one
// LATENT: gpu kernel: mma_sync: tiles of 16 query rows by 32 keys, 4 warps, {{.*}}; channels in 4 parts, and keys: a warp has 68 products a key tile, and not 176
// Each product once: 12 tiles of keys by 2 of features, 4 of channels by 6 of keys.
// SHARED: 48 products, 0 bank conflicts
// SHARED: check: result 0: ok

// Three rows of each of eight heads over two.
func.func @grouped(%q: tensor<1x16x3x24xf16>, %k: tensor<1x2x150x24xf16>, %v: tensor<1x2x150x16xf16>)
    -> (tensor<1x16x3x16xf16>, tensor<1x16x3xf32>) {
  %init = tensor.empty() : tensor<1x16x3x16xf16>
  %sums = tensor.empty() : tensor<1x16x3xf32>
  %o:2 = attn.sdpa ins(%q, %k, %v : tensor<1x16x3x24xf16>, tensor<1x2x150x24xf16>, tensor<1x2x150x16xf16>)
      outs(%init : tensor<1x16x3x16xf16>) lse(%sums : tensor<1x16x3xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 70, -1>}
      -> tensor<1x16x3x16xf16>, tensor<1x16x3xf32>
  return %o#0, %o#1 : tensor<1x16x3x16xf16>, tensor<1x16x3xf32>
}

// Tiles that begin within a row, a table by head and row, keys in parts.
#q = affine_map<(g, m, n, d, e) -> (m, g, d)>
#k = affine_map<(g, m, n, d, e) -> (n, d)>
#v = affine_map<(g, m, n, d, e) -> (n, e)>
#x = affine_map<(g, m, n, d, e) -> (g, m)>
#o = affine_map<(g, m, n, d, e) -> (g, m, e)>
func.func @grouped_tiles(%q: tensor<7x5x16xf32>, %k: tensor<150x16xf32>, %v: tensor<150x8xf32>,
                         %x: tensor<5x7xf32>) -> tensor<5x7x8xf32> {
  %init = tensor.empty() : tensor<5x7x8xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<7x5x16xf32>, tensor<150x16xf32>, tensor<150x8xf32>) inputs(%x : tensor<5x7xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x7x8xf32>)
      {indexing_maps = [#q, #k, #v, #x, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 2, folded = true>}
      mask {
      ^bb0(%t: f32):
        %g = attn.index 0
        %m = attn.index 1
        %n = attn.index 2
        %c12 = arith.constant 12 : index
        %a = arith.muli %m, %c12 : index
        %b = arith.addi %a, %g : index
        %r = arith.cmpi sle, %n, %b : index
        attn.yield %r : i1
      }
      score {
      ^bb0(%s: f32, %t: f32):
        %r = arith.addf %s, %t : f32
        attn.yield %r : f32
      } -> tensor<5x7x8xf32>
  return %o : tensor<5x7x8xf32>
}

#bq = affine_map<(b, m, n, d, e) -> (b, m, d)>
#bk = affine_map<(b, m, n, d, e) -> (b, n, d)>
#bv = affine_map<(b, m, n, d, e) -> (b, n, e)>
#bo = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bw = affine_map<(b, m, n, d, e) -> (b, m, n)>
func.func @two_stages(%q: tensor<2x?x40xbf16>, %k: tensor<2x?x40xbf16>, %v: tensor<2x?x24xbf16>)
    -> tensor<2x?x24xbf16> {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<2x?x40xbf16>
  %init = tensor.empty(%rows) : tensor<2x?x24xbf16>
  %o = attn.generic ins(%q, %k, %v : tensor<2x?x40xbf16>, tensor<2x?x40xbf16>, tensor<2x?x24xbf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x?x24xbf16>)
      {indexing_maps = [#bq, #bk, #bv, #bo],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 32, keys = 16, warps = 2, stages = 2, splits = 3>}
      -> tensor<2x?x24xbf16>
  return %o : tensor<2x?x24xbf16>
}

// Weights that are asked for: two walks, which begin with stages that are free.
func.func @three_stages(%q: tensor<2x19x16xf16>, %k: tensor<2x150x16xf16>, %v: tensor<2x150x24xf16>)
    -> (tensor<2x19x24xf16>, tensor<2x19x150xf32>) {
  %init = tensor.empty() : tensor<2x19x24xf16>
  %pairs = tensor.empty() : tensor<2x19x150xf32>
  %o:2 = attn.generic ins(%q, %k, %v : tensor<2x19x16xf16>, tensor<2x150x16xf16>, tensor<2x150x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x19x24xf16>) weights(%pairs : tensor<2x19x150xf32>)
      {indexing_maps = [#bq, #bk, #bv, #bo, #bw],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 32, keys = 32, warps = 2, stages = 3, splits = 1>}
      -> tensor<2x19x24xf16>, tensor<2x19x150xf32>
  return %o#0, %o#1 : tensor<2x19x24xf16>, tensor<2x19x150xf32>
}

// Latent attention: keys are wider than values, of which they are a part.
func.func @latent(%q: tensor<1x2x5x576xf16>, %k: tensor<1x1x40x576xf16>, %v: tensor<1x1x40x512xf16>)
    -> tensor<1x2x5x512xf16> {
  %init = tensor.empty() : tensor<1x2x5x512xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x2x5x576xf16>, tensor<1x1x40x576xf16>, tensor<1x1x40x512xf16>)
      outs(%init : tensor<1x2x5x512xf16>) {causal = #attn.causal<bottom_right>} -> tensor<1x2x5x512xf16>
  return %o : tensor<1x2x5x512xf16>
}

// Scores and sums are divided among the warps of a row.
#rq = affine_map<(m, n, d, e) -> (m, d)>
#rk = affine_map<(m, n, d, e) -> (n, d)>
#rv = affine_map<(m, n, d, e) -> (n, e)>
#ro = affine_map<(m, n, d, e) -> (m, e)>
func.func @shared_rows(%q: tensor<16x32xf16>, %k: tensor<96x32xf16>, %v: tensor<96x32xf16>)
    -> tensor<16x32xf16> {
  %init = tensor.empty() : tensor<16x32xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<16x32xf16>, tensor<96x32xf16>, tensor<96x32xf16>)
      weighting(#attn.softmax) outs(%init : tensor<16x32xf16>)
      {indexing_maps = [#rq, #rk, #rv, #ro],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 4, stages = 2, splits = 1>}
      -> tensor<16x32xf16>
  return %o : tensor<16x32xf16>
}

func.func @wide(%q: tensor<20x24xf32>, %k: tensor<40x24xf32>, %v: tensor<40x300xf32>)
    -> tensor<20x300xf32> {
  %init = tensor.empty() : tensor<20x300xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<20x24xf32>, tensor<40x24xf32>, tensor<40x300xf32>)
      outs(%init : tensor<20x300xf32>) {causal = #attn.causal<bottom_right>} -> tensor<20x300xf32>
  return %o : tensor<20x300xf32>
}
