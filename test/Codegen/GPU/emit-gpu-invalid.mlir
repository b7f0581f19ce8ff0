// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-emit-gpu

// What a choice asks for, and the op or the emitter has not.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @no_choice(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op cannot be emitted as a GPU kernel: expected attn.gpu_kernel; run attn-choose-gpu-kernel}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @tensors(%q: tensor<5x16xf16>, %k: tensor<7x16xf16>, %v: tensor<7x24xf16>,
    %init: tensor<5x24xf16>) -> tensor<5x24xf16> {
  // expected-error @below {{'attn.generic' op cannot be emitted as a GPU kernel: expected buffers, not tensors}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x16xf16>, tensor<7x16xf16>, tensor<7x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x24xf16>
  return %o : tensor<5x24xf16>
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @singles(%q: memref<5x16xf32>, %k: memref<7x16xf32>, %v: memref<7x24xf32>,
    %o: memref<5x24xf32>) {
  // expected-error @below {{'attn.generic' op cannot be emitted as a GPU kernel: mma_sync cannot be the form: queries are neither f16 nor bf16}}
  attn.generic ins(%q, %k, %v : memref<5x16xf32>, memref<7x16xf32>, memref<7x24xf32>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf32>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @apart(%q: memref<5x16xf16>, %k: memref<7x16xf16, strided<[32, 2]>>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op cannot be emitted as a GPU kernel: mma_sync cannot be the form: elements of a row do not lie next to each other}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16, strided<[32, 2]>>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @stages(%q: memref<5x16xf32>, %k: memref<7x16xf32>, %v: memref<7x24xf32>,
    %o: memref<5x24xf32>) {
  // expected-error @below {{'attn.generic' op cannot be emitted as a GPU kernel: plain kernels have 1 stage: their copies are not asynchronous}}
  attn.generic ins(%q, %k, %v : memref<5x16xf32>, memref<7x16xf32>, memref<7x24xf32>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf32>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 2, splits = 1>}
  return
}

// -----

func.func @host(%x: memref<5xf32>, %i: index) -> f32 {
  // expected-error @below {{'memref.load' op cannot be compiled for a GPU: it reads an element on the host, which cannot access the memory of a GPU; expected what branches, extents and numbers of kernels depend on to be an argument that is no tensor}}
  %e = memref.load %x[%i] : memref<5xf32>
  return %e : f32
}

// -----

func.func @softmax(%x: memref<5x7xf32>, %y: memref<5x7xf32>) {
  // expected-error @below {{'linalg.softmax' op cannot be compiled for a GPU: it has no form as a kernel, and the host cannot access the memory of a GPU}}
  linalg.softmax dimension(1) ins(%x : memref<5x7xf32>) outs(%y : memref<5x7xf32>)
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @wide_sums(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op cannot be emitted as a GPU kernel: mma_sync cannot be the form: arithmetic is not in f32}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o], acc_type = f64,
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}
