// RUN: attn-test-run %s --entry=right --random --require-fused --check | FileCheck %s
// RUN: attn-test-run %s --entry=right --random --fusion=never --check | FileCheck %s
// RUN: not attn-test-run %s --entry=wrong --random --check | FileCheck %s --check-prefix=WRONG
// RUN: attn-test-run %s --entry=right --random --trace-pair=3,4 | FileCheck %s --check-prefix=TRACE
// RUN: not attn-test-run %s --entry=dynamic --random --shape=0:5x4 --shape=1:7x3 2>&1 | FileCheck %s --check-prefix=EXTENTS
// RUN: not attn-test-run %s --entry=dynamic --random --shape=0:5x4 --shape=1:7x3 --target=reference 2>&1 | FileCheck %s --check-prefix=REFERENCE

// A named op of a dialect that only the suite has: expanded, compared and
// evaluated through the interface. The reference evaluates the op from its own
// definition, so that an expansion that is wrong on purpose is seen.
// CHECK: check: result 0: ok
// WRONG: check: result 0: {{[0-9]+}} of 57 elements differ
// TRACE: pair [3, 4]: similarity {{.*}} (the row sees 41 keys)
// EXTENTS: argument 1 expected extent 1 to be 4 (as extent 1 of argument 0: the width of key and query), but got 3
// REFERENCE: 'attntest.gaussian' expected extent 1 of operand 1 to be 4 (as extent 1 of operand 0: the width of key and query), but got 3

func.func @right(%q: tensor<19x4xf32>, %k: tensor<41x4xf32>, %v: tensor<41x3xf32>) -> tensor<19x3xf32> {
  %init = tensor.empty() : tensor<19x3xf32>
  %o = attntest.gaussian %q, %k, %v into %init
      : tensor<19x4xf32>, tensor<41x4xf32>, tensor<41x3xf32> into tensor<19x3xf32> -> tensor<19x3xf32>
  return %o : tensor<19x3xf32>
}

func.func @wrong(%q: tensor<19x4xf32>, %k: tensor<41x4xf32>, %v: tensor<41x3xf32>) -> tensor<19x3xf32> {
  %init = tensor.empty() : tensor<19x3xf32>
  %o = attntest.gaussian %q, %k, %v into %init {expands_wrongly}
      : tensor<19x4xf32>, tensor<41x4xf32>, tensor<41x3xf32> into tensor<19x3xf32> -> tensor<19x3xf32>
  return %o : tensor<19x3xf32>
}

func.func @dynamic(%q: tensor<5x?xf32>, %k: tensor<7x?xf32>, %v: tensor<7x3xf32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attntest.gaussian %q, %k, %v into %init
      : tensor<5x?xf32>, tensor<7x?xf32>, tensor<7x3xf32> into tensor<5x3xf32> -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
