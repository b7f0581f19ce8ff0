// The module is verified after every pass if asked to, as the suite does: a
// weighting that builds IR with a fault is found where it stands. It costs time,
// so attn-run does not unless it is told to.

// RUN: not attn-test-run %s --random 2>&1 | FileCheck %s
// RUN: not attn-test-run %s --random --verify-each=false --verify-each 2>&1 | FileCheck %s
// RUN: not attn-test-run %s --random --verify-each=true 2>&1 | FileCheck %s
// RUN: attn-test-run %s --stop-after=vectorize --verify-each=false | FileCheck %s --check-prefix=UNSEEN

// CHECK: attn-run: error: {{.*}}attn-run-verify-each.mlir:[[#@LINE+10]]:8: 'arith.addf' op operand #1 must be floating-point-like, but got 'index'
// UNSEEN: "arith.addf"({{.*}}) <{{.*}}> : (vector<{{.*}}>, index)
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @unverified(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  // What verifies as it is read.
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attntest.unverified) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
