// RUN: attn-opt %s --attn-lend-arguments --verify-roundtrip | FileCheck %s
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bufferize | FileCheck %s --check-prefix=BUFFERS

// What is written is not the caller's: the result is memory of its own.
// CHECK-LABEL: @init
// CHECK-SAME: %{{.+}}: tensor<5x3xf32> {bufferization.writable = false}
// BUFFERS-LABEL: @init
// BUFFERS-SAME: (%[[X:.+]]: memref<5x3xf32>)
// BUFFERS: %[[OUT:.+]] = memref.alloc
// BUFFERS-NOT: outs(%[[X]]
// BUFFERS: return %[[OUT]]
func.func @init(%x: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %one = arith.constant 1.0 : f32
  %r = linalg.fill ins(%one : f32) outs(%x : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// Unless the function says that it is given away.
// CHECK-LABEL: @given
// CHECK-SAME: {bufferization.writable = true}
// BUFFERS-LABEL: @given
// BUFFERS-SAME: (%[[X:.+]]: memref<5x3xf32>)
// BUFFERS: linalg.fill {{.*}} outs(%[[X]]
func.func @given(%x: tensor<5x3xf32> {bufferization.writable = true}) -> tensor<5x3xf32> {
  %one = arith.constant 1.0 : f32
  %r = linalg.fill ins(%one : f32) outs(%x : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// Handed on, by a cast and by a callee, it lies as it did; a function that is
// given both kinds takes the wider one.
// CHECK-LABEL: func.func private @inner
// CHECK-SAME: %{{.+}}: tensor<?x3xf32> {bufferization.buffer_layout = strided<[?, 1]>}
// BUFFERS-LABEL: func.func private @inner
// BUFFERS-SAME: memref<?x3xf32, strided<[?, 1]>>
func.func private @inner(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %sum = arith.addf %x, %x : tensor<?x3xf32>
  return %sum : tensor<?x3xf32>
}
// CHECK-LABEL: func.func private @outer
// CHECK-SAME: %{{.+}}: tensor<?x3xf32> {bufferization.buffer_layout = strided<[?, 1]>}
func.func private @outer(%y: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %r = call @inner(%y) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}
// CHECK-LABEL: @lent
// BUFFERS-LABEL: @lent
// BUFFERS-NOT: memref.copy
// BUFFERS: call @outer(%{{.+}}) : (memref<?x3xf32, strided<[?, 1]>>)
// BUFFERS: call @outer(%{{.+}}) : (memref<?x3xf32, strided<[?, 1]>>)
func.func @lent(%x: tensor<5x3xf32> {bufferization.buffer_layout = strided<[?, 1]>},
                %z: tensor<?x3xf32>) -> (tensor<?x3xf32>, tensor<?x3xf32>) {
  %cast = tensor.cast %x : tensor<5x3xf32> to tensor<?x3xf32>
  %r0 = call @outer(%cast) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  %r1 = call @outer(%z) : (tensor<?x3xf32>) -> tensor<?x3xf32>
  return %r0, %r1 : tensor<?x3xf32>, tensor<?x3xf32>
}
