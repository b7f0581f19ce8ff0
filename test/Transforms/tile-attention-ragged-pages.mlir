// RUN: attn-opt %s --attn-bound --attn-tile="query-tiles=1" --canonicalize --cse | FileCheck %s
// RUN: attn-opt %s --attn-bound --attn-tile --attn-verify-stage=stage=tile -o /dev/null
// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 | FileCheck %s --check-prefix=WHY

// Packed requests over one page table. A worker finds its request, and takes that
// request's list, none of it if its block is empty; it walks the pages that hold
// its keys, the last one up to their end.

// WHY: walks lists of physical blocks of 16 keys; no tile has rows of two requests

// CHECK-LABEL: func.func @pages(
// CHECK-SAME: %[[ROWS:[a-z0-9_]+]]: tensor<?xi32>, %[[KEYS:[a-z0-9_]+]]: tensor<?xi32>, %[[INDPTR:[a-z0-9_]+]]: tensor<?xi32>, %[[PAGES:[a-z0-9_]+]]: tensor<?xi32>)
// CHECK: scf.forall
// CHECK: %[[FOUND:.+]]:2 = scf.while
// CHECK: %[[VALID:.+]] = arith.maxsi %{{.+}}, %c0
// CHECK: attn.check %{{.+}}, "{{.*}}expected indptr to have {0} entries or more, one behind those of the lists, but got {1}"
// CHECK: tensor.extract %[[INDPTR]][%[[FOUND]]#0]
// CHECK: %[[NONE:.+]] = arith.cmpi eq, %[[VALID]], %c0
// CHECK: %[[FIRST:.+]] = arith.select %[[NONE]], %c0
// CHECK: %[[END:.+]] = arith.select %[[NONE]], %c0
// CHECK: tensor.extract %[[KEYS]][%[[FOUND]]#0]
// CHECK: %[[COUNT:.+]] = arith.select %[[NONE]], %c0
// CHECK: attn.check %{{.+}}, "{{.*}}expected a list of blocks to hold the {0} keys of its request or more, but got {1}"(%[[COUNT]],
// CHECK: attn.cost %[[COUNT]]
// CHECK: scf.for
// CHECK: tensor.extract %[[PAGES]]
// CHECK: arith.minsi %{{.+}}, %[[COUNT]]
// CHECK: attn.online {{.*}} rows(%[[VALID]])
// CHECK: attn.finish {{.*}} keys(%[[COUNT]])
#q = affine_map<(r, m, p, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r + m, e)>
#request = affine_map<(r, m, p, n, d, e) -> (r)>
#all = affine_map<(r, m, p, n, d, e) -> ()>
func.func @pages(%q: tensor<700x8xf32>, %k: tensor<?x16x8xf32>, %v: tensor<?x16x8xf32>,
                 %o: tensor<700x8xf32>, %query_starts: tensor<?xi32>, %key_starts: tensor<?xi32>,
                 %indptr: tensor<?xi32>, %pages: tensor<?xi32>) -> tensor<700x8xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<700x8xf32>, tensor<?x16x8xf32>, tensor<?x16x8xf32>)
      weighting(#attn.softmax)
      query_starts(%query_starts : tensor<?xi32>) key_starts(%key_starts : tensor<?xi32>)
      blocks(%indptr, %pages : tensor<?xi32>, tensor<?xi32>) {keys = 16, kind = physical, maps = [#request, #all]}
      outs(%o : tensor<700x8xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<700x8xf32>
  return %r : tensor<700x8xf32>
}
