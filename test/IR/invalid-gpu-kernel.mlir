// RUN: attn-opt %s --split-input-file --verify-diagnostics

// What no GPU kernel is.

// expected-error @below {{'attn.gpu_kernel' (C1) expected 1 to 16 warps, but got 17}}
#none = #attn.gpu_kernel<plain, rows = 272, keys = 32, warps = 17, stages = 1, splits = 1>

// -----

// expected-error @below {{'attn.gpu_kernel' (C2) expected 16 rows to a warp, 64, or to each 2 or 4, but got 48}}
#rows = #attn.gpu_kernel<mma_sync, rows = 48, keys = 64, warps = 4, stages = 1, splits = 1>

// -----

// expected-error @below {{'attn.gpu_kernel' (C3) expected a multiple of 16 keys, from 16 to 256, but got 24}}
#keys = #attn.gpu_kernel<mma_sync, rows = 64, keys = 24, warps = 4, stages = 1, splits = 1>

// -----

// expected-error @below {{'attn.gpu_kernel' (C3) expected a multiple of 16 keys, from 16 to 256, but got 272}}
#keys = #attn.gpu_kernel<mma_sync, rows = 64, keys = 272, warps = 4, stages = 1, splits = 1>

// -----

// expected-error @below {{'attn.gpu_kernel' (C3) expected a multiple of 32 keys where 4 warps have the same rows, but got 48}}
#keys = #attn.gpu_kernel<mma_sync, rows = 32, keys = 48, warps = 8, stages = 1, splits = 1>

// -----

// expected-error @below {{'attn.gpu_kernel' (C4) expected 1 to 4 stages, but got 5}}
#stages = #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 4, stages = 5, splits = 1>

// -----

// expected-error @below {{'attn.gpu_kernel' (C4) expected 1 split or more, but got 0}}
#splits = #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 4, stages = 1, splits = 0>

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @other_attribute(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op expected attn.gpu_kernel to be a #attn.gpu_kernel, but got 64 : i64}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o], attn.gpu_kernel = 64 : i64}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @other_fallback(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op expected attn.gpu_fallback to be a #attn.gpu_kernel, but got "none"}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o], attn.gpu_fallback = "none"}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @fallback_of_the_form(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op expected attn.gpu_fallback to be of another form than wgmma, but got #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>,
       attn.gpu_fallback = #attn.gpu_kernel<wgmma, rows = 64, keys = 32, warps = 4, stages = 2, splits = 1>}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @fallback_alone(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op expected attn.gpu_fallback beside attn.gpu_kernel of the form wgmma, but got none}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_fallback = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @fallback_of_another(%q: memref<5x16xf16>, %k: memref<7x16xf16>, %v: memref<7x24xf16>,
    %o: memref<5x24xf16>) {
  // expected-error @below {{'attn.generic' op expected attn.gpu_fallback beside attn.gpu_kernel of the form wgmma, but got #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}}
  attn.generic ins(%q, %k, %v : memref<5x16xf16>, memref<7x16xf16>, memref<7x24xf16>)
      weighting(#attn.softmax) outs(%o : memref<5x24xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>,
       attn.gpu_fallback = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}
  return
}

// -----

// expected-error @below {{'attn.gpu_kernel' (C5) expected wgmma to have 4 or 8 warps and 16 rows to each, but got 2 and 32 rows}}
func.func private @warps() attributes {a = #attn.gpu_kernel<wgmma, rows = 32, keys = 64, warps = 2, stages = 2, splits = 1>}

// -----

// expected-error @below {{'attn.gpu_kernel' (C6) expected 0 blocks or, of wgmma, more, but got 132}}
func.func private @blocks() attributes {a = #attn.gpu_kernel<mma_sync, rows = 64, keys = 64, warps = 4, stages = 1, splits = 1, blocks = 132>}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @fallback_of_product(%a: tensor<5x8xf16>, %b: tensor<8x3xf16>, %c: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.contract' op expected attn.gpu_fallback to be a #attn.gpu_contract, but got #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>}}
  %0 = attn.contract ins(%a, %b : tensor<5x8xf16>, tensor<8x3xf16>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#mk, #kn, #mn],
       attn.gpu_fallback = #attn.gpu_kernel<plain, rows = 16, keys = 32, warps = 1, stages = 1, splits = 1>} -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}

// -----

#mk = affine_map<(m, n, k) -> (m, k)>
#kn = affine_map<(m, n, k) -> (k, n)>
#mn = affine_map<(m, n, k) -> (m, n)>
func.func @fallback_of_the_form_of_product(%a: tensor<5x8xf16>, %b: tensor<8x3xf16>, %c: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.contract' op expected attn.gpu_fallback to be of another form than wgmma, but got #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 2>}}
  %0 = attn.contract ins(%a, %b : tensor<5x8xf16>, tensor<8x3xf16>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#mk, #kn, #mn],
       attn.gpu_contract = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 2>,
       attn.gpu_fallback = #attn.gpu_contract<wgmma, rows = 64, columns = 64, stages = 2>} -> tensor<5x3xf32>
  return %0 : tensor<5x3xf32>
}
