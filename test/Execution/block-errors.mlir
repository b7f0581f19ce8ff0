// Lists that are not as they must be end the call with an error, the same in
// compiled code and in the reference; what they do not hold is not read.

// RUN: split-file %s %t
// RUN: not attn-run %t/above.mlir --random 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not attn-run %t/above.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not attn-run %t/above.mlir --random --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=ABOVE
// RUN: not attn-run %t/below.mlir --random 2>&1 | FileCheck %s --check-prefix=BELOW
// RUN: not attn-run %t/below.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=BELOW
// RUN: not attn-run %t/unsorted.mlir --random 2>&1 | FileCheck %s --check-prefix=UNSORTED
// RUN: not attn-run %t/unsorted.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=UNSORTED
// RUN: not attn-run %t/unsorted.mlir --random --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=UNSORTED
// RUN: not attn-run %t/twice.mlir --random 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not attn-run %t/twice.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not attn-run %t/behind.mlir --random 2>&1 | FileCheck %s --check-prefix=BEHIND
// RUN: not attn-run %t/behind.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=BEHIND
// RUN: not attn-run %t/behind.mlir --random --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=BEHIND
// RUN: not attn-run %t/before.mlir --random 2>&1 | FileCheck %s --check-prefix=BEFORE
// RUN: not attn-run %t/before.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=BEFORE
// RUN: not attn-run %t/order.mlir --random 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not attn-run %t/order.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not attn-run %t/order.mlir --random --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=ORDER
// RUN: not attn-run %t/short.mlir --random --shape=2 --random-range=2:0:1 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not attn-run %t/short.mlir --random --shape=2 --random-range=2:0:1 --target=reference 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not attn-run %t/short.mlir --random --shape=2 --random-range=2:0:1 --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=SHORT
// RUN: not attn-run %t/page-above.mlir --random 2>&1 | FileCheck %s --check-prefix=PAGE-ABOVE
// RUN: not attn-run %t/page-above.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=PAGE-ABOVE
// RUN: not attn-run %t/page-above.mlir --random --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=PAGE-ABOVE
// RUN: not attn-run %t/page-below.mlir --random 2>&1 | FileCheck %s --check-prefix=PAGE-BELOW
// RUN: not attn-run %t/page-below.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=PAGE-BELOW
// RUN: not attn-run %t/bias.mlir --random 2>&1 | FileCheck %s --check-prefix=BIAS
// RUN: not attn-run %t/bias.mlir --random --target=reference 2>&1 | FileCheck %s --check-prefix=BIAS
// RUN: not attn-run %t/weights.mlir --random --shape=2:3x6x14 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// RUN: not attn-run %t/weights.mlir --random --shape=2:3x6x14 --target=reference 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// RUN: attn-run %t/weights.mlir --random --shape=2:3x6x15 --check | FileCheck %s --check-prefix=ROOM
// RUN: attn-run %t/weights.mlir --random --shape=2:3x6x22 --check | FileCheck %s --check-prefix=ROOM
// RUN: attn-run %t/weights.mlir --stop-after=generalize > %t/generic.mlir
// RUN: not attn-run %t/generic.mlir --random --shape=2:3x6x14 --target=reference 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// RUN: attn-run %t/generic.mlir --random --shape=2:3x6x22 --check | FileCheck %s --check-prefix=ROOM
// RUN: not attn-run %t/page-below.mlir --random --target=gpu-emulator 2>&1 | FileCheck %s --check-prefix=PAGE-BELOW
// RUN: not attn-run %t/unsorted.mlir --random --fusion=never 2>&1 | FileCheck %s --check-prefix=UNSORTED
// RUN: not attn-run %t/page-above.mlir --random --fusion=never 2>&1 | FileCheck %s --check-prefix=PAGE-ABOVE
// RUN: not attn-run %t/weights.mlir --random --shape=2:3x6x14 --fusion=never 2>&1 | FileCheck %s --check-prefix=WEIGHTS
// RUN: attn-run %t/weights.mlir --random --shape=2:3x6x22 --fusion=never --check | FileCheck %s --check-prefix=ROOM

