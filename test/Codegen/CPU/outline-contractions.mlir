// RUN: attn-opt %s --attn-outline-contractions --split-input-file | FileCheck %s

// Two products of one kind are calls of one function, of any extents and strides;
// one whose rhs lies the other way round is of another kind.

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#bt = affine_map<(r, c, k) -> (c, k)>
#c = affine_map<(r, c, k) -> (r, c)>

// CHECK-LABEL: func.func @all
// CHECK: call @attn_contract(
// CHECK: call @attn_contract(
// CHECK: call @attn_contract_0(
// CHECK: func.func private @attn_contract(
// CHECK-SAME: %{{.+}}: memref<?x?xf32, strided<[?, 1], offset: ?>>
// CHECK: attn.contract
// CHECK: func.func private @attn_contract_0(
// CHECK: attn.contract
// CHECK-NOT: func.func private
func.func @all(%x: memref<5x7xf32>, %w: memref<7x7xf32>, %v: memref<7x3xf32>,
               %h: memref<5x7xf32>, %y: memref<5x3xf32>) {
  attn.contract ins(%x, %w : memref<5x7xf32>, memref<7x7xf32>)
      outs(%h : memref<5x7xf32>) {indexing_maps = [#a, #b, #c]}
  attn.contract ins(%h, %v : memref<5x7xf32>, memref<7x3xf32>)
      outs(%y : memref<5x3xf32>) {indexing_maps = [#a, #b, #c]}
  attn.contract ins(%x, %w : memref<5x7xf32>, memref<7x7xf32>)
      outs(%h : memref<5x7xf32>) {indexing_maps = [#a, #bt, #c]}
  return
}

// -----

// What the region reads from outside is an argument; constants move along, and
// tell kinds apart.

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>

// CHECK-LABEL: func.func @scaled
// CHECK-SAME: %[[BY:[a-z0-9]+]]: f32)
// CHECK: call @attn_contract({{.+}}, %[[BY]])
// CHECK: call @attn_contract_0(
// CHECK-LABEL: func.func private @attn_contract(
// CHECK-SAME: %[[ARG:[a-z0-9]+]]: f32)
// CHECK: arith.mulf %{{.+}}, %[[ARG]]
// CHECK-LABEL: func.func private @attn_contract_0(
// CHECK: arith.constant 2.0
func.func @scaled(%x: memref<5x7xf32>, %w: memref<7x3xf32>, %y: memref<5x3xf32>, %by: f32) {
  %two = arith.constant 2.0 : f32
  attn.contract ins(%x, %w : memref<5x7xf32>, memref<7x3xf32>)
      outs(%y : memref<5x3xf32>) {indexing_maps = [#a, #b, #c]}
      element {
      ^bb0(%sum: f32):
        %0 = arith.mulf %sum, %by : f32
        attn.yield %0 : f32
      }
  attn.contract ins(%x, %w : memref<5x7xf32>, memref<7x3xf32>)
      outs(%y : memref<5x3xf32>) {indexing_maps = [#a, #b, #c]}
      element {
      ^bb0(%sum: f32):
        %0 = arith.mulf %sum, %two : f32
        attn.yield %0 : f32
      }
  return
}
