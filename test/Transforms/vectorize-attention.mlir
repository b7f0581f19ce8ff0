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
func.func @pack(%q: memref<5x4xf16>, %tile: memref<4x16xf32>) {
  attn.pack ins(%q : memref<5x4xf16>) outs(%tile : memref<4x16xf32>)
      permutation = [1, 0]
  return
}
