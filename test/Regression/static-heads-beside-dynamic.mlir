// RUN: attn-run %s --entry=bias --random --shape=0:3x2x4x8 --shape=1:3x2x8x8 --shape=2:3x2x8x8 --check | FileCheck %s
// RUN: attn-run %s --entry=bias --random --shape=0:3x2x4x8 --shape=1:3x1x8x8 --shape=2:3x1x8x8 --check | FileCheck %s
// RUN: attn-run %s --entry=query --random --shape=1:3x2x8x8 --shape=2:3x2x8x8 --check | FileCheck %s
// RUN: attn-run %s --entry=sink --random --shape=0:3x6x4x8 --shape=1:3x2x8x8 --shape=2:3x2x8x8 --check | FileCheck %s
// RUN: not attn-run %s --entry=bias --random --shape=0:3x4x4x8 --shape=1:3x2x8x8 --shape=2:3x2x8x8 2>&1 | FileCheck %s --check-prefix=HEADS

// The number of heads is known of one operand and not of another, so that a
// static extent is split by sizes that only a run knows.
// CHECK: check: result 0: ok
// HEADS: argument 3 expected extent 1 to be 4 (as extent 1 of argument 0: query heads), but got 2

func.func @bias(%q: tensor<3x?x4x8xf32>, %k: tensor<3x?x8x8xf32>, %v: tensor<3x?x8x8xf32>,
                %bias: tensor<3x2x4x8xf32>) -> tensor<3x?x4x8xf32> {
  %c1 = arith.constant 1 : index
  %heads = tensor.dim %q, %c1 : tensor<3x?x4x8xf32>
  %init = tensor.empty(%heads) : tensor<3x?x4x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<3x?x4x8xf32>, tensor<3x?x8x8xf32>, tensor<3x?x8x8xf32>)
      bias(%bias : tensor<3x2x4x8xf32>) outs(%init : tensor<3x?x4x8xf32>) -> tensor<3x?x4x8xf32>
  return %o : tensor<3x?x4x8xf32>
}

func.func @query(%q: tensor<3x4x4x8xf32>, %k: tensor<3x?x8x8xf32>, %v: tensor<3x?x8x8xf32>)
    -> tensor<3x4x4x8xf32> {
  %init = tensor.empty() : tensor<3x4x4x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<3x4x4x8xf32>, tensor<3x?x8x8xf32>, tensor<3x?x8x8xf32>)
      outs(%init : tensor<3x4x4x8xf32>) -> tensor<3x4x4x8xf32>
  return %o : tensor<3x4x4x8xf32>
}

func.func @sink(%q: tensor<3x?x4x8xf32>, %k: tensor<3x?x8x8xf32>, %v: tensor<3x?x8x8xf32>,
                %sink: tensor<6xf32>) -> tensor<3x?x4x8xf32> {
  %c1 = arith.constant 1 : index
  %heads = tensor.dim %q, %c1 : tensor<3x?x4x8xf32>
  %init = tensor.empty(%heads) : tensor<3x?x4x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<3x?x4x8xf32>, tensor<3x?x8x8xf32>, tensor<3x?x8x8xf32>)
      sink(%sink : tensor<6xf32>) outs(%init : tensor<3x?x4x8xf32>) -> tensor<3x?x4x8xf32>
  return %o : tensor<3x?x4x8xf32>
}
