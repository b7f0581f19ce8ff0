// RUN: attn-opt %s --attn-thread-context --split-input-file --verify-diagnostics

func.func @aligned() {
  // expected-error @below {{'memref.alloc' op expected an alignment of at most 64 bytes, but got 4096}}
  %x = memref.alloc() {alignment = 4096 : i64} : memref<5xf32>
  memref.dealloc %x : memref<5xf32>
  return
}

// -----

func.func @within(%ok: i1) {
  scf.if %ok {
    // expected-error @below {{'cf.assert' op cannot leave the function from within 'scf.if'; control flow is to be flat}}
    cf.assert %ok, "never"
  }
  return
}
