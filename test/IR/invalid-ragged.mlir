// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint on packed requests.

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c2_sum_without_starts(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<9x2x3xf32>) {
  // expected-error @below {{'attn.generic' op (C2) expected the map of query to be a projected permutation of 6 dimensions, but got affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d2, d1, d4)>}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c4_packed_rows(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<12x2x3xf32>, %o: tensor<9x2x3xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C4) expected value extent of dimension d3 to be 11 (as in key), but got 12}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<12x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c15_no_element(%q: tensor<0x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<0x2x3xf32>, %s: tensor<0xi32>, %t: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C15) expected query_starts to have an element more than there are requests, but got 'tensor<0xi32>'}}
  attn.generic ins(%q, %k, %v : tensor<0x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<0xi32>) key_starts(%t : tensor<4xi32>)
      outs(%o : tensor<0x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<0x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c15_starts_differ(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<9x2x3xf32>, %s: tensor<4xi32>, %t: tensor<6xi32>) {
  // expected-error @below {{'attn.generic' op (C15) expected key_starts to have 4 elements (as query_starts has), but got 6}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%t : tensor<6xi32>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r, n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r, n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c15_requests(%q: tensor<9x2x4xf32>, %k: tensor<5x11x2x4xf32>,
    %v: tensor<5x11x2x3xf32>, %o: tensor<9x2x3xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C15) expected query_starts to have 6 elements (for 5 requests), but got 4}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<5x11x2x4xf32>, tensor<5x11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c16_keys_not_packed(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<9x2x3xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C16) expected the map of key to have a sum of the request and the last key row dimension, as there are key_starts, but got affine_map<(d0, d1, d2, d3, d4, d5) -> (d3, d1, d4)>}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c16_sum_without_its_starts(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<9x2x3xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C16) expected sums in the map of key to be one of the request, a dimension before the rows, and the last query row dimension beside query_starts, or key row dimension beside key_starts, but got affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d3, d1, d4)>}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, r, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
func.func @generic_c16_request_twice(%q: tensor<9x2x3x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<9x2x3xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C16) expected the map of query to have the request in sums alone, as it is packed, but got affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d2, d1, d0, d4)>}}
  attn.generic ins(%q, %k, %v : tensor<9x2x3x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x2x3xf32>
  return
}

// -----

#q = affine_map<(r, h, m, n, d, e) -> (r + m, h, d)>
#k = affine_map<(r, h, m, n, d, e) -> (r + n, h, d)>
#v = affine_map<(r, h, m, n, d, e) -> (r + n, h, e)>
#o = affine_map<(r, h, m, n, d, e) -> (r + m, h, e)>
#w = affine_map<(r, h, m, n, d, e) -> (r + m, h, r + n)>
func.func @generic_c17_weights(%q: tensor<9x2x4xf32>, %k: tensor<11x2x4xf32>,
    %v: tensor<11x2x3xf32>, %o: tensor<9x2x3xf32>, %w: tensor<9x2x11xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.generic' op (C17) expected weights to go by the position within the request along d3, as rows of several requests have keys of their own, but got affine_map<(d0, d1, d2, d3, d4, d5) -> (d0 + d2, d1, d0 + d3)>}}
  attn.generic ins(%q, %k, %v : tensor<9x2x4xf32>, tensor<11x2x4xf32>, tensor<11x2x3xf32>)
      weighting(#attn.softmax) query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x2x3xf32>) weights(%w : tensor<9x2x11xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<9x2x3xf32>, tensor<9x2x11xf32>
  return
}

// -----

func.func @sdpa_c4_packed_rows(%q: tensor<9x4x8xf32>, %k: tensor<11x2x8xf32>,
    %v: tensor<12x2x8xf32>, %o: tensor<9x4x8xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.sdpa' op (C4) expected value number of rows to be 11 (as in key), but got 12}}
  attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<11x2x8xf32>, tensor<12x2x8xf32>)
      query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return
}

// -----

func.func @sdpa_c14_rank_of_packed(%q: tensor<1x9x4x8xf32>, %k: tensor<11x2x8xf32>,
    %v: tensor<11x2x8xf32>, %o: tensor<9x4x8xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.sdpa' op (C14) expected query rank to be 3 (rows x heads x features), as there are query_starts, but got 4}}
  attn.sdpa ins(%q, %k, %v : tensor<1x9x4x8xf32>, tensor<11x2x8xf32>, tensor<11x2x8xf32>)
      query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return
}

// -----

func.func @sdpa_c14_rank_of_others(%q: tensor<9x4x8xf32>, %k: tensor<11x2x8xf32>,
    %v: tensor<11x2x8xf32>, %o: tensor<9x4x8xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.sdpa' op (C14) expected key rank to be 4 (requests x heads x rows x features), as requests are packed in other operands, but got 3}}
  attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<11x2x8xf32>, tensor<11x2x8xf32>)
      query_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return
}

// -----

func.func @sdpa_c14_requests(%q: tensor<9x4x8xf32>, %k: tensor<5x2x11x8xf32>,
    %v: tensor<5x2x11x8xf32>, %o: tensor<9x4x8xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.sdpa' op (C14) expected query_starts to have 6 elements (for 5 requests), but got 4}}
  attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<5x2x11x8xf32>, tensor<5x2x11x8xf32>)
      query_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return
}

// -----

func.func @sdpa_c14_weights(%q: tensor<9x4x8xf32>, %k: tensor<11x2x8xf32>,
    %v: tensor<11x2x8xf32>, %o: tensor<9x4x8xf32>, %w: tensor<3x4x5x11xf32>, %s: tensor<4xi32>) {
  // expected-error @below {{'attn.sdpa' op (C14) expected weights rank to be 3 (rows x heads x keys), as there are query_starts, but got 4}}
  attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<11x2x8xf32>, tensor<11x2x8xf32>)
      query_starts(%s : tensor<4xi32>) key_starts(%s : tensor<4xi32>)
      outs(%o : tensor<9x4x8xf32>) weights(%w : tensor<3x4x5x11xf32>)
      -> tensor<9x4x8xf32>, tensor<3x4x5x11xf32>
  return
}

// -----

func.func @sdpa_starts_type(%q: tensor<9x4x8xf32>, %k: tensor<11x2x8xf32>,
    %v: tensor<11x2x8xf32>, %o: tensor<9x4x8xf32>, %s: tensor<4x1xi32>) {
  // expected-error @below {{'attn.sdpa' op operand #3 must be tensor or memref of i32, i64 or index, with one dimension, but got 'tensor<4x1xi32>'}}
  attn.sdpa ins(%q, %k, %v : tensor<9x4x8xf32>, tensor<11x2x8xf32>, tensor<11x2x8xf32>)
      query_starts(%s : tensor<4x1xi32>)
      outs(%o : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return
}
