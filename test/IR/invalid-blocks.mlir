// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint on lists of key blocks.
// -----

func.func @sdpa_c16_indptr_rank(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>,
    %indptr: tensor<2x6x2x6xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C16) expected indptr rank to be from 1 to 3, but got 4}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<2x6x2x6xi32>, tensor<?xi32>) {rows = 1, keys = 2, kind = logical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c16_indices_lead(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>,
    %indptr: tensor<6xi32>, %indices: tensor<3x9xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C16) expected indices extent 0 to be 6 (as in query) or 1 (broadcast), but got 3}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<6xi32>, tensor<3x9xi32>) {rows = 1, keys = 2, kind = logical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c16_indptr_lists(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>,
    %indptr: tensor<6xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C16) expected indptr extent 0 to be 4 (one more than there are lists, one for each 2 query rows), but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<6xi32>, tensor<?xi32>) {rows = 2, keys = 2, kind = logical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c16_indptr_requests(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x7x4xf32>, %v: tensor<9x3x7x8xf32>,
    %indptr: tensor<6xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C16) expected indptr extent 0 to be 3 (one more than there are lists, one for each 1 of the batch), but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x7x4xf32>, tensor<9x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<6xi32>, tensor<?xi32>) {rows = 1, keys = 7, kind = physical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c16_maps(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>,
    %indptr: tensor<6xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C16) expected blocks without maps, which follow from shapes}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<6xi32>, tensor<?xi32>) {keys = 2, maps = [affine_map<(m) -> (m)>, affine_map<(m) -> ()>]}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c17_key_rank(%q: tensor<2x6x5x4xf32>, %k: tensor<9x7x4xf32>, %v: tensor<9x3x7x8xf32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C17) expected key rank to be 4 (pages x heads x rows x features, as blocks are physical), but got 3}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x7x4xf32>, tensor<9x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 7, kind = physical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c17_pages(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x7x4xf32>, %v: tensor<8x3x7x8xf32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C17) expected value number of pages to be 9 (as in key), but got 8}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x7x4xf32>, tensor<8x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 7, kind = physical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c17_page_rows(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x7x4xf32>, %v: tensor<9x3x7x8xf32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C17) expected key to have 16 rows in a page (keys of blocks), in a static extent, but got 7}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x7x4xf32>, tensor<9x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 16, kind = physical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c17_page_rows_dynamic(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x?x4xf32>, %v: tensor<9x3x7x8xf32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C17) expected key to have 7 rows in a page (keys of blocks), in a static extent, but got a dynamic one}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x?x4xf32>, tensor<9x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 7, kind = physical}
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c5_bias_of_pages(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x7x4xf32>, %v: tensor<9x3x7x8xf32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>, %bias: tensor<9x1x5x20xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C5) expected bias extent of batch dimension 0 to be 2 or 1 (broadcast), but got 9}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x7x4xf32>, tensor<9x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 7, kind = physical} bias(%bias : tensor<9x1x5x20xf32>)
      outs(%o : tensor<2x6x5x8xf32>) -> tensor<2x6x5x8xf32>
  return
}
// -----

