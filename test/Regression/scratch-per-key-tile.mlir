// RUN: attn-opt %s --attn-cpu-pipeline="stop-after=bufferize verify=bufferize fusion=always key-tile=64" | FileCheck %s
// RUN: attn-run %s --entry=widths --random --check
// RUN: attn-run %s --entry=bias --random --check
// RUN: attn-run %s --entry=shared --shape=1:2x900x4 --shape=2:2x900x3 --random --check
// RUN: attn-run %s --entry=two_ranges --random --check

// What is packed of a key tile lies in a buffer of the worker's; it was
// allocated and freed per key tile.

// Keys and values of one width: the second buffer had a dynamic extent.
// CHECK-LABEL: @widths
// CHECK: scf.forall
// CHECK: memref.alloc() {{.*}} : memref<64x4xf32>
// CHECK: memref.alloc() {{.*}} : memref<64x4xf32>
// CHECK: scf.for
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @widths(%q: tensor<2x40x4xf16>, %k: tensor<2x300x4xf16>, %v: tensor<2x300x4xf16>)
    -> tensor<2x40x4xf16> {
  %init = tensor.empty() : tensor<2x40x4xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x40x4xf16>, tensor<2x300x4xf16>, tensor<2x300x4xf16>)
      outs(%init : tensor<2x40x4xf16>) -> tensor<2x40x4xf16>
  return %o : tensor<2x40x4xf16>
}

// A bias under a mask that hides tiles.
// CHECK-LABEL: @bias
// CHECK: scf.forall
// CHECK: memref.alloc() {{.*}} : memref<64x8xf32>
// CHECK: scf.for
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @bias(%q: tensor<2x40x4xf32>, %k: tensor<2x300x4xf32>, %v: tensor<2x300x3xf32>,
                %b: tensor<2x40x300xf32>) -> tensor<2x40x3xf32> {
  %init = tensor.empty() : tensor<2x40x3xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x40x4xf32>, tensor<2x300x4xf32>, tensor<2x300x3xf32>)
      bias(%b : tensor<2x40x300xf32>) outs(%init : tensor<2x40x3xf32>)
      {causal = #attn.causal<top_left>} -> tensor<2x40x3xf32>
  return %o : tensor<2x40x3xf32>
}

// Query tiles that share key tiles.
// CHECK-LABEL: @shared
// CHECK: scf.forall
// CHECK: memref.alloc() {{.*}} : memref<64x{{[34]}}xf32>
// CHECK: memref.alloc() {{.*}} : memref<64x{{[34]}}xf32>
// CHECK-COUNT-4: scf.for {{.*}} step
// CHECK-NOT: memref.alloc
// CHECK: return
func.func @shared(%q: tensor<2x64x4xf16>, %k: tensor<2x?x4xf16>, %v: tensor<2x?x3xf16>)
    -> tensor<2x64x3xf16> {
  %init = tensor.empty() : tensor<2x64x3xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x64x4xf16>, tensor<2x?x4xf16>, tensor<2x?x3xf16>)
      outs(%init : tensor<2x64x3xf16>) {causal = #attn.causal<top_left>} -> tensor<2x64x3xf16>
  return %o : tensor<2x64x3xf16>
}

// Two key ranges: the loop over keys is no counted one.
// CHECK-LABEL: @two_ranges
// CHECK: scf.forall
// CHECK: memref.alloc() {{.*}} : memref<64x{{[34]}}xf32>
// CHECK: memref.alloc() {{.*}} : memref<64x{{[34]}}xf32>
// CHECK: scf.while
// CHECK-NOT: memref.alloc
// CHECK: return
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @two_ranges(%q: tensor<40x4xf16>, %k: tensor<900x4xf16>, %v: tensor<900x3xf16>)
    -> tensor<40x3xf16> {
  %init = tensor.empty() : tensor<40x3xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<40x4xf16>, tensor<900x4xf16>, tensor<900x3xf16>)
      weighting(#attn.softmax) outs(%init : tensor<40x3xf16>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %j = attn.index 1
        %c5 = arith.constant 5 : index
        %c800 = arith.constant 800 : index
        %first = arith.cmpi slt, %j, %c5 : index
        %last = arith.cmpi sge, %j, %c800 : index
        %visible = arith.ori %first, %last : i1
        attn.yield %visible : i1
      } -> tensor<40x3xf16>
  return %o : tensor<40x3xf16>
}
