// RUN: attn-run %s --entry=whole --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --shape=3:2x6x13x37 --check | FileCheck %s
// RUN: attn-run %s --entry=heads --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --shape=3:6x1x37 --check | FileCheck %s
// RUN: attn-run %s --entry=keys --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --shape=3:2x1x1x37 --check | FileCheck %s
// RUN: attn-run %s --entry=rows --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --shape=3:13x1 --check | FileCheck %s
// RUN: attn-run %s --entry=all --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --shape=3:13x37 --shape=4:37 --check | FileCheck %s

// A mask as an operand, broadcast likewise, with causal and a bias beside it. A row
// that it hides from every key gives zeros.
// CHECK: check: result 0: ok

func.func @whole(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>, %mask: tensor<2x6x?x?xi1>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      boolean_mask(%mask : tensor<2x6x?x?xi1>)
      outs(%init : tensor<2x6x?x8xf32>)
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}

func.func @heads(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>, %mask: tensor<6x1x?xi1>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      boolean_mask(%mask : tensor<6x1x?xi1>)
      outs(%init : tensor<2x6x?x8xf32>)
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}

func.func @keys(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>, %mask: tensor<2x1x1x?xi1>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      boolean_mask(%mask : tensor<2x1x1x?xi1>)
      outs(%init : tensor<2x6x?x8xf32>)
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}

func.func @rows(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>, %mask: tensor<?x1xi1>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      boolean_mask(%mask : tensor<?x1xi1>)
      outs(%init : tensor<2x6x?x8xf32>)
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}

func.func @all(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>, %mask: tensor<?x?xi1>, %bias: tensor<?xf32>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      bias(%bias : tensor<?xf32>) boolean_mask(%mask : tensor<?x?xi1>)
      outs(%init : tensor<2x6x?x8xf32>)
      {causal = #attn.causal<bottom_right>}
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}
