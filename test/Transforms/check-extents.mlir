// RUN: attn-opt %s --attn-check-extents --verify-roundtrip | FileCheck %s

// What is compared says where and what.
// CHECK-LABEL: func.func @sized(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x8xf32>, %[[N:[^:]+]]: index)
// CHECK: %[[ROWS:.+]] = tensor.dim %[[Q]],
// CHECK: %[[SAME:.+]] = arith.cmpi eq, %[[N]], %[[ROWS]] : index
// CHECK: attn.check %[[SAME]], "100%.mlir:7:9: 'attn.sdpa' op expected extent 0 of operand 3 to be {0} (as extent 0 of operand 0: query rows), but got {1}"(%[[ROWS]], %[[N]])
// CHECK-NOT: attn.check
// CHECK: attn.sdpa
func.func @sized(%q: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
  %init = tensor.empty(%n) : tensor<?x8xf32>
  %o = attn.sdpa ins(%q, %q, %q : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32> loc("100%.mlir":7:9)
  return %o : tensor<?x8xf32>
}

// Equal by construction: through the size of an empty tensor, a cast, an init,
// arithmetic and a slice. The extents of arguments are the caller's to check.
// CHECK-LABEL: func.func @constructed(
// CHECK-NOT: attn.check {{.*}}'{{attn.sdpa|arith.addf|linalg.fill|tensor.cast}}'
// CHECK: return
func.func @constructed(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %zero = arith.constant 0.0 : f32
  %twice = arith.addf %q, %q : tensor<?x8xf32>
  %m = tensor.dim %q, %c0 : tensor<?x8xf32>
  %n = tensor.dim %v, %c0 : tensor<?x8xf32>
  %empty = tensor.empty(%m) : tensor<?x8xf32>
  %filled = linalg.fill ins(%zero : f32) outs(%empty : tensor<?x8xf32>) -> tensor<?x8xf32>
  %cast = tensor.cast %filled : tensor<?x8xf32> to tensor<?x?xf32>
  %init = tensor.cast %cast : tensor<?x?xf32> to tensor<?x8xf32>
  %keys = tensor.extract_slice %k[0, 0] [%n, 8] [1, 1] : tensor<?x8xf32> to tensor<?x8xf32>
  %o = attn.sdpa ins(%twice, %keys, %v : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}

// Nobody checks the arguments of a call within the module, nor those of an op
// that a condition decides on.
// CHECK-LABEL: func.func private @callee(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x5x8xf32>, %[[K:[^:]+]]: tensor<?x5x8xf32>)
// CHECK: %[[REST:.+]] = arith.remui
// CHECK: %[[WRONG:.+]] = arith.select %{{.+}}, %{{.+}}, %[[REST]] : index
// CHECK: %[[HOLDS:.+]] = arith.cmpi eq, %[[WRONG]], %{{.+}} : index
// CHECK: attn.check %[[HOLDS]], "{{.+}}: 'attn.sdpa' op expected extent 0 of operand 0 to be a multiple of {0} (as extent 0 of operand 1: query heads, a multiple of key heads), but got {1}"
func.func private @callee(%q: tensor<?x5x8xf32>, %k: tensor<?x5x8xf32>) -> tensor<?x5x8xf32> {
  %o = attn.sdpa ins(%q, %k, %k : tensor<?x5x8xf32>, tensor<?x5x8xf32>, tensor<?x5x8xf32>)
      outs(%q : tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  return %o : tensor<?x5x8xf32>
}

// CHECK-LABEL: func.func @conditional(
// CHECK: call @callee
// CHECK: scf.if
// CHECK: attn.check
// CHECK: attn.sdpa
func.func @conditional(%q: tensor<?x5x8xf32>, %k: tensor<?x5x8xf32>, %b: i1) -> tensor<?x5x8xf32> {
  %c = call @callee(%q, %k) : (tensor<?x5x8xf32>, tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
  %r = scf.if %b -> tensor<?x5x8xf32> {
    %o = attn.sdpa ins(%c, %k, %k : tensor<?x5x8xf32>, tensor<?x5x8xf32>, tensor<?x5x8xf32>)
        outs(%c : tensor<?x5x8xf32>) -> tensor<?x5x8xf32>
    scf.yield %o : tensor<?x5x8xf32>
  } else {
    scf.yield %c : tensor<?x5x8xf32>
  }
  return %r : tensor<?x5x8xf32>
}

// What a slice takes for granted, without a sum that could wrap. The static
// dimension is the verifier's.
// CHECK-LABEL: func.func @slice(
// CHECK-SAME: %[[X:[^:]+]]: tensor<4x8xf32>, %[[AT:[^:]+]]: index)
// CHECK: %[[FROM:.+]] = arith.cmpi sge, %[[AT]], %[[ZERO:.+]] : index
// CHECK: attn.check %[[FROM]], "{{.+}}: 'tensor.extract_slice' op expected the offset in dimension 0 to be at least {0}, but got {1}"(%[[ZERO]], %[[AT]])
// CHECK: %[[FITS:.+]] = arith.cmpi sge, %[[MOST:.+]], %[[SIZE:.+]] : index
// CHECK: attn.check %[[FITS]], "{{.+}}: 'tensor.extract_slice' op expected a slice of at most {0} in dimension 0, from the offset to the end, but got {1}"(%[[MOST]], %[[SIZE]])
// CHECK-NOT: attn.check
// CHECK: tensor.extract_slice
func.func @slice(%x: tensor<4x8xf32>, %at: index) -> tensor<2x8xf32> {
  %r = tensor.extract_slice %x[%at, 0] [2, 8] [1, 1] : tensor<4x8xf32> to tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}

// In a parallel loop the check comes before what ends the body.
// CHECK-LABEL: func.func @parallel(
// CHECK: scf.forall
// CHECK: attn.check %{{.+}}, "{{.+}}: 'tensor.parallel_insert_slice' op expected extent 0 of what is inserted to be {0}, but got {1}"
// CHECK: scf.forall.in_parallel
func.func @parallel(%x: tensor<?x8xf32>, %to: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %r = scf.forall (%i) in (4) shared_outs(%o = %to) -> tensor<4x8xf32> {
    %c1 = arith.constant 1 : index
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %x into %o[%i, 0] [%c1, 8] [1, 1] : tensor<?x8xf32> into tensor<4x8xf32>
    }
  }
  return %r : tensor<4x8xf32>
}

// The regions of other ops are not entered: what is read there is read, or not,
// as these decide.
// CHECK-LABEL: func.func @entered(
// CHECK-NOT: attn.check
// CHECK: return
func.func @entered(%x: tensor<4xf32>, %at: index) -> tensor<4xf32> {
  %r = tensor.generate {
  ^bb0(%i: index):
    %e = tensor.extract %x[%at] : tensor<4xf32>
    tensor.yield %e : f32
  } : tensor<4xf32>
  return %r : tensor<4xf32>
}

// Starts ascend from 0 to the number of packed rows, and what has rows at positions
// within a request has as many as the longest.
// CHECK-LABEL: func.func @packed(
// CHECK: attn.check %{{.+}}, "{{.+}}: 'attn.sdpa' op expected query_starts to have an element more than there are requests, but got none"
// CHECK: attn.check %{{.+}}, "{{.+}}: 'attn.sdpa' op expected query_starts to begin with 0, but got {0}"
// CHECK: scf.for
// CHECK: attn.check %{{.+}}, "{{.+}}: 'attn.sdpa' op expected query_starts to ascend, but {0} is followed by {1}"
// CHECK: attn.check %{{.+}}, "{{.+}}: 'attn.sdpa' op expected query_starts to end with {0} (the number of packed rows), but got {1}"
// CHECK: attn.check %{{.+}}, "{{.+}}: 'attn.sdpa' op expected extent 0 of operand 3 to be {0} or more (rows of the longest request), but got {1}"
// CHECK: attn.check %{{.+}}, "{{.+}}: 'attn.sdpa' op expected extent 0 of operand 1 to be {0} (the requests), but got {1}"
// CHECK: attn.sdpa
func.func @packed(%q: tensor<?x2x8xf32>, %k: tensor<?x2x7x8xf32>, %bias: tensor<?x7xf32>,
                  %starts: tensor<?xi32>) -> tensor<?x2x8xf32> {
  %r = attn.sdpa ins(%q, %k, %k : tensor<?x2x8xf32>, tensor<?x2x7x8xf32>, tensor<?x2x7x8xf32>)
      bias(%bias : tensor<?x7xf32>) query_starts(%starts : tensor<?xi32>)
      outs(%q : tensor<?x2x8xf32>) -> tensor<?x2x8xf32>
  return %r : tensor<?x2x8xf32>
}
