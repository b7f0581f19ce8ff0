// RUN: attn-run %s --entry=matrices --target=gpu-emulator --random --shape=0:2x3x16 --shape=1:2x150x16 --shape=2:2x150x24 --check | FileCheck %s
// RUN: attn-run %s --entry=matrices --target=gpu-emulator --random=3 --shape=0:2x19x16 --shape=1:2x1x16 --shape=2:2x1x24 --schedule=7 --check | FileCheck %s
// RUN: attn-run %s --entry=matrices --target=gpu-emulator --random --shape=0:2x3x16 --shape=1:2x0x16 --shape=2:2x0x24 --check | FileCheck %s
// RUN: attn-run %s --entry=singles --target=gpu-emulator --random --shape=0:2x3x16 --shape=1:2x150x16 --shape=2:2x150x24 --check | FileCheck %s

// Keys in parts, of which some are empty, merged by a second kernel; one kernel
// for all extents.

// CHECK: emulator: 2 launches
// CHECK: check: result 0: ok
// CHECK: check: result 1: ok

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#row = affine_map<(b, m, n, d, e) -> (b, m)>
func.func @matrices(%q: tensor<2x?x16xbf16>, %k: tensor<2x?x16xbf16>, %v: tensor<2x?x24xbf16>)
    -> (tensor<2x?x24xbf16>, tensor<2x?xf32>) {
  %c1 = arith.constant 1 : index
  %m = tensor.dim %q, %c1 : tensor<2x?x16xbf16>
  %init = tensor.empty(%m) : tensor<2x?x24xbf16>
  %sums = tensor.empty(%m) : tensor<2x?xf32>
  %o, %lse = attn.generic ins(%q, %k, %v : tensor<2x?x16xbf16>, tensor<2x?x16xbf16>, tensor<2x?x24xbf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x?x24xbf16>) lse(%sums : tensor<2x?xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row], scale = 0.25 : f64,
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 4>}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %c7 = arith.constant 7 : index
        %shifted = arith.addi %i, %c7 : index
        %visible = arith.cmpi sge, %j, %shifted : index
        attn.yield %visible : i1
      } -> tensor<2x?x24xbf16>, tensor<2x?xf32>
  return %o, %lse : tensor<2x?x24xbf16>, tensor<2x?xf32>
}

func.func @singles(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x24xf32>)
    -> (tensor<2x?x24xf32>, tensor<2x?xf32>) {
  %c1 = arith.constant 1 : index
  %m = tensor.dim %q, %c1 : tensor<2x?x16xf32>
  %init = tensor.empty(%m) : tensor<2x?x24xf32>
  %sums = tensor.empty(%m) : tensor<2x?xf32>
  %o, %lse = attn.generic ins(%q, %k, %v : tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x24xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x?x24xf32>) lse(%sums : tensor<2x?xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 3>}
      -> tensor<2x?x24xf32>, tensor<2x?xf32>
  return %o, %lse : tensor<2x?x24xf32>, tensor<2x?xf32>
}
