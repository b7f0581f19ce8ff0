// RUN: attn-run %s --entry=malloc --random --check | FileCheck %s
// RUN: attn-run %s --entry=free --random --check | FileCheck %s
// RUN: attn-run %s --entry=omp_get_max_threads --random --check | FileCheck %s
// RUN: attn-run %s --entry=_attn_entry --random --check | FileCheck %s
// RUN: attn-run %s --entry=expf --random --check | FileCheck %s

// Functions were taken for those of the C library or of the runtime that the
// compiled code calls, or for the entry that the compiler adds.
// CHECK: check: result 0: ok: 512 elements

func.func private @attention(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %init = tensor.empty() : tensor<64x8xf32>
  %o = attn.sdpa ins(%q, %q, %q : tensor<64x8xf32>, tensor<64x8xf32>, tensor<64x8xf32>)
      outs(%init : tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func @malloc(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = call @attention(%q) : (tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func @free(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = call @malloc(%q) : (tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func @omp_get_max_threads(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = call @free(%q) : (tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func @_attn_entry(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = call @omp_get_max_threads(%q) : (tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

func.func @expf(%q: tensor<64x8xf32>) -> tensor<64x8xf32> {
  %o = call @_attn_entry(%q) : (tensor<64x8xf32>) -> tensor<64x8xf32>
  return %o : tensor<64x8xf32>
}

// Nobody calls it.
func.func private @attn_entry(i32) -> i32
