// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-lower-tensor-maps

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @copy(%map: !map) kernel {
      gpu.return
    }
  }
  func.func @twice(%x: memref<2x?x64xf16>) {
    %c1 = arith.constant 1 : index
    %any = memref.cast %x : memref<2x?x64xf16> to memref<*xf16>
    %map = nvgpu.tma.create.descriptor %any box [%c1, %c1, %c1] : memref<*xf16> -> !map
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%map : !map)
    // expected-error @below {{'gpu.launch_func' op expected one launch of each kernel that takes maps of tensors, but there is another of @kernels::@copy}}
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%map : !map)
    return
  }
}

// -----

!map = !nvgpu.tensormap.descriptor<tensor = memref<8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @copy(%map: !map) kernel {
      gpu.return
    }
  }
  func.func @box(%x: memref<2x?x64xf16>) {
    %c1 = arith.constant 1 : index
    %any = memref.cast %x : memref<2x?x64xf16> to memref<*xf16>
    // expected-error @below {{'nvgpu.tma.create.descriptor' op expected a box of 3 dimensions, as the array has, but it has 2}}
    %map = nvgpu.tma.create.descriptor %any box [%c1, %c1] : memref<*xf16> -> !map
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1) args(%map : !map)
    return
  }
}
