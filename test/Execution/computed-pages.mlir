// RUN: attn-run %s --random --random-range=3:40:41 --check | FileCheck %s
// RUN: attn-run %s --random --random-range=3:40:41 --check --fusion=never | FileCheck %s
// RUN: attn-run %s --random --random-range=3:40:41 --check --target=gpu-emulator | FileCheck %s

// The function computes where its pages are: that of position p is (p * 5 + 2) mod 7.
// CHECK: check: result 0: ok: 3360 elements
func.func @permuted(%q: tensor<1x2x70x24xf32>, %k: tensor<7x2x16x24xf32>, %v: tensor<7x2x16x24xf32>, %off: tensor<1xi32>) -> tensor<1x2x70x24xf32> {
  %e = tensor.empty() : tensor<7xi32>
  %idx = linalg.generic {indexing_maps=[affine_map<(i)->(i)>], iterator_types=["parallel"]} outs(%e : tensor<7xi32>) {
  ^bb0(%o: i32):
    %i = linalg.index 0 : index
    %m = affine.apply affine_map<(i) -> ((i * 5 + 2) mod 7)>(%i)
    %x = arith.index_cast %m : index to i32
    linalg.yield %x : i32
  } -> tensor<7xi32>
  %ptr = arith.constant dense<[0, 7]> : tensor<2xi32>
  %i = tensor.empty() : tensor<1x2x70x24xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x2x70x24xf32>, tensor<7x2x16x24xf32>, tensor<7x2x16x24xf32>)
    blocks(%ptr, %idx : tensor<2xi32>, tensor<7xi32>) {keys = 16, kind = physical} offset(%off : tensor<1xi32>)
    outs(%i : tensor<1x2x70x24xf32>) {causal = #attn.causal<offset>, window = array<i64: 30, 4>} -> tensor<1x2x70x24xf32>
  return %o : tensor<1x2x70x24xf32>
}
