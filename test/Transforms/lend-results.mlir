// RUN: attn-opt %s --attn-lend-results --verify-roundtrip | FileCheck %s
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bufferize | FileCheck %s --check-prefix=BUFFERS


// The empty tensor becomes what the caller lends, of the extents that it has.
// CHECK-LABEL: @whole
// CHECK-SAME: (%[[X:[^:]+]]: tensor<?x3xf32>, %[[OUT:[^:]+]]: memref<?x3xf32, strided<[?, 1]>>) {
// CHECK: %[[THERE:.+]] = bufferization.to_tensor %[[OUT]] restrict writable
// CHECK: %[[EMPTY:.+]] = tensor.empty
// CHECK: %[[N:.+]] = tensor.dim %[[EMPTY]]
// CHECK: %[[LENT:.+]] = memref.dim %[[OUT]]
// CHECK: %[[SAME:.+]] = arith.cmpi eq, %[[N]], %[[LENT]]
// CHECK: attn.check %[[SAME]], "output 0 expected extent 0 to be {0}, which was computed, but got {1}"(%[[N]], %[[LENT]])
// CHECK: linalg.exp {{.*}} outs(%[[THERE]]
// CHECK: bufferization.materialize_in_destination {{.*}} in restrict writable %[[OUT]]
// CHECK-NEXT: return{{$}}
// BUFFERS-LABEL: @whole
// BUFFERS-SAME: %[[OUT:[^:]+]]: memref<?x3xf32, strided<[?, 1]>>)
// BUFFERS-NOT: memref.{{alloc|copy}}
// BUFFERS: linalg.exp {{.*}} outs(%[[OUT]]
func.func @whole(%x: tensor<?x3xf32>)
    -> (tensor<?x3xf32> {bufferization.buffer_layout = strided<[?, 1]>}) {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x3xf32>
  %0 = tensor.empty(%n) : tensor<?x3xf32>
  %1 = linalg.exp ins(%x : tensor<?x3xf32>) outs(%0 : tensor<?x3xf32>) -> tensor<?x3xf32>
  return %1 : tensor<?x3xf32>
}

// Through loops, and past what is cast and collapsed: heads in groups.
// CHECK-LABEL: @views
// CHECK-SAME: %[[OUT:[^:]+]]: memref<?x3xf32, strided<[?, 1]>>)
// CHECK: attn.check %{{.+}}, "output 0 expected extent 0 to be {0}, which was computed, but got {1}"
// BUFFERS-LABEL: @views
// BUFFERS-NOT: memref.{{alloc|copy}}
// BUFFERS: return
func.func @views(%x: tensor<3xf32>)
    -> (tensor<?x3xf32> {bufferization.buffer_layout = strided<[?, 1]>}) {
  %0 = tensor.empty() : tensor<6x3xf32>
  %1 = tensor.expand_shape %0 [[0, 1], [2]] output_shape [2, 3, 3] : tensor<6x3xf32> into tensor<2x3x3xf32>
  %2 = scf.forall (%i, %j) in (2, 3) shared_outs(%o = %1) -> tensor<2x3x3xf32> {
    %s = tensor.extract_slice %o[%i, %j, 0] [1, 1, 3] [1, 1, 1] : tensor<2x3x3xf32> to tensor<3xf32>
    %e = linalg.exp ins(%x : tensor<3xf32>) outs(%s : tensor<3xf32>) -> tensor<3xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %e into %o[%i, %j, 0] [1, 1, 3] [1, 1, 1] : tensor<3xf32> into tensor<2x3x3xf32>
    }
  }
  %3 = tensor.collapse_shape %2 [[0, 1], [2]] : tensor<2x3x3xf32> into tensor<6x3xf32>
  %4 = tensor.cast %3 : tensor<6x3xf32> to tensor<?x3xf32>
  return %4 : tensor<?x3xf32>
}

// One result is returned as ever; of what is returned twice one is a copy.
// CHECK-LABEL: @some
// CHECK-SAME: -> tensor<4xf32>
// BUFFERS-LABEL: @some
// BUFFERS-SAME: %[[A:[^:]+]]: memref<4xf32, strided<[1]>>, %[[B:[^:]+]]: memref<4xf32, strided<[1]>>) -> memref<4xf32>
// BUFFERS: linalg.exp {{.*}} outs(%[[A]]
// BUFFERS: memref.copy %[[A]], %[[B]]
func.func @some(%x: tensor<4xf32>)
    -> (tensor<4xf32> {bufferization.buffer_layout = strided<[1]>}, tensor<4xf32>,
        tensor<4xf32> {bufferization.buffer_layout = strided<[1]>}) {
  %0 = tensor.empty() : tensor<4xf32>
  %1 = linalg.exp ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
  %2 = linalg.log ins(%x : tensor<4xf32>) outs(%0 : tensor<4xf32>) -> tensor<4xf32>
  return %1, %2, %1 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>
}

// What is only passed on is copied.
// BUFFERS-LABEL: @argument
// BUFFERS-SAME: (%[[X:[^:]+]]: memref<4xf32>, %[[OUT:[^:]+]]: memref<4xf32, strided<[1]>>)
// BUFFERS-NEXT: memref.copy %[[X]], %[[OUT]]
func.func @argument(%x: tensor<4xf32>)
    -> (tensor<4xf32> {bufferization.buffer_layout = strided<[1]>}) {
  return %x : tensor<4xf32>
}

// A fused op writes each tile where it goes.
// BUFFERS-LABEL: @attention
// BUFFERS-SAME: %[[OUT:[^:]+]]: memref<4x70x8xf32, strided<[?, ?, 1]>>)
// BUFFERS-NOT: memref<{{.*}}70x{{.*}}> = memref.alloc
// BUFFERS: attn.finish {{.*}} outs(%{{.+}} : memref<1x1x?x8xf32, strided<[?, ?, ?, 1], offset: ?>>)
// BUFFERS-NOT: memref.copy
// BUFFERS: return
func.func @attention(%q: tensor<4x70x8xf32>, %k: tensor<2x90x8xf32>)
    -> (tensor<4x70x8xf32> {bufferization.buffer_layout = strided<[?, ?, 1]>}) {
  %0 = tensor.empty() : tensor<4x70x8xf32>
  %1 = attn.sdpa ins(%q, %k, %k : tensor<4x70x8xf32>, tensor<2x90x8xf32>, tensor<2x90x8xf32>)
      outs(%0 : tensor<4x70x8xf32>) -> tensor<4x70x8xf32>
  return %1 : tensor<4x70x8xf32>
}
