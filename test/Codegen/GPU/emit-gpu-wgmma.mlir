// RUN: attn-opt %s --lower-affine --attn-emit-gpu | FileCheck %s

// Maps of the arrays; then warps that have rows, and others that copy. The
// similarities of the next tile are begun before the weights of this one.

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>

// CHECK-LABEL: func.func @dense(
// CHECK:       attn.check {{.*}}, "expected the query of an attention op to begin at a multiple of 16 bytes, but {0} bytes are left over"
// CHECK:       nvgpu.tma.create.descriptor %{{.*}} box[%c1{{.*}}, %c64{{.*}}, %c64{{.*}}] : memref<*xf16>
// CHECK:       nvgpu.tma.create.descriptor %{{.*}} box[%c1{{.*}}, %c32{{.*}}, %c64{{.*}}] : memref<*xf16>
// CHECK:       nvgpu.tma.create.descriptor %{{.*}} box[%c1{{.*}}, %c32{{.*}}, %c64{{.*}}] : memref<*xf16>
// CHECK:       gpu.launch blocks({{.*}}) threads({{.*}}) in (%{{.+}} = %c256{{.*}}) dynamic_shared_memory_size
// CHECK-COUNT-9: nvvm.mbarrier.init
// CHECK:       nvvm.fence.mbarrier.init
// CHECK:       gpu.barrier
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       wgmma.fence.sync.aligned;{{.*}}wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 {$0, {{.*}}$15}, lhs, rhs, 0, 1, 1, 0, 0;{{.*}}, lhs, rhs, 1, 1, 1, 0, 0;{{.*}}wgmma.commit_group.sync.aligned;
// CHECK:       wgmma.wait_group.sync.aligned 0;
// CHECK:       nvvm.mbarrier.arrive
// CHECK:       math.exp2
// CHECK:       scf.while
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       wgmma.fence.sync.aligned;{{.*}}wgmma.mma_async.sync.aligned.m64n24k16.f32.f16.f16 {$0, {{.*}}$11}, {$24, $25, $26, $27}, rhs, 1, 1, 1, 1;{{.*}}, {$28, $29, $30, $31}, rhs, 1, 1, 1, 1;
// CHECK:       wgmma.wait_group.sync.aligned 1;
// CHECK:       nvvm.mbarrier.arrive
// CHECK:       math.exp2
// CHECK:       wgmma.wait_group.sync.aligned 0;
// CHECK:       nvvm.mbarrier.arrive
// CHECK:       wgmma.mma_async.sync.aligned.m64n24k16
// CHECK:       wgmma.wait_group.sync.aligned 0;
// CHECK-COUNT-6: llvm.store {{.*}} : i32, !llvm.ptr<3>
// CHECK:       nvvm.fence.proxy
// CHECK:       nvvm.barrier id = %c2{{.*}} number_of_threads = %c128
// CHECK:       nvvm.cp.async.bulk.tensor.global.shared.cta
// CHECK:       nvvm.cp.async.bulk.commit.group
// CHECK:       nvvm.cp.async.bulk.wait_group 0 {read}
// CHECK:       nvvm.mbarrier.arrive.expect_tx %{{.*}}, %c8192_i32
// CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       nvvm.mbarrier.arrive.expect_tx %{{.*}}, %c4096_i32
// CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global
func.func @dense(%q: memref<3x70x48xf16>, %k: memref<3x64x48xf16>, %v: memref<3x64x24xf16>,
    %o: memref<3x70x24xf16>) {
  attn.generic ins(%q, %k, %v : memref<3x70x48xf16>, memref<3x64x48xf16>, memref<3x64x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<3x70x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>}
  return
}

// With a fallback the host looks at the arrays: where they begin, at extents
// from 1 to 2^31 - 1 and at bytes from one row to the next, multiples of 16 up to
// 2^40.
// CHECK-LABEL: func.func @either(
// CHECK:       %[[START:.*]] = arith.addi %{{.*}}, %{{.*}} : index
// CHECK:       %[[REST:.*]] = arith.remui %[[START]], %c16{{.*}} : index
// CHECK:       arith.cmpi eq, %[[REST]], %c0
// CHECK:       arith.cmpi ult, %{{.*}}, %c2147483647{{.*}} : index
// CHECK:       %[[ONE:.*]] = arith.cmpi eq, %{{.*}}, %c1{{.*}} : index
// CHECK:       %[[BYTES:.*]] = arith.select %[[ONE]], %c16{{.*}}, %{{.*}} : index
// CHECK:       arith.remui %[[BYTES]], %c16
// CHECK:       arith.cmpi ult, %{{.*}}, %c1099511627775{{.*}} : index
// CHECK:       scf.if %{{.*}} {
// CHECK-NOT:     attn.check
// CHECK:         %[[GRID:.*]] = arith.minui %{{.*}}, %c2{{.*}} : index
// CHECK:         gpu.launch blocks({{.*}}) in (%{{.+}} = %[[GRID]], {{.*}} threads({{.*}}) in (%{{.+}} = %c384
// CHECK-COUNT-10: nvvm.mbarrier.init
// CHECK:         nvvm.setmaxregister increase 232
// CHECK:         scf.while
// CHECK:         nvvm.setmaxregister decrease 40
// CHECK:         scf.while
// CHECK:       } else {
// CHECK:         attn.check
// CHECK:         gpu.launch blocks({{.*}}) threads({{.*}}) in (%{{.+}} = %c32
// CHECK:         nvvm.mma.sync
func.func @either(%q: memref<3x?x64xf16, strided<[?, ?, 1]>>, %k: memref<3x64x64xf16>, %v: memref<3x64x64xf16>,
    %o: memref<3x?x64xf16>) {
  attn.generic ins(%q, %k, %v : memref<3x?x64xf16, strided<[?, ?, 1]>>, memref<3x64x64xf16>, memref<3x64x64xf16>)
      weighting(#attn.softmax) outs(%o : memref<3x?x64xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 128, keys = 32, warps = 8, stages = 2, splits = 1, blocks = 2>,
       attn.gpu_fallback = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}
