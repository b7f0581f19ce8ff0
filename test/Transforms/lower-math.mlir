// What LLVM has no instruction for is expanded; what it has is left alone.
// RUN: attn-opt %s --attn-lower-math --split-input-file | FileCheck %s

// CHECK-LABEL: func.func @floor_division(
// CHECK-NOT: arith.floordivsi
// CHECK: arith.divsi
func.func @floor_division(%i: index, %page: index) -> index {
  %q = arith.floordivsi %i, %page : index
  return %q : index
}

// -----

// CHECK-LABEL: func.func @bf16(
// CHECK-NOT: arith.truncf
// CHECK: arith.shrui
// CHECK: arith.trunci
func.func @bf16(%x: vector<4xf32>) -> vector<4xbf16> {
  %y = arith.truncf %x : vector<4xf32> to vector<4xbf16>
  return %y : vector<4xbf16>
}

// -----

// libm is called where there is no intrinsic.
// CHECK-LABEL: func.func private @erf(f64) -> f64
// CHECK-LABEL: func.func @gelu(
// CHECK: call @erf
func.func @gelu(%x: f64) -> f64 {
  %y = math.erf %x : f64
  return %y : f64
}

// -----

// CHECK-LABEL: func.func @untouched(
// CHECK: arith.truncf {{.+}} : f32 to f16
// CHECK: math.sqrt
func.func @untouched(%x: f32) -> (f16, f32) {
  %h = arith.truncf %x : f32 to f16
  %r = math.sqrt %x : f32
  return %h, %r : f16, f32
}
