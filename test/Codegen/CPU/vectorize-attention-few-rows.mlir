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

// More rows: two keys meet all of them at once, blocks are two vectors of keys, and
// values are added to all rows, two vectors of channels at a time. What will be read
// is asked for, and of that only the order of keys is held. Partial sums are added
// within parts of 128 bits first.
// CHECK-LABEL: @more_rows
// CHECK-SAME: %{{.+}}: memref<6x32xf32>, %[[KEY:.+]]: memref<64x32xf32>, %[[VALUE:.+]]: memref<64x64xf32>,
// CHECK: %[[WEIGHTS:.+]] = memref.alloca() {{.*}} : memref<6x32xf32>
// CHECK: scf.for %[[BLOCK:.+]] = %{{.+}} to %{{.+}} step %c32
// CHECK: scf.for %[[TURN:.+]] = %c0{{.*}} to %c32{{.*}} step %c2
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK: memref.prefetch %[[KEY]]{{.+}}, read, locality<2>, data
// CHECK-NEXT: vector.load %[[KEY]]
// CHECK-NEXT: llvm.fence syncscope("singlethread") acq_rel
// CHECK: memref.prefetch %[[KEY]]{{.+}}, read, locality<2>, data
// CHECK-NEXT: vector.load %[[KEY]]
// CHECK-NOT: llvm.fence
// CHECK-COUNT-24: vector.fma
// CHECK-NOT: vector.shuffle
// CHECK: vector.shuffle %{{.+}} [0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29]
// CHECK-COUNT-23: vector.shuffle
// CHECK-NEXT: arith.addf
// CHECK-NEXT: vector.shuffle %{{.+}} [0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23]
// CHECK: vector.store %{{.+}}, %[[WEIGHTS]][%{{.+}}, %[[TURN]]]
// The statistics of a row take in both vectors at once.
// CHECK-COUNT-2: vector.load %[[WEIGHTS]]
// CHECK: memref.load %{{.+}} : memref<6xf32>
// CHECK-COUNT-2: arith.cmpf ogt
// CHECK: arith.cmpf une
// CHECK: scf.if
// CHECK-NOT: scf.if
// CHECK-COUNT-3: math.exp2 %{{.+}} {{.*}} : vector<16xf32>
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c32{{.*}} step %c1{{.*}} iter_args
// CHECK-COUNT-2: memref.prefetch %[[VALUE]]
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK-NEXT: vector.load %[[VALUE]]
// CHECK-NEXT: vector.load %[[VALUE]]
// CHECK: memref.load %[[WEIGHTS]]
// CHECK-COUNT-2: vector.fma
// CHECK-COUNT-5: memref.load %[[WEIGHTS]]
// CHECK: vector.fma
// CHECK-NEXT: vector.fma
// CHECK-NEXT: scf.yield
func.func @more_rows(%q: memref<6x32xf32>, %k: memref<64x32xf32>, %v: memref<64x64xf32>,
                     %a: memref<6x64xf32>, %m: memref<6xf32>, %l: memref<6xf32>) {
  attn.online ins(%q, %k, %v : memref<6x32xf32>, memref<64x32xf32>, memref<64x64xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<6>)
      outs(%a : memref<6x64xf32>) statistics(%m, %l : memref<6xf32>, memref<6xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}

// Eight rows fill vectors by parts of 128 bits, a part of four rows each, which lie
// on the stack in this order: eight keys meet them at once, four features at a time,
// which come to all parts, four times in each round of a loop; what the four lanes of
// a part hold is added up in two turns. What is done once for each row is a loop.
// Lines are asked for evenly, in the order of their addresses.
// CHECK-LABEL: @rows_in_parts
// CHECK-SAME: %{{.+}}: memref<8x32xf32>, %[[KEY:.+]]: memref<64x32xf32>, %[[VALUE:.+]]: memref<64x64xf32>,
// CHECK: %[[QUERIES:.+]] = memref.alloca() {{.*}} : memref<2x8x16xf32>
// CHECK: %[[WEIGHTS:.+]] = memref.alloca() {{.*}} : memref<8x32xf32>
// CHECK: scf.for %[[ROW:.+]] = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK: memref.load %{{.+}}[%[[ROW]]] : memref<8xf32>
// CHECK: scf.for %[[ROW:.+]] = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK: %[[GROUP:.+]] = arith.divui %[[ROW]], %c4
// CHECK: %[[PLACE:.+]] = arith.muli
// CHECK: scf.for %[[NUMBER:.+]] = %c0{{.*}} to %c8{{.*}} step %c1
// CHECK: %[[PIECE:.+]] = vector.load %{{.+}}[%[[ROW]], %{{.+}}] : memref<8x32xf32>, vector<4xf32>
// CHECK: vector.store %[[PIECE]], %[[QUERIES]][%[[GROUP]], %[[NUMBER]], %[[PLACE]]]
// CHECK-NOT: memref<8x32xf32>, vector<16xf32>
// CHECK: scf.for %[[TURN:.+]] = %c0{{.*}} to %c32{{.*}} step %c8
// CHECK: scf.for %[[STEP:.+]] = %c0{{.*}} to %c8{{.*}} step %c4{{.*}} iter_args
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK-COUNT-2: memref.prefetch %[[KEY]]{{.+}}, read, locality<2>, data
// CHECK: vector.load %[[QUERIES]][%c0{{.*}}, %[[STEP]], %c0
// CHECK: %[[FEATURE:.+]] = arith.muli %[[STEP]], %c4
// CHECK: vector.load %[[KEY]][%{{.+}}, %[[FEATURE]]] : memref<64x32xf32>, vector<4xf32>
// CHECK-NEXT: vector.shuffle %{{.+}} [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3] : vector<4xf32>
// CHECK-NOT: llvm.fence
// CHECK-COUNT-16: vector.fma
// CHECK: llvm.fence
// CHECK-COUNT-48: vector.fma
// CHECK: scf.yield
// CHECK-COUNT-24: vector.shuffle {{.*}} vector<16xf32>, vector<16xf32>
// CHECK: %[[PART:.+]] = vector.shuffle %{{.+}} [0, 1, 2, 3] : vector<16xf32>
// CHECK: vector.store %[[PART]], %[[WEIGHTS]][%{{.+}}, %{{.+}}] : memref<8x32xf32>, vector<4xf32>
// CHECK-COUNT-15: vector.store %{{.+}} : memref<8x32xf32>, vector<4xf32>
func.func @rows_in_parts(%q: memref<8x32xf32>, %k: memref<64x32xf32>, %v: memref<64x64xf32>,
                         %a: memref<8x64xf32>, %m: memref<8xf32>, %l: memref<8xf32>) {
  attn.online ins(%q, %k, %v : memref<8x32xf32>, memref<64x32xf32>, memref<64x64xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<8>)
      outs(%a : memref<8x64xf32>) statistics(%m, %l : memref<8xf32>, memref<8xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}

// What weights take of the statistics alone is computed where these move, and kept:
// the factor of a score, and what the reference is times it; but not of up to four
// rows, which wait for memory.
// CHECK-LABEL: @kept
// CHECK: %[[KEPT:.+]] = memref.alloca() {{.*}} : memref<5x2xf32>
// CHECK: %[[MAX:.+]] = memref.alloca() {{.*}} : memref<5xf32>
// CHECK: scf.for %[[ROW:.+]] = %c0
// CHECK: math.absf
// CHECK: memref.store %{{.+}}, %[[KEPT]][%[[ROW]], %c0{{.*}}]
// CHECK: memref.store %{{.+}}, %[[KEPT]][%[[ROW]], %c1{{.*}}]
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c32
// CHECK: memref.load %[[MAX]][%c0
// CHECK: scf.if
// CHECK: math.absf
// CHECK-COUNT-2: memref.store %{{.+}}, %[[KEPT]]
// CHECK: }
// CHECK-NOT: math.absf
// CHECK-COUNT-2: memref.load %[[KEPT]][%c0
// CHECK-NOT: math.absf
// CHECK: math.exp2
func.func @kept(%q: memref<5x32xf32>, %k: memref<32x32xf32>, %v: memref<32x16xf32>,
                %a: memref<5x16xf32>, %m: memref<5xf32>, %l: memref<5xf32>) {
  attn.online ins(%q, %k, %v : memref<5x32xf32>, memref<32x32xf32>, memref<32x16xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<5>)
      outs(%a : memref<5x16xf32>) statistics(%m, %l : memref<5xf32>, memref<5xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}

// CHECK-LABEL: @not_kept
// CHECK-NOT: memref<4x2xf32>
func.func @not_kept(%q: memref<4x32xf32>, %k: memref<32x32xf32>, %v: memref<32x16xf32>,
                    %a: memref<4x16xf32>, %m: memref<4xf32>, %l: memref<4xf32>) {
  attn.online ins(%q, %k, %v : memref<4x32xf32>, memref<32x32xf32>, memref<32x16xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<4>)
      outs(%a : memref<4x16xf32>) statistics(%m, %l : memref<4xf32>, memref<4xf32>)
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

// As many rows as a vector has lanes: keys and values meet these only. Values are
// asked for while keys are multiplied, and then the keys of the next tile, line by
// line.
// CHECK-LABEL: @rows_in_lanes
// CHECK-SAME: %{{.+}}: memref<32x16xf32>, %[[KEY:.+]]: memref<64x32xf32>, %[[VALUE:.+]]: memref<64x24xf32>,
// CHECK: scf.for %[[FIRST:.+]] = %c0
// CHECK: scf.for %[[FEATURE:.+]] = %c0{{.*}} to %c32
// CHECK: %[[TURN:.+]] = arith.remui %[[FEATURE]], %c8
// CHECK: %[[ROW:.+]] = arith.addi %[[FIRST]], %[[TURN]]
// CHECK: memref.prefetch %[[VALUE]][%[[ROW]], %[[FEATURE]]], read, locality<2>, data
// CHECK-NOT: memref.prefetch %[[KEY]]
// CHECK: scf.for %[[CHANNEL:.+]] = %c0{{.*}} to %c24
// CHECK: scf.for %[[NUMBER:.+]] = %c0{{.*}} to %c64
// CHECK: arith.divui %[[CHANNEL]], %c8
// CHECK: %[[PART:.+]] = arith.addi %{{.+}}, %[[NUMBER]]
// CHECK: %[[ROW:.+]] = arith.divui %[[PART]], %c3
// CHECK: %[[COLUMN:.+]] = arith.remui %[[PART]], %c3
// CHECK: %[[NEXT:.+]] = arith.addi %c64{{.*}}, %[[ROW]]
// CHECK: %[[PLACE:.+]] = arith.muli %[[COLUMN]], %c8
// CHECK: memref.prefetch %[[KEY]][%[[NEXT]], %[[PLACE]]], read, locality<2>, data
func.func @rows_in_lanes(%q: memref<32x16xf32>, %k: memref<64x32xf32>, %v: memref<64x24xf32>,
                         %a: memref<24x16xf32>, %m: memref<16xf32>, %l: memref<16xf32>) {
  attn.online ins(%q, %k, %v : memref<32x16xf32>, memref<64x32xf32>, memref<64x24xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<16>)
      outs(%a : memref<24x16xf32>) statistics(%m, %l : memref<16xf32>, memref<16xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}

// A loop that does nothing else with the state keeps it on the stack until it
// ends: the accumulator is read before it and written behind.
// CHECK-LABEL: @loop
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<1x32xf32>, {{.*}} %[[A:[a-z0-9]+]]: memref<1x16xf32>, %[[M:[a-z0-9]+]]: memref<1xf32>, %[[L:[a-z0-9]+]]: memref<1xf32>
// CHECK-DAG: vector.load %[[A]]
// CHECK-DAG: memref.load %[[M]]
// CHECK-DAG: vector.load %[[Q]]
// CHECK: scf.for
// CHECK-NOT: %[[A]]
// CHECK-NOT: %[[M]]
// CHECK: memref.prefetch
// CHECK-NOT: %[[A]]
// CHECK-NOT: %[[M]]
// CHECK: {{^    }}}
// CHECK-DAG: vector.store {{.*}}, %[[A]]
// CHECK-DAG: memref.store {{.*}}, %[[M]]
func.func @loop(%q: memref<1x32xf32>, %k: memref<4x16x32xf32>, %v: memref<4x16x16xf32>,
                %a: memref<1x16xf32>, %m: memref<1xf32>, %l: memref<1xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  scf.for %i = %c0 to %c3 step %c1 {
    %j = arith.addi %i, %c1 : index
    %ki = memref.subview %k[%i, 0, 0] [1, 16, 32] [1, 1, 1] : memref<4x16x32xf32> to memref<16x32xf32, strided<[32, 1], offset: ?>>
    %vi = memref.subview %v[%i, 0, 0] [1, 16, 16] [1, 1, 1] : memref<4x16x16xf32> to memref<16x16xf32, strided<[16, 1], offset: ?>>
    %kj = memref.subview %k[%j, 0, 0] [1, 16, 32] [1, 1, 1] : memref<4x16x32xf32> to memref<16x32xf32, strided<[32, 1], offset: ?>>
    %vj = memref.subview %v[%j, 0, 0] [1, 16, 16] [1, 1, 1] : memref<4x16x16xf32> to memref<16x16xf32, strided<[16, 1], offset: ?>>
    attn.online ins(%q, %ki, %vi : memref<1x32xf32>, memref<16x32xf32, strided<[32, 1], offset: ?>>, memref<16x16xf32, strided<[16, 1], offset: ?>>)
        weighting(#attn.softmax) layout(#attn.lanes_along_features<1>)
        ahead(%kj, %vj : memref<16x32xf32, strided<[32, 1], offset: ?>>, memref<16x16xf32, strided<[16, 1], offset: ?>>)
        outs(%a : memref<1x16xf32>) statistics(%m, %l : memref<1xf32>, memref<1xf32>)
        {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  }
  return
}

// Of a page that comes later so much is asked for that it is what limits: two rows
// read their queries where they lie for each key. Nor is it asked for before the key
// at work is.
// CHECK-LABEL: @two_rows_of_pages
// CHECK-SAME: %[[Q:[a-z0-9]+]]: memref<2x32xf32>, %[[K:[a-z0-9]+]]: memref<16x32xf32>, %{{.+}}: memref<16x16xf32>, %[[LATER:[a-z0-9]+]]: memref<16x32xf32>
// CHECK-NOT: vector.load %[[Q]]
// CHECK: scf.for %{{.+}} = %c0{{.*}} to %c16{{.*}} step %c8
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK-NOT: vector.load
// CHECK: memref.prefetch %[[LATER]]
// CHECK: llvm.fence syncscope("singlethread") acq_rel
// CHECK-NEXT: vector.load %[[K]]
// CHECK: vector.load %[[Q]]
// CHECK-NEXT: vector.fma
// CHECK: vector.load %[[Q]]
// CHECK-NEXT: vector.fma
// CHECK-NOT: llvm.fence
// CHECK: vector.load %[[K]]
// CHECK: vector.load %[[Q]]
// CHECK-NEXT: vector.fma
func.func @two_rows_of_pages(%q: memref<2x32xf32>, %k: memref<16x32xf32>, %v: memref<16x16xf32>,
                             %kj: memref<16x32xf32>, %vj: memref<16x16xf32>,
                             %a: memref<2x16xf32>, %m: memref<2xf32>, %l: memref<2xf32>) {
  attn.online ins(%q, %k, %v : memref<2x32xf32>, memref<16x32xf32>, memref<16x16xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<2>)
      ahead(%kj, %vj : memref<16x32xf32>, memref<16x16xf32>)
      outs(%a : memref<2x16xf32>) statistics(%m, %l : memref<2xf32>, memref<2xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}
