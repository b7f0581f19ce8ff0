// RUN: attn-run %s --random --random-range=3:0:200 --threads=1 --check --output=%t.1.npy | FileCheck %s
// RUN: attn-run %s --random --random-range=3:0:200 --threads=3 --output=%t.3.npy
// RUN: cmp %t.1.npy %t.3.npy
// RUN: attn-run %s --stop-after=tile | FileCheck %s --check-prefix=TILE

// Parts begin at multiples of 64 keys, and so at pages of 16: no page is cut, and
// each is a whole tile. Whoever has a part asks ahead for the pages of the next
// one, up to the end of the list.
// CHECK: check: result 0: ok
// TILE: scf.forall (%{{.+}}) in (2)
// TILE: scf.for %[[AT:[a-z0-9]+]] = %
// TILE-NOT: arith.maxsi
// TILE: %[[LATER:.+]] = arith.addi %[[AT]], %c2{{.*}} : index
// TILE-NEXT: %[[LISTED:.+]] = arith.minsi %[[LATER]], %c127
// TILE-NEXT: tensor.extract %{{.+}}[%[[LISTED]]] : tensor<128xi32>
// TILE-NOT: scf.for
// TILE: attn.online ins(%{{.+}} : tensor<2x32xf32>, tensor<16x32xf32>, tensor<16x24xf32>)
// TILE-SAME: ahead(%{{.+}} : tensor<16x32xf32>, tensor<16x24xf32>)

func.func @paged_splits(%q: tensor<1x2x1x32xf32>, %k: tensor<200x1x16x32xf32>,
                        %v: tensor<200x1x16x24xf32>, %pages: tensor<128xi32>) -> tensor<1x2x1x24xf32> {
  %indptr = arith.constant dense<[0, 128]> : tensor<2xi32>
  %init = tensor.empty() : tensor<1x2x1x24xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x2x1x32xf32>, tensor<200x1x16x32xf32>, tensor<200x1x16x24xf32>)
      blocks(%indptr, %pages : tensor<2xi32>, tensor<128xi32>) {keys = 16, kind = physical}
      outs(%init : tensor<1x2x1x24xf32>) -> tensor<1x2x1x24xf32>
  return %o : tensor<1x2x1x24xf32>
}
