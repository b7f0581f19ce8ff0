// RUN: attn-opt %s --split-input-file --lower-affine --attn-emit-gpu | FileCheck %s

// Matrices in registers: what is copied, multiplied, weighted and stored, in
// that order. All pairs are visible, and nothing asks whether.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: func.func @dense(
// CHECK:       attn.check {{.*}}, "expected the query of an attention op to begin at a multiple of 16 bytes, but {0} bytes are left over"
// CHECK:       gpu.launch blocks({{.*}}) in (%{{.+}} = %c2{{.*}}) threads({{.*}}) in (%{{.+}} = %c32{{.*}}) dynamic_shared_memory_size
// CHECK:       nvvm.cp.async.shared.global
// CHECK:       scf.while
// CHECK:       nvvm.cp.async.wait.group 0
// CHECK-NEXT:  gpu.barrier
// CHECK:       nvvm.cp.async.shared.global
// CHECK:       nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>
// CHECK:       nvvm.mma.sync {{.*}} -> !llvm.struct<(f32, f32, f32, f32)>
// CHECK:       gpu.barrier
// CHECK:       llvm.call_intrinsic "llvm.maxnum"
// CHECK:       gpu.shuffle xor
// CHECK:       math.exp2
// CHECK-NOT:   scf.if
// CHECK:       arith.truncf {{.*}} : vector<2xf32> to vector<2xf16>
// CHECK:       nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>
// CHECK:       nvvm.mma.sync
// CHECK:       scf.yield
// CHECK:       arith.divf
// CHECK:       scf.if
// CHECK:       llvm.store {{.*}} : vector<2xf16>, !llvm.ptr<1>
// CHECK:       gpu.terminator
func.func @dense(%q: memref<19x16xf16>, %k: memref<64x16xf16>, %v: memref<64x24xf16>,
    %o: memref<19x24xf16>) {
  attn.generic ins(%q, %k, %v : memref<19x16xf16>, memref<64x16xf16>, memref<64x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<19x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

// Warps that share rows divide keys: each multiplies 16 of 32 keys, tells what
// scores are at most, and stores its weights, of which it reads all.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: func.func @shared_rows(
// CHECK:         scf.while
// CHECK:         gpu.barrier
// CHECK-COUNT-2: nvvm.mma.sync
// CHECK-NOT:     nvvm.mma.sync
// CHECK:         gpu.barrier
// CHECK:         gpu.shuffle xor
// CHECK:         llvm.store {{.*}} : f32, !llvm.ptr<3>
// CHECK:         llvm.store {{.*}} : f32, !llvm.ptr<3>
// CHECK:         gpu.barrier
// CHECK:         llvm.load {{.*}} : !llvm.ptr<3> -> vector<2xf32>
// Of two rows eight weights, and what carries sums over.
// CHECK-COUNT-10: math.exp2
// CHECK-NOT:     math.exp2
// CHECK-COUNT-4: llvm.store {{.*}} : i32, !llvm.ptr<3>
// CHECK:         gpu.barrier
// CHECK:         nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<row>
// CHECK:         nvvm.ldmatrix {{.*}}layout = #nvvm.mma_layout<col>
// CHECK-COUNT-8: nvvm.mma.sync
// CHECK-NOT:     nvvm.mma.sync
// CHECK:         scf.yield
// The sum of all weights.
// CHECK:         llvm.store {{.*}} : f32, !llvm.ptr<3>
// CHECK:         gpu.barrier
// CHECK:         llvm.load {{.*}} : !llvm.ptr<3> -> vector<2xf32>
// CHECK:         gpu.terminator
func.func @shared_rows(%q: memref<19x16xf16>, %k: memref<64x16xf16>, %v: memref<64x64xf16>,
    %o: memref<19x64xf16>) {
  attn.generic ins(%q, %k, %v : memref<19x16xf16>, memref<64x16xf16>, memref<64x64xf16>)
      weighting(#attn.softmax) outs(%o : memref<19x64xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 2, stages = 1, splits = 1>}
  return
}

// -----

// Keys that are not there are copied as zeros and hidden; a grid that may have
// no blocks is not launched then.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: func.func @dynamic(
// CHECK:       %[[ANY:.+]] = arith.cmpi ne, %{{.+}}, %c0
// CHECK:       scf.if %[[ANY]] {
// CHECK:       gpu.launch
// CHECK:       %[[BYTES:.+]] = arith.select %{{.+}}, %c16_i32{{.*}}, %c0_i32
// CHECK:       nvvm.cp.async.shared.global %{{.+}}, %{{.+}}, 16, cache = cg, %[[BYTES]]
// CHECK:       nvvm.mma.sync
// CHECK:       scf.if
// CHECK:       } else {
// CHECK:       nvvm.vote.sync any
// CHECK:       arith.select %{{.+}}, %{{.+}}, %{{.+}} : vector<8xi1>, vector<8xf32>
func.func @dynamic(%q: memref<?x16xbf16>, %k: memref<?x16xbf16>, %v: memref<?x24xbf16>,
    %o: memref<?x24xf32>) {
  attn.generic ins(%q, %k, %v : memref<?x16xbf16>, memref<?x16xbf16>, memref<?x24xbf16>)
      weighting(#attn.softmax) outs(%o : memref<?x24xf32>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

// The plain form: no matrices, no asynchronous copies. Regions are inlined on a
// row of scores, and read captured buffers where pairs are visible.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>

// CHECK-LABEL: func.func @plain(
// CHECK-NOT:   attn.check
// CHECK-NOT:   nvvm.cp.async
// CHECK-NOT:   nvvm.mma
// CHECK:       gpu.launch
// CHECK:       vector.fma
// CHECK:       arith.cmpi sle, {{.*}} : vector<4xi32>
// CHECK:       nvvm.vote.sync any
// CHECK:       %[[TABLE:.+]] = memref.extract_aligned_pointer_as_index %arg3
// CHECK:       %[[FIRST:.+]] = arith.addi %[[TABLE]],
// CHECK:       arith.select %{{.+}}, %{{.+}}, %[[FIRST]] : index
// CHECK:       llvm.load {{.*}} : !llvm.ptr<1> -> f32
// CHECK:       nvvm.bar.warp.sync
// CHECK:       math.fma
// CHECK:       math.log
func.func @plain(%q: memref<5x16xf32>, %k: memref<7x16xf32>, %v: memref<7x24xf32>,
    %table: memref<7xf32>, %o: memref<5x24xf32>, %lse: memref<5xf32>) {
  attn.generic ins(%q, %k, %v : memref<5x16xf32>, memref<7x16xf32>, memref<7x24xf32>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf32>) lse(%lse : memref<5xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 16, warps = 1, stages = 1, splits = 1>}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %d = arith.subi %i, %j : index
        %bias = memref.load %table[%d] : memref<7xf32>
        %t = arith.addf %s, %bias : f32
        attn.yield %t : f32
      }
  return
}

// -----

// No query rows: no kernel.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: func.func @nothing(
// CHECK-NOT:   gpu.launch
// CHECK:       return
func.func @nothing(%q: memref<0x16xf32>, %k: memref<7x16xf32>, %v: memref<7x24xf32>,
    %o: memref<0x24xf32>) {
  attn.generic ins(%q, %k, %v : memref<0x16xf32>, memref<7x16xf32>, memref<7x24xf32>)
      weighting(#attn.softmax) outs(%o : memref<0x24xf32>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 16, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

// Keys in parts: states in memory of the call, and a second kernel that merges
// them.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: func.func @split(
// CHECK:       %[[SUMS:.+]] = memref.alloc(%{{.+}}) : memref<?x24xf32>
// CHECK:       %[[STATISTICS:.+]] = memref.alloc(%{{.+}}) : memref<?x2xf32>
// CHECK:       gpu.launch
// CHECK:       memref.store %{{.+}}, %[[SUMS]]
// CHECK:       memref.store %{{.+}}, %[[STATISTICS]]
// CHECK:       gpu.launch
// CHECK:       scf.for
// CHECK:       llvm.call_intrinsic "llvm.maxnum"
// CHECK:       scf.for
// CHECK:       math.exp2
// CHECK:       llvm.store
// CHECK:       memref.dealloc %[[SUMS]]
// CHECK:       memref.dealloc %[[STATISTICS]]
func.func @split(%q: memref<1x16xf16>, %k: memref<4096x16xf16>, %v: memref<4096x24xf16>,
    %o: memref<1x24xf16>) {
  attn.generic ins(%q, %k, %v : memref<1x16xf16>, memref<4096x16xf16>, memref<4096x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<1x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 4>}
  return
}

// -----

// Channels that do not lie next to each other are stored one by one: rows of
// the output may begin anywhere.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (e, m)>

// CHECK-LABEL: func.func @channels_not_last(
// CHECK:       attn.check {{.*}}"expected the value of an attention op to begin
// CHECK-NOT:   attn.check
// CHECK:       gpu.launch
// CHECK:       llvm.store %{{.+}}, %{{.+}} {alignment = 2 : i64} : f16, !llvm.ptr<1>
func.func @channels_not_last(%q: memref<5x16xf16>, %k: memref<64x16xf16>, %v: memref<64x24xf16>,
    %o: memref<24x5xf16, strided<[7, 1]>>) {
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<64x16xf16>, memref<64x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<24x5xf16, strided<[7, 1]>>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}
