// RUN: attn-opt %s --attn-lower-tensor-maps | FileCheck %s

!map = !nvgpu.tensormap.descriptor<tensor = memref<1x8x64xf16, 3>, swizzle = swizzle_128b, l2promo = none, oob = zero, interleave = none>

// CHECK: func.func private @attn_rt_gpu_map(!llvm.ptr, !llvm.ptr, i64, i64, !llvm.ptr)
module attributes {gpu.container_module} {
  // The array, the map by value, its other words; what comes behind stays.
  // CHECK:      gpu.func @copy(%{{.*}}: memref<2x?x64xf16>, %[[MAP:.*]]: !llvm.ptr {llvm.align = 64 : i64},
  // CHECK-SAME: %{{.*}}: i64, %[[LAST:.*]]: index) kernel
  // CHECK:      nvvm.cp.async.bulk.tensor.shared.cluster.global %{{.*}}, %[[MAP]],
  gpu.module @kernels {
    gpu.func @copy(%map: !map, %to: !llvm.ptr<7>, %barrier: !llvm.ptr<3>, %at: i32, %last: index) kernel {
      %address = builtin.unrealized_conversion_cast %map : !map to !llvm.ptr
      nvvm.cp.async.bulk.tensor.shared.cluster.global %to, %address, %barrier, box[%at, %at, %at] : !llvm.ptr<7>, !llvm.ptr
      gpu.return
    }
    // CHECK: llvm.func @done(%{{.*}}: !llvm.ptr {llvm.align = 64 : i64, llvm.byval = !llvm.array<128 x i8>, nvvm.grid_constant}, %{{.*}}: !llvm.ptr)
    llvm.func @done(%map: !llvm.ptr {llvm.align = 64 : i64}, %other: !llvm.ptr) attributes {gpu.kernel, nvvm.kernel} {
      llvm.return
    }
  }
  // Extents, bytes from one to the next and the tile, the innermost first.
  // CHECK-LABEL: func.func @main(
  // CHECK-SAME:  %[[X:.*]]: memref<2x?x64xf16>
  // CHECK-DAG:   %[[WORDS:.*]] = llvm.alloca %c16_i64 x i64 {alignment = 64 : i64}
  // CHECK-DAG:   %[[EXTENTS:.*]] = llvm.alloca %c9_i64 x i64
  // CHECK:       llvm.store %c64_i64, %{{.*}} : i64, !llvm.ptr
  // CHECK:       call @attn_rt_gpu_map(%[[WORDS]], %{{.*}}, %c2_i64{{.*}}, %c3_i64{{.*}}, %[[EXTENTS]])
  // CHECK-COUNT-16: llvm.load {{.*}} -> i64
  // CHECK:       %[[FIRST:.*]] = llvm.inttoptr
  // CHECK:       gpu.launch_func @kernels::@copy {{.*}} args(%[[X]] : memref<2x?x64xf16>, %[[FIRST]] : !llvm.ptr, %{{.*}} : i64,
  func.func @main(%x: memref<2x?x64xf16>, %to: !llvm.ptr<7>, %barrier: !llvm.ptr<3>, %at: i32, %last: index) {
    %c1 = arith.constant 1 : index
    %c8 = arith.constant 8 : index
    %c64 = arith.constant 64 : index
    %any = memref.cast %x : memref<2x?x64xf16> to memref<*xf16>
    %map = nvgpu.tma.create.descriptor %any box [%c1, %c8, %c64] : memref<*xf16> -> !map
    gpu.launch_func @kernels::@copy blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
        args(%map : !map, %to : !llvm.ptr<7>, %barrier : !llvm.ptr<3>, %at : i32, %last : index)
    return
  }
}
