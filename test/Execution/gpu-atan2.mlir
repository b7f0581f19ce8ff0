// RUN: attn-run %s --entry=f64 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=f32 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=many --target=gpu-emulator --random --check | FileCheck %s --check-prefix=MANY

// MANY: check: result 0: ok: 1000 elements
// MANY: check: result 1: ok: 1000 elements

// The angles of zeros and infinities have the sign of the first, and those of a
// second that is not positive are beyond the right angle.

// CHECK: [ 0.00000 -0.00000  3.14159 -3.14159  0.78540 -2.35619  1.57080 -1.57080]
// CHECK: check: result 0: ok

func.func @f64() -> tensor<8xf64> {
  %y = arith.constant dense<[0.0, -0.0, 0.0, -0.0, 0x7FF0000000000000, 0xFFF0000000000000, 1.0, -1.0]> : tensor<8xf64>
  %x = arith.constant dense<[0.0, 0.0, -0.0, -0.0, 0x7FF0000000000000, 0xFFF0000000000000, 0.0, 0.0]> : tensor<8xf64>
  %r = math.atan2 %y, %x : tensor<8xf64>
  return %r : tensor<8xf64>
}

func.func @f32() -> tensor<8xf32> {
  %y = arith.constant dense<[0.0, -0.0, 0.0, -0.0, 0x7F800000, 0xFF800000, 1.0, -1.0]> : tensor<8xf32>
  %x = arith.constant dense<[0.0, 0.0, -0.0, -0.0, 0x7F800000, 0xFF800000, 0.0, 0.0]> : tensor<8xf32>
  %r = math.atan2 %y, %x : tensor<8xf32>
  return %r : tensor<8xf32>
}

func.func @many(%y: tensor<1000xf32>, %x: tensor<1000xf32>, %v: tensor<1000xf64>, %u: tensor<1000xf64>) -> (tensor<1000xf32>, tensor<1000xf64>) {
  %r = math.atan2 %y, %x : tensor<1000xf32>
  %s = math.atan2 %v, %u : tensor<1000xf64>
  return %r, %s : tensor<1000xf32>, tensor<1000xf64>
}
