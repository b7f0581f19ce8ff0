// RUN: attn-run %s --entry=joined --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=framed --random --shape=0:3x5 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=framed --random --shape=0:0x5 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=placed --random --shape=0:7x40 --shape=1:3x20 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=columns --random --shape=0:70x300 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=convolved --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=steps --random --random-range=1:0:5 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=gathered --random --shape=1:9 --random-range=1:0:49 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=several --random --shape=0:9x7 --target=gpu-emulator --check | FileCheck %s --check-prefix=SEVERAL
// RUN: attn-run %s --entry=best --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=turned --random --shape=0:3x35x7 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=filled --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=softmax --random --shape=0:9x37 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=softmax --random --shape=0:9x37 --check | FileCheck %s
// RUN: attn-run %s --entry=softmax_columns --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=doubles --random --target=gpu-emulator --check | FileCheck %s --check-prefix=DOUBLES
// RUN: attn-run %s --entry=special --target=gpu-emulator --check | FileCheck %s --check-prefix=SPECIAL
// RUN: attn-run %s --entry=returned --random --target=gpu-emulator --check | FileCheck %s

// What moves elements, and what computes them, is kernels: the host has none.
// CHECK: check: result 0: ok
// SPECIAL-COUNT-3: {{check: result [0-2]: ok}}
// DOUBLES-COUNT-7: {{check: result [0-6]: ok}}
// SEVERAL: check: result 0: ok
// SEVERAL-NEXT: check: result 1: ok
// SEVERAL-NEXT: check: result 2: ok

func.func @joined(%x: tensor<3x5xf16>, %y: tensor<3x7xf16>) -> tensor<3x12xf16> {
  %0 = tensor.concat dim(1) %x, %y : (tensor<3x5xf16>, tensor<3x7xf16>) -> tensor<3x12xf16>
  return %0 : tensor<3x12xf16>
}

func.func @framed(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %seven = arith.constant 7.0 : f32
  %0 = tensor.pad %x low[1, 0] high[2, 3] {
  ^bb0(%i: index, %j: index):
    tensor.yield %seven : f32
  } : tensor<?x?xf32> to tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Every other column of some rows, into the middle of what the caller keeps.
func.func @placed(%x: tensor<?x40xf32>, %y: tensor<?x20xf32>) -> tensor<?x40xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %y, %c0 : tensor<?x20xf32>
  %0 = tensor.insert_slice %y into %x[2, 1] [%n, 20] [1, 2] : tensor<?x20xf32> into tensor<?x40xf32>
  return %0 : tensor<?x40xf32>
}

// One number of all elements.
func.func @all(%x: tensor<5x70xf32>) -> tensor<f32> {
  %low = arith.constant 0xFF800000 : f32
  %empty = tensor.empty() : tensor<f32>
  %init = linalg.fill ins(%low : f32) outs(%empty : tensor<f32>) -> tensor<f32>
  %0 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> ()>],
                       iterator_types = ["reduction", "reduction"]}
      ins(%x : tensor<5x70xf32>) outs(%init : tensor<f32>) {
  ^bb0(%a: f32, %b: f32):
    %m = arith.maximumf %a, %b : f32
    linalg.yield %m : f32
  } -> tensor<f32>
  return %0 : tensor<f32>
}

func.func @columns(%x: tensor<?x?xf32>) -> tensor<?xf32> {
  %zero = arith.constant 0.0 : f32
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %empty = tensor.empty(%n) : tensor<?xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<?xf32>) -> tensor<?xf32>
  %0 = linalg.reduce ins(%x : tensor<?x?xf32>) outs(%init : tensor<?xf32>) dimensions = [0]
    (%a: f32, %b: f32) {
      %s = arith.addf %a, %b : f32
      linalg.yield %s : f32
    }
  return %0 : tensor<?xf32>
}

// An input that is read at sums of positions.
func.func @convolved(%x: tensor<2x20xf32>, %w: tensor<2x4xf32>) -> tensor<2x17xf32> {
  %zero = arith.constant 0.0 : f32
  %empty = tensor.empty() : tensor<2x17xf32>
  %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<2x17xf32>) -> tensor<2x17xf32>
  %0 = linalg.generic {indexing_maps = [affine_map<(c, i, k) -> (c, i + k)>, affine_map<(c, i, k) -> (c, k)>,
                                        affine_map<(c, i, k) -> (c, i)>],
                       iterator_types = ["parallel", "parallel", "reduction"]}
      ins(%x, %w : tensor<2x20xf32>, tensor<2x4xf32>) outs(%init : tensor<2x17xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %p = arith.mulf %a, %b : f32
    %t = arith.addf %s, %p : f32
    linalg.yield %t : f32
  } -> tensor<2x17xf32>
  return %0 : tensor<2x17xf32>
}

