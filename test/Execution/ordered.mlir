// RUN: attn-test-run %s --entry=sampled --random --random-range=3:0:1 --check --require-fused | FileCheck %s
// RUN: attn-test-run %s --entry=sampled --random --random-range=3:0:1 --check --threads=1 --cpu=x86-64 | FileCheck %s
// RUN: attn-test-run %s --entry=fading --random --check --require-fused | FileCheck %s --check-prefixes=CHECK,THREE --implicit-check-not="not decided"
// RUN: attn-test-run %s --entry=even --random --random-range=0:-0.01:0.01 --random-range=3:-9:-8 --random-range=4:9:9.1 --check | FileCheck %s --implicit-check-not="not decided"
// RUN: attn-test-run %s --entry=keys2d --random --check --require-fused | FileCheck %s
// RUN: attn-test-run %s --entry=dynamic --shape=0:2x70x5 --shape=1:2x300x5 --shape=2:2x300x3 --shape=3:2x70x3 --random --random-range=4:0:1 --check | FileCheck %s
// RUN: attn-test-run %s --entry=dynamic --shape=0:2x0x5 --shape=1:2x3x5 --shape=2:2x3x3 --shape=3:2x0x3 --random --check | FileCheck %s
// RUN: attn-test-run %s --entry=dynamic --shape=0:2x7x5 --shape=1:2x0x5 --shape=2:2x0x3 --shape=3:2x7x3 --random --check | FileCheck %s
// RUN: attn-test-run %s --entry=fading --random --output=%t.whole.npy --output=%t.1.npy --output=%t.2.npy
// RUN: attn-test-run %s --entry=fading --stop-after=tile > %t.tile
// RUN: attn-test-run %t.tile --entry=fading --start-after=tile --stop-after=vectorize > %t.vectorize
// RUN: attn-test-run %t.vectorize --entry=fading --start-after=vectorize --random --output=%t.parts.npy --output=%t.1.npy --output=%t.2.npy
// RUN: cmp %t.whole.npy %t.parts.npy
// RUN: attn-test-run %s --entry=sampled --random --print-config 2>&1 | FileCheck %s --check-prefix=CONFIG

// Weightings of kind *ordered*: a second walk in ascending key order, which
// carries the mass so far from tile to tile.

// CHECK: check: result 0: ok
// THREE: check: result 1: ok
// THREE: check: result 2: ok
// CONFIG: fused: two passes, for statistics and in key order; tiles of

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>
#w = affine_map<(h, m, n, d, e) -> (h, m, n)>
#row = affine_map<(h, m, n, d, e) -> (h, m)>
#head = affine_map<(h, m, n, d, e) -> (h)>
#none = affine_map<(h, m, n, d, e) -> ()>

// One key of each row, the first rows see none.
func.func @sampled(%q: tensor<2x40x8xf32>, %k: tensor<2x170x8xf32>, %v: tensor<2x170x5xf32>,
                   %u: tensor<2x40xf32>) -> tensor<2x40x5xf32> {
  %init = tensor.empty() : tensor<2x40x5xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x40x8xf32>, tensor<2x170x8xf32>, tensor<2x170x5xf32>)
      weighting(#attntest.sampled, %u : tensor<2x40xf32>) outs(%init : tensor<2x40x5xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %c4 = arith.constant 4 : index
        %shifted = arith.addi %j, %c4 : index
        %reach = arith.muli %i, %c4 : index
        %past = arith.cmpi sle, %shifted, %reach : index
        attn.yield %past : i1
      } -> tensor<2x40x5xf32>
  return %o : tensor<2x40x5xf32>
}

