// RUN: attn-run %s --entry=batch --random --check | FileCheck %s
// RUN: attn-run %s --entry=heads --random --check | FileCheck %s
// RUN: attn-run %s --entry=sums --random --check | FileCheck %s
// RUN: attn-run %s --entry=widened --random --check | FileCheck %s
// RUN: attn-run %s --entry=row --random --check | FileCheck %s
// RUN: attn-run %s --entry=column --random --check | FileCheck %s
// RUN: attn-run %s --entry=nothing --random --check | FileCheck %s
// RUN: attn-run %s --entry=rounded --random --check | FileCheck %s
// RUN: attn-run %s --entry=narrow --random --shape=0:2x9x33x5 --shape=1:9x5x35 --check | FileCheck %s
// RUN: attn-run %s --entry=narrow --random --shape=0:1x3x800x6 --shape=1:3x6x200 --check | FileCheck %s
// RUN: attn-run %s --entry=narrow --random --shape=0:1x0x10x16 --shape=1:0x16x3 --check | FileCheck %s

// Batches, several dimensions of one class, dimensions of extent 1 and 0.
// CHECK: check: result 0: ok

func.func @batch(%a: tensor<3x5x7xf32>, %b: tensor<3x7x4xf32>) -> tensor<3x5x4xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<3x5x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<3x5x4xf32>) -> tensor<3x5x4xf32>
  %0 = linalg.batch_matmul ins(%a, %b : tensor<3x5x7xf32>, tensor<3x7x4xf32>)
      outs(%init : tensor<3x5x4xf32>) -> tensor<3x5x4xf32>
  return %0 : tensor<3x5x4xf32>
}

// Rows of a batch projected into heads, (batch, heads, rows, width).
func.func @heads(%x: tensor<2x5x7xf32>, %w: tensor<3x4x7xf32>) -> tensor<2x3x5x4xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x3x5x4xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x3x5x4xf32>) -> tensor<2x3x5x4xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(b, h, m, d, k) -> (b, m, k)>,
                       affine_map<(b, h, m, d, k) -> (h, d, k)>,
                       affine_map<(b, h, m, d, k) -> (b, h, m, d)>],
      iterator_types = ["parallel", "parallel", "parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x5x7xf32>, tensor<3x4x7xf32>) outs(%init : tensor<2x3x5x4xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %product, %sum : f32
    linalg.yield %next : f32
  } -> tensor<2x3x5x4xf32>
  return %0 : tensor<2x3x5x4xf32>
}

// And back: a sum over heads and width.
func.func @sums(%x: tensor<2x3x5x4xf32>, %w: tensor<3x4x7xf32>) -> tensor<2x5x7xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x5x7xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x5x7xf32>) -> tensor<2x5x7xf32>
  %0 = linalg.generic {
      indexing_maps = [affine_map<(b, m, n, h, d) -> (b, h, m, d)>,
                       affine_map<(b, m, n, h, d) -> (h, d, n)>,
                       affine_map<(b, m, n, h, d) -> (b, m, n)>],
      iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<2x3x5x4xf32>, tensor<3x4x7xf32>) outs(%init : tensor<2x5x7xf32>) {
  ^bb0(%a: f32, %b: f32, %sum: f32):
    %product = arith.mulf %a, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<2x5x7xf32>
  return %0 : tensor<2x5x7xf32>
}

func.func @widened(%a: tensor<9x40xbf16>, %b: tensor<40x33xbf16>) -> tensor<9x33xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<9x33xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<9x33xf32>) -> tensor<9x33xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<9x40xbf16>, tensor<40x33xbf16>)
      outs(%init : tensor<9x33xf32>) -> tensor<9x33xf32>
  return %0 : tensor<9x33xf32>
}

func.func @row(%a: tensor<1x40xf32>, %b: tensor<40x33xf32>) -> tensor<1x33xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<1x33xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<1x33xf32>) -> tensor<1x33xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<1x40xf32>, tensor<40x33xf32>)
      outs(%init : tensor<1x33xf32>) -> tensor<1x33xf32>
  return %0 : tensor<1x33xf32>
}

func.func @column(%a: tensor<37x40xf32>, %b: tensor<40x1xf32>) -> tensor<37x1xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<37x1xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<37x1xf32>) -> tensor<37x1xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<37x40xf32>, tensor<40x1xf32>)
      outs(%init : tensor<37x1xf32>) -> tensor<37x1xf32>
  return %0 : tensor<37x1xf32>
}

func.func @nothing(%a: tensor<5x0xf32>, %b: tensor<0x3xf32>) -> tensor<5x3xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x3xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
  %0 = linalg.matmul ins(%a, %b : tensor<5x0xf32>, tensor<0x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// A sum over heads and channels is rounded once.
func.func @rounded(%x: tensor<2x9x33x5xf16>, %w: tensor<9x5x35xf16>, %init: tensor<2x33x35xf16>) -> tensor<2x33x35xf16> {
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, h, d) -> (b, h, m, d)>,
                                        affine_map<(b, m, n, h, d) -> (h, d, n)>,
                                        affine_map<(b, m, n, h, d) -> (b, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<2x9x33x5xf16>, tensor<9x5x35xf16>) outs(%init : tensor<2x33x35xf16>) {
  ^bb0(%a: f16, %b: f16, %sum: f16):
    %product = arith.mulf %a, %b : f16
    %next = arith.addf %sum, %product : f16
    linalg.yield %next : f16
  } -> tensor<2x33x35xf16>
  return %y : tensor<2x33x35xf16>
}
func.func @narrow(%x: tensor<?x?x?x?xbf16>, %w: tensor<?x?x?xbf16>) -> tensor<?x?x?xbf16> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %zero = arith.constant 0.0 : bf16
  %b = tensor.dim %x, %c0 : tensor<?x?x?x?xbf16>
  %m = tensor.dim %x, %c2 : tensor<?x?x?x?xbf16>
  %n = tensor.dim %w, %c2 : tensor<?x?x?xbf16>
  %empty = tensor.empty(%b, %m, %n) : tensor<?x?x?xbf16>
  %init = linalg.fill ins(%zero : bf16) outs(%empty : tensor<?x?x?xbf16>) -> tensor<?x?x?xbf16>
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, h, d) -> (b, h, m, d)>,
                                        affine_map<(b, m, n, h, d) -> (h, d, n)>,
                                        affine_map<(b, m, n, h, d) -> (b, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction", "reduction"]}
      ins(%x, %w : tensor<?x?x?x?xbf16>, tensor<?x?x?xbf16>) outs(%init : tensor<?x?x?xbf16>) {
  ^bb0(%a: bf16, %w0: bf16, %sum: bf16):
    %product = arith.mulf %a, %w0 : bf16
    %next = arith.addf %sum, %product : bf16
    linalg.yield %next : bf16
  } -> tensor<?x?x?xbf16>
  return %y : tensor<?x?x?xbf16>
}
