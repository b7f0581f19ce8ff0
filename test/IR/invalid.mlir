// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint of attn.generic on its operands;
// those on its regions are in invalid-regions.mlir.

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c1_map_missing(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C1) expected one indexing map per operand, 4 in all, but got 3}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n + d, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c2_not_a_permutation(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C2) expected the map of key to be a projected permutation of 5 dimensions, but got affine_map<(d0, d1, d2, d3, d4) -> (d0, d2 + d3, d3)>}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c2_other_dimensions(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C2) expected the map of value to be a projected permutation of 5 dimensions, but got affine_map<(d0, d1, d2, d3) -> (d0, d2, d3)>}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#x = affine_map<(b, m, n, d, e) -> (b, n)>
func.func @generic_c2_rank(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %x: tensor<2xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C2) expected the map of input 0 to have one result per dimension of the operand, 1 in all, but got 2}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%x : tensor<2xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #x, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

// The query is reduced over x, which nothing else knows.
#q = affine_map<(b, m, n, d, e, x) -> (b, m, d, x)>
#k = affine_map<(b, m, n, d, e, x) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e, x) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e, x) -> (b, m, e)>
func.func @generic_c3_no_class(%q: tensor<2x5x4x6xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C3) dimension d5 has no class: expected it in output and key (batch), query and output (query row), key and value (key row), query and key (feature), or value and output (channel)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4x6xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, d, e) -> (b, m, d)>
#k = affine_map<(b, m, d, e) -> (b, d)>
#v = affine_map<(b, m, d, e) -> (b, e)>
#o = affine_map<(b, m, d, e) -> (b, m, e)>
func.func @generic_c3_no_key_row(%q: tensor<2x5x4xf32>,
    %k: tensor<2x4xf32>,
    %v: tensor<2x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C3) expected a key row dimension, in key and value only}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x4xf32>, tensor<2x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c4_feature_extent(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x6xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C4) expected key extent of dimension d3 to be 4 (as in query), but got 6}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x6xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#x = affine_map<(b, m, n, d, e) -> ()>
