// RUN: attn-test-run %s --entry=argmax --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=two_dimensions --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=weights --random --require-fused --check | FileCheck %s --check-prefixes=CHECK,WEIGHTS
// RUN: attn-test-run %s --entry=region --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=ties --require-fused | FileCheck %s --check-prefix=TIES
// RUN: attn-test-run %s --entry=ties --require-fused --emit=mlir --stop-after=tile > %t.mlir
// RUN: attn-test-run %t.mlir --entry=ties --start-after=tile | FileCheck %s --check-prefix=TIES
// RUN: attn-test-run %t.mlir --entry=ties --target=reference | FileCheck %s --check-prefix=TIES
// RUN: attn-test-run %s --entry=argmax --random --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-test-run %s --entry=parts --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=packed --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=parts --random --print-config | FileCheck %s --check-prefix=PARTS

// Weightings that select keys, in one pass; values are read where the keys are
// known. Cases beside plain numpy are in plain-select.test.

// CHECK: check: result 0: ok
// WEIGHTS: check: result 1: ok
// WEIGHTS: check: result 2: ok
// CONFIG: one online pass, then the values selected
// PARTS: one online pass, then the values selected{{.*}}; keys in up to 4 parts of 1024 or more; layout #attn.lanes_along_features<3>

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>

func.func @argmax(%q: tensor<37x16xf32>, %k: tensor<300x16xf32>, %v: tensor<300x24xf32>) -> tensor<37x24xf32> {
  %init = tensor.empty() : tensor<37x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<37x16xf32>, tensor<300x16xf32>, tensor<300x24xf32>)
      weighting(#attntest.top<1>) outs(%init : tensor<37x24xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<37x24xf32>
  return %o : tensor<37x24xf32>
}

// Keys are counted along both dimensions, and the value has them the other way
// round.
#q2 = affine_map<(m, n, p, d, e) -> (m, d)>
#k2 = affine_map<(m, n, p, d, e) -> (n, p, d)>
#v2 = affine_map<(m, n, p, d, e) -> (p, n, e)>
#o2 = affine_map<(m, n, p, d, e) -> (m, e)>
func.func @two_dimensions(%q: tensor<19x8xf16>, %k: tensor<5x41x8xf16>, %v: tensor<41x5x7xf16>) -> tensor<19x7xf16> {
  %init = tensor.empty() : tensor<19x7xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<19x8xf16>, tensor<5x41x8xf16>, tensor<41x5x7xf16>)
      weighting(#attntest.top<3>) outs(%init : tensor<19x7xf16>)
      {indexing_maps = [#q2, #k2, #v2, #o2]}
      mask {
        %i = attn.index 0
        %j = attn.index 2
        %visible = arith.cmpi sle, %i, %j : index
        attn.yield %visible : i1
      } -> tensor<19x7xf16>
  return %o : tensor<19x7xf16>
}

// A second walk stores the weights, 0 where a key is not selected.
func.func @weights(%q: tensor<21x8xf32>, %k: tensor<300x8xf32>, %v: tensor<300x5xf32>)
    -> (tensor<21x5xf32>, tensor<21xf32>, tensor<21x300xf32>) {
  %init = tensor.empty() : tensor<21x5xf32>
  %lse = tensor.empty() : tensor<21xf32>
  %weights = tensor.empty() : tensor<21x300xf32>
  %o:3 = attn.generic ins(%q, %k, %v : tensor<21x8xf32>, tensor<300x8xf32>, tensor<300x5xf32>)
      weighting(#attntest.top<4>) outs(%init : tensor<21x5xf32>) lse(%lse : tensor<21xf32>)
      weights(%weights : tensor<21x300xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row, #w]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %c9 = arith.constant 9 : index
        %t = arith.muli %i, %c9 : index
        %visible = arith.cmpi slt, %j, %t : index
        attn.yield %visible : i1
      } -> tensor<21x5xf32>, tensor<21xf32>, tensor<21x300xf32>
  return %o#0, %o#1, %o#2 : tensor<21x5xf32>, tensor<21xf32>, tensor<21x300xf32>
}

// A weight region gives weights to keys that were not selected.
func.func @region(%q: tensor<21x8xf32>, %k: tensor<30x8xf32>, %v: tensor<30x5xf32>) -> tensor<21x5xf32> {
  %init = tensor.empty() : tensor<21x5xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<21x8xf32>, tensor<30x8xf32>, tensor<30x5xf32>)
      weighting(#attntest.top<4>) outs(%init : tensor<21x5xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%p: f32):
        %c = arith.constant 0.125 : f32
        %t = arith.addf %p, %c : f32
        attn.yield %t : f32
      } -> tensor<21x5xf32>
  return %o : tensor<21x5xf32>
}

// Of equal scores the lower key, across tiles of keys; of fewer keys than are
// asked for, all.
// TIES: {{\[\[}}0.00000]
// TIES-NEXT: [1.00000]
// TIES-NEXT: [1.00000]
// TIES-NEXT: [1.00000]]
func.func @ties() -> tensor<4x1xf32> {
  %q = arith.constant dense<1.0> : tensor<4x1xf32>
  %k = arith.constant dense<2.0> : tensor<900x1xf32>
  %first = arith.constant dense<[[1.0], [1.0]]> : tensor<2x1xf32>
  %rest = arith.constant dense<3.0> : tensor<898x1xf32>
  %v = tensor.concat dim(0) %first, %rest : (tensor<2x1xf32>, tensor<898x1xf32>) -> tensor<900x1xf32>
  %init = tensor.empty() : tensor<4x1xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<4x1xf32>, tensor<900x1xf32>, tensor<900x1xf32>)
      weighting(#attntest.top<2>) outs(%init : tensor<4x1xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %c300 = arith.constant 300 : index
        %t = arith.muli %i, %c300 : index
        %visible = arith.cmpi slt, %j, %t : index
        attn.yield %visible : i1
      } -> tensor<4x1xf32>
  return %o : tensor<4x1xf32>
}

// Three rows: keys are split, and the best of all parts stay.
func.func @parts(%q: tensor<3x16xf32>, %k: tensor<4000x16xf32>, %v: tensor<4000x9xf32>) -> tensor<3x9xf32> {
  %init = tensor.empty() : tensor<3x9xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<3x16xf32>, tensor<4000x16xf32>, tensor<4000x9xf32>)
      weighting(#attntest.top<6>) outs(%init : tensor<3x9xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<3x9xf32>
  return %o : tensor<3x9xf32>
}

// Packed requests: keys are counted within each.
#qr = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#kr = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#vr = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#or = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @packed(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>, %v: tensor<11x2x3xf32>) -> tensor<9x2x3xf32> {
  %qs = arith.constant dense<[0, 4, 4, 9]> : tensor<4xi32>
  %ks = arith.constant dense<[0, 3, 5, 11]> : tensor<4xi64>
  %init = tensor.empty() : tensor<9x2x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attntest.top<2>) key_starts(%ks : tensor<4xi64>) query_starts(%qs : tensor<4xi32>)
      outs(%init : tensor<9x2x3xf32>) {indexing_maps = [#qr, #kr, #vr, #or]}
      mask {
        %r = attn.index 0
        %j = attn.index 3
        %seen = arith.cmpi sge, %j, %r : index
        attn.yield %seen : i1
      } -> tensor<9x2x3xf32>
  return %o : tensor<9x2x3xf32>
}
