// RUN: attn-opt %s --verify-diagnostics --pass-pipeline="builtin.module(gpu.module(attn-expand-kernel-math))"

gpu.module @kernels {
  gpu.func @double(%x: f64, %out: memref<f64>) kernel {
    // expected-error @below {{'math.erf' op is not built for GPUs on 'f64'; of f64 there are sqrt, rsqrt, exp, exp2, log and tanh: compute it in f32, or of these}}
    %y = math.erf %x : f64
    memref.store %y, %out[] : memref<f64>
    gpu.return
  }
}
