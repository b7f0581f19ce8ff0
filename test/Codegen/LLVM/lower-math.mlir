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

// From the smallest normal number up to infinity.
// CHECK-LABEL: func.func @normal(
// CHECK-SAME: %[[X:.+]]: vector<4xf32>
// CHECK: %[[ABS:.+]] = llvm.intr.fabs(%[[X]])
// CHECK: %[[LEAST:.+]] = arith.constant dense<1.17549435E-38>
// CHECK: %[[LARGE:.+]] = arith.cmpf oge, %[[ABS]], %[[LEAST]]
// CHECK: %[[INF:.+]] = arith.constant dense<0x7F800000>
// CHECK: %[[FINITE:.+]] = arith.cmpf olt, %[[ABS]], %[[INF]]
// CHECK: arith.andi %[[LARGE]], %[[FINITE]]
func.func @normal(%x: vector<4xf32>) -> vector<4xi1> {
  %y = math.isnormal %x : vector<4xf32>
  return %y : vector<4xi1>
}

// -----

// f64 -> bf16 goes by f32, rounded to odd so that it is rounded once.
// CHECK-LABEL: func.func @round_once(
// CHECK: arith.truncf {{.+}} : f64 to f32
// CHECK: arith.ori
// CHECK: arith.trunci {{.+}} : i32 to i16
func.func @round_once(%x: f64) -> bf16 {
  %y = arith.truncf %x : f64 to bf16
  return %y : bf16
}

// -----

// CHECK-LABEL: func.func @bf16_sum(
// CHECK: arith.addf {{.+}} : f32
// CHECK-NOT: arith.truncf
func.func @bf16_sum(%x: bf16, %y: bf16) -> bf16 {
  %z = arith.addf %x, %y : bf16
  return %z : bf16
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
