// RUN: attn-opt %s --split-input-file --verify-diagnostics

// An attribute that an op does not know is misspelt: without this the op would
// run without its mask.

func.func @sdpa_causal(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                       %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.sdpa' op has an unknown attribute 'casual'; did you mean 'causal'?}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) {casual = #attn.causal<top_left>} -> tensor<5x3xf32>
  return
}

// -----

func.func @sdpa_nothing_near(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                             %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.sdpa' op has an unknown attribute 'dropout'; expected one of its own, or a name with the prefix of a dialect}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) {dropout = 0.5} -> tensor<5x3xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @generic(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                   %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op has an unknown attribute 'scales'; did you mean 'scale'?}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], scales = 0.5} -> tensor<5x3xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack(%q: tensor<5x4xf32>, %t: tensor<4x8xf32>) {
  // expected-error @below {{'attn.pack' op has an unknown attribute 'indexing_maps'; did you mean 'indexing_map'?}}
  %r = attn.pack ins(%q : tensor<5x4xf32>) outs(%t : tensor<4x8xf32>)
      layout(#attn.lanes_along_rows<8>) role(query)
      {indexing_map = #q, indexing_maps = [#q]} -> tensor<4x8xf32>
  return
}

// -----

// The attributes of other dialects, and the marks that passes leave, are theirs.
func.func @not_ours(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %o: tensor<5x3xf32>) {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) {llvm.note = "kept", __mark} -> tensor<5x3xf32>
  return
}
