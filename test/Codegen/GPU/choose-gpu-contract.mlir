// RUN: attn-opt %s --attn-choose-gpu-contract=chip=sm_90a | FileCheck %s
// RUN: attn-opt %s --attn-choose-gpu-contract="chip=sm_90a wgmma=always" | FileCheck %s --check-prefix=ALWAYS
// RUN: attn-opt %s --attn-choose-gpu-contract="chip=sm_90a wgmma=never" | FileCheck %s --check-prefix=NEVER
// RUN: attn-opt %s --attn-choose-gpu-contract=chip=sm_90 | FileCheck %s --check-prefix=NEVER
// RUN: attn-opt %s --attn-choose-gpu-contract=chip=sm_90a --remarks-filter=attn 2>&1 >/dev/null | FileCheck %s --check-prefix=SAID

// On sm_90a products take the form wgmma where they can, with another for arrays
// that have no tensor maps.

// NEVER-NOT: wgmma
// ALWAYS-NOT: gpu_fallback

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#k = affine_map<(m, n, k) -> (k)>
#mn = affine_map<(m, n, k) -> (m, n)>
#n = affine_map<(m, n, k) -> (n)>

// Wide tiles, where there are enough for all multiprocessors, or it is not known.
// CHECK-LABEL: @large
// CHECK: attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 128, columns = 256, stages = 4>
// CHECK-SAME: attn.gpu_fallback = #attn.gpu_contract<mma_sync, rows = 64, columns = 64, stages = 2>
// SAID: wgmma: tiles of 128 rows by 256 columns, 8 warps and 4 that copy; 4 stages of 64 features, 196608 bytes of the 232448 of shared memory of sm_90a; mma_sync for arrays without tensor maps
// ALWAYS-LABEL: @large
// ALWAYS: attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 128, columns = 256, stages = 4>
// NEVER-LABEL: @large
// NEVER: attn.gpu_contract = #attn.gpu_contract<mma_sync, rows = 64, columns = 64, stages = 2>
func.func @large(%a: tensor<8192x64xf16>, %b: tensor<64x8192xf16>, %c: tensor<8192x8192xf16>) -> tensor<8192x8192xf16> {
  %0 = attn.contract ins(%a, %b : tensor<8192x64xf16>, tensor<64x8192xf16>) outs(%c : tensor<8192x8192xf16>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<8192x8192xf16>
  return %0 : tensor<8192x8192xf16>
}

// CHECK-LABEL: @dynamic
// CHECK: #attn.gpu_contract<wgmma, rows = 128, columns = 256, stages = 4>
func.func @dynamic(%a: tensor<?x64xbf16>, %b: tensor<64x?xbf16>, %c: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = attn.contract ins(%a, %b : tensor<?x64xbf16>, tensor<64x?xbf16>) outs(%c : tensor<?x?xf32>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Narrow ones, of which more multiprocessors have some.
// CHECK-LABEL: @narrow
// CHECK: #attn.gpu_contract<wgmma, rows = 128, columns = 128, stages = 4>
func.func @narrow(%a: tensor<1024x768xf16>, %b: tensor<768x768xf16>, %c: tensor<1024x768xf16>) -> tensor<1024x768xf16> {
  %0 = attn.contract ins(%a, %b : tensor<1024x768xf16>, tensor<768x768xf16>) outs(%c : tensor<1024x768xf16>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<1024x768xf16>
  return %0 : tensor<1024x768xf16>
}

// Those of a loop around are counted.
// CHECK-LABEL: @loop
// CHECK: #attn.gpu_contract<wgmma, rows = 128, columns = 256, stages = 4>
func.func @loop(%a: tensor<1024x768xf16>, %b: tensor<768x768xf16>, %c: tensor<50x1024x768xf16>) -> tensor<50x1024x768xf16> {
  %r = scf.forall (%i) in (50) shared_outs(%o = %c) -> (tensor<50x1024x768xf16>) {
    %own = tensor.extract_slice %o[%i, 0, 0] [1, 1024, 768] [1, 1, 1] : tensor<50x1024x768xf16> to tensor<1024x768xf16>
    %0 = attn.contract ins(%a, %b : tensor<1024x768xf16>, tensor<768x768xf16>) outs(%own : tensor<1024x768xf16>)
        {indexing_maps = [#mk, #kn, #mn]} -> tensor<1024x768xf16>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %0 into %o[%i, 0, 0] [1, 1024, 768] [1, 1, 1] : tensor<1024x768xf16> into tensor<50x1024x768xf16>
    }
  }
  return %r : tensor<50x1024x768xf16>
}

// A warpgroup has few rows, and a narrow tile few columns.
// CHECK-LABEL: @small
// CHECK: #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 4>
func.func @small(%a: tensor<40x64xf16>, %b: tensor<64x48xf16>, %c: tensor<40x48xf16>) -> tensor<40x48xf16> {
  %0 = attn.contract ins(%a, %b : tensor<40x64xf16>, tensor<64x48xf16>) outs(%c : tensor<40x48xf16>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<40x48xf16>
  return %0 : tensor<40x48xf16>
}

// CHECK-LABEL: @few
// CHECK: #attn.gpu_contract<mma_sync, rows = 16, columns = 64, stages = 2>
// SAID: mma_sync: tiles of 16 rows by 64 columns, 4 warps; no wgmma, as 9 rows are few for a tile of 64
func.func @few(%a: tensor<9x64xf16>, %b: tensor<64x48xf16>, %c: tensor<9x48xf16>) -> tensor<9x48xf16> {
  %0 = attn.contract ins(%a, %b : tensor<9x64xf16>, tensor<64x48xf16>) outs(%c : tensor<9x48xf16>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<9x48xf16>
  return %0 : tensor<9x48xf16>
}

// CHECK-LABEL: @vector
// CHECK: #attn.gpu_contract<mma_sync,
// SAID: mma_sync: {{.*}}; no wgmma, as a factor is a vector
func.func @vector(%a: tensor<64xf16>, %b: tensor<64x48xf16>, %c: tensor<48xf16>) -> tensor<48xf16> {
  %0 = attn.contract ins(%a, %b : tensor<64xf16>, tensor<64x48xf16>) outs(%c : tensor<48xf16>)
      {indexing_maps = [#k, #kn, #n]} -> tensor<48xf16>
  return %0 : tensor<48xf16>
}

// CHECK-LABEL: @computed
// CHECK: #attn.gpu_contract<plain, rows = 64, columns = 64, stages = 2>
// SAID: plain: tiles of 64 rows by 64 columns, 4 warps; no mma_sync, as a factor is computed where it is read
func.func @computed(%a: tensor<70x64xf16>, %b: tensor<64x48xf16>, %c: tensor<70x48xf16>) -> tensor<70x48xf16> {
  %0 = attn.contract ins(%a, %b : tensor<70x64xf16>, tensor<64x48xf16>) outs(%c : tensor<70x48xf16>)
      {indexing_maps = [#mk, #kn, #mn]}
      lhs_element {
      ^bb0(%x: f16):
        %y = math.absf %x : f16
        attn.yield %y : f16
      } -> tensor<70x48xf16>
  return %0 : tensor<70x48xf16>
}

// CHECK-LABEL: @singles
// CHECK: #attn.gpu_contract<plain,
// SAID: plain: {{.*}}; no mma_sync, as it takes f16 or bf16 of both factors, but they are f32 and f16
func.func @singles(%a: tensor<70x64xf32>, %b: tensor<64x48xf16>, %c: tensor<70x48xf16>) -> tensor<70x48xf16> {
  %0 = attn.contract ins(%a, %b : tensor<70x64xf32>, tensor<64x48xf16>) outs(%c : tensor<70x48xf16>)
      {indexing_maps = [#mk, #kn, #mn]} -> tensor<70x48xf16>
  return %0 : tensor<70x48xf16>
}
