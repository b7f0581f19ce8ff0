// RUN: attn-run %s --entry=bounds --target=gpu-emulator --random --random-range=3:0:70 --check | FileCheck %s
// RUN: attn-run %s --entry=computed --target=gpu-emulator --random --random-range=3:0:35 --check | FileCheck %s
// RUN: attn-run %s --entry=scores --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=around --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=bounds --target=gpu --chip=sm_90a --emit=mlir --stop-after=gpu | FileCheck %s --check-prefix=HOST

// Elements of tensors that only kernels take: these read them, and the host reads
// none.

// CHECK: check: result 0: ok
// HOST-LABEL: func.func @bounds(
// HOST-NOT:   memref.load
// HOST:       gpu.launch_func
// HOST-NOT:   memref.load
// HOST:       gpu.module

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>

// A length for each batch, which bounds a mask.
func.func @bounds(%q: tensor<3x2x20x16xf16>, %k: tensor<3x2x70x16xf16>, %v: tensor<3x2x70x24xf16>,
                  %lengths: tensor<3xi32>) -> tensor<3x2x20x24xf16> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %all = tensor.empty() : tensor<3x2x20x24xf16>
  %r = scf.for %b = %c0 to %c3 step %c1 iter_args(%done = %all) -> tensor<3x2x20x24xf16> {
    %length = tensor.extract %lengths[%b] : tensor<3xi32>
    %keys = arith.index_cast %length : i32 to index
    %qb = tensor.extract_slice %q[%b, 0, 0, 0] [1, 2, 20, 16] [1, 1, 1, 1] : tensor<3x2x20x16xf16> to tensor<2x20x16xf16>
    %kb = tensor.extract_slice %k[%b, 0, 0, 0] [1, 2, 70, 16] [1, 1, 1, 1] : tensor<3x2x70x16xf16> to tensor<2x70x16xf16>
    %vb = tensor.extract_slice %v[%b, 0, 0, 0] [1, 2, 70, 24] [1, 1, 1, 1] : tensor<3x2x70x24xf16> to tensor<2x70x24xf16>
    %init = tensor.empty() : tensor<2x20x24xf16>
    %o = attn.generic ins(%qb, %kb, %vb : tensor<2x20x16xf16>, tensor<2x70x16xf16>, tensor<2x70x24xf16>)
        weighting(#attn.softmax) outs(%init : tensor<2x20x24xf16>)
        {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64}
        mask {
          %j = attn.index 2
          %visible = arith.cmpi slt, %j, %keys : index
          attn.yield %visible : i1
        } -> tensor<2x20x24xf16>
    %next = tensor.insert_slice %o into %done[%b, 0, 0, 0] [1, 2, 20, 24] [1, 1, 1, 1] : tensor<2x20x24xf16> into tensor<3x2x20x24xf16>
    scf.yield %next : tensor<3x2x20x24xf16>
  }
  return %r : tensor<3x2x20x24xf16>
}

// Of elements that a kernel has computed, two bound a range of several tiles of
// keys, which are split.
func.func @computed(%q: tensor<1x4x16xf32>, %k: tensor<1x150x16xf32>, %v: tensor<1x150x24xf32>,
                    %lengths: tensor<2xi32>) -> tensor<1x4x24xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %twice = arith.addi %lengths, %lengths : tensor<2xi32>
  %first = tensor.extract %twice[%c0] : tensor<2xi32>
  %second = tensor.extract %twice[%c1] : tensor<2xi32>
  %sum = arith.addi %first, %second : i32
  %from = arith.index_cast %first : i32 to index
  %to = arith.index_cast %sum : i32 to index
  %init = tensor.empty() : tensor<1x4x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<1x4x16xf32>, tensor<1x150x16xf32>, tensor<1x150x24xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x4x24xf32>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 16, warps = 1, stages = 1, splits = 3>}
      mask {
        %j = attn.index 2
        %behind = arith.cmpi sge, %j, %from : index
        %before = arith.cmpi slt, %j, %to : index
        %visible = arith.andi %behind, %before : i1
        attn.yield %visible : i1
      } -> tensor<1x4x24xf32>
  return %o : tensor<1x4x24xf32>
}

func.func @scores(%q: tensor<2x20x16xf16>, %k: tensor<2x70x16xf16>, %v: tensor<2x70x24xf16>,
                  %slope: tensor<f32>) -> tensor<2x20x24xf16> {
  %factor = tensor.extract %slope[] : tensor<f32>
  %init = tensor.empty() : tensor<2x20x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<2x20x16xf16>, tensor<2x70x16xf16>, tensor<2x70x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<2x20x24xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64}
      score {
      ^bb0(%s: f32):
        %t = arith.mulf %s, %factor : f32
        attn.yield %t : f32
      } -> tensor<2x20x24xf16>
  return %o : tensor<2x20x24xf16>
}

// What fills a tensor, and what becomes an element of another.
func.func @around(%x: tensor<5xf32>) -> tensor<2x3xf32> {
  %c2 = arith.constant 2 : index
  %e = tensor.extract %x[%c2] : tensor<5xf32>
  %twice = arith.addf %e, %e : f32
  %init = tensor.empty() : tensor<2x3xf32>
  %filled = linalg.fill ins(%twice : f32) outs(%init : tensor<2x3xf32>) -> tensor<2x3xf32>
  %c1 = arith.constant 1 : index
  %r = tensor.insert %e into %filled[%c1, %c2] : tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}
