// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint on packed requests over lists of
// key blocks.

func.func @sdpa_c16_logical_beside_starts(%q: tensor<9x4x8xf32>, %k: tensor<2x4x7x8xf32>, %starts: tensor<3xi32>,
    %indptr: tensor<2xi32>, %indices: tensor<?xi32>) -> tensor<9x4x8xf32> {
  // expected-error @below {{'attn.sdpa' op (C16) expected physical blocks beside starts, as the pages of each request, but got logical ones}}
  %r = attn.sdpa ins(%q, %k, %k : tensor<9x4x8xf32>, tensor<2x4x7x8xf32>, tensor<2x4x7x8xf32>)
      query_starts(%starts : tensor<3xi32>)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<?xi32>) {rows = 9, keys = 7}
      outs(%q : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return %r : tensor<9x4x8xf32>
}

// -----

// Keys as pages have them: it is the lists that do not go with starts.
func.func @sdpa_c16_logical_of_pages(%q: tensor<9x4x8xf32>, %k: tensor<11x4x7x8xf32>, %starts: tensor<4xi32>,
    %indptr: tensor<4xi32>, %indices: tensor<?xi32>) -> tensor<9x4x8xf32> {
  // expected-error @below {{'attn.sdpa' op (C16) expected physical blocks beside starts, as the pages of each request, but got logical ones}}
  %r = attn.sdpa ins(%q, %k, %k : tensor<9x4x8xf32>, tensor<11x4x7x8xf32>, tensor<11x4x7x8xf32>)
      query_starts(%starts : tensor<4xi32>) key_starts(%starts : tensor<4xi32>)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<?xi32>) {keys = 7, kind = logical}
      outs(%q : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return %r : tensor<9x4x8xf32>
}

// -----

