// RUN: attn-run %s --entry=quantized --random --random-range=1:-100:100 --check | FileCheck %s
// RUN: attn-run %s --entry=quantized --random --random-range=1:-100:100 --check --cpu=x86-64 | FileCheck %s
// RUN: attn-run %s --entry=both --random --check | FileCheck %s
// RUN: attn-run %s --entry=both --random --check --cpu=x86-64-v3 | FileCheck %s
// RUN: attn-run %s --entry=dot_products --random --random-range=1:-100:100 --check | FileCheck %s
// RUN: attn-run %s --entry=columns --random --random-range=1:-100:100 --check | FileCheck %s
// RUN: attn-run %s --entry=chain --random --shape=0:3x70x9 --shape=1:530x70 --shape=2:530 --check | FileCheck %s
// RUN: attn-run %s --entry=chain --random --shape=0:2x5x1 --shape=1:1x5 --shape=2:1 --check | FileCheck %s
// RUN: attn-run %s --entry=strided --random --check | FileCheck %s
// RUN: attn-run %s --entry=quantized --print-config | FileCheck %s --check-prefix=CONFIG

// What an operand is made from is computed where it is packed, whichever
// dimension lanes are along there.
// CHECK: check: result 0: ok
// CONFIG: contraction: tiles of at most 768 rows by 128 columns; 1 elementwise op computed where operands are packed

// RUN: attn-run %s --entry=both --random --threads=1 --output=%t.1.npy
// RUN: attn-run %s --entry=both --random --threads=5 --output=%t.5.npy
// RUN: cmp %t.1.npy %t.5.npy

#xy = affine_map<(x, y) -> (x, y)>
#yx = affine_map<(x, y) -> (y, x)>
#x = affine_map<(x, y) -> (x)>
#y = affine_map<(x, y) -> (y)>
// Weights of 8 bits with a scale each, output by output: features are
// neighbours.
func.func @quantized(%x: tensor<45x70xf32>, %w: tensor<37x70xi8>, %s: tensor<37xf32>) -> tensor<45x37xf32> {
  %zero = arith.constant 0.0 : f32
  %we = tensor.empty() : tensor<37x70xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #x, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<37x70xi8>, tensor<37xf32>) outs(%we : tensor<37x70xf32>) {
  ^bb0(%a: i8, %b: f32, %out: f32):
    %0 = arith.sitofp %a : i8 to f32
    %1 = arith.mulf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<37x70xf32>
  %empty = tensor.empty() : tensor<45x37xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<45x37xf32>) -> tensor<45x37xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                      affine_map<(m, n, k) -> (n, k)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %wf : tensor<45x70xf32>, tensor<37x70xf32>)
      outs(%init : tensor<45x37xf32>) -> tensor<45x37xf32>
  return %y : tensor<45x37xf32>
}

// Rows are neighbours, and what they are made from has a factor along each side;
// columns are neighbours in what is widened.
func.func @both(%x: tensor<70x45xf32>, %w: tensor<70x37xbf16>, %g: tensor<70xf32>, %r: tensor<45xf32>) -> tensor<45x37xf32> {
  %zero = arith.constant 0.0 : f32
  %xe = tensor.empty() : tensor<45x70xf32>
  %xf = linalg.generic {indexing_maps = [#yx, #y, #x, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%x, %g, %r : tensor<70x45xf32>, tensor<70xf32>, tensor<45xf32>) outs(%xe : tensor<45x70xf32>) {
  ^bb0(%a: f32, %b: f32, %c: f32, %out: f32):
    %0 = arith.subf %a, %c : f32
    %1 = arith.mulf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<45x70xf32>
  %we = tensor.empty() : tensor<70x37xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w : tensor<70x37xbf16>) outs(%we : tensor<70x37xf32>) {
  ^bb0(%a: bf16, %out: f32):
    %0 = arith.extf %a : bf16 to f32
    linalg.yield %0 : f32
  } -> tensor<70x37xf32>
  %empty = tensor.empty() : tensor<45x37xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<45x37xf32>) -> tensor<45x37xf32>
  %y = linalg.matmul ins(%xf, %wf : tensor<45x70xf32>, tensor<70x37xf32>)
      outs(%init : tensor<45x37xf32>) -> tensor<45x37xf32>
  return %y : tensor<45x37xf32>
}

// One row: lanes along features.
func.func @dot_products(%x: tensor<70xf32>, %w: tensor<37x70xi8>, %s: tensor<37xf32>) -> tensor<37xf32> {
  %zero = arith.constant 0.0 : f32
  %we = tensor.empty() : tensor<37x70xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #x, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<37x70xi8>, tensor<37xf32>) outs(%we : tensor<37x70xf32>) {
  ^bb0(%a: i8, %b: f32, %out: f32):
    %0 = arith.sitofp %a : i8 to f32
    %1 = arith.addf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<37x70xf32>
  %empty = tensor.empty() : tensor<37xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<37xf32>) -> tensor<37xf32>
  %y = linalg.matvec ins(%wf, %x : tensor<37x70xf32>, tensor<70xf32>)
      outs(%init : tensor<37xf32>) -> tensor<37xf32>
  return %y : tensor<37xf32>
}

