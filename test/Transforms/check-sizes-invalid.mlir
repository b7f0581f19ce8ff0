// RUN: attn-opt %s --attn-check-sizes --allow-unregistered-dialect --split-input-file --verify-diagnostics

// expected-error @below {{expected types of fewer than 2^63 bytes, but got 'tensor<2305843009213693952xf32>'}}
func.func @argument(%a: tensor<2305843009213693952xf32>) {
  return
}

// -----

// The product of extents that fit, one by one.
func.func @result() {
  // expected-error @below {{expected types of fewer than 2^63 bytes, but got 'tensor<4611686018427387904x?x2xi8>'}}
  %0 = "test.source"() : () -> tensor<4611686018427387904x?x2xi8>
  return
}

// -----

func.func @constant() {
  // expected-error @below {{'arith.constant' op expected a constant of at most 1073741824 bytes, but got 'tensor<268435457xf32>'; fill a tensor with linalg.fill instead}}
  %0 = arith.constant dense<1.0> : tensor<268435457xf32>
  return
}

// -----

// Of 2^62 elements.
func.func @splat() {
  // expected-error @below {{expected types of fewer than 2^63 bytes, but got 'tensor<4611686018427387904xf32>'}}
  %0 = arith.constant dense<1.0> : tensor<4611686018427387904xf32>
  return
}
