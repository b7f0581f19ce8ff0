// RUN: attn-opt %s --attn-tile | FileCheck %s
// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=vectorize | FileCheck %s --check-prefix=VECTOR

// A boolean per query row is packed as a byte, which the kernel reads as a
// vector; the region gets its i1 back. A vector of i1 in memory would be bits.

// CHECK-LABEL: @pairs
// CHECK: attn.pack ins(%{{.+}} : tensor<{{.+}}xi1>) outs(%{{.+}} : tensor<{{.+}}xi8>)
// CHECK: attn.online {{.*}} inputs(%{{.+}} : tensor<{{.+}}xi8>)
// CHECK: mask {
// CHECK-NEXT: ^bb0(%[[BYTE:.+]]: i8):
// CHECK-NEXT: %[[BIT:.+]] = arith.trunci %[[BYTE]] : i8 to i1
// CHECK-NEXT: attn.yield %[[BIT]] : i1

// VECTOR-LABEL: @pairs
// VECTOR: memref.load %{{.+}} : memref<{{.+}}xi1
// VECTOR: vector.load %{{.+}} : memref<{{.+}}xi8{{.*}}>, vector<{{.+}}xi8>
// VECTOR: arith.trunci %{{.+}} : vector<{{.+}}xi8> to vector<{{.+}}xi1>

// A boolean per key row is one for all lanes: read where it lies.
// CHECK-LABEL: @keys
// CHECK-NOT: xi8>
// CHECK: attn.online {{.*}} inputs(%{{.+}} : tensor<{{.+}}xi1>)
// CHECK-NOT: arith.trunci

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#p = affine_map<(m, n, d, e) -> (m, n)>
#n = affine_map<(m, n, d, e) -> (n)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @pairs(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                 %b: tensor<37x150xi1>, %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      inputs(%b : tensor<37x150xi1>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #p, #o]} mask {
    ^bb0(%visible: i1):
      attn.yield %visible : i1
    } -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}

func.func @keys(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                %b: tensor<150xi1>, %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      inputs(%b : tensor<150xi1>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #n, #o]} mask {
    ^bb0(%visible: i1):
      attn.yield %visible : i1
    } -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}