// The host loops as often as a number says, and writes one element each time.
func.func @steps(%x: tensor<7xf32>, %n: i32) -> tensor<7xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %two = arith.constant 2.0 : f32
  %end = arith.index_cast %n : i32 to index
  %r = scf.for %i = %c0 to %end step %c1 iter_args(%y = %x) -> tensor<7xf32> {
    %set = tensor.insert %two into %y[%i] : tensor<7xf32>
    scf.yield %set : tensor<7xf32>
  }
  return %r : tensor<7xf32>
}

// Rows of a table by numbers that are data.
func.func @gathered(%table: tensor<50x16xf16>, %ids: tensor<?xi32>) -> tensor<?x16xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %ids, %c0 : tensor<?xi32>
  %init = tensor.empty(%n) : tensor<?x16xf32>
  %r = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i)>, affine_map<(i, j) -> (i, j)>],
                       iterator_types = ["parallel", "parallel"]}
      ins(%ids : tensor<?xi32>) outs(%init : tensor<?x16xf32>) {
  ^bb0(%id: i32, %o: f32):
    %row = arith.index_cast %id : i32 to index
    %j = linalg.index 1 : index
    %e = tensor.extract %table[%row, %j] : tensor<50x16xf16>
    %w = arith.extf %e : f16 to f32
    linalg.yield %w : f32
  } -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}

// Results of two types, and a reduction that knows no neutral element.
func.func @several(%x: tensor<?x7xf32>) -> (tensor<?x7xf32>, tensor<?xi1>, tensor<?x7xf16>) {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %no = arith.constant false
  %n = tensor.dim %x, %c0 : tensor<?x7xf32>
  %a = tensor.empty(%n) : tensor<?x7xf32>
  %b = tensor.empty(%n) : tensor<?x7xf16>
  %r:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i, j)>,
                                          affine_map<(i, j) -> (i, j)>],
                         iterator_types = ["parallel", "parallel"]}
      ins(%x : tensor<?x7xf32>) outs(%a, %b : tensor<?x7xf32>, tensor<?x7xf16>) {
  ^bb0(%e: f32, %o: f32, %p: f16):
    %s = math.exp %e : f32
    %t = arith.truncf %e : f32 to f16
    linalg.yield %s, %t : f32, f16
  } -> (tensor<?x7xf32>, tensor<?x7xf16>)
  %empty = tensor.empty(%n) : tensor<?xi1>
  %none = linalg.fill ins(%no : i1) outs(%empty : tensor<?xi1>) -> tensor<?xi1>
  %any = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<?x7xf32>) outs(%none : tensor<?xi1>) {
  ^bb0(%e: f32, %o: i1):
    %s = arith.cmpf ogt, %e, %zero : f32
    %t = arith.ori %s, %o : i1
    linalg.yield %t : i1
  } -> tensor<?xi1>
  return %r#0, %any, %r#1 : tensor<?x7xf32>, tensor<?xi1>, tensor<?x7xf16>
}

// The greatest of a row, and where it is: one reduction with two results.
func.func @best(%x: tensor<5x80xf32>) -> tensor<5xi32> {
  %low = arith.constant -1.0e30 : f32
  %first = arith.constant 0 : i32
  %e0 = tensor.empty() : tensor<5xf32>
  %e1 = tensor.empty() : tensor<5xi32>
  %f0 = linalg.fill ins(%low : f32) outs(%e0 : tensor<5xf32>) -> tensor<5xf32>
  %f1 = linalg.fill ins(%first : i32) outs(%e1 : tensor<5xi32>) -> tensor<5xi32>
  %r:2 = linalg.generic {indexing_maps = [affine_map<(i, j) -> (i, j)>, affine_map<(i, j) -> (i)>,
                                          affine_map<(i, j) -> (i)>],
                         iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<5x80xf32>) outs(%f0, %f1 : tensor<5xf32>, tensor<5xi32>) {
  ^bb0(%e: f32, %o: f32, %p: i32):
    %j = linalg.index 1 : index
    %k = arith.index_cast %j : index to i32
    %g = arith.cmpf ogt, %e, %o : f32
    %s = arith.select %g, %e, %o : f32
    %t = arith.select %g, %k, %p : i32
    linalg.yield %s, %t : f32, i32
  } -> (tensor<5xf32>, tensor<5xi32>)
  return %r#1 : tensor<5xi32>
}

