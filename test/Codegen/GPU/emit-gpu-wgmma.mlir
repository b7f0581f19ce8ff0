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
// CHECK:       nvvm.setmaxregister increase 240
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
// CHECK:       nvvm.setmaxregister decrease 24
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
