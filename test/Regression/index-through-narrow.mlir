// RUN: attn-run %s --random --check --fusion=always | FileCheck %s --check-prefix=CHECKED
// RUN: attn-run %s --random --check --fusion=never | FileCheck %s --check-prefix=CHECKED
// RUN: attn-opt %s --canonicalize | FileCheck %s
// RUN: attn-opt %s --canonicalize="top-down=false" | FileCheck %s

// An index cast to i8 and back was dropped, and with it the bits that i8 does
// not hold: keys from 128 on are negative, and hidden.
// CHECKED: check: result 0: ok
// CHECK-LABEL: func @narrow
// CHECK: %[[WIDE:.+]] = arith.index_cast %{{.+}} : index to i64
// CHECK: %[[NARROW:.+]] = arith.trunci %[[WIDE]] : i64 to i8
// CHECK: arith.index_cast %[[NARROW]] : i8 to index
// CHECK: %[[WIDE:.+]] = arith.index_cast %{{.+}} : index to i64
// CHECK: %[[NARROW:.+]] = arith.trunci %[[WIDE]] : i64 to i7
// CHECK: arith.index_castui %[[NARROW]] : i7 to index
func.func @narrow(%q: tensor<8x8xf32>, %k: tensor<256x8xf32>, %v: tensor<256x8xf32>) -> tensor<8x8xf32> {
  %init = tensor.empty() : tensor<8x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<8x8xf32>, tensor<256x8xf32>, tensor<256x8xf32>)
      outs(%init : tensor<8x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %i8 = arith.index_cast %j : index to i8
        %signed = arith.index_cast %i8 : i8 to index
        %i7 = arith.index_castui %j : index to i7
        %unsigned = arith.index_castui %i7 : i7 to index
        %zero = arith.constant 0 : index
        %some = arith.constant 20 : index
        %positive = arith.cmpi sge, %signed, %zero : index
        %late = arith.cmpi sge, %unsigned, %some : index
        %visible = arith.andi %positive, %late : i1
        attn.yield %visible : i1
      } -> tensor<8x8xf32>
  return %o : tensor<8x8xf32>
}
