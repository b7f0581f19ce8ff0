// RUN: attn-test-run %s --entry=blocks --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=tokens --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=few_tokens --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=weights --random --require-fused --check | FileCheck %s --check-prefixes=CHECK,WEIGHTS
// RUN: attn-test-run %s --entry=pages --random --random-range=3:0:40 --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=parts --random --random-range=3:0:300 --require-fused --check --threads=1 --output=%t.1.npy | FileCheck %s
// RUN: attn-test-run %s --entry=parts --random --random-range=3:0:300 --require-fused --threads=5 --output=%t.5.npy
// RUN: cmp %t.1.npy %t.5.npy
// RUN: attn-test-run %s --entry=ties --require-fused | FileCheck %s --check-prefix=TIES

// Keys are selected among those that lists of blocks name. Of equal ones the one
// that is first in the list is kept, wherever its page lies.

// CHECK: check: result 0: ok
// WEIGHTS: check: result 1: ok
// TIES: {{\[\[}}2.00000 5.00000{{\]\]}}

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#m = affine_map<(m, n, d, e) -> (m)>
#one = affine_map<(m, n, d, e) -> ()>

// Blocks of a tile and a half; the last one is cut.
func.func @blocks(%q: tensor<37x16xf32>, %k: tensor<300x16xf32>, %v: tensor<300x24xf32>) -> tensor<37x24xf32> {
  %indptr = arith.constant dense<[0, 2, 3, 5]> : tensor<4xi32>
  %indices = arith.constant dense<[0, 3, 1, 2, 3]> : tensor<5xi32>
  %init = tensor.empty() : tensor<37x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<37x16xf32>, tensor<300x16xf32>, tensor<300x24xf32>)
      weighting(#attntest.top<3>)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<5xi32>) {rows = 16, keys = 96, maps = [#m, #one]}
      outs(%init : tensor<37x24xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<37x24xf32>
  return %o : tensor<37x24xf32>
}

func.func @tokens(%q: tensor<37x16xf32>, %k: tensor<300x16xf32>, %v: tensor<300x24xf32>) -> tensor<37x24xf32> {
  %indptr = arith.constant dense<[0, 2, 2, 10]> : tensor<4xi32>
  %indices = arith.constant dense<[17, 299, 3, 18, 31, 150, 151, 152, 290, 298]> : tensor<10xi32>
  %init = tensor.empty() : tensor<37x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<37x16xf32>, tensor<300x16xf32>, tensor<300x24xf32>)
      weighting(#attntest.top<3>)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<10xi32>) {rows = 16, keys = 1, maps = [#m, #one]}
      outs(%init : tensor<37x24xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %far = arith.constant 260 : index
        %end = arith.addi %i, %far : index
        %visible = arith.cmpi sle, %j, %end : index
        attn.yield %visible : i1
      } -> tensor<37x24xf32>
  return %o : tensor<37x24xf32>
}

func.func @few_tokens(%q: tensor<3x16xf32>, %k: tensor<300x16xf32>, %v: tensor<300x24xf32>) -> tensor<3x24xf32> {
  %indptr = arith.constant dense<[0, 10]> : tensor<2xi32>
  %indices = arith.constant dense<[3, 18, 31, 150, 151, 152, 200, 201, 290, 298]> : tensor<10xi32>
  %init = tensor.empty() : tensor<3x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<3x16xf32>, tensor<300x16xf32>, tensor<300x24xf32>)
      weighting(#attntest.top<3>)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<10xi32>) {rows = 3, keys = 1, maps = [#one, #one]}
      outs(%init : tensor<3x24xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<3x24xf32>
  return %o : tensor<3x24xf32>
}

// The weights of a second walk lie by position.
func.func @weights(%q: tensor<21x8xf32>, %k: tensor<300x8xf32>, %v: tensor<300x5xf32>)
    -> (tensor<21x5xf32>, tensor<21x300xf32>) {
  %indptr = arith.constant dense<[0, 3]> : tensor<2xi32>
  %indices = arith.constant dense<[2, 5, 18]> : tensor<3xi32>
  %init = tensor.empty() : tensor<21x5xf32>
  %winit = tensor.empty() : tensor<21x300xf32>
  %o, %w = attn.generic ins(%q, %k, %v : tensor<21x8xf32>, tensor<300x8xf32>, tensor<300x5xf32>)
      weighting(#attntest.top<4>)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<3xi32>) {rows = 21, keys = 16, maps = [#one, #one]}
      outs(%init : tensor<21x5xf32>) weights(%winit : tensor<21x300xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<21x5xf32>, tensor<21x300xf32>
  return %o, %w : tensor<21x5xf32>, tensor<21x300xf32>
}

#q2 = affine_map<(m, n, p, d, e) -> (m, d)>
#k2 = affine_map<(m, n, p, d, e) -> (n, p, d)>
#v2 = affine_map<(m, n, p, d, e) -> (p, n, e)>
#o2 = affine_map<(m, n, p, d, e) -> (m, e)>
#m2 = affine_map<(m, n, p, d, e) -> (m)>
#one2 = affine_map<(m, n, p, d, e) -> ()>

// Pages that lie behind their rows, several to a tile.
func.func @pages(%q: tensor<40x16xf32>, %k: tensor<41x16x16xf32>, %v: tensor<16x41x24xf32>,
                 %pages: tensor<11xi32>) -> tensor<40x24xf32> {
  %indptr = arith.constant dense<[0, 5, 11]> : tensor<3xi32>
  %init = tensor.empty() : tensor<40x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<40x16xf32>, tensor<41x16x16xf32>, tensor<16x41x24xf32>)
      weighting(#attntest.top<3>)
      blocks(%indptr, %pages : tensor<3xi32>, tensor<11xi32>) {rows = 20, keys = 16, kind = physical, maps = [#m2, #one2]}
      outs(%init : tensor<40x24xf32>)
      {indexing_maps = [#q2, #k2, #v2, #o2]} -> tensor<40x24xf32>
  return %o : tensor<40x24xf32>
}

func.func @parts(%q: tensor<3x16xf32>, %k: tensor<301x32x16xf32>, %v: tensor<32x301x24xf32>,
                 %pages: tensor<150xi32>) -> tensor<3x24xf32> {
  %indptr = arith.constant dense<[0, 150]> : tensor<2xi32>
  %init = tensor.empty() : tensor<3x24xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<3x16xf32>, tensor<301x32x16xf32>, tensor<32x301x24xf32>)
      weighting(#attntest.top<3>)
      blocks(%indptr, %pages : tensor<2xi32>, tensor<150xi32>) {rows = 3, keys = 32, kind = physical, maps = [#one2, #one2]}
      outs(%init : tensor<3x24xf32>)
      {indexing_maps = [#q2, #k2, #v2, #o2]} -> tensor<3x24xf32>
  return %o : tensor<3x24xf32>
}

// All scores are one; pages 2 and 0, of which the value says key and page.
func.func @ties() -> tensor<1x2xf32> {
  %indptr = arith.constant dense<[0, 2]> : tensor<2xi32>
  %pages = arith.constant dense<[2, 0]> : tensor<2xi32>
  %q = arith.constant dense<1.0> : tensor<1x1xf32>
  %k = arith.constant dense<1.0> : tensor<3x2x1xf32>
  %v = arith.constant dense<[[[0.0, 1.0], [1.0, 3.0], [2.0, 5.0]], [[0.0, 2.0], [1.0, 4.0], [2.0, 6.0]]]> : tensor<2x3x2xf32>
  %init = tensor.empty() : tensor<1x2xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<1x1xf32>, tensor<3x2x1xf32>, tensor<2x3x2xf32>)
      weighting(#attntest.top<1>)
      blocks(%indptr, %pages : tensor<2xi32>, tensor<2xi32>) {rows = 1, keys = 2, kind = physical, maps = [#one2, #one2]}
      outs(%init : tensor<1x2xf32>)
      {indexing_maps = [#q2, #k2, #v2, #o2]} -> tensor<1x2xf32>
  return %o : tensor<1x2xf32>
}
