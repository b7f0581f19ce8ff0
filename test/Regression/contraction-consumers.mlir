// RUN: attn-run %s --entry=after --random --check --verify-each | FileCheck %s
// RUN: attn-run %s --entry=after_nothing --random --check | FileCheck %s
// RUN: attn-run %s --entry=unit --random --check --verify-each | FileCheck %s
// RUN: attn-run %s --entry=half --random --check | FileCheck %s

// What follows a sum over two dimensions is computed once, when both are summed,
// and if they are empty, too. Dimensions of one position are told apart. Functions
// of f16 are as good as f16.
// CHECK: check: result 0: ok

func.func @after(%a: tensor<2x2x3xf32>, %b: tensor<2x3x2xf32>) -> tensor<2x2xf32> {
  %zeros = arith.constant dense<0.0> : tensor<2x2xf32>
  %0 = linalg.batch_reduce_matmul ins(%a, %b : tensor<2x2x3xf32>, tensor<2x3x2xf32>)
      outs(%zeros : tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %1 = linalg.exp ins(%0 : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

func.func @after_nothing(%a: tensor<0x2x3xf32>, %b: tensor<0x3x2xf32>) -> tensor<2x2xf32> {
  %zeros = arith.constant dense<0.0> : tensor<2x2xf32>
  %0 = linalg.batch_reduce_matmul ins(%a, %b : tensor<0x2x3xf32>, tensor<0x3x2xf32>)
      outs(%zeros : tensor<2x2xf32>) -> tensor<2x2xf32>
  %empty = tensor.empty() : tensor<2x2xf32>
  %1 = linalg.exp ins(%0 : tensor<2x2xf32>) outs(%empty : tensor<2x2xf32>) -> tensor<2x2xf32>
  return %1 : tensor<2x2xf32>
}

func.func @unit(%x: tensor<1xf32>, %y: tensor<1x2x2x1xf32>, %init: tensor<2x1x2xf32>) -> tensor<2x1x2xf32> {
  %0 = linalg.generic {
      indexing_maps = [affine_map<(b, u, n, k) -> (k)>,
                       affine_map<(b, u, n, k) -> (k, b, n, u)>,
                       affine_map<(b, u, n, k) -> (b, u, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %y : tensor<1xf32>, tensor<1x2x2x1xf32>) outs(%init : tensor<2x1x2xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<2x1x2xf32>
  return %0 : tensor<2x1x2xf32>
}

func.func @half(%x: tensor<37xf16>) -> tensor<37xf16> {
  %empty = tensor.empty() : tensor<37xf16>
  %0 = linalg.erf ins(%x : tensor<37xf16>) outs(%empty : tensor<37xf16>) -> tensor<37xf16>
  return %0 : tensor<37xf16>
}
