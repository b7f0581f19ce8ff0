// RUN: attn-opt %s --attn-vectorize=has-bf16-dot=true | FileCheck %s
// RUN: attn-opt %s --attn-vectorize | FileCheck %s --check-prefix=PLAIN --implicit-check-not=x86vector

// Where the target multiplies pairs of bf16, both operands of a product of
// matrices are packed in pairs of features.

// CHECK-LABEL: @product
// CHECK-DAG: memref.alloc() {alignment = 64 : i64} : memref<6272xi32>
// Two rows of rhs become one of pairs.
// CHECK: vector.shuffle %{{.+}}, %{{.+}} [0, 32, 1, 33, {{.+}}] : vector<32xi16>, vector<32xi16>
// CHECK: x86vector.avx512.dot
// PLAIN-LABEL: @product
// PLAIN: arith.extf %{{.+}} : vector<32xbf16> to vector<32xf32>
// PLAIN: vector.fma
#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @product(%a: memref<5x7xbf16>, %b: memref<7x3xbf16>, %c: memref<5x3xf32>) {
  attn.contract ins(%a, %b : memref<5x7xbf16>, memref<7x3xbf16>) outs(%c : memref<5x3xf32>)
      {indexing_maps = [#mk, #kn, #mn]}
  return
}

// Features that are neighbours are pairs as they lie: columns are transposed.

// CHECK-LABEL: @transposed
// CHECK: vector.maskedload %{{.+}} : memref<{{.+}}xi16{{.*}}>, vector<16xi1>, vector<16xi16> into vector<16xi16>
// CHECK: vector.bitcast %{{.+}} : vector<16xi16> to vector<8xi32>
// CHECK: x86vector.avx512.dot
// PLAIN-LABEL: @transposed
func.func @transposed(%a: memref<5x7xbf16>, %b: memref<3x7xbf16>, %c: memref<5x3xf32>) {
  attn.contract ins(%a, %b : memref<5x7xbf16>, memref<3x7xbf16>) outs(%c : memref<5x3xf32>)
      {indexing_maps = [#mk, #nk, #mn]}
  return
}