// One row: lanes along columns.
func.func @columns(%x: tensor<70xf32>, %w: tensor<70x37xi8>, %s: tensor<37xf32>) -> tensor<37xf32> {
  %zero = arith.constant 0.0 : f32
  %we = tensor.empty() : tensor<70x37xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #y, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<70x37xi8>, tensor<37xf32>) outs(%we : tensor<70x37xf32>) {
  ^bb0(%a: i8, %b: f32, %out: f32):
    %0 = arith.sitofp %a : i8 to f32
    %1 = arith.addf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<70x37xf32>
  %empty = tensor.empty() : tensor<37xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<37xf32>) -> tensor<37xf32>
  %y = linalg.vecmat ins(%x, %wf : tensor<70xf32>, tensor<70x37xf32>)
      outs(%init : tensor<37xf32>) -> tensor<37xf32>
  return %y : tensor<37xf32>
}

// Two ops in a row, narrowed between them, dynamic extents, more features than
// a block has, a batch that shares the weights.
#bmk = affine_map<(b, m, k) -> (b, m, k)>
#bkm = affine_map<(b, k, m) -> (b, k, m)>
#turned = affine_map<(b, k, m) -> (b, m, k)>
func.func @chain(%x: tensor<?x?x?xf32>, %w: tensor<?x?xbf16>, %s: tensor<?xf32>) -> tensor<?x?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %batch = tensor.dim %x, %c0 : tensor<?x?x?xf32>
  %features = tensor.dim %x, %c1 : tensor<?x?x?xf32>
  %rows = tensor.dim %x, %c2 : tensor<?x?x?xf32>
  %columns = tensor.dim %w, %c0 : tensor<?x?xbf16>
  %ne = tensor.empty(%batch, %features, %rows) : tensor<?x?x?xbf16>
  %narrow = linalg.generic {indexing_maps = [#bkm, #bkm], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%x : tensor<?x?x?xf32>) outs(%ne : tensor<?x?x?xbf16>) {
  ^bb0(%a: f32, %out: bf16):
    %0 = arith.truncf %a : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<?x?x?xbf16>
  %te = tensor.empty(%batch, %rows, %features) : tensor<?x?x?xbf16>
  %t = linalg.generic {indexing_maps = [#bkm, #turned], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%narrow : tensor<?x?x?xbf16>) outs(%te : tensor<?x?x?xbf16>) {
  ^bb0(%a: bf16, %out: bf16):
    linalg.yield %a : bf16
  } -> tensor<?x?x?xbf16>
  %we = tensor.empty(%columns, %features) : tensor<?x?xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #x, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%w, %s : tensor<?x?xbf16>, tensor<?xf32>) outs(%we : tensor<?x?xf32>) {
  ^bb0(%a: bf16, %b: f32, %out: f32):
    %0 = arith.extf %a : bf16 to f32
    %1 = arith.mulf %0, %b : f32
    linalg.yield %1 : f32
  } -> tensor<?x?xf32>
  %empty = tensor.empty(%batch, %rows, %columns) : tensor<?x?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?x?xf32>) -> tensor<?x?x?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(b, m, n, k) -> (b, m, k)>,
                                        affine_map<(b, m, n, k) -> (n, k)>,
                                        affine_map<(b, m, n, k) -> (b, m, n)>],
                       iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%t, %wf : tensor<?x?x?xbf16>, tensor<?x?xf32>) outs(%init : tensor<?x?x?xf32>) {
  ^bb0(%a: bf16, %b: f32, %sum: f32):
    %wide = arith.extf %a : bf16 to f32
    %product = arith.mulf %wide, %b : f32
    %next = arith.addf %sum, %product : f32
    linalg.yield %next : f32
  } -> tensor<?x?x?xf32>
  return %y : tensor<?x?x?xf32>
}

// Neither features nor columns nor rows are neighbours.
func.func @strided(%x: tensor<21x19x2xf32>, %w: tensor<19x35x2xf32>, %g: tensor<21x19xf32>) -> tensor<21x35xf32> {
  %zero = arith.constant 0.0 : f32
  %left = tensor.extract_slice %x[0, 0, 1] [21, 19, 1] [1, 1, 1] : tensor<21x19x2xf32> to tensor<21x19xf32>
  %right = tensor.extract_slice %w[0, 0, 1] [19, 35, 1] [1, 1, 1] : tensor<19x35x2xf32> to tensor<19x35xf32>
  %xe = tensor.empty() : tensor<21x19xf32>
  %xf = linalg.generic {indexing_maps = [#xy, #xy, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%left, %g : tensor<21x19xf32>, tensor<21x19xf32>) outs(%xe : tensor<21x19xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<21x19xf32>
  %we = tensor.empty() : tensor<19x35xf32>
  %wf = linalg.generic {indexing_maps = [#xy, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%right : tensor<19x35xf32>) outs(%we : tensor<19x35xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %a : f32
    linalg.yield %0 : f32
  } -> tensor<19x35xf32>
  %empty = tensor.empty() : tensor<21x35xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<21x35xf32>) -> tensor<21x35xf32>
  %y = linalg.matmul ins(%xf, %wf : tensor<21x19xf32>, tensor<19x35xf32>)
      outs(%init : tensor<21x35xf32>) -> tensor<21x35xf32>
  return %y : tensor<21x35xf32>
}
