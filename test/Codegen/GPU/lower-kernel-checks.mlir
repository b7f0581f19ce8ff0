// RUN: attn-opt %s --attn-lower-kernel-checks | FileCheck %s

// A thread whose check does not hold ends; the first one says why. A message is
// one for all kernels, and kernels that check nothing take nothing more.

module attributes {gpu.container_module} {
  // CHECK-DAG: llvm.mlir.global internal constant @attn_kernel_message("expected {0}, but got {1}\00")
  // CHECK-DAG: llvm.mlir.global internal constant @{{.*}}("expected a key\00")
  // CHECK-DAG: llvm.mlir.global internal constant @attn_kernel_messages() {{.*}} : !llvm.array<2 x ptr>
  // CHECK-DAG: func.func private @attn_rt_gpu_get_error_word(!llvm.ptr, i64) -> !llvm.ptr

  // CHECK: gpu.module @kernels
  gpu.module @kernels {
    // CHECK: gpu.func @checked(%{{.+}}: index, %{{.+}}: index, %[[WORD:.+]]: memref<3xi64>) kernel
    // CHECK:   %[[HOLDS:.+]] = arith.cmpi ult
    // CHECK:   cf.cond_br %[[HOLDS]], ^[[REST:.+]], ^[[FAIL:.+]]
    // CHECK: ^[[FAIL]]:
    // CHECK:   %[[ADDRESS:.+]] = memref.extract_aligned_pointer_as_index %[[WORD]]
    // CHECK:   %[[POINTER:.+]] = llvm.inttoptr %{{.+}} : i64 to !llvm.ptr<1>
    // CHECK:   llvm.cmpxchg %[[POINTER]], %{{.+}}, %{{.+}} monotonic monotonic : !llvm.ptr<1>, i32
    // CHECK:   cf.cond_br %{{.+}}, ^[[FIRST:.+]], ^[[END:.+]]
    // CHECK: ^[[FIRST]]:
    // CHECK:   %[[MESSAGE:.+]] = llvm.mlir.constant(0 : i32)
    // CHECK:   llvm.store %[[MESSAGE]], %{{.+}} : i32, !llvm.ptr<1>
    // CHECK-COUNT-2: llvm.store {{.*}} : i64, !llvm.ptr<1>
    // CHECK:   cf.br ^[[END]]
    // CHECK: ^[[END]]:
    // CHECK-NEXT: gpu.return
    gpu.func @checked(%n: index, %at: index) kernel {
      %holds = arith.cmpi ult, %at, %n : index
      attn.check %holds, "expected {0}, but got {1}" (%n, %at)
      %other = arith.cmpi ugt, %at, %n : index
      attn.check %other, "expected a key"
      attn.check %holds, "expected {0}, but got {1}" (%n, %at)
      gpu.return
    }
    // CHECK: gpu.func @unchecked(%{{.+}}: index) kernel
    gpu.func @unchecked(%n: index) kernel {
      gpu.return
    }
  }
  // CHECK: func.func @main
  // CHECK:   %[[TABLE:.+]] = llvm.mlir.addressof @attn_kernel_messages
  // CHECK:   call @attn_rt_gpu_get_error_word(%[[TABLE]], %c2_i64)
  // CHECK:   %[[MEMREF:.+]] = builtin.unrealized_conversion_cast %{{.+}} to memref<3xi64>
  // CHECK:   gpu.launch_func @kernels::@checked {{.*}} args(%{{.+}} : index, %{{.+}} : index, %[[MEMREF]] : memref<3xi64>)
  // CHECK:   gpu.launch_func @kernels::@unchecked {{.*}} args(%{{.+}} : index)
  func.func @main(%n: index) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@checked blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%n : index, %n : index)
    gpu.launch_func @kernels::@unchecked blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%n : index)
    return
  }
}