// Weights, values and a log-sum-exp, through a weight region that reads where
// a pair is.
func.func @fading(%q: tensor<2x37x4xf16>, %k: tensor<2x150x4xf16>, %v: tensor<2x150x3xf16>,
                  %sink: tensor<2xf32>, %c: f32)
    -> (tensor<2x37x3xf16>, tensor<2x37xf32>, tensor<2x37x150xf32>) {
  %init = tensor.empty() : tensor<2x37x3xf16>
  %lse = tensor.empty() : tensor<2x37xf32>
  %pairs = tensor.empty() : tensor<2x37x150xf32>
  %r:3 = attn.generic ins(%q, %k, %v : tensor<2x37x4xf16>, tensor<2x150x4xf16>, tensor<2x150x3xf16>)
      weighting(#attntest.fading, %sink, %c : tensor<2xf32>, f32)
      outs(%init : tensor<2x37x3xf16>) lse(%lse : tensor<2x37xf32>) weights(%pairs : tensor<2x37x150xf32>)
      {indexing_maps = [#q, #k, #v, #head, #none, #o, #row, #w]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %rest = affine.apply affine_map<(i, j) -> ((i + 2 * j) mod 3)>(%i, %j)
        %c0 = arith.constant 0 : index
        %c5 = arith.constant 5 : index
        %some = arith.cmpi eq, %rest, %c0 : index
        %rows = arith.cmpi sgt, %i, %c5 : index
        %visible = arith.andi %some, %rows : i1
        attn.yield %visible : i1
      }
      weight {
      ^bb0(%p: f32):
        %j = attn.index 2
        %word = arith.index_cast %j : index to i32
        %key = arith.sitofp %word : i32 to f32
        %square = arith.mulf %p, %p : f32
        %t = arith.mulf %square, %key : f32
        attn.yield %t : f32
      } -> tensor<2x37x3xf16>, tensor<2x37xf32>, tensor<2x37x150xf32>
  return %r#0, %r#1, %r#2 : tensor<2x37x3xf16>, tensor<2x37xf32>, tensor<2x37x150xf32>
}

// Masses of one size, whose sum misses by more the more there are.
func.func @even(%q: tensor<1x40x4xf32>, %k: tensor<1x2000x4xf32>, %v: tensor<1x2000x3xf32>,
                %sink: tensor<1xf32>, %c: f32) -> (tensor<1x40x3xf32>, tensor<1x40x2000xf32>) {
  %init = tensor.empty() : tensor<1x40x3xf32>
  %pairs = tensor.empty() : tensor<1x40x2000xf32>
  %r:2 = attn.generic ins(%q, %k, %v : tensor<1x40x4xf32>, tensor<1x2000x4xf32>, tensor<1x2000x3xf32>)
      weighting(#attntest.fading, %sink, %c : tensor<1xf32>, f32)
      outs(%init : tensor<1x40x3xf32>) weights(%pairs : tensor<1x40x2000xf32>)
      {indexing_maps = [#q, #k, #v, #head, #none, #o, #w]}
      -> tensor<1x40x3xf32>, tensor<1x40x2000xf32>
  return %r#0, %r#1 : tensor<1x40x3xf32>, tensor<1x40x2000xf32>
}

// Of several key row dimensions the innermost is the fastest.
func.func @keys2d(%q: tensor<19x4xf32>, %k: tensor<3x70x4xf32>, %v: tensor<3x70x2xf32>,
                  %sink: f32, %c: f32) -> tensor<19x2xf32> {
  %init = tensor.empty() : tensor<19x2xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<19x4xf32>, tensor<3x70x4xf32>, tensor<3x70x2xf32>)
      weighting(#attntest.fading, %sink, %c : f32, f32) outs(%init : tensor<19x2xf32>)
      {indexing_maps = [affine_map<(m, a, n, d, e) -> (m, d)>,
                        affine_map<(m, a, n, d, e) -> (a, n, d)>,
                        affine_map<(m, a, n, d, e) -> (a, n, e)>,
                        affine_map<(m, a, n, d, e) -> ()>,
                        affine_map<(m, a, n, d, e) -> ()>,
                        affine_map<(m, a, n, d, e) -> (m, e)>]} -> tensor<19x2xf32>
  return %o : tensor<19x2xf32>
}

func.func @dynamic(%q: tensor<?x?x?xf32>, %k: tensor<?x?x?xf32>, %v: tensor<?x?x?xf32>,
                   %init: tensor<?x?x?xf32>, %u: f32) -> tensor<?x?x?xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<?x?x?xf32>, tensor<?x?x?xf32>, tensor<?x?x?xf32>)
      weighting(#attntest.sampled, %u : f32) outs(%init : tensor<?x?x?xf32>)
      {indexing_maps = [#q, #k, #v, #none, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %past = arith.cmpi sle, %j, %i : index
        attn.yield %past : i1
      } -> tensor<?x?x?xf32>
  return %o : tensor<?x?x?xf32>
}
