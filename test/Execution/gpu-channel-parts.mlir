// RUN: attn-test-run %s --entry=final --target=gpu-emulator --random --shape=2:40x200 --check | FileCheck %s --check-prefix=FINAL
// RUN: attn-test-run %s --entry=ordered --target=gpu-emulator --random --shape=2:40x200 --check | FileCheck %s --check-prefix=ORDERED
// RUN: attn-test-run %s --entry=select --target=gpu-emulator --random --shape=2:40x200 --check | FileCheck %s --check-prefix=SELECT

// Of channels that only the run knows, each 64 are blocks of their own, but for
// what no channel is needed: with 200 channels, and keys in two parts, 2 blocks
// have statistics, or masses, or keep keys, and 8 have sums. 8 merge all rows.

// FINAL: emulator: 3 launches, 18 blocks
// FINAL: check: result 0: ok
// FINAL: check: result 1: ok
// ORDERED: emulator: 4 launches, 20 blocks
// ORDERED: check: result 0: ok
// SELECT: emulator: 2 launches, 6 blocks
// SELECT: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#s = affine_map<(m, n, d, e) -> ()>
func.func @final(%q: tensor<5x16xf32>, %k: tensor<40x16xf32>, %v: tensor<40x?xf32>)
    -> (tensor<5x?xf32>, tensor<5x40xf32>) {
  %c1 = arith.constant 1 : index
  %e = tensor.dim %v, %c1 : tensor<40x?xf32>
  %init = tensor.empty(%e) : tensor<5x?xf32>
  %pairs = tensor.empty() : tensor<5x40xf32>
  %o, %w = attn.generic ins(%q, %k, %v : tensor<5x16xf32>, tensor<40x16xf32>, tensor<40x?xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x?xf32>) weights(%pairs : tensor<5x40xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 2>}
      -> tensor<5x?xf32>, tensor<5x40xf32>
  return %o, %w : tensor<5x?xf32>, tensor<5x40xf32>
}

func.func @ordered(%q: tensor<5x16xf32>, %k: tensor<40x16xf32>, %v: tensor<40x?xf32>)
    -> tensor<5x?xf32> {
  %sink = arith.constant 0.5 : f32
  %c = arith.constant 0.75 : f32
  %c1 = arith.constant 1 : index
  %e = tensor.dim %v, %c1 : tensor<40x?xf32>
  %init = tensor.empty(%e) : tensor<5x?xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf32>, tensor<40x16xf32>, tensor<40x?xf32>)
      weighting(#attntest.fading, %sink, %c : f32, f32) outs(%init : tensor<5x?xf32>)
      {indexing_maps = [#q, #k, #v, #s, #s, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 2>}
      -> tensor<5x?xf32>
  return %o : tensor<5x?xf32>
}

func.func @select(%q: tensor<5x16xf32>, %k: tensor<40x16xf32>, %v: tensor<40x?xf32>)
    -> tensor<5x?xf32> {
  %c1 = arith.constant 1 : index
  %e = tensor.dim %v, %c1 : tensor<40x?xf32>
  %init = tensor.empty(%e) : tensor<5x?xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf32>, tensor<40x16xf32>, tensor<40x?xf32>)
      weighting(#attntest.best<3, #attn.softmax>) outs(%init : tensor<5x?xf32>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 2>}
      -> tensor<5x?xf32>
  return %o : tensor<5x?xf32>
}
