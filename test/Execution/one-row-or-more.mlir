// RUN: attn-run %s --entry=rows --random --shape=0:4x1x20 --shape=1:300x20 --shape=2:300x17 --shape=3:300 --check --threads=1 --output=%t.o.npy --output=%t.l.npy | FileCheck %s
// RUN: attn-run %s --entry=rows --random --shape=0:4x1x20 --shape=1:300x20 --shape=2:300x17 --shape=3:300 --threads=5 --output=%t.o5.npy --output=%t.l5.npy
// RUN: cmp %t.o.npy %t.o5.npy
// RUN: cmp %t.l.npy %t.l5.npy
// RUN: attn-run %s --entry=rows --random --shape=0:4x2x20 --shape=1:300x20 --shape=2:300x17 --shape=3:300 --check | FileCheck %s
// RUN: attn-run %s --entry=rows --random --shape=0:4x4x20 --shape=1:5000x20 --shape=2:5000x17 --shape=3:5000 --check --threads=1 --output=%t.p.npy --output=%t.k.npy | FileCheck %s
// RUN: attn-run %s --entry=rows --random --shape=0:4x4x20 --shape=1:5000x20 --shape=2:5000x17 --shape=3:5000 --threads=5 --output=%t.p5.npy --output=%t.k5.npy
// RUN: cmp %t.p.npy %t.p5.npy
// RUN: cmp %t.k.npy %t.k5.npy
// RUN: attn-run %s --entry=rows --random --shape=0:4x5x20 --shape=1:300x20 --shape=2:300x17 --shape=3:300 --check | FileCheck %s
// RUN: attn-run %s --entry=rows --random --shape=0:4x3x20 --shape=1:1x20 --shape=2:1x17 --shape=3:1 --check | FileCheck %s
// RUN: attn-run %s --entry=self --random --shape=16x20 --check | FileCheck %s --check-prefix=SELF
// RUN: attn-run %s --entry=rows --random --shape=0:4x0x20 --shape=1:300x20 --shape=2:300x17 --shape=3:300 --check | FileCheck %s
// RUN: attn-run %s --entry=rows --random --shape=0:4x1x20 --shape=1:0x20 --shape=2:0x17 --shape=3:0 --check | FileCheck %s
// RUN: attn-run %s --entry=rows --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --entry=rows --stop-after=tile > %t.tiled.mlir
// RUN: attn-run %t.tiled.mlir --entry=rows --start-after=tile --random --shape=0:4x1x20 --shape=1:300x20 --shape=2:300x17 --shape=3:300 --output=%t.ot.npy --output=%t.lt.npy
// RUN: cmp %t.o.npy %t.ot.npy
// RUN: attn-run %s --entry=self --random --shape=1x20 --check | FileCheck %s --check-prefix=SELF
// RUN: attn-run %s --entry=self --random --shape=200x20 --check | FileCheck %s --check-prefix=SELF
// RUN: attn-run %s --entry=rows --stop-after=bufferize | FileCheck %s --check-prefix=PLACE

// Both write where the result is to be, and nothing is copied.
// PLACE: %[[OUT:.+]] = memref.alloc(%{{.+}}) {alignment = 64 : i64} : memref<4x?x17xf32>
// PLACE: scf.if
// PLACE-NOT: memref.alloc(){{.*}} : memref<4x1x17xf32>
// PLACE: return %[[OUT]]

// One kernel for one query row, one for few and one for more, as the run has them.

// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
// CONFIG: rows: one query row, and more, have a kernel each
// CONFIG: layout #attn.lanes_along_features<4>
// CONFIG: fused: up to 4 query rows; {{.+}}; layout #attn.lanes_along_features<8>
// CONFIG: layout #attn.lanes_along_rows<{{.+}}>
// SELF: check: result 0: ok

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (n, d)>
#v = affine_map<(h, m, n, d, e) -> (n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
#l = affine_map<(h, m, n, d, e) -> (h, m)>
#n = affine_map<(h, m, n, d, e) -> (n)>
func.func @rows(%q: tensor<4x?x20xf32>, %k: tensor<?x20xf32>, %v: tensor<?x17xf32>, %b: tensor<?xf32>)
    -> (tensor<4x?x17xf32>, tensor<4x?xf32>) {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<4x?x20xf32>
  %init = tensor.empty(%rows) : tensor<4x?x17xf32>
  %lse = tensor.empty(%rows) : tensor<4x?xf32>
  %r:2 = attn.generic ins(%q, %k, %v : tensor<4x?x20xf32>, tensor<?x20xf32>, tensor<?x17xf32>)
      inputs(%b : tensor<?xf32>) weighting(#attn.softmax)
      outs(%init : tensor<4x?x17xf32>) lse(%lse : tensor<4x?xf32>)
      {indexing_maps = [#q, #k, #v, #n, #o, #l]}
      mask {
      ^bb0(%x: f32):
        %i = attn.index 1
        %j = attn.index 2
        %last = affine.apply affine_map<(i) -> (i + 270)>(%i)
        %seen = arith.cmpi sle, %j, %last : index
        attn.yield %seen : i1
      }
      score {
      ^bb0(%s: f32, %x: f32):
        %u = arith.addf %s, %x : f32
        attn.yield %u : f32
      } -> tensor<4x?x17xf32>, tensor<4x?xf32>
  return %r#0, %r#1 : tensor<4x?x17xf32>, tensor<4x?xf32>
}

#q1 = affine_map<(m, n, d, e) -> (m, d)>
#k1 = affine_map<(m, n, d, e) -> (n, d)>
#v1 = affine_map<(m, n, d, e) -> (n, e)>
#o1 = affine_map<(m, n, d, e) -> (m, e)>
func.func @self(%x: tensor<?x20xf32>) -> tensor<?x20xf32> {
  %c0 = arith.constant 0 : index
  %rows = tensor.dim %x, %c0 : tensor<?x20xf32>
  %init = tensor.empty(%rows) : tensor<?x20xf32>
  %r = attn.generic ins(%x, %x, %x : tensor<?x20xf32>, tensor<?x20xf32>, tensor<?x20xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x20xf32>)
      {indexing_maps = [#q1, #k1, #v1, #o1]} -> tensor<?x20xf32>
  return %r : tensor<?x20xf32>
}
