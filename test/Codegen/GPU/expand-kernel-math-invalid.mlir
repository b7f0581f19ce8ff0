// RUN: attn-opt %s --verify-diagnostics --pass-pipeline="builtin.module(gpu.module(attn-expand-kernel-math))"

gpu.module @kernels {
  gpu.func @double(%x: f64, %out: memref<f64>) kernel {
    // expected-error @below {{'math.erf' op cannot be compiled for a GPU on 'f64'}}
    %y = math.erf %x : f64
    memref.store %y, %out[] : memref<f64>
    gpu.return
  }
}
