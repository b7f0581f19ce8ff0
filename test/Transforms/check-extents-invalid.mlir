// RUN: attn-opt %s --attn-check-extents --verify-diagnostics

// The names of the C library that the checks call are not the module's.
// expected-error @below {{redefinition of function 'dprintf' of different type '!llvm.func<i32 (i32, ptr, ...)>' is prohibited}}
llvm.func @dprintf(i32)

func.func @sized(%q: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %init = tensor.empty(%n) : tensor<?x8xf32>
  %o = attn.sdpa ins(%q, %q, %q : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}
