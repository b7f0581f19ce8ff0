// RUN: attn-opt %s --split-input-file --verify-diagnostics

// (C14) of attn.generic: the regions that attn-bound writes.

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_no_mask(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected ranges beside a mask}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      ranges {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        attn.yield %c, %c : index, index
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_ranges_arguments(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected ranges to have arguments (index, index, index), but got (index, index)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } ranges {
      ^bb0(%m_lo: index, %m_hi: index):
        attn.yield %c, %c : index, index
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_classify_arguments(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected classify to have arguments (index, index, index, index, index), but got (index, index, index)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } classify {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        attn.yield %t, %t : i1, i1
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_ranges_odd(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected ranges to yield pairs of index, but got (index)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } ranges {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        attn.yield %c : index
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_ranges_none(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected ranges to yield pairs of index, but got ()}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } ranges {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        attn.yield
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_ranges_type(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected ranges to yield pairs of index, but got (index, i1)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } ranges {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        attn.yield %c, %t : index, i1
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_classify_result(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected classify to yield (i1, i1), but got (i1)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } classify {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index, %n_lo: index, %n_hi: index):
        attn.yield %t : i1
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_index(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected classify to take positions as arguments, but it holds attn.index}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } classify {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index, %n_lo: index, %n_hi: index):
        // expected-note @below {{used here}}
        %i = attn.index 1
        attn.yield %t, %t : i1, i1
      } -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c14_op(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>, %c: index, %t: i1) {
  // expected-error @below {{'attn.generic' op (C14) expected ranges to hold elementwise arith and math, affine apply, min and max, reads and attn.index only, but got 'tensor.empty'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        attn.yield %t : i1
      } ranges {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        // expected-note @below {{not allowed in a region of this op}}
        %e = tensor.empty() : tensor<4xf32>
        attn.yield %c, %c : index, index
      } -> tensor<2x5x3xf32>
  return
}
