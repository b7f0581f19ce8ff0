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
  // expected-error @below {{'memref.load' op cannot be compiled for a GPU: it reads an element on the host, which cannot access the memory of a GPU; expected what branches and extents depend on to be an argument that is no tensor}}
  %e = memref.load %x[%i] : memref<5xf32>
  return %e : f32
}

// -----

// Kernels would read what is written in between.
func.func @written(%x: memref<5xf32>, %y: memref<7xf32>, %i: index) {
  // expected-error @below {{'memref.load' op cannot be compiled for a GPU: it reads an element for kernels, and its tensor may be written before they do; expected it to be a tensor that is not written any more}}
  %e = memref.load %x[%i] : memref<5xf32>
  %zero = arith.constant 0.0 : f32
  memref.store %zero, %x[%i] : memref<5xf32>
  linalg.fill ins(%e : f32) outs(%y : memref<7xf32>)
  return
}

// -----

// In the next turn of the loop.
func.func @repeated(%x: memref<5xf32>, %y: memref<7xf32>, %i: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{'memref.load' op cannot be compiled for a GPU: it reads an element for kernels, and its tensor may be written before they do; expected it to be a tensor that is not written any more}}
  %e = memref.load %x[%c1] : memref<5xf32>
  scf.for %n = %c0 to %i step %c1 {
    linalg.fill ins(%e : f32) outs(%y : memref<7xf32>)
    %part = memref.subview %x[0] [2] [1] : memref<5xf32> to memref<2xf32>
    linalg.fill ins(%zero : f32) outs(%part : memref<2xf32>)
  }
  return
}

// -----

// By another name, too.
func.func @renamed(%c: i1, %y: memref<7xf32>, %i: index) {
  %x = memref.alloc() : memref<5xf32>
  %z = memref.alloc() : memref<5xf32>
  %either = arith.select %c, %x, %z : memref<5xf32>
  %zero = arith.constant 0.0 : f32
  // expected-error @below {{'memref.load' op cannot be compiled for a GPU: it reads an element for kernels, and its tensor may be written before they do; expected it to be a tensor that is not written any more}}
  %e = memref.load %x[%i] : memref<5xf32>
  linalg.fill ins(%zero : f32) outs(%either : memref<5xf32>)
  linalg.fill ins(%e : f32) outs(%y : memref<7xf32>)
  return
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

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @product_of_tensors(%a: tensor<5x7xf16>, %b: tensor<7x3xf16>, %c: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.contract' op cannot be emitted as a GPU kernel: expected buffers, not tensors}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf16>, tensor<7x3xf16>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}
