// With --time, attention is compared with our own product of matrices on that GPU, by
// its clock, which here goes on by 100 ms whatever is done. The driver that is none
// knows the kernels of this file, that of the product among them.

// RUN: %attn_on_gpu %s --entry=attention --random --time=3 > %t.txt
// RUN: FileCheck %s --input-file=%t.txt
// CHECK: time: 100 ms {{.*}}, 8.192e-07 TFLOP/s on visible pairs, 15.6 % of the 5.243e-06 TFLOP/s of our product of 64 x 64 matrices of f16; kernels for sm_90a

// RUN: %attn_on_gpu %s --entry=attention --random --time=3 --json | FileCheck %s --check-prefix=JSON
// JSON: "product_tflops": 0.000, "product_fraction": 0.1562, "chip": "sm_90a"

// Without such a kernel the time is all there is.
// RUN: %attn_on_gpu %attn_source_dir/examples/02-causal.mlir --random --shape=0:1x8x5x64 --shape=1:1x8x7x64 --shape=2:1x8x7x64 --time=3 2>&1 | FileCheck %s --check-prefix=NONE
// NONE: attn-run: nothing to compare the rate with:
// NONE: TFLOP/s on visible pairs; kernels for sm_90a

// RUN: env ATTN_TEST_PRODUCT_SIZE=-3 %attn_on_gpu %s --entry=attention --random --time=3 2>&1 | FileCheck %s --check-prefix=SIZE
// SIZE: attn-run: nothing to compare the rate with: expected a positive number in ATTN_TEST_PRODUCT_SIZE, but got '-3'

func.func @attention(%q: tensor<40x16xf16>, %k: tensor<32x16xf16>, %v: tensor<32x16xf16>) -> tensor<40x16xf16> {
  %init = tensor.empty() : tensor<40x16xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<40x16xf16>, tensor<32x16xf16>, tensor<32x16xf16>)
      outs(%init : tensor<40x16xf16>) -> tensor<40x16xf16>
  return %o : tensor<40x16xf16>
}

func.func @attn_product(%a: tensor<64x64xf16>, %b: tensor<64x64xf16>) -> tensor<64x64xf32> {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<64x64xf32>
  %none = linalg.fill ins(%zero : f32) outs(%init : tensor<64x64xf32>) -> tensor<64x64xf32>
  %c = linalg.matmul ins(%a, %b : tensor<64x64xf16>, tensor<64x64xf16>)
      outs(%none : tensor<64x64xf32>) -> tensor<64x64xf32>
  return %c : tensor<64x64xf32>
}
