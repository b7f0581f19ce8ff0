// RUN: attn-run %s --entry=attention --emit=asm --cpu=znver4 | FileCheck %s
// RUN: attn-run %s --entry=attention --emit=asm --cpu=znver4 --features=-avx512bf16 | FileCheck %s --check-prefix=NONE --implicit-check-not=bf16ps
// RUN: attn-run %s --entry=attention --emit=asm --cpu=x86-64-v4 | FileCheck %s --check-prefix=NONE --implicit-check-not=bf16ps
// RUN: attn-run %s --entry=attention --print-config --cpu=znver4 | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --entry=attention --print-config --cpu=x86-64-v4 | FileCheck %s --check-prefix=NO-CONFIG --implicit-check-not=", pairs>"
// RUN: attn-run %s --entry=few --emit=asm --cpu=znver4 | FileCheck %s
// RUN: attn-run %s --entry=few --print-config --cpu=znver4 | FileCheck %s --check-prefix=FEW
// RUN: attn-run %s --entry=few --emit=asm --cpu=x86-64-v4 | FileCheck %s --check-prefix=NONE --implicit-check-not=bf16ps
// RUN: attn-run %s --entry=alone --print-config --cpu=znver4 | FileCheck %s --check-prefix=ALONE

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

// The same for few rows, whatever the widths; one that is alone is converted.
// FEW: layout #attn.lanes_along_features<4, pairs> (cost 0.281), before #attn.lanes_along_rows<16> (cost 2)
// ALONE: layout #attn.lanes_along_features<1> (cost 0.156), before
func.func @few(%q: tensor<1x8x1x?xbf16>, %k: tensor<1x2x43x?xbf16>,
               %v: tensor<1x2x43x?xbf16>, %init: tensor<1x8x1x?xbf16>) -> tensor<1x8x1x?xbf16> {
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x8x1x?xbf16>, tensor<1x2x43x?xbf16>, tensor<1x2x43x?xbf16>)
      outs(%init : tensor<1x8x1x?xbf16>) -> tensor<1x8x1x?xbf16>
  return %o : tensor<1x8x1x?xbf16>
}
func.func @alone(%q: tensor<1x2x1x6xbf16>, %k: tensor<1x2x43x6xbf16>,
                 %v: tensor<1x2x43x5xbf16>) -> tensor<1x2x1x5xbf16> {
  %init = tensor.empty() : tensor<1x2x1x5xbf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1x2x1x6xbf16>, tensor<1x2x43x6xbf16>, tensor<1x2x43x5xbf16>)
      outs(%init : tensor<1x2x1x5xbf16>) -> tensor<1x2x1x5xbf16>
  return %o : tensor<1x2x1x5xbf16>
}
