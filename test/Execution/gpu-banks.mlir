// RUN: attn-run %s --target=gpu-emulator --entry=narrow --random --check | FileCheck %s
// RUN: attn-run %s --target=gpu-emulator --entry=wide --random --check | FileCheck %s
// RUN: attn-run %s --target=gpu-emulator --entry=halves --random --check | FileCheck %s
// RUN: attn-run %s --target=gpu-emulator --entry=product --random --check | FileCheck %s
// RUN: attn-run %s --target=gpu-emulator --entry=transposed --random --check | FileCheck %s

// Whatever the width, no two threads that access shared memory at once meet in a
// bank, with pairs that are hidden and without.

// CHECK: emulator: {{.* 0}} bank conflicts
// CHECK: check: result 0: ok

func.func @narrow(%q: tensor<40x20xf32>, %k: tensor<70x20xf32>, %v: tensor<70x12xf32>)
    -> tensor<40x12xf32> {
  %init = tensor.empty() : tensor<40x12xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<40x20xf32>, tensor<70x20xf32>, tensor<70x12xf32>)
      outs(%init : tensor<40x12xf32>) {causal = #attn.causal<bottom_right>} -> tensor<40x12xf32>
  return %o : tensor<40x12xf32>
}

func.func @wide(%q: tensor<40x64xf32>, %k: tensor<70x64xf32>, %v: tensor<70x100xf32>)
    -> tensor<40x100xf32> {
  %init = tensor.empty() : tensor<40x100xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<40x64xf32>, tensor<70x64xf32>, tensor<70x100xf32>)
      outs(%init : tensor<40x100xf32>) -> tensor<40x100xf32>
  return %o : tensor<40x100xf32>
}

func.func @halves(%q: tensor<40x40xf16>, %k: tensor<70x40xf16>, %v: tensor<70x24xf16>)
    -> tensor<40x24xf16> {
  %init = tensor.empty() : tensor<40x24xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<40x40xf16>, tensor<70x40xf16>, tensor<70x24xf16>)
      outs(%init : tensor<40x24xf16>) {causal = #attn.causal<bottom_right>} -> tensor<40x24xf16>
  return %o : tensor<40x24xf16>
}

func.func @product(%a: tensor<12x50xf32>, %b: tensor<50x40xf32>) -> tensor<12x40xf32> {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<12x40xf32>
  %none = linalg.fill ins(%zero : f32) outs(%init : tensor<12x40xf32>) -> tensor<12x40xf32>
  %c = linalg.matmul ins(%a, %b : tensor<12x50xf32>, tensor<50x40xf32>)
      outs(%none : tensor<12x40xf32>) -> tensor<12x40xf32>
  return %c : tensor<12x40xf32>
}

func.func @transposed(%a: tensor<70x50xf32>, %b: tensor<40x50xf32>) -> tensor<70x40xf32> {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<70x40xf32>
  %none = linalg.fill ins(%zero : f32) outs(%init : tensor<70x40xf32>) -> tensor<70x40xf32>
  %c = linalg.matmul
      indexing_maps = [affine_map<(m, n, d) -> (m, d)>, affine_map<(m, n, d) -> (n, d)>,
                       affine_map<(m, n, d) -> (m, n)>]
      ins(%a, %b : tensor<70x50xf32>, tensor<40x50xf32>)
      outs(%none : tensor<70x40xf32>) -> tensor<70x40xf32>
  return %c : tensor<70x40xf32>
}
