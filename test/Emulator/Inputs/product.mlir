// C[16 x 8] = A[16 x 32] B[8 x 32]^T of one warp: A by ldmatrix.x4, B by .x2,
// from swizzled rows of shared memory that asynchronous copies have filled.
!wg = memref<24x32xf16, #gpu.address_space<workgroup>>
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @product(%a: memref<16x32xf16>, %b: memref<8x32xf16>,
                      %c: memref<16x8xf32>)
        workgroup(%s: !wg {llvm.align = 128 : i64}) kernel {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c3 = arith.constant 3 : index
      %c4 = arith.constant 4 : index
      %c8 = arith.constant 8 : index
      %c16 = arith.constant 16 : index
      %c24 = arith.constant 24 : index
      %lane = gpu.thread_id x
      // A row of 64 bytes has four chunks. Chunk c of row r lies at
      // c ^ (r / 2 % 4).
      %chunk = arith.remui %lane, %c4 : index
      %from = arith.muli %chunk, %c8 : index
      %row8 = arith.divui %lane, %c4 : index
      scf.for %r = %row8 to %c24 step %c8 {
        %half = arith.divui %r, %c2 : index
        %turn = arith.remui %half, %c4 : index
        %place = arith.xori %chunk, %turn : index
        %to = arith.muli %place, %c8 : index
        %isA = arith.cmpi ult, %r, %c16 : index
        scf.if %isA {
          %t = nvgpu.device_async_copy %a[%r, %from], %s[%r, %to], 8 {bypassL1}
              : memref<16x32xf16> to !wg
        } else {
          %rb = arith.subi %r, %c16 : index
          %t = nvgpu.device_async_copy %b[%rb, %from], %s[%r, %to], 8 {bypassL1}
              : memref<8x32xf16> to !wg
        }
      }
      nvvm.cp.async.commit.group
      nvvm.cp.async.wait.group 0
      gpu.barrier
      %zero = arith.constant 0.0 : f32
      // Lanes 0 to 15 are the rows of A's first eight columns, the others
      // those of the next.
      %ra = arith.remui %lane, %c16 : index
      %ha = arith.divui %lane, %c16 : index
      %rah = arith.divui %ra, %c2 : index
      %ta = arith.remui %rah, %c4 : index
      %rb8 = arith.remui %lane, %c8 : index
      %rb = arith.addi %rb8, %c16 : index
      %hb8 = arith.divui %lane, %c8 : index
      %hb = arith.remui %hb8, %c2 : index
      %rbh = arith.divui %rb, %c2 : index
      %tb = arith.remui %rbh, %c4 : index
      %sum:4 = scf.for %k = %c0 to %c4 step %c2
          iter_args(%s0 = %zero, %s1 = %zero, %s2 = %zero, %s3 = %zero)
          -> (f32, f32, f32, f32) {
        %ca = arith.addi %k, %ha : index
        %pa = arith.xori %ca, %ta : index
        %ea = arith.muli %pa, %c8 : index
        %fa = nvgpu.ldmatrix %s[%ra, %ea] {numTiles = 4 : i32, transpose = false}
            : !wg -> vector<4x2xf16>
        %cb = arith.addi %k, %hb : index
        %pb = arith.xori %cb, %tb : index
        %eb = arith.muli %pb, %c8 : index
        %fb = nvgpu.ldmatrix %s[%rb, %eb] {numTiles = 2 : i32, transpose = false}
            : !wg -> vector<2x2xf16>
        %a0 = vector.extract %fa[0] : vector<2xf16> from vector<4x2xf16>
        %a1 = vector.extract %fa[1] : vector<2xf16> from vector<4x2xf16>
        %a2 = vector.extract %fa[2] : vector<2xf16> from vector<4x2xf16>
        %a3 = vector.extract %fa[3] : vector<2xf16> from vector<4x2xf16>
        %b0 = vector.extract %fb[0] : vector<2xf16> from vector<2x2xf16>
        %b1 = vector.extract %fb[1] : vector<2xf16> from vector<2x2xf16>
        %d = nvvm.mma.sync A[%a0, %a1, %a2, %a3] B[%b0, %b1]
            C[%s0, %s1, %s2, %s3]
            {layoutA = #nvvm.mma_layout<row>, layoutB = #nvvm.mma_layout<col>,
             shape = #nvvm.shape<m = 16, n = 8, k = 16>}
            : (vector<2xf16>, vector<2xf16>, f32)
            -> !llvm.struct<(f32, f32, f32, f32)>
        %d0 = llvm.extractvalue %d[0] : !llvm.struct<(f32, f32, f32, f32)>
        %d1 = llvm.extractvalue %d[1] : !llvm.struct<(f32, f32, f32, f32)>
        %d2 = llvm.extractvalue %d[2] : !llvm.struct<(f32, f32, f32, f32)>
        %d3 = llvm.extractvalue %d[3] : !llvm.struct<(f32, f32, f32, f32)>
        scf.yield %d0, %d1, %d2, %d3 : f32, f32, f32, f32
      }
      %g = arith.divui %lane, %c4 : index
      %q = arith.remui %lane, %c4 : index
      %column = arith.muli %q, %c2 : index
      %next = arith.addi %column, %c1 : index
      %g8 = arith.addi %g, %c8 : index
      memref.store %sum#0, %c[%g, %column] : memref<16x8xf32>
      memref.store %sum#1, %c[%g, %next] : memref<16x8xf32>
      memref.store %sum#2, %c[%g8, %column] : memref<16x8xf32>
      memref.store %sum#3, %c[%g8, %next] : memref<16x8xf32>
      gpu.return
    }
  }
  func.func @main(%a: memref<16x32xf16>, %b: memref<8x32xf16>)
      -> memref<16x8xf32> {
    %c1 = arith.constant 1 : index
    %c32 = arith.constant 32 : index
    %c = memref.alloc() : memref<16x8xf32>
    gpu.launch_func @kernels::@product blocks in (%c1, %c1, %c1)
        threads in (%c32, %c1, %c1)
        args(%a : memref<16x32xf16>, %b : memref<8x32xf16>,
             %c : memref<16x8xf32>)
    return %c : memref<16x8xf32>
  }
}
