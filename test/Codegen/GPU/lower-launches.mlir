// RUN: attn-opt %s --split-input-file --attn-lower-launches --canonicalize | FileCheck %s

// CHECK-DAG: llvm.mlir.global external constant @attn_rt_gpu_code()
// CHECK-DAG: llvm.mlir.global internal constant @[[$KERNEL:.*]]("fill\00")
// CHECK-DAG: llvm.mlir.global internal constant @[[$MODULE:.*]]("kernels\00")
// CHECK-DAG: func.func private @attn_rt_gpu_launch(!llvm.ptr, !llvm.ptr, !llvm.ptr, i64, i64, i64, i64, i64, i64, i64, !llvm.ptr, i64, !llvm.ptr, i64)
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @fill(%x: memref<?x6xf16, strided<[8, 1], offset: 3>>, %with: f16,
                   %n: index) kernel {
      gpu.return
    }
  }

  // A memref is the words of its descriptor; what may be accessed is from its
  // first element to behind its last one, nothing where it is empty.
  // CHECK-LABEL: func.func @main(
  // CHECK-SAME:    %[[X:.*]]: memref<?x6xf16, strided<[8, 1], offset: 3>>, %[[WITH:.*]]: f16, %[[N:.*]]: index
  // CHECK-DAG:     %[[PARAMETERS:.*]] = llvm.alloca %c9_i64 x i64
  // CHECK-DAG:     %[[ARRAYS:.*]] = llvm.alloca %c2_i64 x i64
  // CHECK-DAG:     %[[CODE:.*]] = llvm.mlir.addressof @attn_rt_gpu_code
  // CHECK-DAG:     %[[MODULE_NAME:.*]] = llvm.mlir.addressof @[[$MODULE]] :
  // CHECK-DAG:     %[[KERNEL_NAME:.*]] = llvm.mlir.addressof @[[$KERNEL]] :
  // CHECK-DAG:     %[[SHARED:.*]] = arith.extsi %{{.*}} : i32 to i64
  // CHECK-DAG:     %[[ROWS:.*]] = arith.index_cast %sizes#0 : index to i64
  // CHECK-DAG:     %[[LAST:.*]] = arith.subi %[[ROWS]], %c1_i64
  // CHECK-DAG:     %[[BEFORE:.*]] = arith.muli %[[LAST]], %c8_i64
  // CHECK-DAG:     %[[COUNT:.*]] = arith.addi %[[BEFORE]], %c6_i64
  // CHECK-DAG:     %[[EMPTY:.*]] = arith.cmpi eq, %[[ROWS]], %c0_i64
  // CHECK-DAG:     %[[ELEMENTS:.*]] = arith.select %[[EMPTY]], %c0_i64, %[[COUNT]]
  // CHECK-DAG:     %[[BEGIN:.*]] = arith.addi %{{.*}}, %c6_i64
  // CHECK-DAG:     %[[BYTES:.*]] = arith.muli %[[ELEMENTS]], %c2_i64
  // CHECK:         call @attn_rt_gpu_launch(%[[CODE]], %[[MODULE_NAME]], %[[KERNEL_NAME]],
  // CHECK-SAME:      %c1_i64, %c1_i64, %[[SHARED]], %[[PARAMETERS]], %c9_i64, %[[ARRAYS]], %c1_i64)
  func.func @main(%x: memref<?x6xf16, strided<[8, 1], offset: 3>>, %with: f16,
                  %n: index, %bytes: i32) {
    %c1 = arith.constant 1 : index
    gpu.launch_func @kernels::@fill blocks in (%n, %c1, %c1)
        threads in (%c1, %c1, %c1) dynamic_shared_memory_size %bytes
        args(%x : memref<?x6xf16, strided<[8, 1], offset: 3>>, %with : f16,
             %n : index)
    return
  }
}

// -----

// Kernels have names that PTX has, each another; a constant is copied to where
// they see it, what is none is not.
// CHECK-LABEL: gpu.module @first
// CHECK:         gpu.func @a_b_kernel(
// CHECK-LABEL: gpu.module @second
// CHECK:         gpu.func @a_b_kernel_0(
// CHECK-LABEL: func.func @named(
// CHECK:         %[[CONSTANT:.*]] = memref.get_global @numbers
// CHECK:         %[[COPY:.*]] = memref.alloc() : memref<3xf32>
// CHECK-DAG:     memref.extract_aligned_pointer_as_index %[[COPY]]
// CHECK-DAG:     memref.extract_aligned_pointer_as_index %[[CONSTANT]]
// CHECK:         call @attn_rt_gpu_copy_in(%{{.*}}, %{{.*}}, %c12_i64) : (!llvm.ptr, !llvm.ptr, i64) -> ()
// CHECK:         memref.extract_aligned_pointer_as_index %[[COPY]]
// CHECK:         call @attn_rt_gpu_launch(
// CHECK:         %[[COUNTS:.*]] = memref.get_global @counts
// CHECK-NOT:     memref.alloc
// CHECK:         memref.extract_aligned_pointer_as_index %[[COUNTS]]
// CHECK:         call @attn_rt_gpu_launch(
module attributes {gpu.container_module} {
  memref.global "private" constant @numbers : memref<3xf32> = dense<[1.0, 2.0, 3.0]>
  memref.global "private" @counts : memref<3xf32> = uninitialized
  gpu.module @first {
    gpu.func @"a.b_kernel"(%x: memref<3xf32>) kernel {
      gpu.return
    }
  }
  gpu.module @second {
    gpu.func @"a.b_kernel"(%x: memref<3xf32>) kernel {
      gpu.return
    }
  }
  func.func @named() {
    %c1 = arith.constant 1 : index
    %x = memref.get_global @numbers : memref<3xf32>
    gpu.launch_func @first::@"a.b_kernel" blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%x : memref<3xf32>)
    %counts = memref.get_global @counts : memref<3xf32>
    gpu.launch_func @second::@"a.b_kernel" blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%counts : memref<3xf32>)
    return
  }
}
