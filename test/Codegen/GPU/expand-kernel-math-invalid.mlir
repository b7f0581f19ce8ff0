// RUN: attn-opt %s --verify-diagnostics --pass-pipeline="builtin.module(gpu.module(attn-expand-kernel-math))"

gpu.module @kernels {
  gpu.func @rest(%x: f64, %out: memref<f64>) kernel {
    // expected-error @below {{'arith.remf' op is not built for GPUs on 'f64'; expected functions of math, or other arithmetic}}
    %y = arith.remf %x, %x : f64
    memref.store %y, %out[] : memref<f64>
    gpu.return
  }
}
