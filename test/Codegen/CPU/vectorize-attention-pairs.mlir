// RUN: attn-opt %s --attn-vectorize=has-bf16-dot=true --split-input-file | FileCheck %s --check-prefixes=CHECK,DOT
// RUN: attn-opt %s --attn-vectorize --split-input-file | FileCheck %s --check-prefixes=CHECK,PLAIN

// In a layout with pairs queries meet keys two features at a time, and weights
// meet values two key rows at a time. Elements are never widened one by one.

// Keys are read in place, a pair being 32 bits of a row.

// CHECK-LABEL: @in_place
// CHECK-SAME: %{{.+}}: memref<6x32xbf16>, %[[KEYS:[^:]+]]: memref<8x6xbf16>
// CHECK-DAG: memref.alloc() {alignment = 64 : i64} : memref<3x32xi32>
// CHECK-NOT: {{arith.extf|vector.fma .* : vector<32xf32>.*bf16}}
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 32, 1, 33
// CHECK: %[[BITS:.+]] = builtin.unrealized_conversion_cast %[[KEYS]] : memref<8x6xbf16> to memref<8x6xi16>
// CHECK: %[[PAIR:.+]] = vector.load %[[BITS]]
// CHECK-SAME: vector<2xi16>
// DOT: x86vector.avx512.dot {{.+}} : vector<32xbf16> -> vector<16xf32>
// PLAIN-NOT: x86vector
// PLAIN: vector.fma
// Weights are rounded, rows interleaved.
// DOT: x86vector.avx512.cvt.packed.f32_to_bf16 %{{.+}} : vector<16xf32> -> vector<16xbf16>
// PLAIN: arith.truncf %{{.+}} : vector<32xf32> to vector<32xbf16>
// CHECK-NOT: attn.online
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @in_place(%q: memref<6x32xbf16>, %k: memref<8x6xbf16>, %v: memref<8x5xbf16>,
                    %a: memref<5x32xf32>, %m: memref<32xf32>, %l: memref<32xf32>) {
  attn.online ins(%q, %k, %v : memref<6x32xbf16>, memref<8x6xbf16>, memref<8x5xbf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<32, pairs>)
      outs(%a : memref<5x32xf32>) statistics(%m, %l : memref<32xf32>, memref<32xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc, #row, #row], key_tile = 8}
  return
}

// -----

// A row of an odd number of features is copied, its last pair with a zero: the
// next row's first element is not the row's to read.

// CHECK-LABEL: @odd
// CHECK-DAG: memref.alloc() {alignment = 64 : i64} : memref<7x3xi32>
// CHECK-DAG: memref.alloc() {alignment = 64 : i64} : memref<3x16xi32>
// The seventh key row makes a pair with zeros, in weights and values.
// CHECK-DAG: memref.alloc() {alignment = 64 : i64} : memref<64xi32>
// CHECK-DAG: memref.alloc() {alignment = 64 : i64} : memref<4x32xi32>
// CHECK-NOT: attn.online
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @odd(%q: memref<5x16xbf16>, %k: memref<7x5xbf16>, %v: memref<7x3xbf16>,
               %a: memref<3x16xf32>, %m: memref<16xf32>, %l: memref<16xf32>) {
  attn.online ins(%q, %k, %v : memref<5x16xbf16>, memref<7x5xbf16>, memref<7x3xbf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<16, pairs>)
      outs(%a : memref<3x16xf32>) statistics(%m, %l : memref<16xf32>, memref<16xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc, #row, #row], key_tile = 7}
  return
}

// -----

// Of a pair of which some lanes see one key row, each half is added on its own,
// the other zero: 0 times NaN would be NaN.

// CHECK-LABEL: @hidden
// DOT: %[[FIRST:.+]] = arith.andi %{{.+}}, %c65535_i32 : i32
// DOT: arith.select %{{.+}}, %{{.+}}, %{{.+}} : vector<16xi1>, vector<16xf32>
// DOT: %[[SECOND:.+]] = arith.andi %{{.+}}, %c-65536_i32 : i32
// DOT: arith.select %{{.+}}, %{{.+}}, %{{.+}} : vector<16xi1>, vector<16xf32>
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @hidden(%q: memref<4x16xbf16>, %k: memref<8x4xbf16>, %v: memref<8x3xbf16>,
                  %a: memref<3x16xf32>, %m: memref<16xf32>, %l: memref<16xf32>) {
  attn.online ins(%q, %k, %v : memref<4x16xbf16>, memref<8x4xbf16>, memref<8x3xbf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<16, pairs>)
      outs(%a : memref<3x16xf32>) statistics(%m, %l : memref<16xf32>, memref<16xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc, #row, #row], key_tile = 8}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %past = arith.cmpi sle, %j, %i : index
        attn.yield %past : i1
      }
  return
}

// -----

// Few rows: 16 pairs of features of a key meet those of the queries, what is beyond
// an odd number being 0; weights are rounded row by row, and the values of two keys
// are interleaved. The last of an odd number of keys makes a pair with zeros.

// CHECK-LABEL: @few
// CHECK-SAME: %[[QUERIES:[^:]+]]: memref<2x37xbf16>, %[[KEYS:[^:]+]]: memref<7x37xbf16>, %[[VALUES:[^:]+]]: memref<7x19xbf16>
// CHECK-DAG: memref.alloca() {{.*}} : memref<2x8xi32>
// CHECK: vector.load %{{.+}} : memref<2x37xi16>, vector<32xi16>
// CHECK-NEXT: vector.bitcast %{{.+}} : vector<32xi16> to vector<16xi32>
// CHECK: vector.maskedload %{{.+}} : memref<2x37xi16>, vector<32xi1>
// CHECK-NOT: arith.extf
// CHECK: vector.load %{{.+}} : memref<7x37xi16>, vector<32xi16>
// DOT-COUNT-2: x86vector.avx512.dot {{.+}} : vector<32xbf16> -> vector<16xf32>
// PLAIN-COUNT-4: vector.fma
// CHECK: vector.maskedload %{{.+}} : memref<7x37xi16>, vector<32xi1>
// DOT: x86vector.avx512.cvt.packed.f32_to_bf16
// PLAIN: arith.truncf %{{.+}} : vector<16xf32> to vector<16xbf16>
// CHECK: vector.store %{{.+}} : memref<2x8xi32>, vector<8xi32>
// CHECK: vector.load %{{.+}} : memref<7x19xi16>, vector<16xi16>
// CHECK: vector.load %{{.+}} : memref<7x19xi16>, vector<16xi16>
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 16, 1, 17
// DOT-COUNT-2: x86vector.avx512.dot {{.+}} : vector<32xbf16> -> vector<16xf32>
// PLAIN-COUNT-4: vector.fma
// CHECK: vector.maskedload %{{.+}} : memref<7x19xi16>, vector<16xi1>
// CHECK: %[[REST:.+]] = arith.remui %{{.+}}, %c2
// CHECK: %[[ODD:.+]] = arith.cmpi ne, %[[REST]]
// CHECK: scf.if %[[ODD]]
// CHECK: %[[LAST:.+]] = vector.load %{{.+}} : memref<7x19xi16>, vector<16xi16>
// CHECK: vector.shuffle %[[LAST]], %cst{{.*}} [0, 16, 1, 17
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @few(%q: memref<2x37xbf16>, %k: memref<7x37xbf16>, %v: memref<7x19xbf16>,
               %a: memref<2x19xf32>, %m: memref<2xf32>, %l: memref<2xf32>) {
  attn.online ins(%q, %k, %v : memref<2x37xbf16>, memref<7x37xbf16>, memref<7x19xbf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<2, pairs>)
      outs(%a : memref<2x19xf32>) statistics(%m, %l : memref<2xf32>, memref<2xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}

// -----

// Here, too, a half of a pair that a row does not see is not multiplied with 0.

// CHECK-LABEL: @few_hidden
// CHECK: %[[BIT:.+]] = arith.trunci %{{.+}} : i16 to i1
// CHECK: arith.andi %{{.+}}, %cst{{.*}} : vector<16xi32>
// CHECK: arith.select %[[BIT]], %{{.+}}, %{{.+}} : vector<16xf32>
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @few_hidden(%q: memref<2x32xbf16>, %k: memref<?x32xbf16>, %v: memref<?x?xbf16>,
                      %a: memref<2x?xf32>, %m: memref<2xf32>, %l: memref<2xf32>) {
  attn.online ins(%q, %k, %v : memref<2x32xbf16>, memref<?x32xbf16>, memref<?x?xbf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<2, pairs>)
      outs(%a : memref<2x?xf32>) statistics(%m, %l : memref<2xf32>, memref<2xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc, #row, #row], key_tile = 64}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %past = arith.cmpi sle, %j, %i : index
        attn.yield %past : i1
      }
  return
}

// -----

// Two vectors of channels are one of bf16.

// CHECK-LABEL: @few_channels
// CHECK: %[[ONE:.+]] = vector.load %{{.+}} : memref<8x64xi16>, vector<32xi16>
// CHECK: %[[OTHER:.+]] = vector.load %{{.+}} : memref<8x64xi16>, vector<32xi16>
// CHECK: vector.shuffle %[[ONE]], %[[OTHER]] [0, 32, 1, 33
// CHECK: vector.shuffle %[[ONE]], %[[OTHER]] [16, 48, 17, 49
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @few_channels(%q: memref<2x32xbf16>, %k: memref<8x32xbf16>, %v: memref<8x64xbf16>,
                        %a: memref<2x64xf32>, %m: memref<2xf32>, %l: memref<2xf32>) {
  attn.online ins(%q, %k, %v : memref<2x32xbf16>, memref<8x32xbf16>, memref<8x64xbf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<2, pairs>)
      outs(%a : memref<2x64xf32>) statistics(%m, %l : memref<2xf32>, memref<2xf32>)
      {acc_type = f32, indexing_maps = [#q, #k, #v, #acc, #row, #row]}
  return
}
