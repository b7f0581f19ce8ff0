// RUN: attn-opt %s --attn-vectorize --verify-diagnostics

// Lanes are query rows: they must be innermost and contiguous.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @rows_outermost(%q: memref<8x4xf32>, %k: memref<7x4xf32>,
                          %v: memref<7x3xf32>, %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op cannot be vectorized: expected operand 0 to have query rows innermost and contiguous}}
  attn.online ins(%q, %k, %v : memref<8x4xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) outs(%a : memref<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]}
  return
}