#q = affine_map<(r, m, p, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r + m, e)>
#r = affine_map<(r, m, p, n, d, e) -> (r)>
#one = affine_map<(r, m, p, n, d, e) -> ()>
func.func @generic_c20_logical_of_pages(%q: tensor<9x8xf32>, %k: tensor<11x7x8xf32>, %starts: tensor<3xi32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>) -> tensor<9x8xf32> {
  // expected-error @below {{'attn.generic' op (C20) expected physical blocks beside starts, as the pages of each request, but got logical ones}}
  %r = attn.generic ins(%q, %k, %k : tensor<9x8xf32>, tensor<11x7x8xf32>, tensor<11x7x8xf32>)
      weighting(#attn.softmax) query_starts(%starts : tensor<3xi32>) key_starts(%starts : tensor<3xi32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {keys = 7, maps = [#r, #one]}
      outs(%q : tensor<9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x8xf32>
  return %r : tensor<9x8xf32>
}

// -----

func.func @sdpa_c16_lists_of_requests(%q: tensor<9x4x8xf32>, %k: tensor<9x4x7x8xf32>, %starts: tensor<4xi32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>) -> tensor<9x4x8xf32> {
  // expected-error @below {{'attn.sdpa' op (C16) expected indptr extent 0 to be 4 (one more than there are lists, one for each 1 request), but got 3}}
  %r = attn.sdpa ins(%q, %k, %k : tensor<9x4x8xf32>, tensor<9x4x7x8xf32>, tensor<9x4x7x8xf32>)
      query_starts(%starts : tensor<4xi32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {keys = 7, kind = physical}
      outs(%q : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return %r : tensor<9x4x8xf32>
}

// -----

func.func @sdpa_c17_packed_pages(%q: tensor<9x4x8xf32>, %k: tensor<11x4x8xf32>, %starts: tensor<4xi32>,
    %indptr: tensor<4xi32>, %indices: tensor<?xi32>) -> tensor<9x4x8xf32> {
  // expected-error @below {{'attn.sdpa' op (C17) expected key rank to be 4 (pages x heads x rows x features, as blocks are physical), but got 3}}
  %r = attn.sdpa ins(%q, %k, %k : tensor<9x4x8xf32>, tensor<11x4x8xf32>, tensor<11x4x8xf32>)
      query_starts(%starts : tensor<4xi32>) key_starts(%starts : tensor<4xi32>)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<?xi32>) {keys = 7, kind = physical}
      outs(%q : tensor<9x4x8xf32>) -> tensor<9x4x8xf32>
  return %r : tensor<9x4x8xf32>
}

// -----

#q = affine_map<(r, m, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, n, d, e) -> (r, n, d)>
#v = affine_map<(r, m, n, d, e) -> (r, n, e)>
#o = affine_map<(r, m, n, d, e) -> (r + m, e)>
#r = affine_map<(r, m, n, d, e) -> (r)>
#one = affine_map<(r, m, n, d, e) -> ()>
func.func @generic_c20_logical_beside_starts(%q: tensor<9x8xf32>, %k: tensor<2x7x8xf32>, %starts: tensor<3xi32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>) -> tensor<9x8xf32> {
  // expected-error @below {{'attn.generic' op (C20) expected physical blocks beside starts, as the pages of each request, but got logical ones}}
  %r = attn.generic ins(%q, %k, %k : tensor<9x8xf32>, tensor<2x7x8xf32>, tensor<2x7x8xf32>)
      weighting(#attn.softmax) query_starts(%starts : tensor<3xi32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {keys = 7, maps = [#r, #one]}
      outs(%q : tensor<9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x8xf32>
  return %r : tensor<9x8xf32>
}

// -----

#q = affine_map<(r, m, p, n, d, e) -> (r, m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r, m, e)>
#one = affine_map<(r, m, p, n, d, e) -> ()>
func.func @generic_c20_no_request(%q: tensor<2x9x8xf32>, %k: tensor<5x7x8xf32>, %starts: tensor<3xi32>,
    %indptr: tensor<2xi32>, %indices: tensor<?xi32>) -> tensor<2x9x8xf32> {
  // expected-error @below {{'attn.generic' op (C20) expected the map of indptr to end with the request, as there are key_starts and no query_starts, but got affine_map<(d0, d1, d2, d3, d4, d5) -> ()>}}
  %r = attn.generic ins(%q, %k, %k : tensor<2x9x8xf32>, tensor<5x7x8xf32>, tensor<5x7x8xf32>)
      weighting(#attn.softmax) key_starts(%starts : tensor<3xi32>)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<?xi32>) {keys = 7, kind = physical, maps = [#one, #one]}
      outs(%q : tensor<2x9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x9x8xf32>
  return %r : tensor<2x9x8xf32>
}

// -----

#q = affine_map<(r, m, p, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r + m, e)>
#r = affine_map<(r, m, p, n, d, e) -> (r, m)>
#one = affine_map<(r, m, p, n, d, e) -> ()>
func.func @generic_c20_lists_of_rows(%q: tensor<9x8xf32>, %k: tensor<5x7x8xf32>, %starts: tensor<3xi32>,
    %indptr: tensor<2x10xi32>, %indices: tensor<?xi32>) -> tensor<9x8xf32> {
  // expected-error @below {{'attn.generic' op (C20) expected lists that do not depend on d1, the packed query row, but got maps (affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1)>, affine_map<(d0, d1, d2, d3, d4, d5) -> ()>)}}
  %r = attn.generic ins(%q, %k, %k : tensor<9x8xf32>, tensor<5x7x8xf32>, tensor<5x7x8xf32>)
      weighting(#attn.softmax) query_starts(%starts : tensor<3xi32>)
      blocks(%indptr, %indices : tensor<2x10xi32>, tensor<?xi32>) {keys = 7, kind = physical, maps = [#r, #one]}
      outs(%q : tensor<9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x8xf32>
  return %r : tensor<9x8xf32>
}

// -----

#q = affine_map<(r, m, p, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r + m, e)>
#r = affine_map<(r, m, p, n, d, e) -> (r)>
#one = affine_map<(r, m, p, n, d, e) -> ()>
func.func @generic_c19_lists_of_requests(%q: tensor<9x8xf32>, %k: tensor<5x7x8xf32>, %starts: tensor<4xi32>,
    %indptr: tensor<6xi32>, %indices: tensor<?xi32>) -> tensor<9x8xf32> {
  // expected-error @below {{'attn.generic' op (C19) expected indptr extent 0 to be 4, but got 6}}
  %r = attn.generic ins(%q, %k, %k : tensor<9x8xf32>, tensor<5x7x8xf32>, tensor<5x7x8xf32>)
      weighting(#attn.softmax) query_starts(%starts : tensor<4xi32>)
      blocks(%indptr, %indices : tensor<6xi32>, tensor<?xi32>) {keys = 7, kind = physical, maps = [#r, #one]}
      outs(%q : tensor<9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x8xf32>
  return %r : tensor<9x8xf32>
}

// -----

#q = affine_map<(r, m, p, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r + m, e)>
#r = affine_map<(r, m, p, n, d, e) -> (r)>
#one = affine_map<(r, m, p, n, d, e) -> ()>
func.func @generic_c15_table_of_requests(%q: tensor<9x8xf32>, %k: tensor<5x7x8xf32>, %starts: tensor<4xi32>,
    %indptr: tensor<2xi32>, %table: tensor<5x6xi32>) -> tensor<9x8xf32> {
  // expected-error @below {{'attn.generic' op (C15) expected query_starts to have 6 elements (for 5 requests), but got 4}}
  %r = attn.generic ins(%q, %k, %k : tensor<9x8xf32>, tensor<5x7x8xf32>, tensor<5x7x8xf32>)
      weighting(#attn.softmax) query_starts(%starts : tensor<4xi32>)
      blocks(%indptr, %table : tensor<2xi32>, tensor<5x6xi32>) {keys = 7, kind = physical, maps = [#one, #r]}
      outs(%q : tensor<9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x8xf32>
  return %r : tensor<9x8xf32>
}

// -----

#q = affine_map<(r, m, p, n, d, e) -> (r + m, d)>
#k = affine_map<(r, m, p, n, d, e) -> (p, r + n, d)>
#v = affine_map<(r, m, p, n, d, e) -> (p, r + n, e)>
#o = affine_map<(r, m, p, n, d, e) -> (r + m, e)>
#r = affine_map<(r, m, p, n, d, e) -> (r)>
#one = affine_map<(r, m, p, n, d, e) -> ()>
func.func @generic_c16_packed_pages(%q: tensor<9x8xf32>, %k: tensor<5x7x8xf32>, %starts: tensor<4xi32>,
    %indptr: tensor<4xi32>, %indices: tensor<?xi32>) -> tensor<9x8xf32> {
  // expected-error @below {{'attn.generic' op (C16) expected sums in the map of key to be one of the request, a dimension before the rows, and the last query row dimension beside query_starts, or key row dimension beside key_starts, but got affine_map<(d0, d1, d2, d3, d4, d5) -> (d2, d0 + d3, d4)>}}
  %r = attn.generic ins(%q, %k, %k : tensor<9x8xf32>, tensor<5x7x8xf32>, tensor<5x7x8xf32>)
      weighting(#attn.softmax) query_starts(%starts : tensor<4xi32>) key_starts(%starts : tensor<4xi32>)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<?xi32>) {keys = 7, kind = physical, maps = [#r, #one]}
      outs(%q : tensor<9x8xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<9x8xf32>
  return %r : tensor<9x8xf32>
}
