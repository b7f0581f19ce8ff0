// RUN: attn-opt %s --split-input-file --lower-affine --attn-emit-gpu | FileCheck %s

// Keys in pages: a kernel of its own, a warp for each query tile, lists the key
// tiles, for both heads at once, 32 tiles in a turn; another warp to each list
// checks the pages that these have, and counts the threads that found them right.
// The third reads the list, and of the table where each row is.

#q = affine_map<(h, m, p, r, d, e) -> (h, m, d)>
#k = affine_map<(h, m, p, r, d, e) -> (p, h, r, d)>
#v = affine_map<(h, m, p, r, d, e) -> (p, h, r, e)>
#o = affine_map<(h, m, p, r, d, e) -> (h, m, e)>
#all = affine_map<(h, m, p, r, d, e) -> ()>

// CHECK-LABEL: func.func @pages(
// CHECK:       %[[TILES:.+]] = memref.alloc(%{{.+}}) : memref<?x4xi32>
// CHECK:       %[[HEADS:.+]] = memref.alloc(%{{.+}}) : memref<?x4xi32>
// CHECK:       gpu.launch blocks({{.*}}) in (%{{.+}} = %c1{{.*}}) threads({{.*}}) in (%{{.+}} = %c32
// CHECK:       memref.store %{{.+}}, %[[HEADS]]
// CHECK:       attn.check {{.*}}expected indptr to hold numbers
// CHECK:       scf.for %{{.+}} = %{{.+}} to %{{.+}} step %c1024
// CHECK:       %[[BALLOT:.+]] = nvvm.vote.sync ballot
// CHECK:       arith.andi %[[BALLOT]],
// CHECK-COUNT-4: memref.store %{{.+}}, %[[TILES]]
// CHECK:       llvm.call_intrinsic "llvm.ctpop"(%[[BALLOT]])
// CHECK:       memref.store %{{.+}}, %[[HEADS]]
// CHECK:       gpu.terminator
// CHECK:       gpu.launch blocks({{.*}}) in (%{{.+}} = %c1{{.*}}) threads({{.*}}) in (%{{.+}} = %c32
// CHECK:       scf.for %{{.+}} = %{{.+}} to %{{.+}} step %c32
// CHECK:       attn.check {{.*}}expected the blocks of a list to be at least 0 and below {0}, but got {1}"
// CHECK:       memref.atomic_rmw addi %{{.+}}, %[[HEADS]]
// CHECK:       gpu.terminator
// CHECK:       gpu.launch blocks({{.*}}) in (%{{.+}} = %c2
// CHECK-NOT:   attn.check
// CHECK:       memref.extract_aligned_pointer_as_index %[[HEADS]]
// CHECK:       llvm.load %{{.+}} {alignment = 16 : i64} : !llvm.ptr<1> -> vector<4xi32>
// CHECK:       arith.cmpi eq, %{{.+}}, %c32
// CHECK:       memref.load %arg4[%{{.+}}] : memref<7xi32>
// CHECK:       nvvm.cp.async.shared.global
// CHECK:       gpu.terminator
// CHECK:       memref.dealloc %[[TILES]]
// CHECK:       memref.dealloc %[[HEADS]]
func.func @pages(%q: memref<2x1x16xf16>, %k: memref<5x2x8x16xf16>, %v: memref<5x2x8x24xf16>,
    %indptr: memref<2xi32>, %indices: memref<7xi32>, %o: memref<2x1x24xf16>) {
  attn.generic ins(%q, %k, %v : memref<2x1x16xf16>, memref<5x2x8x16xf16>, memref<5x2x8x24xf16>)
      weighting(#attn.softmax) blocks(%indptr, %indices : memref<2xi32>, memref<7xi32>) {rows = 1, keys = 8, kind = physical, maps = [#all, #all]}
      outs(%o : memref<2x1x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

// A range that is known without reading needs no list.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// CHECK-LABEL: func.func @dense(
// CHECK-NOT:   memref.alloc
// CHECK:       gpu.launch
// CHECK-NOT:   gpu.launch
// CHECK:       return
func.func @dense(%q: memref<19x16xf16>, %k: memref<64x16xf16>, %v: memref<64x24xf16>,
    %o: memref<19x24xf16>) {
  attn.generic ins(%q, %k, %v : memref<19x16xf16>, memref<64x16xf16>, memref<64x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<19x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}