#y = affine_map<(b, m, n, d, e) -> (b)>
func.func @generic_c4_batch_extent(%q: tensor<?x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %x: f32,
    %y: tensor<9xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C4) expected input 1 extent of dimension d0 to be 2 (as in key), but got 9}}
  %r = attn.generic ins(%q, %k, %v : tensor<?x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%x, %y : f32, tensor<9xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #x, #y, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c4_output_extent(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x8x3xf32>) {
  // expected-error @below {{'attn.generic' op (C4) expected output extent of dimension d1 to be 5 (as in query), but got 8}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x8x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x8x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#x = affine_map<(b, m, n, d, e) -> (e)>
func.func @generic_c5_input_over_channels(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %x: tensor<3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C5) expected input 0 to have no value channel}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%x : tensor<3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #x, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c9_operand_missing(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C9) expected the number of weighting operands to be 1 (for #attn.softmax_sink), but got 0}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax_sink) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#sink = affine_map<(b, m, n, d, e) -> ()>
func.func @generic_c9_operand_too_many(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %sink: f32,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C9) expected the number of weighting operands to be 0 (for #attn.softmax), but got 1}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax, %sink : f32) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #sink, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bias = affine_map<(b, m, n, d, e) -> (n)>
func.func @generic_c9_operand_over_keys(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %bias: tensor<7xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C9) expected weighting operand 0 to span batch and query rows only}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.sigmoid, %bias : tensor<7xf32>) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #bias, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#sink = affine_map<(b, m, n, d, e) -> (b)>
func.func @generic_c9_operand_type(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %sink: tensor<2xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C9) expected weighting operand 0 to hold floats, but got 'tensor<2xi32>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax_sink, %sink : tensor<2xi32>) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #sink, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#lse = affine_map<(b, m, n, d, e) -> (b, m)>
func.func @generic_c10_lse_undefined(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>,
    %lse: tensor<2x5xf32>) {
  // expected-error @below {{'attn.generic' op (C10) #attn.sum_normalized defines no log-sum-exp: drop lse}}
  %r:2 = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.sum_normalized) outs(%o : tensor<2x5x3xf32>) lse(%lse : tensor<2x5xf32>)
      {indexing_maps = [#q, #k, #v, #o, #lse]}
      -> tensor<2x5x3xf32>, tensor<2x5xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#lse = affine_map<(b, m, n, d, e) -> (m)>
func.func @generic_c10_lse_span(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>,
    %lse: tensor<5xf32>) {
  // expected-error @below {{'attn.generic' op (C10) expected lse to span batch and query rows}}
  %r:2 = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>) lse(%lse : tensor<5xf32>)
      {indexing_maps = [#q, #k, #v, #o, #lse]}
      -> tensor<2x5x3xf32>, tensor<5xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#w = affine_map<(b, m, n, d, e) -> (b, m)>
func.func @generic_c11_weights_span(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>,
    %w: tensor<2x5xf32>) {
  // expected-error @below {{'attn.generic' op (C11) expected weights to span batch, query rows and key rows}}
  %r:2 = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>) weights(%w : tensor<2x5xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]}
      -> tensor<2x5x3xf32>, tensor<2x5xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c12_half_accumulation(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C12) expected the accumulation type to be f32 or f64, but got 'f16'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], acc_type = f16}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c12_narrower_than_value(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf64>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C12) expected the accumulation type to be no narrower than the value's element type 'f64', but got 'f32'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf64>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], acc_type = f32}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c13_mixed_operands(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: memref<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C13) expected operands to be all tensors or all memrefs, but got 'tensor<2x5x3xf32>' and 'memref<2x7x3xf32>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, memref<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#l = affine_map<(b, m, n, d, e) -> (b, m)>
func.func @generic_c13_no_result(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %l: tensor<2x5xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C13) expected the number of results to be 2 (one per tensor init), but got 1}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>) lse(%l : tensor<2x5xf32>)
      {indexing_maps = [#q, #k, #v, #o, #l]} -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c13_result_type(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C13) expected result 0 to have the type of its init, 'tensor<2x5x3xf32>', but got 'tensor<2x5x3xf16>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf16>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c13_result_on_memrefs(%q: memref<2x5x4xf32>,
    %k: memref<2x7x4xf32>,
    %v: memref<2x7x3xf32>,
    %o: memref<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C13) expected the number of results to be 0 (one per tensor init), but got 1}}
  %r = attn.generic ins(%q, %k, %v : memref<2x5x4xf32>, memref<2x7x4xf32>, memref<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : memref<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      -> tensor<2x5x3xf32>
  return
}

// -----

// Inputs hold elements that the regions can compute on.
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @generic_input_complex(%q: tensor<5x4xf32>,
    %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>,
    %x: tensor<5xcomplex<f32>>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op operand #3 must be variadic of f16, bf16, f32, f64, i1, i8, i16, i32, i64, index, or a ranked tensor or memref of one, but got 'tensor<5xcomplex<f32>>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%x : tensor<5xcomplex<f32>>)
      weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      -> tensor<5x3xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @generic_input_float8(%q: tensor<5x4xf32>,
    %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>,
    %x: tensor<5xf8E4M3FN>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op operand #3 must be variadic of f16, bf16, f32, f64, i1, i8, i16, i32, i64, index, or a ranked tensor or memref of one, but got 'tensor<5xf8E4M3FN>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%x : tensor<5xf8E4M3FN>)
      weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      -> tensor<5x3xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @generic_input_i128(%q: tensor<5x4xf32>,
    %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>,
    %x: tensor<5xi128>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op operand #3 must be variadic of f16, bf16, f32, f64, i1, i8, i16, i32, i64, index, or a ranked tensor or memref of one, but got 'tensor<5xi128>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%x : tensor<5xi128>)
      weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      -> tensor<5x3xf32>
  return
}

// -----

// A buffer without a rank has no map.
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @generic_input_unranked(%q: memref<5x4xf32>,
    %k: memref<7x4xf32>,
    %v: memref<7x3xf32>,
    %x: memref<*xf32>,
    %o: memref<5x3xf32>) {
  // expected-error @below {{'attn.generic' op operand #3 must be variadic of f16, bf16, f32, f64, i1, i8, i16, i32, i64, index, or a ranked tensor or memref of one, but got 'memref<*xf32>'}}
  attn.generic ins(%q, %k, %v : memref<5x4xf32>, memref<7x4xf32>, memref<7x3xf32>)
      inputs(%x : memref<*xf32>)
      weighting(#attn.softmax) outs(%o : memref<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
  return
}
