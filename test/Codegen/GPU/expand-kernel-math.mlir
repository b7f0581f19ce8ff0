// RUN: attn-opt %s --pass-pipeline="builtin.module(gpu.module(attn-expand-kernel-math))" | FileCheck %s

// Nothing is left that would be a call of a library.

gpu.module @kernels {
  // The approximate instruction.
  // CHECK-LABEL: gpu.func @exp2(
  // CHECK:       llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"(%{{.+}}) : (f32) -> f32
  gpu.func @exp2(%x: f32, %out: memref<f32>) kernel {
    %y = math.exp2 %x : f32
    memref.store %y, %out[] : memref<f32>
    gpu.return
  }

  // The power of the rest and that of the integer.
  // CHECK-LABEL: gpu.func @exp(
  // CHECK-NOT:   math.exp
  // CHECK:       llvm.call_intrinsic "llvm.roundeven"
  // CHECK-COUNT-2: llvm.call_intrinsic "llvm.fma"
  // CHECK-COUNT-2: llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz"
  gpu.func @exp(%x: f32, %out: memref<f32>) kernel {
    %y = math.exp %x : f32
    memref.store %y, %out[] : memref<f32>
    gpu.return
  }

  // Vectors element by element, f16 in f32.
  // CHECK-LABEL: gpu.func @vectors(
  // CHECK:       arith.extf
  // CHECK-COUNT-2: llvm.call_intrinsic "llvm.nvvm.div.full"(%{{.+}}, %{{.+}}) : (f32, f32) -> f32
  // CHECK-COUNT-2: llvm.call_intrinsic "llvm.sqrt"
  // CHECK:       arith.truncf
  gpu.func @vectors(%x: vector<2xf16>, %y: vector<2xf32>, %out: memref<4xf16>) kernel {
    %c0 = arith.constant 0 : index
    %wide = arith.extf %x : vector<2xf16> to vector<2xf32>
    %q = arith.divf %wide, %y : vector<2xf32>
    %narrow = arith.truncf %q : vector<2xf32> to vector<2xf16>
    %root = math.sqrt %narrow : vector<2xf16>
    vector.store %root, %out[%c0] : memref<4xf16>, vector<2xf16>
    gpu.return
  }

  // Bits are counted of vectors as they are.
  // CHECK-LABEL: gpu.func @bits(
  // CHECK-NOT:   math.
  // CHECK:       llvm.call_intrinsic "llvm.ctpop"(%{{.+}}) : (vector<4xi32>) -> vector<4xi32>
  // CHECK:       llvm.call_intrinsic "llvm.ctlz"(%{{.+}}, %false{{.*}}) : (vector<4xi32>, i1) -> vector<4xi32>
  // CHECK:       llvm.call_intrinsic "llvm.cttz"(%{{.+}}, %false{{.*}}) : (vector<4xi32>, i1) -> vector<4xi32>
  // CHECK:       arith.index_cast %{{.+}} : index to i64
  // CHECK:       llvm.call_intrinsic "llvm.ctpop"(%{{.+}}) : (i64) -> i64
  gpu.func @bits(%x: vector<4xi32>, %i: index, %out: memref<4xi32>) kernel {
    %a = math.ctpop %x : vector<4xi32>
    %b = math.ctlz %a : vector<4xi32>
    %c = math.cttz %b : vector<4xi32>
    %n = math.ctpop %i : index
    vector.store %c, %out[%n] : memref<4xi32>, vector<4xi32>
    gpu.return
  }

  // Polynomials.
  // CHECK-LABEL: gpu.func @polynomials(
  // CHECK-NOT:   math.
  gpu.func @polynomials(%x: f32, %i: index, %out: memref<f32>) kernel {
    %a = math.tanh %x : f32
    %b = math.log %a : f32
    %c = math.erf %b : f32
    %d = math.sin %c : f32
    %e = math.powf %d, %x : f32
    %k = math.absi %i : index
    %n = arith.index_cast %k : index to i32
    %f = arith.sitofp %n : i32 to f32
    %g = arith.addf %e, %f : f32
    memref.store %g, %out[] : memref<f32>
    gpu.return
  }
}
