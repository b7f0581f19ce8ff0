// RUN: attn-test-run %s --entry=unit_norm --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=unit_norm --random --require-fused --check --cpu=x86-64 | FileCheck %s
// RUN: attn-test-run %s --entry=huge --random --random-range=0:1e15:1e16 --random-range=1:1e14:1e15 --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=softplus --random --random-range=3:2.0:3.0 --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=weighted --random --require-fused --check | FileCheck %s
// RUN: not attn-run %s --entry=unit_norm --random --check 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// Weightings of a dialect that only the suite has, in the fused kernel: one with
// statistics of its own in both phases, one with none and an operand. More than
// one tile of keys and of rows; row 0 of @unit_norm sees nothing.
// CHECK: check: result 0: ok
// UNKNOWN: attntest

#q = affine_map<(h, m, n, d, e) -> (h, m, d)>
#k = affine_map<(h, m, n, d, e) -> (h, n, d)>
#v = affine_map<(h, m, n, d, e) -> (h, n, e)>
#hd = affine_map<(h, m, n, d, e) -> (h, d)>
#o = affine_map<(h, m, n, d, e) -> (h, m, e)>

func.func @unit_norm(%q: tensor<2x37x5xf32>, %k: tensor<2x301x5xf32>,
                     %v: tensor<2x301x3xf32>) -> tensor<2x37x3xf32> {
  %init = tensor.empty() : tensor<2x37x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<2x37x5xf32>, tensor<2x301x5xf32>, tensor<2x301x3xf32>)
      weighting(#attntest.unit_norm) outs(%init : tensor<2x37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.75 : f64}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %c9 = arith.constant 9 : index
        %end = arith.muli %i, %c9 : index
        %visible = arith.cmpi slt, %j, %end : index
        attn.yield %visible : i1
      } -> tensor<2x37x3xf32>
  return %o : tensor<2x37x3xf32>
}

// Scores whose squares overflow: the statistic of the score phase is in use.
func.func @huge(%q: tensor<2x19x5xf32>, %k: tensor<2x140x5xf32>,
                %v: tensor<2x140x3xf32>) -> tensor<2x19x3xf32> {
  %init = tensor.empty() : tensor<2x19x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<2x19x5xf32>, tensor<2x140x5xf32>, tensor<2x140x3xf32>)
      weighting(#attntest.unit_norm) outs(%init : tensor<2x19x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x19x3xf32>
  return %o : tensor<2x19x3xf32>
}

func.func @softplus(%q: tensor<2x37x5xf32>, %k: tensor<2x301x5xf32>,
                    %v: tensor<2x301x3xf32>, %t: f32) -> tensor<2x37x3xf32> {
  %init = tensor.empty() : tensor<2x37x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<2x37x5xf32>, tensor<2x301x5xf32>, tensor<2x301x3xf32>)
      weighting(#attntest.softplus, %t : f32) outs(%init : tensor<2x37x3xf32>)
      {indexing_maps = [#q, #k, #v, affine_map<(h, m, n, d, e) -> ()>, #o]}
      -> tensor<2x37x3xf32>
  return %o : tensor<2x37x3xf32>
}

// With a similarity of one's own, a distance with weights per head and feature.
func.func @weighted(%q: tensor<2x21x5xf32>, %k: tensor<2x140x5xf32>,
                    %v: tensor<2x140x3xf32>, %w: tensor<2x5xf32>) -> tensor<2x21x3xf32> {
  %init = tensor.empty() : tensor<2x21x3xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<2x21x5xf32>, tensor<2x140x5xf32>, tensor<2x140x3xf32>)
      inputs(%w : tensor<2x5xf32>)
      weighting(#attntest.unit_norm) outs(%init : tensor<2x21x3xf32>)
      {indexing_maps = [#q, #k, #v, #hd, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32, %weight: f32):
        %difference = arith.subf %a, %b : f32
        %distance = math.absf %difference : f32
        %term = arith.mulf %weight, %distance : f32
        attn.yield %term : f32
      } -> tensor<2x21x3xf32>
  return %o : tensor<2x21x3xf32>
}
