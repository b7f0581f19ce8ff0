// RUN: attn-run %s --emit=asm --cpu=x86-64-v4 | FileCheck %s --check-prefix=V4 --implicit-check-not="{{\$(exp|exp2|fma)f?(@|,|$)}}"
// RUN: attn-run %s --emit=asm --cpu=x86-64-v3 | FileCheck %s --check-prefix=V3 --implicit-check-not=zmm --implicit-check-not="{{\$(exp|exp2|fma)f?(@|,|$)}}"
// RUN: attn-run %s --emit=asm --cpu=x86-64 | FileCheck %s --check-prefix=V1 --implicit-check-not=ymm --implicit-check-not=zmm --implicit-check-not="{{\$(exp|exp2)f?(@|,|$)}}"
// RUN: attn-run %s --random --check --cpu=x86-64 | FileCheck %s
// REQUIRES: host=x86_64

// Vectors as wide as the target's and no wider, products that accumulate in one
// instruction where there is one, and exponentials in line.
// V4: vfmadd{{.*}}%zmm
// V3: vfmadd{{.*}}%ymm
// V1: mulps{{.*}}%xmm
// CHECK: check: result 0: ok
func.func @causal(%q: tensor<37x16xf32>, %k: tensor<150x16xf32>,
                  %v: tensor<150x8xf32>) -> tensor<37x8xf32> {
  %init = tensor.empty() : tensor<37x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<37x16xf32>, tensor<150x16xf32>, tensor<150x8xf32>)
      outs(%init : tensor<37x8xf32>) {causal = #attn.causal<bottom_right>}
      -> tensor<37x8xf32>
  return %o : tensor<37x8xf32>
}
