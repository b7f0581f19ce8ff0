// RUN: attn-run %s --target=gpu-emulator --start-after=bufferize | FileCheck %s
// RUN: attn-run %s --target=gpu-emulator --start-after=bufferize --schedule=5 | FileCheck %s

// Each row is what one intrinsic gives the 32 lanes of a warp, or some of them.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @lanes(%out: memref<12x32xi32>) kernel {
      %thread = gpu.thread_id x
      %lane = arith.index_cast %thread : index to i32
      %all = arith.constant -1 : i32
      %c0 = arith.constant 0 : i32
      %c1 = arith.constant 1 : i32
      %c3 = arith.constant 3 : i32
      %c5 = arith.constant 5 : i32
      %c31 = arith.constant 31 : i32
      %ten = arith.constant 10 : i32
      %v = arith.muli %lane, %ten : i32
      // 3 lanes up; those that have none keep theirs.
      %r0 = nvvm.shfl.sync up %all, %v, %c3, %c0 : i32 -> i32
      // Within eights: segments of mask 0x18, bound 7.
      %eights = arith.constant 6175 : i32
      %r1 = nvvm.shfl.sync down %all, %v, %c5, %eights : i32 -> i32
      %r2 = nvvm.shfl.sync bfly %all, %v, %c1, %c31 : i32 -> i32
      // Lane 3 of each eight, and whether that is in the segment.
      %s3 = nvvm.shfl.sync idx %all, %v, %c3, %eights
          {return_value_and_is_valid} : i32 -> !llvm.struct<(i32, i1)>
      %r3 = llvm.extractvalue %s3[0] : !llvm.struct<(i32, i1)>
      %odd0 = arith.andi %lane, %c1 : i32
      %odd = arith.cmpi eq, %odd0, %c1 : i32
      %r4 = nvvm.vote.sync ballot %all, %odd -> i32
      %any = nvvm.vote.sync any %all, %odd -> i1
      %every = nvvm.vote.sync all %all, %odd -> i1
      %any32 = arith.extui %any : i1 to i32
      %every32 = arith.extui %every : i1 to i32
      %two = arith.muli %any32, %ten : i32
      %r5 = arith.addi %two, %every32 : i32
      %r6 = nvvm.redux.sync add %lane, %all : i32 -> i32
      %r7 = nvvm.redux.sync max %lane, %all : i32 -> i32
      // Halves of a warp may meet apart.
      %c16 = arith.constant 16 : i32
      %low = arith.cmpi ult, %lane, %c16 : i32
      %lower = arith.constant 65535 : i32
      %upper = arith.constant -65536 : i32
      %mask = arith.select %low, %lower, %upper : i32
      %r8 = scf.if %low -> i32 {
        %sum = nvvm.redux.sync add %lane, %mask : i32 -> i32
        scf.yield %sum : i32
      } else {
        %sum = nvvm.redux.sync add %lane, %mask : i32 -> i32
        scf.yield %sum : i32
      }
      %r9 = nvvm.read.ptx.sreg.laneid : i32
      %r10 = nvvm.read.ptx.sreg.warpsize : i32
      %pred = arith.extui %odd : i1 to i32
      %r11 = nvvm.barrier #nvvm.reduction<popc> %pred -> i32
      %i0 = arith.constant 0 : index
      %i1 = arith.constant 1 : index
      %i2 = arith.constant 2 : index
      %i3 = arith.constant 3 : index
      %i4 = arith.constant 4 : index
      %i5 = arith.constant 5 : index
      %i6 = arith.constant 6 : index
      %i7 = arith.constant 7 : index
      %i8 = arith.constant 8 : index
      %i9 = arith.constant 9 : index
      %i10 = arith.constant 10 : index
      %i11 = arith.constant 11 : index
      memref.store %r0, %out[%i0, %thread] : memref<12x32xi32>
      memref.store %r1, %out[%i1, %thread] : memref<12x32xi32>
      memref.store %r2, %out[%i2, %thread] : memref<12x32xi32>
      memref.store %r3, %out[%i3, %thread] : memref<12x32xi32>
      memref.store %r4, %out[%i4, %thread] : memref<12x32xi32>
      memref.store %r5, %out[%i5, %thread] : memref<12x32xi32>
      memref.store %r6, %out[%i6, %thread] : memref<12x32xi32>
      memref.store %r7, %out[%i7, %thread] : memref<12x32xi32>
      memref.store %r8, %out[%i8, %thread] : memref<12x32xi32>
      memref.store %r9, %out[%i9, %thread] : memref<12x32xi32>
      memref.store %r10, %out[%i10, %thread] : memref<12x32xi32>
      memref.store %r11, %out[%i11, %thread] : memref<12x32xi32>
      gpu.return
    }

    gpu.func @floats(%out: memref<8xf32>) kernel {
      %x = arith.constant 0.75 : f32
      %tiny = arith.constant 1.0e-39 : f32
      %r0 = llvm.call_intrinsic "llvm.nvvm.ex2.approx.ftz.f"(%x) : (f32) -> f32
      %r1 = llvm.call_intrinsic "llvm.nvvm.lg2.approx.ftz.f"(%x) : (f32) -> f32
      %r2 = nvvm.rcp.approx.ftz.f %x : f32
      // Numbers that are not normal are 0.
      %r3 = nvvm.rcp.approx.ftz.f %tiny : f32
      %r4 = llvm.inline_asm "tanh.approx.f32 $0, $1;", "=f,f" %x : (f32) -> f32
      %pair = vector.from_elements %x, %r0 : vector<2xf32>
      %halves = arith.truncf %pair : vector<2xf32> to vector<2xf16>
      %back = arith.extf %halves : vector<2xf16> to vector<2xf32>
      %r5 = vector.extract %back[1] : f32 from vector<2xf32>
      %shorts = arith.truncf %pair : vector<2xf32> to vector<2xbf16>
      %again = arith.extf %shorts : vector<2xbf16> to vector<2xf32>
      %r6 = vector.extract %again[1] : f32 from vector<2xf32>
      %r7 = llvm.intr.maxnum(%x, %r0) : (f32, f32) -> f32
      %i0 = arith.constant 0 : index
      %i1 = arith.constant 1 : index
      %i2 = arith.constant 2 : index
      %i3 = arith.constant 3 : index
      %i4 = arith.constant 4 : index
      %i5 = arith.constant 5 : index
      %i6 = arith.constant 6 : index
      %i7 = arith.constant 7 : index
      memref.store %r0, %out[%i0] : memref<8xf32>
      memref.store %r1, %out[%i1] : memref<8xf32>
      memref.store %r2, %out[%i2] : memref<8xf32>
      memref.store %r3, %out[%i3] : memref<8xf32>
      memref.store %r4, %out[%i4] : memref<8xf32>
      memref.store %r5, %out[%i5] : memref<8xf32>
      memref.store %r6, %out[%i6] : memref<8xf32>
      memref.store %r7, %out[%i7] : memref<8xf32>
      gpu.return
    }

    // Pairs of f32 as f16, at the ends of its range, and as bf16.
    // Small ones are multiplied, to be seen.
    gpu.func @narrow(%in: memref<8xf32>, %by: memref<8xf32>,
                     %out: memref<2x8xf32>) kernel {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %i = gpu.thread_id x
      %x = memref.load %in[%i] : memref<8xf32>
      %scale = memref.load %by[%i] : memref<8xf32>
      %zero = arith.constant 0.0 : f32
      %f16 = llvm.call_intrinsic "llvm.nvvm.ff2f16x2.rn"(%zero, %x)
          : (f32, f32) -> vector<2xf16>
      %half = vector.extract %f16[0] : f16 from vector<2xf16>
      %wide = arith.extf %half : f16 to f32
      %seen = arith.mulf %wide, %scale : f32
      memref.store %seen, %out[%c0, %i] : memref<2x8xf32>
      %bf16 = llvm.call_intrinsic "llvm.nvvm.ff2bf16x2.rn"(%zero, %x)
          : (f32, f32) -> vector<2xbf16>
      %brain = vector.extract %bf16[0] : bf16 from vector<2xbf16>
      %again = arith.extf %brain : bf16 to f32
      %shown = arith.mulf %again, %scale : f32
      memref.store %shown, %out[%c1, %i] : memref<2x8xf32>
      gpu.return
    }
  }

  // CHECK:      result 0: 12x32xi32
  // CHECK-NEXT: {{\[\[}} 0 10 20 0 10 20 30 40
  // CHECK-NEXT: 50 60 70 30 40 50 60 70 130 140 150
  // CHECK-NEXT: 10 0 30 20 50 40
  // CHECK-NEXT: 30 30 30 30 30 30 30 30 110 110
  // CHECK-NEXT: -1431655766 -1431655766
  // CHECK-NEXT: 10 10 10
  // CHECK-NEXT: 496 496
  // CHECK-NEXT: 31 31
  // CHECK-NEXT: 120 120 {{.*}} 376 376
  // CHECK-NEXT: 0 1 2 3
  // CHECK-NEXT: 32 32
  // CHECK-NEXT: 16 16
  // CHECK:      result 1: 8xf32
  // CHECK-NEXT: 1.68179{{.*}} -0.41504 {{.*}}1.33333{{.*}} inf {{.*}}0.63{{.*}}1.68164{{.*}}1.67969{{.*}}1.68179
  // CHECK:      result 2: 2x8xf32
  // CHECK-NEXT: 65504.00000 inf -1.00000 1.00000 0.00000 nan 1.00098 2.00000
  // CHECK-NEXT: 65536.00000 65536.00000 -1.00000 0.75391 0.50000 nan 1.00000 2.00000
  memref.global constant @ends : memref<8xf32> = dense<
      [65519.0, 65520.0, -6.1033e-05, 4.5e-08, 2.98e-08, 0x7FC00000, 1.001,
       1.9999]>
  memref.global constant @scales : memref<8xf32> = dense<
      [1.0, 1.0, 16384.0, 16777216.0, 16777216.0, 1.0, 1.0, 1.0]>
  func.func @main() -> (memref<12x32xi32>, memref<8xf32>, memref<2x8xf32>) {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    %out = memref.alloc() : memref<12x32xi32>
    %floats = memref.alloc() : memref<8xf32>
    gpu.launch_func @kernels::@lanes blocks in (%c1, %c1, %c1)
        threads in (%c32, %c1, %c1) args(%out : memref<12x32xi32>)
    gpu.launch_func @kernels::@floats blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%floats : memref<8xf32>)
    %ends = memref.get_global @ends : memref<8xf32>
    %scales = memref.get_global @scales : memref<8xf32>
    %c8 = arith.constant 8 : index
    %narrow = memref.alloc() : memref<2x8xf32>
    gpu.launch_func @kernels::@narrow blocks in (%c1, %c1, %c1)
        threads in (%c8, %c1, %c1)
        args(%ends : memref<8xf32>, %scales : memref<8xf32>,
             %narrow : memref<2x8xf32>)
    return %out, %floats, %narrow
        : memref<12x32xi32>, memref<8xf32>, memref<2x8xf32>
  }
}