func.func @sdpa_c13_weights_of_pages(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x7x4xf32>, %v: tensor<9x3x7x8xf32>,
    %indptr: tensor<3xi32>, %indices: tensor<?xi32>, %w: tensor<2x3x5x20xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C13) expected weights extent of dimension 1 to be 6 (as in output), but got 3}}
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x7x4xf32>, tensor<9x3x7x8xf32>)
      blocks(%indptr, %indices : tensor<3xi32>, tensor<?xi32>) {rows = 1, keys = 7, kind = physical}
      outs(%o : tensor<2x6x5x8xf32>) weights(%w : tensor<2x3x5x20xf32>) -> tensor<2x6x5x8xf32>, tensor<2x3x5x20xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c18_no_maps(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<2x4xi32>, %indices: tensor<2x?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C18) expected blocks to have maps = [indptr, indices], but got none}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x4xi32>, tensor<2x?xi32>) {rows = 2, keys = 2}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c18_map_of_keys(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<2x4xi32>, %indices: tensor<2x?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C18) expected the map of indices to be a projected permutation of 5 dimensions, to batch and query row dimensions only, but got affine_map<(d0, d1, d2, d3, d4) -> (d2)>}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x4xi32>, tensor<2x?xi32>) {rows = 2, keys = 2, maps = [#bm, #n]}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c18_indptr_rank(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<4xi32>, %indices: tensor<2x?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C18) expected indptr rank to be 2 (by its map), but got 1}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<4xi32>, tensor<2x?xi32>) {rows = 2, keys = 2, maps = [#bm, #b]}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c18_indices_rank(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<2x4xi32>, %indices: tensor<?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C18) expected indices rank to be 2 (by its map), but got 1}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x4xi32>, tensor<?xi32>) {rows = 2, keys = 2, maps = [#bm, #b]}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c19_lists(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<2x5xi32>, %indices: tensor<2x?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C19) expected indptr extent 1 to be 4, but got 5}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x5xi32>, tensor<2x?xi32>) {rows = 2, keys = 2, maps = [#bm, #b]}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c19_batch(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<2x4xi32>, %indices: tensor<3x?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C19) expected indices extent 0 to be 2, but got 3}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x4xi32>, tensor<3x?xi32>) {rows = 2, keys = 2, maps = [#bm, #b]}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c20_logical_dims(%q: tensor<5x4xf32>, %k: tensor<9x8x4xf32>, %v: tensor<9x8x3xf32>,
    %indptr: tensor<2xi32>, %indices: tensor<?xi32>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C20) expected one key row dimension, as blocks are logical, but got 2}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<9x8x4xf32>, tensor<9x8x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<?xi32>) {keys = 8, maps = [#p0, #p0]}
      outs(%o : tensor<5x3xf32>) {indexing_maps = [#pq, #pk, #pv, #po]} -> tensor<5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c20_physical_dims(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
    %indptr: tensor<2x4xi32>, %indices: tensor<2x?xi32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C20) expected two key row dimensions, page and row in page, as blocks are physical, but got 1}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2x4xi32>, tensor<2x?xi32>) {rows = 2, keys = 2, kind = physical, maps = [#bm, #b]}
      outs(%o : tensor<2x5x3xf32>) {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c20_page(%q: tensor<5x4xf32>, %k: tensor<9x8x4xf32>, %v: tensor<9x8x3xf32>,
    %indptr: tensor<2xi32>, %indices: tensor<?xi32>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C20) expected a page to have 16 key rows (keys of blocks), in a static extent, but got 8}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<9x8x4xf32>, tensor<9x8x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<?xi32>) {keys = 16, kind = physical, maps = [#p0, #p0]}
      outs(%o : tensor<5x3xf32>) {indexing_maps = [#pq, #pk, #pv, #po]} -> tensor<5x3xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c11_weights_by_page(%q: tensor<5x4xf32>, %k: tensor<9x8x4xf32>, %v: tensor<9x8x3xf32>,
    %indptr: tensor<2xi32>, %indices: tensor<?xi32>, %w: tensor<5x9x8xf32>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C11) expected weights to go by the position in the list, d2, and not by page, d1}}
  %r:2 = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<9x8x4xf32>, tensor<9x8x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<?xi32>) {keys = 8, kind = physical, maps = [#p0, #p0]}
      outs(%o : tensor<5x3xf32>) weights(%w : tensor<5x9x8xf32>) {indexing_maps = [#pq, #pk, #pv, #po, #pw]} -> tensor<5x3xf32>, tensor<5x9x8xf32>
  return
}
// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#n = affine_map<(b, m, n, d, e) -> (n)>
#pq = affine_map<(m, p, n, d, e) -> (m, d)>
#pk = affine_map<(m, p, n, d, e) -> (p, n, d)>
#pv = affine_map<(m, p, n, d, e) -> (p, n, e)>
#po = affine_map<(m, p, n, d, e) -> (m, e)>
#pw = affine_map<(m, p, n, d, e) -> (m, p, n)>
#pm = affine_map<(m, p, n, d, e) -> (m)>
#p0 = affine_map<(m, p, n, d, e) -> ()>
func.func @generic_c20_index(%q: tensor<5x4xf32>, %k: tensor<9x8x4xf32>, %v: tensor<9x8x3xf32>,
    %indptr: tensor<2xi32>, %indices: tensor<?xi32>,
    %o: tensor<5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C20) expected attn.index to name d2, the position in the list, as blocks are physical, but got 1}}
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<9x8x4xf32>, tensor<9x8x3xf32>)
      weighting(#attn.softmax)
      blocks(%indptr, %indices : tensor<2xi32>, tensor<?xi32>) {keys = 8, kind = physical, maps = [#p0, #p0]}
      outs(%o : tensor<5x3xf32>) {indexing_maps = [#pq, #pk, #pv, #po]}
      mask {
        // expected-note @below {{used here}}
        %p = attn.index 1
        %c2 = arith.constant 2 : index
        %seen = arith.cmpi ult, %p, %c2 : index
        attn.yield %seen : i1
      } -> tensor<5x3xf32>
  return
}
// -----

func.func @syntax_no_keys(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected keys, the number of key rows in a block, as in {rows = 64, keys = 64, kind = logical}}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {rows = 4}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_kind(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected kind to be logical or physical, but got 'paged'}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {keys = 4, kind = paged}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_twice(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected rows, keys, kind or maps, each at most once, but got 'keys'}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {keys = 4, keys = 5}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_name(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected rows, keys, kind or maps, each at most once, but got 'size'}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {size = 4}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_rows(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected rows to be 1 or more, but got 0}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {rows = 0, keys = 4}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_keys(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected keys to be 1 or more, but got -4}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {keys = -4}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_maps(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected affine maps, but got [4]}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {keys = 4, maps = [4]}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
// -----

func.func @syntax_one_map(%q: tensor<5x4xf32>, %i: tensor<6xi32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      // expected-error @below {{expected two maps, of indptr and of indices, but got 1}}
      blocks(%i, %i : tensor<6xi32>, tensor<6xi32>) {keys = 4, maps = [affine_map<(m) -> (m)>]}
      outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
