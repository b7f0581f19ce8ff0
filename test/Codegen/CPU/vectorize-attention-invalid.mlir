// RUN: attn-opt %s --attn-vectorize --split-input-file --verify-diagnostics
// RUN: not attn-opt %s --attn-vectorize=vector-bits=7 --split-input-file 2>&1 | FileCheck %s
// CHECK: error: expected vector-bits to be a power of two from 64 to 4096, but got 7

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

// -----

// What is finished has its statistics and weighting operands beside it.

#facc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @short_sink(%a: memref<3x8xf32>, %m: memref<8xf32>, %l: memref<8xf32>,
                      %s: memref<5xf32>, %o: memref<5x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op cannot be vectorized: expected weighting operand 0 to be one number or to have as many query rows as the accumulator, in its type}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<8xf32>, memref<8xf32>)
      weighting(#attn.softmax_sink, %s : memref<5xf32>) keys(%keys) outs(%o : memref<5x3xf16>)
      {indexing_maps = [#facc, #row, #row, #row, #out]}
  return
}

// -----

#facc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @strided_statistic(%a: memref<3x8xf32>, %m: memref<8xf32, strided<[2]>>,
                             %l: memref<8xf32>, %o: memref<5x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op cannot be vectorized: expected statistic 0 to have as many query rows as the accumulator and its type}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<8xf32, strided<[2]>>, memref<8xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%o : memref<5x3xf16>)
      {indexing_maps = [#facc, #row, #row, #out]}
  return
}
