// RUN: attn-opt %s --attn-vectorize="vector-bits=512" | FileCheck %s
// RUN: attn-opt %s --attn-vectorize="vector-bits=512" --attn-verify-stage=stage=vectorize -o /dev/null

// A whole tile of sums, 8 rows of 32 columns, that is only stored goes from
// registers to where it belongs; later blocks of features add it there. What is cut
// goes through memory, row by row.

// CHECK-LABEL: @product
// CHECK: %[[SUMS:.+]] = memref.alloc() {{.*}} : memref<256xf32>
// CHECK-COUNT-40: vector.fma
// CHECK: scf.if %{{[a-z0-9_]+}} {
// CHECK-NEXT: scf.if %{{[a-z0-9_]+}} {
// CHECK-COUNT-8: vector.store %{{.+}} : memref<?xf32, strided<[1], offset: ?>>, vector<32xf32>
// CHECK: } else {
// CHECK: vector.load %{{.+}} : memref<?xf32, strided<[1], offset: ?>>, vector<32xf32>
// CHECK-NEXT: arith.addf
// CHECK: } else {
// CHECK-COUNT-8: vector.store %{{.+}}, %[[SUMS]]
// CHECK: vector.load %[[SUMS]]
// CHECK: vector.maskedstore
#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @product(%x: memref<?x?xf32>, %w: memref<?x?xf32>, %y: memref<?x?xf32>) {
  attn.contract ins(%x, %w : memref<?x?xf32>, memref<?x?xf32>)
      outs(%y : memref<?x?xf32>) {indexing_maps = [#a, #b, #c]}
  return
}