func.func @turned(%x: tensor<3x?x7xf32>) -> tensor<7x3x?xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c1 : tensor<3x?x7xf32>
  %init = tensor.empty(%n) : tensor<7x3x?xf32>
  %r = linalg.transpose ins(%x : tensor<3x?x7xf32>) outs(%init : tensor<7x3x?xf32>) permutation = [2, 0, 1]
  return %r : tensor<7x3x?xf32>
}

// Numbers of the host, a row of which is given to all.
func.func @filled(%x: f32, %y: f32) -> tensor<5x2xf32> {
  %row = tensor.from_elements %x, %y : tensor<2xf32>
  %init = tensor.empty() : tensor<5x2xf32>
  %r = linalg.broadcast ins(%row : tensor<2xf32>) outs(%init : tensor<5x2xf32>) dimensions = [0]
  return %r : tensor<5x2xf32>
}

func.func @softmax(%x: tensor<?x37xf16>) -> tensor<?x37xf16> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x37xf16>
  %init = tensor.empty(%n) : tensor<?x37xf16>
  %r = linalg.softmax dimension(1) ins(%x : tensor<?x37xf16>) outs(%init : tensor<?x37xf16>) -> tensor<?x37xf16>
  return %r : tensor<?x37xf16>
}

func.func @softmax_columns(%x: tensor<3x7x5xf32>) -> tensor<3x7x5xf32> {
  %init = tensor.empty() : tensor<3x7x5xf32>
  %r = linalg.softmax dimension(1) ins(%x : tensor<3x7x5xf32>) outs(%init : tensor<3x7x5xf32>) -> tensor<3x7x5xf32>
  return %r : tensor<3x7x5xf32>
}

// What there is of f64 without a library, and sums of it.
func.func @doubles(%x: tensor<9x40xf64>)
    -> (tensor<9x40xf64>, tensor<9x40xf64>, tensor<9x40xf64>, tensor<9x40xf64>, tensor<9x40xf64>,
        tensor<9x40xf64>, tensor<9xf64>) {
  %seven = arith.constant dense<7.0> : tensor<9x40xf64>
  %zero = arith.constant 0.0 : f64
  %y = arith.mulf %x, %seven : tensor<9x40xf64>
  %a = math.exp %y : tensor<9x40xf64>
  %b = math.log %a : tensor<9x40xf64>
  %c = math.tanh %x : tensor<9x40xf64>
  %d = math.exp2 %y : tensor<9x40xf64>
  %e = math.rsqrt %a : tensor<9x40xf64>
  %f = arith.divf %x, %a : tensor<9x40xf64>
  %empty = tensor.empty() : tensor<9xf64>
  %init = linalg.fill ins(%zero : f64) outs(%empty : tensor<9xf64>) -> tensor<9xf64>
  %sum = linalg.reduce ins(%x : tensor<9x40xf64>) outs(%init : tensor<9xf64>) dimensions = [1]
    (%in: f64, %acc: f64) {
      %s = arith.addf %in, %acc : f64
      linalg.yield %s : f64
    }
  return %a, %b, %c, %d, %e, %f, %sum
      : tensor<9x40xf64>, tensor<9x40xf64>, tensor<9x40xf64>, tensor<9x40xf64>, tensor<9x40xf64>,
        tensor<9x40xf64>, tensor<9xf64>
}

// What are no numbers, infinite, 0, negative or very small.
func.func @special() -> (tensor<8xf64>, tensor<8xf64>, tensor<8xf64>) {
  %x = arith.constant dense<[0x7FF8000000000000, 0x7FF0000000000000, 0xFFF0000000000000, 0.0, -0.0,
                             -3.0, 0x0000000000000003, 800.0]> : tensor<8xf64>
  %a = math.exp %x : tensor<8xf64>
  %b = math.log %x : tensor<8xf64>
  %c = math.tanh %x : tensor<8xf64>
  return %a, %b, %c : tensor<8xf64>, tensor<8xf64>, tensor<8xf64>
}

func.func @returned(%x: tensor<3x5xf32>) -> tensor<3x5xf32> {
  return %x : tensor<3x5xf32>
}
