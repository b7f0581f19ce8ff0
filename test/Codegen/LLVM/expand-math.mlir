// RUN: attn-opt %s --attn-expand-math | FileCheck %s
// RUN: attn-opt %s --attn-expand-math=has-scalef=true | FileCheck %s --check-prefix=SCALEF

// An exponential on vectors is a polynomial; AVX-512 scales in one instruction.

// CHECK-LABEL: @exp
// CHECK-NOT: math.exp
// CHECK: vector.fma
// CHECK: arith.shli
// CHECK-NOT: math.exp
// CHECK-LABEL: @scalar
// CHECK: math.exp
// SCALEF-LABEL: @exp
// SCALEF-NOT: arith.shli
// SCALEF: llvm.x86.avx512.mask.scalef.ps.512
func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
  %y = math.exp %x : vector<16xf32>
  return %y : vector<16xf32>
}

func.func @scalar(%x: f32) -> f32 {
  %y = math.exp %x : f32
  return %y : f32
}
