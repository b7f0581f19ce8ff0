// RUN: attn-run %s --entry=softmax --random --shape=0:3x5 --check | FileCheck %s
// RUN: attn-run %s --entry=softmax --random --shape=0:1x1 --check | FileCheck %s
// RUN: attn-run %s --entry=softmax --random --shape=0:300x133 --check --threads=2 | FileCheck %s
// RUN: attn-run %s --entry=softmax --random --shape=0:0x5 --check | FileCheck %s
// RUN: attn-run %s --entry=layer_norm --random --check | FileCheck %s
// RUN: attn-run %s --entry=layer_norm_wide --random --check | FileCheck %s
// RUN: attn-run %s --entry=moved --random --check | FileCheck %s --check-prefixes=CHECK,SECOND
// RUN: attn-run %s --entry=kinds --random --random-range=0:1:9 --random-range=1:1:9 --check | FileCheck %s --check-prefixes=CHECK,SECOND
// RUN: attn-run %s --entry=positions --random --check | FileCheck %s

// What is no contraction runs in vectors, too: reductions along rows and columns,
// transpositions, elementwise ops of several types and of positions.
// CHECK: check: result 0: ok
// SECOND: check: result 1: ok

#ij = affine_map<(i, j) -> (i, j)>
#ji = affine_map<(i, j) -> (j, i)>
#i = affine_map<(i, j) -> (i)>
#j = affine_map<(i, j) -> (j)>

