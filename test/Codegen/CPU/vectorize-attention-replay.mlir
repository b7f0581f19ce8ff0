// RUN: attn-opt %s --attn-vectorize=vector-bits=512 | FileCheck %s

// What is stored of pairs lies rows first: keys come from several squares that
// were transposed in registers, so that a row gets whole lines of the cache.

// CHECK-LABEL: @lines
// CHECK-COUNT-8: vector.store %{{.+}}, %arg2[%{{.+}}] : memref<32x64xf32>, vector<16xf32>
// CHECK-NOT: %arg2[
// CHECK-COUNT-8: vector.store %{{.+}}, %arg3[%{{.+}}] : memref<32x64xf16>, vector<32xf16>
// CHECK-NOT: %arg3[
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @lines(%q: memref<4x32xf32>, %k: memref<64x4xf32>, %w: memref<32x64xf32>, %h: memref<32x64xf16>) {
  %keys = arith.constant 64 : index
  attn.replay ins(%q, %k : memref<4x32xf32>, memref<64x4xf32>)
      weighting(#attn.relu) layout(#attn.lanes_along_rows<32>)
      keys(%keys) outs(%w, %h : memref<32x64xf32>, memref<32x64xf16>)
      {indexing_maps = [#q, #k, #w, #w], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<stored>]}
  return
}
func.func @short(%q: memref<4x32xf32>, %k: memref<7x4xf32>, %w: memref<32x7xf32>) {
  %keys = arith.constant 7 : index

// Shorter rows have one square.
// CHECK-LABEL: @short
// CHECK-COUNT-8: vector.maskedstore %arg2[%{{.+}}], %{{.+}} : memref<32x7xf32>, vector<8xi1>, vector<8xf32>
// CHECK-NOT: %arg2[
  attn.replay ins(%q, %k : memref<4x32xf32>, memref<7x4xf32>)
      weighting(#attn.relu) layout(#attn.lanes_along_rows<32>)
      keys(%keys) outs(%w : memref<32x7xf32>)
      {indexing_maps = [#q, #k, #w], acc_type = f32, targets = [#attn.target<stored>]}
  return
}
