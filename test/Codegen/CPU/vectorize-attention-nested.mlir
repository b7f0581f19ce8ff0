// RUN: attn-opt %s --attn-vectorize | FileCheck %s

// Scratch belongs to the innermost parallel loop: the iterations of a nested one
// run at the same time and must not share it.

// CHECK-LABEL: @nested
// CHECK: scf.forall
// CHECK-NOT: memref.alloc
// CHECK: scf.forall
// CHECK: memref.alloc
// CHECK-NOT: attn.online
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @nested(%q: memref<4x16xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                  %a: memref<6x3x16xf32>) {
  %c3 = arith.constant 3 : index
  scf.forall (%i) in (2) {
    scf.forall (%j) in (3) {
      %first = arith.muli %i, %c3 : index
      %at = arith.addi %first, %j : index
      %tile = memref.subview %a[%at, 0, 0] [1, 3, 16] [1, 1, 1]
          : memref<6x3x16xf32> to memref<3x16xf32, strided<[16, 1], offset: ?>>
      attn.online ins(%q, %k, %v : memref<4x16xf32>, memref<7x4xf32>, memref<7x3xf32>)
          weighting(#attn.identity) layout(#attn.lanes_along_rows<16>)
          outs(%tile : memref<3x16xf32, strided<[16, 1], offset: ?>>)
          {indexing_maps = [#q, #k, #v, #acc]}
    }
  }
  return
}
