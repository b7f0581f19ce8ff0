// RUN: attn-run %s --entry=main --target=gpu --chip=gfx942 --emit=asm | FileCheck %s
// RUN: attn-run %s --entry=main --target=gpu --chip=gfx942 --print-config | FileCheck %s --check-prefix=CONFIG
// RUN: attn-run %s --entry=main --target=gpu-emulator --chip=gfx942 --random --shape=2x70x40 --check | FileCheck %s --check-prefix=OK
// RUN: attn-run %s --entry=wide --target=gpu-emulator --chip=gfx942 --random --schedule=3 --check | FileCheck %s --check-prefix=WIDE

// Attention with a mask, a score and a log-sum-exp, in the form that every GPU has:
// a warp is half a wave of AMD's, which exchanges what rows are reduced to by
// ds_swizzle, and exponentials are instructions. Nothing is called, and no register
// is spilled.

// CONFIG: config: gfx942, 65536 bytes of shared memory a block
// CONFIG: gpu kernel: plain: tiles of 32 query rows by 32 keys, 2 warps, {{[0-9]+}} bytes of the 65536 of shared memory of gfx942; no mma_sync, as gfx942 has no such instructions

// CHECK: .amdgcn_target "amdgcn-amd-amdhsa--gfx942"
// CHECK-LABEL: {{^}}main_kernel:
// CHECK: ds_write_b32
// CHECK-DAG: ds_read_b{{[0-9]+}}
// CHECK-DAG: {{v_(pk_)?fma[c]?_f32}}
// CHECK-DAG: ds_swizzle_b32 {{.*}} offset:swizzle(SWAP,1)
// CHECK-DAG: v_exp_f32
// CHECK-NOT: {{s_swappc|(scratch|buffer)_(load|store)}}
// CHECK: .amdhsa_private_segment_fixed_size 0

// OK: check: result 0: ok:
// OK: check: result 1: ok:

// Two waves wait for each other, of which warps tell the others what they have of a
// row, one wave has but to keep its accesses in order.
// CHECK-LABEL: {{^}}wide_kernel:
// CHECK: s_barrier
// CHECK-NOT: {{s_swappc|(scratch|buffer)_(load|store)}}
// CHECK: .amdhsa_private_segment_fixed_size 0
// CHECK: .max_flat_workgroup_size: 64
// CHECK: .vgpr_spill_count: 0
// CHECK: .max_flat_workgroup_size: 128
// CHECK: .vgpr_spill_count: 0
// WIDE: check: result 0: ok:

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#l = affine_map<(b, m, n, d, e) -> (b, m)>
func.func @main(%q: tensor<2x?x40xf32>, %k: tensor<2x?x40xf32>, %v: tensor<2x?x40xf32>)
    -> (tensor<2x?x40xf32>, tensor<2x?xf32>) {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<2x?x40xf32>
  %init = tensor.empty(%rows) : tensor<2x?x40xf32>
  %sums = tensor.empty(%rows) : tensor<2x?xf32>
  %o:2 = attn.generic ins(%q, %k, %v : tensor<2x?x40xf32>, tensor<2x?x40xf32>, tensor<2x?x40xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x?x40xf32>) lse(%sums : tensor<2x?xf32>)
      {indexing_maps = [#q, #k, #v, #o, #l]}
      score {
      ^bb0(%s: f32):
        %cap = arith.constant 20.0 : f32
        %part = arith.divf %s, %cap : f32
        %bent = math.tanh %part : f32
        %t = arith.mulf %bent, %cap : f32
        attn.yield %t : f32
      } mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<2x?x40xf32>, tensor<2x?xf32>
  return %o#0, %o#1 : tensor<2x?x40xf32>, tensor<2x?xf32>
}

#kq = affine_map<(m, n, d, e) -> (m, d)>
#kk = affine_map<(m, n, d, e) -> (n, d)>
#kv = affine_map<(m, n, d, e) -> (n, e)>
#ko = affine_map<(m, n, d, e) -> (m, e)>
func.func @wide(%q: tensor<21x48xf16>, %k: tensor<70x48xf16>, %v: tensor<70x264xf16>) -> tensor<21x264xf16> {
  %init = tensor.empty() : tensor<21x264xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<21x48xf16>, tensor<70x48xf16>, tensor<70x264xf16>)
      weighting(#attn.softmax) outs(%init : tensor<21x264xf16>)
      {indexing_maps = [#kq, #kk, #kv, #ko]} -> tensor<21x264xf16>
  return %o : tensor<21x264xf16>
}
