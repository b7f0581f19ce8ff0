// RUN: attn-run %s --entry=gelu --random --check | FileCheck %s
// RUN: attn-run %s --entry=narrowed --random --check | FileCheck %s
// RUN: attn-run %s --entry=scaled --random --shape=0:5x7 --shape=1:7x3 --shape=2:5 --check | FileCheck %s
// RUN: attn-run %s --entry=scaled --random --shape=0:70x1030 --shape=1:1030x45 --shape=2:70 --check | FileCheck %s
// RUN: attn-run %s --entry=more --random --check | FileCheck %s
// RUN: attn-run %s --entry=turned --random --check | FileCheck %s
// RUN: attn-run %s --entry=vector --random --check | FileCheck %s
// RUN: attn-run %s --entry=gelu --print-config | FileCheck %s --check-prefix=CONFIG --implicit-check-not=contraction:

// What follows a product is computed with it, once its sum is whole: these have
// more features than a block of them.
// CHECK: check: result 0: ok
// CONFIG: contraction: tiles of at most 768 rows by 128 columns; 3 elementwise ops computed with them

// Whoever computes them: the same bits with any number of threads.
// RUN: attn-run %s --entry=gelu --random --threads=1,2,5

#mn = affine_map<(m, n) -> (m, n)>
#nm = affine_map<(m, n) -> (n, m)>
#m = affine_map<(m, n) -> (m)>
#n = affine_map<(m, n) -> (n)>
#v = affine_map<(n) -> (n)>

// A bias, a GELU and a residual.
func.func @gelu(%x: tensor<70x600xf32>, %w: tensor<600x300xf32>, %bias: tensor<300xf32>,
                %before: tensor<70x300xf32>) -> tensor<70x300xf32> {
  %zero = arith.constant 0.0 : f32
  %half = arith.constant 0.5 : f32
  %one = arith.constant 1.0 : f32
  %root = arith.constant 0.70710678118654752 : f32
  %empty = tensor.empty() : tensor<70x300xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<70x300xf32>) -> tensor<70x300xf32>
  %y = linalg.matmul ins(%x, %w : tensor<70x600xf32>, tensor<600x300xf32>)
      outs(%init : tensor<70x300xf32>) -> tensor<70x300xf32>
  %biased = linalg.generic {indexing_maps = [#mn, #n, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%y, %bias : tensor<70x300xf32>, tensor<300xf32>) outs(%empty : tensor<70x300xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<70x300xf32>
  %gelu = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%biased : tensor<70x300xf32>) outs(%empty : tensor<70x300xf32>) {
  ^bb0(%a: f32, %out: f32):
    %0 = arith.mulf %a, %root : f32
    %1 = math.erf %0 : f32
    %2 = arith.addf %1, %one : f32
    %3 = arith.mulf %2, %half : f32
    %4 = arith.mulf %3, %a : f32
    linalg.yield %4 : f32
  } -> tensor<70x300xf32>
  %r = linalg.generic {indexing_maps = [#mn, #mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%before, %gelu : tensor<70x300xf32>, tensor<70x300xf32>) outs(%empty : tensor<70x300xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<70x300xf32>
  return %r : tensor<70x300xf32>
}

// A conversion, of sums that do not fit into what they become.
func.func @narrowed(%x: tensor<9x1030xbf16>, %w: tensor<33x1030xbf16>) -> tensor<9x33xbf16> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<9x33xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<9x33xf32>) -> tensor<9x33xf32>
  %y = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>,
                                      affine_map<(m, n, k) -> (n, k)>,
                                      affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %w : tensor<9x1030xbf16>, tensor<33x1030xbf16>)
      outs(%init : tensor<9x33xf32>) -> tensor<9x33xf32>
  %out = tensor.empty() : tensor<9x33xbf16>
  %r = linalg.generic {indexing_maps = [#mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%y : tensor<9x33xf32>) outs(%out : tensor<9x33xbf16>) {
  ^bb0(%a: f32, %o: bf16):
    %0 = arith.truncf %a : f32 to bf16
    linalg.yield %0 : bf16
  } -> tensor<9x33xbf16>
  return %r : tensor<9x33xbf16>
}

// One number per row, and one for all.
func.func @scaled(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>, %by: tensor<?xf32>, %all: f32)
    -> tensor<?x?xf32> {
  %zero = arith.constant 0.0 : f32
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %w, %c1 : tensor<?x?xf32>
  %empty = tensor.empty(%m, %n) : tensor<?x?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x?xf32>) -> tensor<?x?xf32>
  %y = linalg.matmul ins(%x, %w : tensor<?x?xf32>, tensor<?x?xf32>)
      outs(%init : tensor<?x?xf32>) -> tensor<?x?xf32>
  %r = linalg.generic {indexing_maps = [#mn, #m, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%y, %by : tensor<?x?xf32>, tensor<?xf32>) outs(%empty : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.mulf %a, %b : f32
    %1 = arith.mulf %0, %all : f32
    linalg.yield %1 : f32
  } -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// A sum that begins with something, and is used.
func.func @more(%x: tensor<5x600xf32>, %w: tensor<600x37xf32>, %c: tensor<5x37xf32>) -> tensor<5x37xf32> {
  %y = linalg.matmul ins(%x, %w : tensor<5x600xf32>, tensor<600x37xf32>)
      outs(%c : tensor<5x37xf32>) -> tensor<5x37xf32>
  %empty = tensor.empty() : tensor<5x37xf32>
  %r = linalg.abs ins(%y : tensor<5x37xf32>) outs(%empty : tensor<5x37xf32>) -> tensor<5x37xf32>
  return %r : tensor<5x37xf32>
}

// A result that lies the other way round than the product.
func.func @turned(%x: tensor<5x600xf32>, %w: tensor<600x37xf32>, %c: tensor<37x5xf32>) -> tensor<37x5xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<5x37xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x37xf32>) -> tensor<5x37xf32>
  %y = linalg.matmul ins(%x, %w : tensor<5x600xf32>, tensor<600x37xf32>)
      outs(%init : tensor<5x37xf32>) -> tensor<5x37xf32>
  %out = tensor.empty() : tensor<37x5xf32>
  %r = linalg.generic {indexing_maps = [#nm, #mn, #mn], iterator_types = ["parallel", "parallel"]}
      ins(%y, %c : tensor<5x37xf32>, tensor<37x5xf32>) outs(%out : tensor<37x5xf32>) {
  ^bb0(%a: f32, %b: f32, %o: f32):
    %0 = arith.subf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<37x5xf32>
  return %r : tensor<37x5xf32>
}

func.func @vector(%x: tensor<600xf32>, %w: tensor<37x600xf32>, %bias: tensor<37xf32>) -> tensor<37xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<37xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<37xf32>) -> tensor<37xf32>
  %y = linalg.matvec ins(%w, %x : tensor<37x600xf32>, tensor<600xf32>)
      outs(%init : tensor<37xf32>) -> tensor<37xf32>
  %r = linalg.generic {indexing_maps = [#v, #v, #v], iterator_types = ["parallel"]}
      ins(%y, %bias : tensor<37xf32>, tensor<37xf32>) outs(%empty : tensor<37xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<37xf32>
  return %r : tensor<37xf32>
}
