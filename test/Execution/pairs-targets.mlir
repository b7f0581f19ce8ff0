// RUN: attn-run %s --emit=asm --cpu=znver4 | FileCheck %s
// RUN: attn-run %s --emit=asm --cpu=znver4 --features=-avx512bf16 | FileCheck %s --check-prefix=NONE --implicit-check-not=bf16ps
// RUN: attn-run %s --emit=asm --cpu=x86-64-v4 | FileCheck %s --check-prefix=NONE --implicit-check-not=bf16ps
// RUN: attn-run %s --print-config --cpu=znver4 | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --print-config --cpu=x86-64-v4 | FileCheck %s --check-prefix=NO-CONFIG --implicit-check-not=", pairs>"

// The CPU decides whether bf16 are multiplied in pairs.
// CHECK: vdpbf16ps
// NONE: vfmadd
// CONFIG: bf16 dot
// CONFIG: layout #attn.lanes_along_rows<32, pairs> (cost 3), before
// NO-CONFIG: layout #attn.lanes_along_rows<32> (cost
func.func @attention(%q: tensor<1x40x6xbf16>, %k: tensor<1x43x6xbf16>,
                     %v: tensor<1x43x5xbf16>) -> tensor<1x40x5xbf16> {
  %init = tensor.empty() : tensor<1x40x5xbf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x40x6xbf16>, tensor<1x43x6xbf16>, tensor<1x43x5xbf16>)
      outs(%init : tensor<1x40x5xbf16>) -> tensor<1x40x5xbf16>
  return %o : tensor<1x40x5xbf16>
}
