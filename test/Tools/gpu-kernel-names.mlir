// Kernels are called as PTX can call them, each otherwise, where they are printed as
// where they are launched: two ops of a function, whose name has a dot, and another
// function.

// RUN: attn-run %s --entry=a.b --target=gpu --emit=ptx | FileCheck %s --check-prefix=PTX
// PTX: .entry a_b_kernel(
// PTX: .entry a_b_kernel_0(
// PTX: .entry c_kernel(
// RUN: %attn_on_gpu %s --entry=a.b --random --check | FileCheck %s
// RUN: %attn_on_gpu %s --entry=c --random --check | FileCheck %s
// CHECK: check: result 0: ok

func.func @a.b(%q: tensor<20x16xf16>, %k: tensor<30x16xf16>, %v: tensor<30x16xf16>) -> tensor<20x16xf16> {
  %init = tensor.empty() : tensor<20x16xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<20x16xf16>, tensor<30x16xf16>, tensor<30x16xf16>)
      outs(%init : tensor<20x16xf16>) -> tensor<20x16xf16>
  %p = attn.sdpa ins(%o, %k, %v : tensor<20x16xf16>, tensor<30x16xf16>, tensor<30x16xf16>)
      outs(%init : tensor<20x16xf16>) -> tensor<20x16xf16>
  return %p : tensor<20x16xf16>
}

func.func @c(%q: tensor<20x16xf32>, %k: tensor<30x16xf32>, %v: tensor<30x16xf32>) -> tensor<20x16xf32> {
  %init = tensor.empty() : tensor<20x16xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<20x16xf32>, tensor<30x16xf32>, tensor<30x16xf32>)
      outs(%init : tensor<20x16xf32>) -> tensor<20x16xf32>
  return %o : tensor<20x16xf32>
}
