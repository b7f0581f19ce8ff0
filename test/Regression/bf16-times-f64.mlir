// RUN: attn-run %s --random --check --cpu=x86-64 --shape=0:5x7x9 --shape=1:7x9x5 --shape=2:7x5 | FileCheck %s
// RUN: attn-run %s --random --check --cpu=x86-64-v3 --shape=0:5x7x9 --shape=1:7x9x5 --shape=2:7x5 | FileCheck %s
// RUN: attn-run %s --random --check --shape=0:5x7x9 --shape=1:7x9x5 --shape=2:7x5 | FileCheck %s

// bf16 went to f64 at once, which LLVM did by rounding what it had loaded to bf16
// again: a call that no library answers where there are no instructions for bf16.

// CHECK: check: result 0: ok: 35 elements

func.func @product(%x: tensor<?x?x?xbf16>, %y: tensor<?x?x?xf64>, %z: tensor<?x?xf64>) -> tensor<?x?xf64> {
  %r = linalg.generic {
      indexing_maps = [affine_map<(i, j, k) -> (j, i, k)>, affine_map<(i, j, k) -> (i, k, j)>,
                       affine_map<(i, j, k) -> (i, j)>],
      iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<?x?x?xbf16>, tensor<?x?x?xf64>) outs(%z : tensor<?x?xf64>) {
  ^bb0(%a: bf16, %b: f64, %c: f64):
    %wide = arith.extf %a : bf16 to f64
    %product = arith.mulf %wide, %b : f64
    %sum = arith.addf %c, %product : f64
    linalg.yield %sum : f64
  } -> tensor<?x?xf64>
  return %r : tensor<?x?xf64>
}
