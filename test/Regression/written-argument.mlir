// RUN: attn-run %s --random --check | FileCheck %s
// RUN: attn-run %s --random --check --time=3 | FileCheck %s
// RUN: attn-run %s --random --output=%t.once.npy
// RUN: attn-run %s --random --output=%t.timed.npy --time=3
// RUN: cmp %t.once.npy %t.timed.npy

// The reference saw arguments that the kernel had written into, and reported a
// mismatch that was none; timed, every call saw those of the call before.
// CHECK: check: result 0: ok: 3 elements
func.func @written_argument(%x: tensor<3xf32>) -> tensor<3xf32> {
  %r = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%x : tensor<3xf32>) {
  ^bb0(%a: f32):
    %twice = arith.addf %a, %a : f32
    linalg.yield %twice : f32
  } -> tensor<3xf32>
  return %r : tensor<3xf32>
}
