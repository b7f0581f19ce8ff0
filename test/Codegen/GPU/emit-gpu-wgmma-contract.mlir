// RUN: attn-opt %s --attn-emit-gpu --canonicalize --cse | FileCheck %s

#mk = affine_map<(m, n, k) -> (m, k)>
#km = affine_map<(m, n, k) -> (k, m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>

// A map is of all positions of the loop, and of the features that there are. One
// thread copies: of what lies row by row all rows of the tile at once, of what
// lies feature by feature 64 columns.
// CHECK-LABEL: func @products(
// CHECK-SAME:  %[[A:[a-z0-9]+]]: memref<3x70x144xf16>, %[[B:[a-z0-9]+]]: memref
// CHECK:       %[[PART:.+]] = memref.subview %[[A]][0, 0, 8] [3, 70, 128] [1, 1, 1]
// CHECK:       attn.check %{{.+}}, "expected the factors of a product on a GPU to begin at a multiple of 16 bytes, with rows a multiple of 16 bytes apart, or --wgmma=auto, which takes others, too"
// CHECK:       %[[ALL:.+]] = memref.cast %[[PART]] : {{.+}} to memref<*xf16>
// CHECK:       nvgpu.tma.create.descriptor %[[ALL]] box[%c1, %c128, %c64] : memref<*xf16>
// CHECK:       %[[ALL:.+]] = memref.cast %[[B]] : {{.+}} to memref<*xf16>
// CHECK:       nvgpu.tma.create.descriptor %[[ALL]] box[%c1, %c64, %c64] : memref<*xf16>
// CHECK:       gpu.launch blocks({{.*}}) in (%{{.+}} = %c6, {{.*}}) threads({{.*}}) in (%{{.+}} = %c384, {{.*}}) dynamic_shared_memory_size
// CHECK-COUNT-6: nvvm.mbarrier.init
// CHECK:       nvvm.fence.mbarrier.init
// CHECK:       gpu.barrier
// CHECK:       nvvm.setmaxregister increase 240
// CHECK:       scf.for %{{.+}} = %c0 to %c128 step %c64
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       wgmma.fence.sync.aligned;{{.*}}wgmma.mma_async.sync.aligned.m64n128k16.f32.f16.f16 {$0, {{.*}}$63}, lhs, rhs, 1, 1, 1, 0, 1;{{.*}}wgmma.commit_group.sync.aligned;
// CHECK:       wgmma.wait_group.sync.aligned 0;
// CHECK:       nvvm.mbarrier.arrive
// CHECK:       nvvm.barrier id = %c1{{.*}} number_of_threads = %c256
// CHECK-COUNT-32: llvm.store %{{.+}} : vector<2xf32>, !llvm.ptr<3>
// CHECK:       nvvm.barrier id = %c1{{.*}} number_of_threads = %c256
// CHECK:       nvvm.setmaxregister decrease 24
// CHECK:       scf.for %{{.+}} = %c0 to %c128 step %c64
// CHECK:       nvvm.mbarrier.try_wait
// CHECK:       nvvm.mbarrier.arrive.expect_tx %{{.*}}, %c16384_i32
// CHECK:       nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK:       nvvm.mbarrier.arrive.expect_tx %{{.*}}, %c16384_i32
// CHECK-COUNT-2: nvvm.cp.async.bulk.tensor.shared.cluster.global
// CHECK-NOT:   nvvm.cp.async
// CHECK:       return
func.func @products(%a: memref<3x70x144xf16>, %b: memref<3x128x200xf16>, %c: memref<3x70x200xf16>) {
  scf.forall (%i) in (3) {
    %l = memref.subview %a[%i, 0, 8] [1, 70, 128] [1, 1, 1]
        : memref<3x70x144xf16> to memref<70x128xf16, strided<[144, 1], offset: ?>>
    %r = memref.subview %b[%i, 0, 0] [1, 128, 200] [1, 1, 1]
        : memref<3x128x200xf16> to memref<128x200xf16, strided<[200, 1], offset: ?>>
    %o = memref.subview %c[%i, 0, 0] [1, 70, 200] [1, 1, 1]
        : memref<3x70x200xf16> to memref<70x200xf16, strided<[200, 1], offset: ?>>
    attn.contract ins(%l, %r : memref<70x128xf16, strided<[144, 1], offset: ?>>, memref<128x200xf16, strided<[200, 1], offset: ?>>)
        outs(%o : memref<70x200xf16, strided<[200, 1], offset: ?>>)
        {indexing_maps = [#mk, #kn, #mn], attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 128, columns = 128, stages = 3>}
  }
  return
}

// With a fallback the host looks at the arrays. Both factors may lie feature by
// feature, or row by row.
// CHECK-LABEL: func @either(
// CHECK:       arith.remui %{{.+}}, %c16 : index
// CHECK:       scf.if %{{.+}} {
// CHECK-NOT:     attn.check
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.+}} = %c256, {{.*}})
// CHECK-NOT:     nvvm.setmaxregister
// CHECK:         wgmma.mma_async.sync.aligned.m64n64k16.f32.bf16.bf16 {$0, {{.*}}$31}, lhs, rhs, 1, 1, 1, 1, 0;
// CHECK:       } else {
// CHECK:         gpu.launch {{.*}} threads({{.*}}) in (%{{.+}} = %c128, {{.*}})
// CHECK:         nvvm.mma.sync
// CHECK:       return
func.func @either(%a: memref<?x40xbf16, strided<[?, 1]>>, %b: memref<24x?xbf16, strided<[?, 1]>>, %c: memref<40x24xf32>) {
  attn.contract ins(%a, %b : memref<?x40xbf16, strided<[?, 1]>>, memref<24x?xbf16, strided<[?, 1]>>) outs(%c : memref<40x24xf32>)
      {indexing_maps = [#km, #nk, #mn],
       attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 4>,
       attn.gpu_fallback = #attn.gpu_contract<mma_sync, rows = 64, columns = 64, stages = 2>}
  return
}

// Of rows that are no multiple of 16 bytes apart, or of what no row lies together
// of, there is no map.
// CHECK-LABEL: func @other(
// CHECK-NOT:   wgmma
// CHECK:       return
func.func @other(%a: memref<40x41xbf16>, %b: memref<41x24xbf16>, %s: memref<41x24xbf16, strided<[24, 2]>>, %c: memref<40x24xf32>) {
  attn.contract ins(%a, %b : memref<40x41xbf16>, memref<41x24xbf16>) outs(%c : memref<40x24xf32>)
      {indexing_maps = [#mk, #kn, #mn],
       attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 4>,
       attn.gpu_fallback = #attn.gpu_contract<mma_sync, rows = 64, columns = 64, stages = 2>}
  attn.contract ins(%a, %s : memref<40x41xbf16>, memref<41x24xbf16, strided<[24, 2]>>) outs(%c : memref<40x24xf32>)
      {indexing_maps = [#mk, #kn, #mn],
       attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 4>}
  return
}
