// RUN: attn-run %s --entry=joined --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=framed --random --shape=0:3x5 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=framed --random --shape=0:0x5 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=placed --random --shape=0:7x40 --shape=1:3x20 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=columns --random --shape=0:70x300 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=convolved --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=steps --random --random-range=1:0:5 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=returned --random --target=gpu-emulator --check | FileCheck %s

// What moves elements, and what computes them, is kernels: the host has none.
// CHECK: check: result 0: ok

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

func.func @returned(%x: tensor<3x5xf32>) -> tensor<3x5xf32> {
  return %x : tensor<3x5xf32>
}
