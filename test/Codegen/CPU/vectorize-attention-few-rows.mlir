// RUN: attn-opt %s --attn-vectorize="vector-bits=512" | FileCheck %s
// RUN: attn-opt %s --attn-vectorize="vector-bits=512" --attn-verify-stage=stage=vectorize -o /dev/null

// Queries, accumulator and statistics are brought to the stack. Keys are read one
// by one, whole rows at a time, with fences that hold LLVM to the order; the partial
// sums of 4 keys for 3 query rows, with room for a fourth, become one vector. Values
// are read the same way, for two query rows at once, in loops that stay loops. Keys
// of another type are converted as they are read.

// CHECK: #[[$LOOP:.+]] = #llvm.loop_annotation<unroll = {{.+}}>
// CHECK-LABEL: @step
// CHECK-SAME: %[[QUERY:.+]]: memref<3x32xf32>, %[[KEY:.+]]: memref<32x32xf16>, %[[VALUE:.+]]: memref<32x24xf16>,
// CHECK-SAME: %[[ACC:.+]]: memref<3x24xf32>
// CHECK: %[[MAX:.+]] = memref.alloca() {{.*}} : memref<3xf32>
// CHECK: %[[SUMS:.+]] = memref.alloca() {{.*}} : memref<3x32xf32>
// CHECK: %[[WEIGHTS:.+]] = memref.alloca() {{.*}} : memref<3x16xf32>
// CHECK-COUNT-6: vector.store %{{.+}}, %[[SUMS]]
// CHECK-COUNT-6: vector.load %[[QUERY]]
// CHECK: scf.for %[[BLOCK:.+]] = %{{.+}} to %{{.+}} step %c16
// CHECK-NOT: vector.load %[[QUERY]]
// CHECK: scf.for %[[TURN:.+]] = %c0{{.*}} to %c16{{.*}} step %c4
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK: vector.load %[[KEY]]{{.+}} : memref<32x32xf16>, vector<16xf16>
// CHECK-NEXT: arith.extf %{{.+}} : vector<16xf16> to vector<16xf32>
// CHECK-COUNT-3: vector.fma
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK: vector.load %[[KEY]]
// CHECK-COUNT-3: vector.fma
// CHECK-COUNT-6: vector.load %[[KEY]]
// CHECK-COUNT-30: vector.shuffle
// CHECK: %[[ROW:.+]] = vector.shuffle %{{.+}} [0, 1, 2, 3]
// CHECK: vector.store %[[ROW]], %[[WEIGHTS]][%c0{{.*}}, %[[TURN]]]
// CHECK: vector.shuffle %{{.+}} [8, 9, 10, 11]
// CHECK: } {loop_annotation = #[[$LOOP]]}
// CHECK: vector.load %[[WEIGHTS]]
// CHECK: memref.load %[[MAX]]
// CHECK: arith.cmpf une
// CHECK: scf.if
// CHECK: math.exp2 %{{.+}} {{.*}} : vector<16xf32>
// CHECK-COUNT-4: vector.load %[[SUMS]]
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c16{{.*}} step %c1
// CHECK: memref.load %[[WEIGHTS]]
// CHECK: memref.load %[[WEIGHTS]]
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK: vector.load %[[VALUE]]
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK: vector.maskedload %[[VALUE]]
// CHECK: } {loop_annotation = #[[$LOOP]]}
// CHECK: vector.maskedstore %[[ACC]]
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @step(%q: memref<3x32xf32>, %k: memref<32x32xf16>, %v: memref<32x24xf16>,
                %a: memref<3x24xf32>, %m: memref<3xf32>, %l: memref<3xf32>) {
  attn.online ins(%q, %k, %v : memref<3x32xf32>, memref<32x32xf16>, memref<32x24xf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<3>)
      outs(%a : memref<3x24xf32>) statistics(%m, %l : memref<3xf32>, memref<3xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}

// Each query row has its statistics, and every split is rescaled to them.
// CHECK-LABEL: @merge
// CHECK: scf.for %[[ROW:.+]] = %c0{{.*}} to %c3
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c5{{.*}} iter_args(%{{.+}} = %{{.+}}) -> (vector<16xf32>)
// CHECK: memref.store %{{.+}}[%[[ROW]]] : memref<3xf32>
// CHECK: scf.for %{{.+}} iter_args(%{{.+}} = %{{.+}}) -> (vector<16xf32>)
// CHECK: vector.maskedload %{{.+}} : memref<5x3x24xf32>
// CHECK: math.exp2 %{{.+}} : vector<16xf32>
#acc2 = affine_map<(m, e) -> (m, e)>
#row2 = affine_map<(m, e) -> (m)>
func.func @merge(%as: memref<5x3x24xf32>, %ms: memref<5x3xf32>, %ls: memref<5x3xf32>,
                 %a: memref<3x24xf32>, %m: memref<3xf32>, %l: memref<3xf32>) {
  attn.merge ins(%as, %ms, %ls : memref<5x3x24xf32>, memref<5x3xf32>, memref<5x3xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<3>)
      outs(%a, %m, %l : memref<3x24xf32>, memref<3xf32>, memref<3xf32>)
      {indexing_maps = [#acc2, #row2, #row2]}
  return
}

// Lanes along query rows: their statistics are vectors.
// CHECK-LABEL: @merge_along_rows
// CHECK: scf.for %{{.+}} iter_args(%{{.+}} = %{{.+}}) -> (vector<8xf32>)
// CHECK: vector.load %{{.+}} : memref<5x8xf32>, vector<8xf32>
// CHECK: vector.load %{{.+}} : memref<5x3x8xf32>, vector<8xf32>
func.func @merge_along_rows(%as: memref<5x3x8xf32>, %ms: memref<5x8xf32>, %ls: memref<5x8xf32>,
                            %a: memref<3x8xf32>, %m: memref<8xf32>, %l: memref<8xf32>) {
  attn.merge ins(%as, %ms, %ls : memref<5x3x8xf32>, memref<5x8xf32>, memref<5x8xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      outs(%a, %m, %l : memref<3x8xf32>, memref<8xf32>, memref<8xf32>)
      {indexing_maps = [#acc2, #row2, #row2]}
  return
}
