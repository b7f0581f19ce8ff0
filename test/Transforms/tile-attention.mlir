// RUN: attn-opt %s --attn-tile | FileCheck %s
// RUN: attn-opt %s --attn-tile="query-tile=16 key-tile=64" | FileCheck %s --check-prefix=SIZES
// RUN: attn-opt %s --attn-tile="query-tiles=2 key-tile=32" --canonicalize | FileCheck %s --check-prefix=BLOCK

// A parallel loop over query tiles; inside it a loop over key tiles around one
// online step; nothing that spans both sequences.

// CHECK-LABEL: @plain
// CHECK-NOT: 37x150
// CHECK: scf.forall
// CHECK: attn.pack
// CHECK: scf.for
// CHECK: attn.online
// CHECK: attn.finish
// CHECK-NOT: {{37x150|attn.generic}}

// SIZES: attn.pack {{.*}} -> tensor<4x16xf32>
// SIZES: attn.online
// SIZES: key_tile = 64

// Two query tiles pack their queries, share each tile of 32 keys, and finish;
// their states lie one behind the other.
// BLOCK: scf.for %{{.*}} = %c0 to %c2
// BLOCK: attn.pack
// BLOCK: scf.for %[[KEYS:.*]] = %{{.*}} to %c150 step %c32
// BLOCK: scf.for %[[TILE:.*]] = %c0 to %c2 step %c1
// BLOCK: %[[AT:.*]] = affine.apply #{{.*}}(%[[TILE]])
// BLOCK-NEXT: tensor.extract_slice %{{.*}}[%[[AT]], 0] [4, 32] [1, 1] : tensor<8x32xf32>
// BLOCK: %[[STATE:.*]] = affine.apply #{{.*}}(%[[TILE]])
// BLOCK-NEXT: tensor.extract_slice %{{.*}}[%[[STATE]], 0] [3, 32] [1, 1] : tensor<6x32xf32>
// BLOCK: attn.online
// BLOCK: scf.for %{{.*}} = %c0 to %c2
// BLOCK: attn.finish

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @plain(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                 %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}
