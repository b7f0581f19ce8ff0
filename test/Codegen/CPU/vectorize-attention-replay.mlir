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

// Of few rows lanes run along the keys: what is stored of a row are vectors as they
// are. Statistics stay what they are; what they make of a weight is computed once for
// each row. Where the mask hides a block, its weights are zeros.
// CHECK-LABEL: @few
// CHECK-SAME: %[[MAX:[a-z0-9]+]]: memref<2xf32>, %[[SUM:[a-z0-9]+]]: memref<2xf32>, %[[W:[a-z0-9]+]]: memref<2x32xf16>
// CHECK-COUNT-2: arith.divf %{{.+}}, %{{.+}} : vector<16xf32>
// CHECK: scf.for %{{.+}} = %{{.+}} to %{{.+}} step %c16
// CHECK-NOT: arith.divf
// CHECK-NOT: memref.store %{{.+}}, %[[MAX]]
// CHECK-NOT: memref.store %{{.+}}, %[[SUM]]
// CHECK: math.exp2
// CHECK: %[[NARROW:.+]] = arith.truncf %{{.+}} : vector<16xf32> to vector<16xf16>
// CHECK-NEXT: vector.store %[[NARROW]], %[[W]][%c0
// CHECK: math.exp2
// CHECK: vector.store %{{.+}}, %[[W]][%c1
// CHECK: } else {
// CHECK: scf.for
// CHECK: vector.store %{{.+}}, %[[W]]
// CHECK-NOT: memref.store %{{.+}}, %[[MAX]]
// CHECK-NOT: memref.store %{{.+}}, %[[SUM]]
// CHECK: return
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @few(%m: memref<2xf32>, %l: memref<2xf32>, %w: memref<2x32xf16>, %q: memref<2x16xf32>,
               %k: memref<32x16xf32>, %v: memref<32x16xf32>, %a: memref<2x16xf32>) {
  %keys = arith.constant 32 : index
  attn.replay ins(%q, %k : memref<2x16xf32>, memref<32x16xf32>) contracted(%v : memref<32x16xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<2>)
      statistics(%m, %l : memref<2xf32>, memref<2xf32>)
      keys(%keys) outs(%a, %w : memref<2x16xf32>, memref<2x32xf16>)
      {indexing_maps = [#q, #k, #v, #row, #row, #acc, #w], acc_type = f32,
       targets = [#attn.target<over_keys>, #attn.target<stored>]}
      mask {
        %j = attn.index 1
        %c20 = arith.constant 20 : index
        %visible = arith.cmpi slt, %j, %c20 : index
        attn.yield %visible : i1
      }
  return
}

// What is read beside few rows has as many as there are, whatever there is room for.
// CHECK-LABEL: @fewer
// CHECK-NOT: attn.replay
// CHECK: return
func.func @fewer(%m: memref<4xf32>, %l: memref<4xf32>, %q: memref<4x16xf32>, %k: memref<32x16xf32>,
                 %v: memref<32x16xf32>, %bias: memref<3x32xf32>, %a: memref<4x16xf32>) {
  %keys = arith.constant 32 : index
  %rows = arith.constant 3 : index
  attn.replay ins(%q, %k : memref<4x16xf32>, memref<32x16xf32>) contracted(%v : memref<32x16xf32>)
      inputs(%bias : memref<3x32xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<4>)
      statistics(%m, %l : memref<4xf32>, memref<4xf32>)
      keys(%keys) rows(%rows) outs(%a : memref<4x16xf32>)
      {indexing_maps = [#q, #k, #v, #w, #row, #row, #acc], acc_type = f32,
       targets = [#attn.target<over_keys>]}
      score {
      ^bb0(%s: f32, %b: f32):
        %t = arith.addf %s, %b : f32
        attn.yield %t : f32
      }
  return
}
