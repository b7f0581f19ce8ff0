// RUN: attn-opt %s --attn-name-chip=chip=gfx942 | FileCheck %s
// RUN: not attn-opt %s --attn-name-chip=chip=gfx90a 2>&1 | FileCheck %s --check-prefix=CHIP

// CHIP: error: expected chip to be one of sm_80, sm_86, {{.*}}, sm_121a, gfx942, but got gfx90a

// Whoever builds instructions reads whose they are from the module.
// CHECK: module attributes {attn.chip = "gfx942"}
func.func @host(%x: f32) -> f32 {
  return %x : f32
}
