// RUN: attn-opt %s --attn-lend-results --split-input-file --verify-diagnostics

// expected-error @below {{'func.func' op expected results with a layout of a function that has a body and is not called}}
func.func @called(%x: tensor<4x3xf32>)
    -> (tensor<4x3xf32> {bufferization.buffer_layout = strided<[?, 1]>}) {
  return %x : tensor<4x3xf32>
}
func.func @caller(%x: tensor<4x3xf32>) -> tensor<4x3xf32> {
  %r = call @called(%x) : (tensor<4x3xf32>) -> tensor<4x3xf32>
  return %r : tensor<4x3xf32>
}

// -----

// expected-error @below {{'func.func' op expected result 0, which has a layout, to be a ranked tensor}}
func.func @scalar(%x: f32) -> (f32 {bufferization.buffer_layout = strided<[1]>}) {
  return %x : f32
}

// -----

// expected-error @below {{'func.func' op result 0: expected the number of strides to match the rank}}
func.func @rank(%x: tensor<4x3xf32>)
    -> (tensor<4x3xf32> {bufferization.buffer_layout = strided<[1]>}) {
  return %x : tensor<4x3xf32>
}
