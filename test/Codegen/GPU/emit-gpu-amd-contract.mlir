// RUN: attn-run %s --entry=halves --target=gpu --chip=gfx942 --emit=asm | FileCheck %s
// RUN: attn-run %s --entry=halves --target=gpu --chip=gfx942 --stop-after=gpu | FileCheck %s --check-prefix=LAUNCH
// RUN: attn-run %s --entry=halves --target=gpu-emulator --chip=gfx942 --random --check | FileCheck %s --check-prefix=OK
// RUN: attn-run %s --entry=brains --target=gpu-emulator --chip=gfx942 --random --schedule=5 --check | FileCheck %s --check-prefix=OK

// Products of f16 and bf16 by waves of 64 threads, four to a block: from MLIR to
// what a GPU of AMD's executes. Shared memory is read four features at once where
// they are next to each other, and one by one where they are not; nothing is
// called, and no register is spilled.

// CHECK: .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
// CHECK-LABEL: {{^}}halves_kernel:
// CHECK: global_load_dwordx4
// CHECK: ds_write_b128
// CHECK-DAG: s_barrier
// CHECK-DAG: ds_read{{2?}}{{(st64)?}}_b64
// CHECK-DAG: ds_read_u16
// CHECK-DAG: v_mfma_f32_16x16x16_f16 {{[av]}}[{{[0-9:]+}}], v[{{[0-9:]+}}], v[{{[0-9:]+}}]
// CHECK-NOT: {{s_swappc|(scratch|buffer)_(load|store)}}
// CHECK: .amdhsa_private_segment_fixed_size 0
// CHECK-LABEL: {{^}}brains_kernel:
// CHECK-DAG: s_barrier
// CHECK-DAG: v_mfma_f32_16x16x16_bf16 {{[av]}}[{{[0-9:]+}}], v[{{[0-9:]+}}], v[{{[0-9:]+}}]
// CHECK-NOT: {{s_swappc|(scratch|buffer)_(load|store)}}
// CHECK: .amdhsa_private_segment_fixed_size 0
// CHECK: .max_flat_workgroup_size: 256
// CHECK: .name: halves_kernel
// CHECK: .vgpr_spill_count: 0
// CHECK: .wavefront_size: 64
// CHECK: .max_flat_workgroup_size: 256
// CHECK: .name: brains_kernel
// CHECK: .vgpr_spill_count: 0

// Two halves of 64 features of both factors: of the 65536 bytes that a block has.
// LAUNCH: module attributes {attn.chip = "gfx942"
// LAUNCH: %[[BYTES:.+]] = arith.constant 36864 : i32
// LAUNCH: gpu.launch_func {{.*}} threads in (%c256, %c1, %c1) dynamic_shared_memory_size %[[BYTES]]
// LAUNCH: rocdl.mfma.f32.16x16x16f16

// OK: check: result 0: ok:

func.func @halves(%a: tensor<70x72xf16>, %b: tensor<72x40xf16>) -> tensor<70x40xf16> {
  %zero = arith.constant 0.0 : f16
  %init = tensor.empty() : tensor<70x40xf16>
  %filled = linalg.fill ins(%zero : f16) outs(%init : tensor<70x40xf16>) -> tensor<70x40xf16>
  %c = linalg.matmul ins(%a, %b : tensor<70x72xf16>, tensor<72x40xf16>)
      outs(%filled : tensor<70x40xf16>) -> tensor<70x40xf16>
  return %c : tensor<70x40xf16>
}

func.func @brains(%a: tensor<70x72xbf16>, %b: tensor<72x40xbf16>) -> tensor<70x40xf32> {
  %zero = arith.constant 0.0 : f32
  %init = tensor.empty() : tensor<70x40xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%init : tensor<70x40xf32>) -> tensor<70x40xf32>
  %c = linalg.matmul ins(%a, %b : tensor<70x72xbf16>, tensor<72x40xbf16>)
      outs(%filled : tensor<70x40xf32>) -> tensor<70x40xf32>
  return %c : tensor<70x40xf32>
}
