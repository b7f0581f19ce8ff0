// RUN: attn-opt %s --attn-vectorize | FileCheck %s
// RUN: attn-opt %s --attn-vectorize=vector-bits=128 | FileCheck %s --check-prefix=NARROW

// A tile becomes loops over vectors of the target's width, lanes are query rows.

// CHECK-LABEL: @pack
// CHECK-NOT: attn.pack
// CHECK: arith.extf %{{.+}} : vector<8xf16> to vector<8xf32>
// CHECK-NOT: attn.pack
// NARROW-LABEL: @pack
// NARROW-NOT: {{attn.pack|vector<8x}}
// NARROW: arith.extf %{{.+}} : vector<4xf16> to vector<4xf32>
// NARROW-NOT: {{attn.pack|vector<8x}}
#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack(%q: memref<5x4xf16>, %tile: memref<4x16xf32>) {
  attn.pack ins(%q : memref<5x4xf16>) outs(%tile : memref<4x16xf32>)
      layout(#attn.lanes_along_rows<16>) role(query) {indexing_map = #q}
      element {
      ^bb0(%x: f16):
        %wide = arith.extf %x : f16 to f32
        attn.yield %wide : f32
      }
  return
}

// Partial states merge by reductions over the splits, in lanes along the rows:
// first the maxima, then what is rescaled to them.

// NARROW-LABEL: @merge
// CHECK-LABEL: @merge
// CHECK-SAME: %[[PARTS:[^:]+]]: memref<6x3x8xf32>, %[[MAXIMA:[^:]+]]: memref<6x8xf32>
// CHECK-NOT: {{attn\.merge|linalg\.}}
// CHECK: vector.maskedload %[[MAXIMA]]
// CHECK: arith.cmpf ogt, {{.+}} : vector<8xf32>
// CHECK: vector.maskedload %[[PARTS]]
// CHECK: vector.store
// CHECK-NOT: {{attn\.merge|linalg\.}}
// CHECK: return
#acc = affine_map<(m, e) -> (e, m)>
#rows = affine_map<(m, e) -> (m)>
func.func @merge(%as: memref<6x3x8xf32>, %ms: memref<6x8xf32>, %ls: memref<6x8xf32>,
                 %a: memref<3x8xf32>, %m: memref<8xf32>, %l: memref<8xf32>) {
  attn.merge ins(%as, %ms, %ls : memref<6x3x8xf32>, memref<6x8xf32>, memref<6x8xf32>)
      weighting(#attn.softmax) outs(%a, %m, %l : memref<3x8xf32>, memref<8xf32>, memref<8xf32>)
      {indexing_maps = [#acc, #rows, #rows]}
  return
}
