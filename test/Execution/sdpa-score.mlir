// RUN: attn-run %s --entry=softcap --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=order --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --shape=3:37 --check | FileCheck %s
// RUN: attn-run %s --entry=scale --random --shape=0:2x3x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=width --random --shape=0:2x3x13x20 --shape=1:2x3x37x20 --shape=2:2x3x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=width --random --shape=0:2x3x13x0 --shape=1:2x3x37x0 --shape=2:2x3x37x8 --check | FileCheck %s

// Softcap, then the score region, then the bias; a scale that is given, and one over
// the root of a width known at run time only.
// CHECK: check: result 0: ok

func.func @softcap(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {softcap = 0.75 : f64}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @order(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>, %bias: tensor<?xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      bias(%bias : tensor<?xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {softcap = 0.75 : f64}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %t = math.absf %s : f32
        %u = math.sqrt %t : f32
        attn.yield %u : f32
      }
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @scale(%q: tensor<2x3x?x16xf32>, %k: tensor<2x3x?x16xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x16xf32>, tensor<2x3x?x16xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {scale = -1.5 : f64}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}

func.func @width(%q: tensor<2x3x?x?xf32>, %k: tensor<2x3x?x?xf32>, %v: tensor<2x3x?x8xf32>)
    -> tensor<2x3x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x3x?x?xf32>
  %init = tensor.empty(%d2) : tensor<2x3x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x3x?x?xf32>, tensor<2x3x?x?xf32>, tensor<2x3x?x8xf32>)
      outs(%init : tensor<2x3x?x8xf32>)
      {softcap = 0.75 : f64}
      -> tensor<2x3x?x8xf32>
  return %r : tensor<2x3x?x8xf32>
}
