// RUN: attn-opt %s --attn-generalize --verify-diagnostics

// Heads of a buffer whose layout has no strides cannot be split.
#tiled = affine_map<(h, i, d) -> (h, i floordiv 2, d, i mod 2)>
func.func @layout_without_strides(%q: memref<6x4x4xf32, #tiled>, %k: memref<3x7x4xf32>,
                                  %v: memref<3x7x8xf32>, %o: memref<6x4x8xf32>) {
  // expected-error @below {{'attn.sdpa' op on memrefs: expected strided layouts, but got 'memref<6x4x4xf32, affine_map<(d0, d1, d2) -> (d0, d1 floordiv 2, d2, d1 mod 2)>>'}}
  attn.sdpa ins(%q, %k, %v : memref<6x4x4xf32, #tiled>, memref<3x7x4xf32>, memref<3x7x8xf32>)
      outs(%o : memref<6x4x8xf32>)
  return
}
