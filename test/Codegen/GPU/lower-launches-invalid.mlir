// RUN: attn-opt %s --attn-lower-launches --split-input-file --verify-diagnostics

// What follows a launch relies on it.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @nothing() kernel {
      gpu.return
    }
  }
  func.func @asynchronous() {
    %c1 = arith.constant 1 : index
    // expected-error @below {{'gpu.launch_func' op expected a launch that is waited for}}
    %token = gpu.launch_func async @kernels::@nothing
        blocks in (%c1, %c1, %c1) threads in (%c1, %c1, %c1)
    return
  }
}

// -----

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @nothing(%x: vector<4xf32>) kernel {
      gpu.return
    }
  }
  func.func @vector(%x: vector<4xf32>) {
    %c1 = arith.constant 1 : index
    // expected-error @below {{expected kernels to take memrefs, numbers and pointers, but got 'vector<4xf32>'}}
    gpu.launch_func @kernels::@nothing blocks in (%c1, %c1, %c1)
        threads in (%c1, %c1, %c1) args(%x : vector<4xf32>)
    return
  }
}
