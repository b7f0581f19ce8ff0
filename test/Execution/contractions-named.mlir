// RUN: attn-run %s --random --shape=0:3x37x5 --shape=2:2x6x19 --shape=3:2x19x4 --check | FileCheck %s
// RUN: attn-opt %s --attn-cpu-pipeline="stop-after=tile" | FileCheck %s --check-prefix=TILE

// Contractions that upstream names by maps, of two dimensions or of none in order.
// CHECK: check: result 0: ok: 259 elements
// CHECK: check: result 1: ok: 24 elements
// CHECK: check: result 2: ok: 66 elements
// TILE-COUNT-3: attn.contract
func.func @products(%a: tensor<3x?x5xf32>, %b: tensor<7x5x3xf32>, %c: tensor<2x6x?xf32>, %d: tensor<2x?x4xf32>, %g: tensor<9x6xf32>, %h: tensor<11x9xf32>) -> (tensor<7x?xf32>, tensor<6x4xf32>, tensor<6x11xf32>) {
  %c1 = arith.constant 1 : index
  %z = arith.constant 0.0 : f32
  %n = tensor.dim %a, %c1 : tensor<3x?x5xf32>
  %e = tensor.empty(%n) : tensor<7x?xf32>
  %i = linalg.fill ins(%z : f32) outs(%e : tensor<7x?xf32>) -> tensor<7x?xf32>
  %r = linalg.contract indexing_maps = [affine_map<(h,m,d,e) -> (h,m,d)>, affine_map<(h,m,d,e) -> (e,d,h)>, affine_map<(h,m,d,e)->(e,m)>]
    ins(%a, %b : tensor<3x?x5xf32>, tensor<7x5x3xf32>) outs(%i : tensor<7x?xf32>) -> tensor<7x?xf32>
  %e1 = tensor.empty() : tensor<6x4xf32>
  %i1 = linalg.fill ins(%z : f32) outs(%e1 : tensor<6x4xf32>) -> tensor<6x4xf32>
  %r1 = linalg.batch_reduce_matmul ins(%c, %d : tensor<2x6x?xf32>, tensor<2x?x4xf32>) outs(%i1 : tensor<6x4xf32>) -> tensor<6x4xf32>
  %e2 = tensor.empty() : tensor<6x11xf32>
  %i2 = linalg.fill ins(%z : f32) outs(%e2 : tensor<6x11xf32>) -> tensor<6x11xf32>
  %r2 = linalg.matmul indexing_maps = [affine_map<(m,n,k)->(k,m)>, affine_map<(m,n,k)->(n,k)>, affine_map<(m,n,k)->(m,n)>]
    ins(%g, %h : tensor<9x6xf32>, tensor<11x9xf32>) outs(%i2 : tensor<6x11xf32>) -> tensor<6x11xf32>
  return %r, %r1, %r2 : tensor<7x?xf32>, tensor<6x4xf32>, tensor<6x11xf32>
}
