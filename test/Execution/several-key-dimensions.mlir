// RUN: attn-run %s --entry=picture --random --check --fusion=always --require-fused | FileCheck %s
// RUN: attn-run %s --entry=picture_f16 --random --check --require-fused | FileCheck %s
// RUN: attn-run %s --entry=dynamic --random --shape=0:5x6x4 --shape=1:5x6x4 --shape=2:5x6x3 --shape=3:6x5 --check --require-fused | FileCheck %s
// RUN: attn-run %s --entry=long --random --check --require-fused | FileCheck %s

// Two key row dimensions are walked one inside of the other: neighbourhoods of
// a picture, masked along both, with a bias over both, or over the outer one
// and the query rows alone.

// CHECK: check: result 0: ok

#q = affine_map<(i, j, k, l, d, e) -> (i, j, d)>
#k = affine_map<(i, j, k, l, d, e) -> (k, l, d)>
#v = affine_map<(i, j, k, l, d, e) -> (k, l, e)>
#o = affine_map<(i, j, k, l, d, e) -> (i, j, e)>
#row = affine_map<(i, j, k, l, d, e) -> (k, j)>
#col = affine_map<(i, j, k, l, d, e) -> (l, k)>
func.func @picture(%q: tensor<5x6x4xf32>, %k: tensor<5x6x4xf32>, %v: tensor<5x6x3xf32>,
                   %b: tensor<5x6xf32>, %c: tensor<6x5xf32>) -> tensor<5x6x3xf32> {
  %init = tensor.empty() : tensor<5x6x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x6x4xf32>, tensor<5x6x4xf32>, tensor<5x6x3xf32>)
      inputs(%b, %c : tensor<5x6xf32>, tensor<6x5xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x6x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #col, #o], scale = 0.5 : f64}
      mask {
      ^bb0(%x: f32, %y: f32):
        %i = attn.index 0
        %j = attn.index 1
        %k0 = attn.index 2
        %l = attn.index 3
        %down = arith.subi %i, %k0 : index
        %across = arith.subi %j, %l : index
        %rows = math.absi %down : index
        %columns = math.absi %across : index
        %c1 = arith.constant 1 : index
        %c2 = arith.constant 2 : index
        %near = arith.cmpi sle, %rows, %c1 : index
        %beside = arith.cmpi sle, %columns, %c2 : index
        %visible = arith.andi %near, %beside : i1
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %x: f32, %y: f32):
        %t = arith.addf %s, %x : f32
        %u = arith.addf %t, %y : f32
        attn.yield %u : f32
      } -> tensor<5x6x3xf32>
  return %o : tensor<5x6x3xf32>
}

func.func @picture_f16(%q: tensor<5x6x4xf16>, %k: tensor<5x6x4xf16>, %v: tensor<5x6x3xf16>,
                       %b: tensor<5x6xf16>, %c: tensor<6x5xi1>) -> tensor<5x6x3xf16> {
  %init = tensor.empty() : tensor<5x6x3xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x6x4xf16>, tensor<5x6x4xf16>, tensor<5x6x3xf16>)
      inputs(%b, %c : tensor<5x6xf16>, tensor<6x5xi1>)
      weighting(#attn.softmax) outs(%init : tensor<5x6x3xf16>)
      {indexing_maps = [#q, #k, #v, #row, #col, #o], scale = 0.5 : f64}
      mask {
      ^bb0(%x: f32, %y: i1):
        attn.yield %y : i1
      }
      score {
      ^bb0(%s: f32, %x: f32, %y: i1):
        %t = arith.addf %s, %x : f32
        attn.yield %t : f32
      } -> tensor<5x6x3xf16>
  return %o : tensor<5x6x3xf16>
}

func.func @dynamic(%q: tensor<?x?x4xf32>, %k: tensor<?x?x4xf32>, %v: tensor<?x?x3xf32>,
                   %c: tensor<?x?xf32>) -> tensor<?x?x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %q, %c0 : tensor<?x?x4xf32>
  %n = tensor.dim %q, %c1 : tensor<?x?x4xf32>
  %init = tensor.empty(%m, %n) : tensor<?x?x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<?x?x4xf32>, tensor<?x?x4xf32>, tensor<?x?x3xf32>)
      inputs(%c : tensor<?x?xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x?x3xf32>)
      {indexing_maps = [#q, #k, #v, #col, #o], scale = 0.5 : f64}
      mask {
      ^bb0(%y: f32):
        %j = attn.index 1
        %l = attn.index 3
        %visible = arith.cmpi sle, %l, %j : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %y: f32):
        %u = arith.addf %s, %y : f32
        attn.yield %u : f32
      } -> tensor<?x?x3xf32>
  return %o : tensor<?x?x3xf32>
}

// So many keys that several query tiles share each tile of them.
func.func @long(%q: tensor<2x40x64xf32>, %k: tensor<3x400x64xf32>, %v: tensor<3x400x64xf32>) -> tensor<2x40x64xf32> {
  %init = tensor.empty() : tensor<2x40x64xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x40x64xf32>, tensor<3x400x64xf32>, tensor<3x400x64xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x40x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64} -> tensor<2x40x64xf32>
  return %o : tensor<2x40x64xf32>
}
