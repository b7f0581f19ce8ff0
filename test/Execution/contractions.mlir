// RUN: attn-run %s --entry=products --random --shape=0:5x7 --shape=1:7x5 --shape=2:7x3 --shape=3:3x7 --shape=4:5x3 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:1x1 --shape=1:1x1 --shape=2:1x1 --shape=3:1x1 --shape=4:1x1 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:8x4 --shape=1:4x8 --shape=2:4x32 --shape=3:32x4 --shape=4:8x32 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:70x33 --shape=1:33x70 --shape=2:33x45 --shape=3:45x33 --shape=4:70x45 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:13x600 --shape=1:600x13 --shape=2:600x161 --shape=3:161x600 --shape=4:13x161 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:77x1025 --shape=1:1025x77 --shape=2:1025x40 --shape=3:40x1025 --shape=4:77x40 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:800x9 --shape=1:9x800 --shape=2:9x2 --shape=3:2x9 --shape=4:800x2 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:5x0 --shape=1:0x5 --shape=2:0x3 --shape=3:3x0 --shape=4:5x3 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:0x7 --shape=1:7x0 --shape=2:7x3 --shape=3:3x7 --shape=4:0x3 --check | FileCheck %s
// RUN: attn-run %s --entry=products --random --shape=0:5x7 --shape=1:7x5 --shape=2:7x0 --shape=3:0x7 --shape=4:5x0 --check | FileCheck %s

// RUN: sed 's/f32/f64/g' %s > %t.f64.mlir
// RUN: attn-run %t.f64.mlir --entry=products --random --shape=0:13x600 --shape=1:600x13 --shape=2:600x77 --shape=3:77x600 --shape=4:13x77 --check | FileCheck %s
// RUN: sed 's/f32/f16/g' %s > %t.f16.mlir
// RUN: attn-run %t.f16.mlir --entry=products --random --shape=0:13x1030 --shape=1:1030x13 --shape=2:1030x77 --shape=3:77x1030 --shape=4:13x77 --check | FileCheck %s
// RUN: attn-run %t.f16.mlir --entry=products --random --shape=0:70x33 --shape=1:33x70 --shape=2:33x45 --shape=3:45x33 --shape=4:70x45 --check | FileCheck %s
// RUN: sed 's/f32/bf16/g' %s > %t.bf16.mlir
// RUN: attn-run %t.bf16.mlir --entry=products --random --shape=0:13x600 --shape=1:600x13 --shape=2:600x77 --shape=3:77x600 --shape=4:13x77 --check | FileCheck %s
// RUN: attn-run %t.bf16.mlir --entry=products --random --shape=0:5x7 --shape=1:7x5 --shape=2:7x3 --shape=3:3x7 --shape=4:5x3 --check | FileCheck %s
// RUN: attn-run %t.bf16.mlir --entry=products --random --shape=0:45x1025 --shape=1:1025x45 --shape=2:1025x70 --shape=3:70x1025 --shape=4:45x70 --check | FileCheck %s
// RUN: attn-run %t.bf16.mlir --entry=products --random --shape=0:5x0 --shape=1:0x5 --shape=2:0x3 --shape=3:3x0 --shape=4:5x3 --check | FileCheck %s

// RUN: attn-run %s --entry=vectors --random --shape=0:7 --shape=1:5x7 --shape=2:7x5 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %s --entry=vectors --random --shape=0:1 --shape=1:1x1 --shape=2:1x1 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %s --entry=vectors --random --shape=0:77 --shape=1:161x77 --shape=2:77x161 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %s --entry=vectors --random --shape=0:64 --shape=1:1030x64 --shape=2:64x1030 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %s --entry=vectors --random --shape=0:0 --shape=1:5x0 --shape=2:0x5 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %s --entry=vectors --random --shape=0:5 --shape=1:0x5 --shape=2:5x0 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %t.bf16.mlir --entry=vectors --random --shape=0:77 --shape=1:161x77 --shape=2:77x161 --check | FileCheck %s --check-prefix=VECTORS
// RUN: attn-run %t.f64.mlir --entry=vectors --random --shape=0:77 --shape=1:161x77 --shape=2:77x161 --check | FileCheck %s --check-prefix=VECTORS

// Products of operands in either order, and of vectors, at extents that are known
// at run time only, few of them multiples of anything.
// CHECK: check: result 0: ok
// CHECK: check: result 1: ok
// CHECK: check: result 2: ok
// CHECK: check: result 3: ok
// CHECK: check: result 4: ok
// CHECK: check: result 5: ok
// VECTORS: check: result 0: ok
// VECTORS: check: result 1: ok

#mk = affine_map<(m, n, k) -> (m, k)>
#km = affine_map<(m, n, k) -> (k, m)>
#kn = affine_map<(m, n, k) -> (k, n)>
#nk = affine_map<(m, n, k) -> (n, k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#nm = affine_map<(m, n, k) -> (n, m)>

func.func @products(%a: tensor<?x?xf32>, %at: tensor<?x?xf32>, %b: tensor<?x?xf32>,
                    %bt: tensor<?x?xf32>, %c: tensor<?x?xf32>)
    -> (tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>,
        tensor<?x?xf32>, tensor<?x?xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %c, %c0 : tensor<?x?xf32>
  %n = tensor.dim %c, %c1 : tensor<?x?xf32>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?xf32>) -> tensor<?x?xf32>
  %ab = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>)
      outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  %abt = linalg.matmul indexing_maps = [#mk, #nk, #mn]
      ins(%a, %bt : tensor<?x?xf32>, tensor<?x?xf32>)
      outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  %atb = linalg.matmul indexing_maps = [#km, #kn, #mn]
      ins(%at, %b : tensor<?x?xf32>, tensor<?x?xf32>)
      outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  %atbt = linalg.generic {indexing_maps = [#km, #nk, #mn],
                          iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%at, %bt : tensor<?x?xf32>, tensor<?x?xf32>) outs(%init : tensor<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %sum: f32):
    %product = arith.mulf %x, %y : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x?xf32>
  %more = linalg.matmul ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>)
      outs(%c : tensor<?x?xf32>) -> tensor<?x?xf32>
  %emptyt = tensor.empty(%n, %m) : tensor<?x?xf32>
  %initt = linalg.fill ins(%zero : f32) outs(%emptyt : tensor<?x?xf32>) -> tensor<?x?xf32>
  %t = linalg.generic {indexing_maps = [#mk, #kn, #nm],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%a, %b : tensor<?x?xf32>, tensor<?x?xf32>) outs(%initt : tensor<?x?xf32>) {
  ^bb0(%x: f32, %y: f32, %sum: f32):
    %product = arith.mulf %x, %y : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x?xf32>
  return %ab, %abt, %atb, %atbt, %more, %t
      : tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>, tensor<?x?xf32>,
        tensor<?x?xf32>, tensor<?x?xf32>
}

func.func @vectors(%x: tensor<?xf32>, %a: tensor<?x?xf32>, %at: tensor<?x?xf32>)
    -> (tensor<?xf32>, tensor<?xf32>) {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %m = tensor.dim %a, %c0 : tensor<?x?xf32>
  %empty = tensor.empty(%m) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %ax = linalg.matvec ins(%a, %x : tensor<?x?xf32>, tensor<?xf32>)
      outs(%init : tensor<?xf32>) -> tensor<?xf32>
  %xat = linalg.vecmat ins(%x, %at : tensor<?xf32>, tensor<?x?xf32>)
      outs(%init : tensor<?xf32>) -> tensor<?xf32>
  return %ax, %xat : tensor<?xf32>, tensor<?xf32>
}