// ABOVE: attn-run: error: {{.*}}above.mlir:4:8: expected the blocks of a list to be at least 0 and below 5, but got 5
// BELOW: attn-run: error: {{.*}}below.mlir:4:8: expected the blocks of a list to be at least 0 and below 5, but got -1
// UNSORTED: attn-run: error: {{.*}}unsorted.mlir:4:8: expected the blocks of a list to ascend, above 3 after it, but got 1
// TWICE: attn-run: error: {{.*}}twice.mlir:4:8: expected the blocks of a list to ascend, above 3 after it, but got 3
// BEHIND: attn-run: error: {{.*}}behind.mlir:4:8: expected indptr to hold numbers from 0 to 3, the entries of indices, but got 4
// BEFORE: attn-run: error: {{.*}}before.mlir:4:8: expected indptr to hold numbers from 0 to 3, the entries of indices, but got -1
// ORDER: attn-run: error: {{.*}}order.mlir:4:8: expected a list of blocks to end at 3, where it begins, or behind, but got 2
// SHORT: attn-run: error: {{.*}}short.mlir:3:8: expected indptr to have 3 entries or more, one behind those of the lists, but got 2
// PAGE-ABOVE: attn-run: error: {{.*}}page-above.mlir:4:8: expected the blocks of a list to be at least 0 and below 5, but got 7
// PAGE-BELOW: attn-run: error: {{.*}}page-below.mlir:4:8: expected the blocks of a list to be at least 0 and below 5, but got -3
// BIAS: attn-run: error: {{.*}}bias.mlir:4:8: expected what goes by the position in a list of pages to have 10 keys or more, as the list has, but got 9
// WEIGHTS: attn-run: error: {{.*}}: expected what goes by the position in a list of pages to have 15 keys or more, as the list has, but got 14
// ROOM: check: result 0: ok
// ROOM: check: result 1: ok

//--- above.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 2, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[1, 5, 0]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- below.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[1, -1, 0]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- unsorted.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[4, 3, 1]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- twice.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[4, 3, 3]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- behind.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 2, 4]> : tensor<3xi32>
  %indices = arith.constant dense<[0, 2, 1]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- before.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[-1, 2, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[0, 2, 1]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- order.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 3, 2]> : tensor<3xi32>
  %indices = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- short.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<22x4xf32>, %bounds: tensor<?xi32>) -> tensor<6x4xf32> {
  %indices = arith.constant dense<[0, 1, 2]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<22x4xf32>, tensor<22x4xf32>)
      blocks(%bounds, %indices : tensor<?xi32>, tensor<3xi32>) {rows = 3, keys = 5, kind = logical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- page-above.mlir
func.func @f(%q: tensor<2x1x1x4xf32>, %k: tensor<5x1x5x4xf32>) -> tensor<2x1x1x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[4, 4, 7]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<2x1x1x4xf32>, tensor<5x1x5x4xf32>, tensor<5x1x5x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 1, keys = 5, kind = physical}
      outs(%q : tensor<2x1x1x4xf32>) -> tensor<2x1x1x4xf32>
  return %o : tensor<2x1x1x4xf32>
}

//--- page-below.mlir
func.func @f(%q: tensor<2x1x1x4xf32>, %k: tensor<5x1x5x4xf32>) -> tensor<2x1x1x4xf32> {
  %indptr = arith.constant dense<[0, 1, 3]> : tensor<3xi32>
  %indices = arith.constant dense<[4, 4, -3]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<2x1x1x4xf32>, tensor<5x1x5x4xf32>, tensor<5x1x5x4xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<3xi32>) {rows = 1, keys = 5, kind = physical}
      outs(%q : tensor<2x1x1x4xf32>) -> tensor<2x1x1x4xf32>
  return %o : tensor<2x1x1x4xf32>
}

//--- bias.mlir
func.func @f(%q: tensor<6x4xf32>, %k: tensor<5x5x4xf32>, %bias: tensor<6x9xf32>) -> tensor<6x4xf32> {
  %indptr = arith.constant dense<[0, 2]> : tensor<2xi32>
  %indices = arith.constant dense<[1, 4, 0]> : tensor<3xi32>
  %o = attn.sdpa ins(%q, %k, %k : tensor<6x4xf32>, tensor<5x5x4xf32>, tensor<5x5x4xf32>)
      bias(%bias : tensor<6x9xf32>)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<3xi32>) {rows = 6, keys = 5, kind = physical}
      outs(%q : tensor<6x4xf32>) -> tensor<6x4xf32>
  return %o : tensor<6x4xf32>
}

//--- weights.mlir
func.func @f(%q: tensor<3x6x4xf32>, %k: tensor<5x3x5x4xf32>, %w: tensor<3x6x?xf32>)
    -> (tensor<3x6x4xf32>, tensor<3x6x?xf32>) {
  %indptr = arith.constant dense<[0, 3]> : tensor<2xi32>
  %indices = arith.constant dense<[1, 4, 0]> : tensor<3xi32>
  %o:2 = attn.sdpa ins(%q, %k, %k : tensor<3x6x4xf32>, tensor<5x3x5x4xf32>, tensor<5x3x5x4xf32>)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<3xi32>) {rows = 6, keys = 5, kind = physical}
      outs(%q : tensor<3x6x4xf32>) weights(%w : tensor<3x6x?xf32>)
      -> tensor<3x6x4xf32>, tensor<3x6x?xf32>
  return %o#0, %o#1 : tensor<3x6x4xf32>, tensor<3x6x?xf32>
}
