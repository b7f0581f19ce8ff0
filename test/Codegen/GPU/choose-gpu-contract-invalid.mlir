// RUN: attn-opt %s --split-input-file --verify-diagnostics --attn-choose-gpu-contract=chip=sm_90a
// RUN: not attn-opt %s --split-input-file --attn-choose-gpu-contract=chip=sm_1 2>&1 | FileCheck %s

// CHECK: error: expected chip to be one of sm_80, {{.*}}, but got sm_1

// What products are asked for and have not.

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @singles(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.contract' op cannot be a GPU kernel: wgmma cannot be the form: it takes f16 or bf16 of both factors, but they are f32 and f32}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#mk, #kn, #mn],
       attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 2>} -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// -----

#k = affine_map<(m, n, k) -> (k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#n = affine_map<(m, n, k) -> (n)>
func.func @vector(%a: tensor<7xf16>, %b: tensor<7x3xf16>, %c: tensor<3xf16>) -> tensor<3xf16> {
  // expected-error @below {{'attn.contract' op cannot be a GPU kernel: wgmma cannot be the form: a factor is a vector}}
  %0 = attn.contract ins(%a, %b : tensor<7xf16>, tensor<7x3xf16>) outs(%c : tensor<3xf16>)
      {indexing_maps = [#k, #kn, #n],
       attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 2>} -> tensor<3xf16>
  return %0 : tensor<3xf16>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @doubles(%a: tensor<5x7xf16>, %b: tensor<7x3xf16>, %c: tensor<5x3xf64>) -> tensor<5x3xf64> {
  // expected-error @below {{'attn.contract' op cannot be a GPU kernel: mma_sync cannot be the form: it sums in f32, but sums are f64}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf16>, tensor<7x3xf16>) outs(%c : tensor<5x3xf64>)
      {indexing_maps = [#mk, #kn, #mn],
       attn.gpu_contract = #attn.gpu_contract<mma_sync, rows = 64, columns = 64, stages = 2>} -> tensor<5x3xf64>
  return %0 : tensor<5x3xf64>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @other(%a: tensor<5x7xf16>, %b: tensor<7x3xf16>, %c: tensor<5x3xf16>) -> tensor<5x3xf16> {
  // expected-error @below {{'attn.contract' op expected attn.gpu_contract to be a #attn.gpu_contract, but got 3 : i64}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf16>, tensor<7x3xf16>) outs(%c : tensor<5x3xf16>)
      {indexing_maps = [#mk, #kn, #mn], attn.gpu_contract = 3 : i64} -> tensor<5x3xf16>
  return %0 : tensor<5x3xf16>
}

// -----

// expected-error @below {{'attn.gpu_contract' (C1) expected 64 or 128 rows, but got 16}}
func.func private @f() attributes {a = #attn.gpu_contract<wgmma, rows = 16, columns = 64, stages = 2>}

// -----

// expected-error @below {{'attn.gpu_contract' (C2) expected 64 columns, but got 128}}
func.func private @f() attributes {a = #attn.gpu_contract<mma_sync, rows = 16, columns = 128, stages = 2>}

// -----

// expected-error @below {{'attn.gpu_contract' (C3) expected 2 to 4 stages, but got 5}}
func.func private @f() attributes {a = #attn.gpu_contract<wgmma, rows = 64, columns = 256, stages = 5>}
