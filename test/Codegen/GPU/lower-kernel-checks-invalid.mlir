// RUN: attn-opt %s --attn-lower-kernel-checks --verify-diagnostics

module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @nested(%n: index, %some: i1) kernel {
      scf.if %some {
        // expected-error @below {{'attn.check' op expected checks in kernels whose control flow is flat, but it is in an 'scf.if' op}}
        attn.check %some, "expected some"
      }
      gpu.return
    }
  }
}