func.func @softmax(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %m = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %row = tensor.empty(%m) : tensor<?xf32>
  %low = linalg.fill ins(%lowest : f32) outs(%row : tensor<?xf32>) -> tensor<?xf32>
  %max = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x?xf32>) outs(%low : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.maximumf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  %all = tensor.empty(%m, %n) : tensor<?x?xf32>
  %exp = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %max : tensor<?x?xf32>, tensor<?xf32>) outs(%all : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.subf %a, %b : f32
    %1 = math.exp %0 : f32
    linalg.yield %1 : f32
  } -> tensor<?x?xf32>
  %none = linalg.fill ins(%zero : f32) outs(%row : tensor<?xf32>) -> tensor<?xf32>
  %sum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%exp : tensor<?x?xf32>) outs(%none : tensor<?xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?xf32>
  %r = linalg.generic {indexing_maps = [#ij, #i, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%exp, %sum : tensor<?x?xf32>, tensor<?xf32>) outs(%all : tensor<?x?xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.divf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<?x?xf32>
  return %r : tensor<?x?xf32>
}

// Mean and variance in one reduction of two results.
func.func @layer_norm(%x: tensor<5x77xf32>, %gain: tensor<77xf32>) -> tensor<5x77xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 77.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %row = tensor.empty() : tensor<5xf32>
  %none = linalg.fill ins(%zero : f32) outs(%row : tensor<5xf32>) -> tensor<5xf32>
  %s:2 = linalg.generic {indexing_maps = [#ij, #i, #i], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<5x77xf32>) outs(%none, %none : tensor<5xf32>, tensor<5xf32>) {
  ^bb0(%a: f32, %sum: f32, %squares: f32):
    %0 = arith.addf %a, %sum : f32
    %1 = arith.mulf %a, %a : f32
    %2 = arith.addf %1, %squares : f32
    linalg.yield %0, %2 : f32, f32
  } -> (tensor<5xf32>, tensor<5xf32>)
  %all = tensor.empty() : tensor<5x77xf32>
  %r = linalg.generic {indexing_maps = [#ij, #i, #i, #j, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %s#0, %s#1, %gain : tensor<5x77xf32>, tensor<5xf32>, tensor<5xf32>, tensor<77xf32>)
      outs(%all : tensor<5x77xf32>) {
  ^bb0(%a: f32, %sum: f32, %squares: f32, %g: f32, %out: f32):
    %mean = arith.divf %sum, %n : f32
    %square = arith.divf %squares, %n : f32
    %0 = arith.mulf %mean, %mean : f32
    %1 = arith.subf %square, %0 : f32
    %2 = arith.addf %1, %eps : f32
    %3 = math.rsqrt %2 : f32
    %4 = arith.subf %a, %mean : f32
    %5 = arith.mulf %4, %3 : f32
    %6 = arith.mulf %5, %g : f32
    linalg.yield %6 : f32
  } -> tensor<5x77xf32>
  return %r : tensor<5x77xf32>
}

// A variance needs the mean first: two reductions.
func.func @layer_norm_wide(%x: tensor<3x200xbf16>) -> tensor<3xf32> {
  %zero = arith.constant 0.0 : f32
  %n = arith.constant 200.0 : f32
  %row = tensor.empty() : tensor<3xf32>
  %none = linalg.fill ins(%zero : f32) outs(%row : tensor<3xf32>) -> tensor<3xf32>
  %sum = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<3x200xbf16>) outs(%none : tensor<3xf32>) {
  ^bb0(%a: bf16, %b: f32):
    %w = arith.extf %a : bf16 to f32
    %0 = arith.addf %b, %w : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  %var = linalg.generic {indexing_maps = [#ij, #i, #i], iterator_types = ["parallel", "reduction"]}
      ins(%x, %sum : tensor<3x200xbf16>, tensor<3xf32>) outs(%none : tensor<3xf32>) {
  ^bb0(%a: bf16, %s: f32, %b: f32):
    %w = arith.extf %a : bf16 to f32
    %mean = arith.divf %s, %n : f32
    %d = arith.subf %w, %mean : f32
    %q = arith.mulf %d, %d : f32
    %0 = arith.addf %b, %q : f32
    linalg.yield %0 : f32
  } -> tensor<3xf32>
  return %var : tensor<3xf32>
}

func.func @moved(%x: tensor<37x50xf32>, %y: tensor<2x5x3x33xf16>)
    -> (tensor<50x37xf32>, tensor<2x3x5x33xf16>) {
  %e0 = tensor.empty() : tensor<50x37xf32>
  %0 = linalg.transpose ins(%x : tensor<37x50xf32>) outs(%e0 : tensor<50x37xf32>) permutation = [1, 0]
  %e1 = tensor.empty() : tensor<2x3x5x33xf16>
  %1 = linalg.transpose ins(%y : tensor<2x5x3x33xf16>) outs(%e1 : tensor<2x3x5x33xf16>)
      permutation = [0, 2, 1, 3]
  return %0, %1 : tensor<50x37xf32>, tensor<2x3x5x33xf16>
}

// Integer divisions where lanes beyond the last would divide by 0, greatest
// values, and truth values.
func.func @kinds(%x: tensor<3x37xi32>, %y: tensor<3x37xi32>) -> (tensor<3x37xi32>, tensor<3xi32>) {
  %e0 = tensor.empty() : tensor<3x37xi32>
  %0 = linalg.generic {indexing_maps = [#ij, #ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x, %y : tensor<3x37xi32>, tensor<3x37xi32>) outs(%e0 : tensor<3x37xi32>) {
  ^bb0(%a: i32, %b: i32, %out: i32):
    %q = arith.divsi %a, %b : i32
    %c = arith.cmpi slt, %q, %b : i32
    %s = arith.select %c, %q, %a : i32
    linalg.yield %s : i32
  } -> tensor<3x37xi32>
  %least = arith.constant -2147483648 : i32
  %e1 = tensor.empty() : tensor<3xi32>
  %low = linalg.fill ins(%least : i32) outs(%e1 : tensor<3xi32>) -> tensor<3xi32>
  %1 = linalg.generic {indexing_maps = [#ij, #i], iterator_types = ["parallel", "reduction"]}
      ins(%0 : tensor<3x37xi32>) outs(%low : tensor<3xi32>) {
  ^bb0(%a: i32, %b: i32):
    %m = arith.maxsi %a, %b : i32
    linalg.yield %m : i32
  } -> tensor<3xi32>
  return %0, %1 : tensor<3x37xi32>, tensor<3xi32>
}

// What a position says, and a table read at a position.
func.func @positions(%x: tensor<5x40xf32>, %table: tensor<45xf32>) -> tensor<5x40xf32> {
  %e = tensor.empty() : tensor<5x40xf32>
  %0 = linalg.generic {indexing_maps = [#ij, #ij], iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<5x40xf32>) outs(%e : tensor<5x40xf32>) {
  ^bb0(%a: f32, %out: f32):
    %i = linalg.index 0 : index
    %j = linalg.index 1 : index
    %at = arith.addi %i, %j : index
    %t = tensor.extract %table[%at] : tensor<45xf32>
    %before = arith.cmpi sle, %j, %i : index
    %s = arith.select %before, %a, %t : f32
    linalg.yield %s : f32
  } -> tensor<5x40xf32>
  return %0 : tensor<5x40xf32>
}
