// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way in which a tile is not stored as its layout says.

#q = affine_map<(n, m, d, e) -> (m, d)>
#k = affine_map<(n, m, d, e) -> (n, d)>
#v = affine_map<(n, m, d, e) -> (n, e)>
#acc = affine_map<(n, m, d, e) -> (m, e)>
func.func @online_c16_dimensions(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
    %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op (C16) expected a tile in #attn.lanes_along_rows<8> to have the dimensions (query rows, key rows, features, channels)}}
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x8xf32>) {indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_c16_order(%q: memref<8x4xf32>, %k: memref<7x8xf32>, %v: memref<7x3xf32>,
    %a: memref<3x4xf32>) {
  // expected-error @below {{'attn.online' op (C16) expected query to have extent 8 along dimension 1, as #attn.lanes_along_rows<8> stores it, but got 'memref<8x4xf32>'}}
  attn.online ins(%q, %k, %v : memref<8x4xf32>, memref<7x8xf32>, memref<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x4xf32>) {indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_c16_stride(%q: memref<4x8xf32, strided<[16, 2]>>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
    %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op (C16) expected query to have unit stride along dimension 1, as #attn.lanes_along_rows<8> stores it, but got 'memref<4x8xf32, strided<[16, 2]>>'}}
  attn.online ins(%q, %k, %v : memref<4x8xf32, strided<[16, 2]>>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x8xf32>) {indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_c16_element(%q: memref<4x8xf16>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
    %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op (C16) expected query to hold 'f32', as #attn.lanes_along_rows<8> stores it, but got 'memref<4x8xf16>'}}
  attn.online ins(%q, %k, %v : memref<4x8xf16>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x8xf32>) {indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_c17_no_key_tile(%q: memref<4x8xf32>, %k: memref<?x4xf32>, %v: memref<?x3xf32>,
    %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op (C17) expected key_tile where the number of key rows is dynamic}}
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<?x4xf32>, memref<?x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x8xf32>) {indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_c17_key_tile(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
    %a: memref<3x8xf32>) {
  // expected-error @below {{'attn.online' op (C17) expected at most key_tile key rows, 5, but got 7}}
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x8xf32>) {indexing_maps = [#q, #k, #v, #acc], key_tile = 5}
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#channel = affine_map<(m, e) -> (e)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c5_half(%a: memref<3x8xf16>, %m: memref<8xf16>, %l: memref<8xf16>,
    %s: memref<5xf32>, %o: memref<5x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op (C5) expected the end of a tile in #attn.lanes_along_rows<8> to have the dimensions (query rows, channels) and an accumulator of f32 or f64}}
  attn.finish ins(%a, %m, %l : memref<3x8xf16>, memref<8xf16>, memref<8xf16>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%o : memref<5x3xf16>) {indexing_maps = [#acc, #row, #row, #out]}
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#channel = affine_map<(m, e) -> (e)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c5_short_sink(%a: memref<3x8xf32>, %m: memref<8xf32>, %l: memref<8xf32>,
    %s: memref<5xf32>, %o: memref<5x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op (C5) expected weighting operand 0 to have extent 8 along dimension 0, as #attn.lanes_along_rows<8> stores it, but got 'memref<5xf32>'}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<8xf32>, memref<8xf32>)
      weighting(#attn.softmax_sink, %s : memref<5xf32>) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%o : memref<5x3xf16>) {indexing_maps = [#acc, #row, #row, #row, #out]}
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#channel = affine_map<(m, e) -> (e)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c5_strided_statistic(%a: memref<3x8xf32>, %m: memref<8xf32, strided<[2]>>, %l: memref<8xf32>,
    %s: memref<5xf32>, %o: memref<5x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op (C5) expected statistic 0 to have unit stride along dimension 0, as #attn.lanes_along_rows<8> stores it, but got 'memref<8xf32, strided<[2]>>'}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<8xf32, strided<[2]>>, memref<8xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%o : memref<5x3xf16>) {indexing_maps = [#acc, #row, #row, #out]}
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#channel = affine_map<(m, e) -> (e)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c5_statistic_over_channels(%a: memref<3x8xf32>, %m: memref<3xf32>, %l: memref<8xf32>,
    %s: memref<5xf32>, %o: memref<5x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op (C5) expected statistic 0 to have query rows alone, but got affine_map<(d0, d1) -> (d1)>}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<3xf32>, memref<8xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%o : memref<5x3xf16>) {indexing_maps = [#acc, #channel, #row, #out]}
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#channel = affine_map<(m, e) -> (e)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c5_rows(%a: memref<3x8xf32>, %m: memref<8xf32>, %l: memref<8xf32>,
    %s: memref<5xf32>, %o: memref<9x3xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op (C5) expected at most 8 query rows in a tile in #attn.lanes_along_rows<8>, but got an output of 9}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<8xf32>, memref<8xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%o : memref<9x3xf16>) {indexing_maps = [#acc, #row, #row, #out]}
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#channel = affine_map<(m, e) -> (e)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c5_channels(%a: memref<3x8xf32>, %m: memref<8xf32>, %l: memref<8xf32>,
    %s: memref<5xf32>, %o: memref<5x4xf16>, %keys: index) {
  // expected-error @below {{'attn.finish' op (C5) expected output to have as many channels as the accumulator, 3, but got 4}}
  attn.finish ins(%a, %m, %l : memref<3x8xf32>, memref<8xf32>, memref<8xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>) keys(%keys)
      outs(%o : memref<5x4xf16>) {indexing_maps = [#acc, #row, #row, #out]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c1_map(%q: tensor<5x4xf16>, %t: tensor<4x8xf16>) {
  // expected-error @below {{'attn.pack' op (C1) expected a projected permutation of (query rows, key rows, features, channels) with one result per dimension of the source, 2 in all, but got affine_map<(d0, d1, d2, d3) -> (d0)>}}
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf16>)
      layout(#attn.lanes_along_rows<8>) role(query)
      {indexing_map = affine_map<(m, n, d, e) -> (m)>} -> tensor<4x8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c1_ranks(%q: tensor<5x4xf16>, %t: tensor<1x4x8xf16>) {
  // expected-error @below {{'attn.pack' op (C1) expected destination to have 2 dimensions, as #attn.lanes_along_rows<8> stores it, but got 'tensor<1x4x8xf16>'}}
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<1x4x8xf16>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q} -> tensor<1x4x8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c2_lanes(%q: tensor<5x4xf16>, %t: tensor<4x5xf16>) {
  // expected-error @below {{'attn.pack' op (C2) expected destination to have extent 8 along dimension 1, as #attn.lanes_along_rows<8> stores it, but got 'tensor<4x5xf16>'}}
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x5xf16>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q} -> tensor<4x5xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c2_destination_too_small(%q: tensor<5x4xf16>, %t: tensor<3x8xf16>) {
  // expected-error @below {{'attn.pack' op (C2) expected the destination to hold dimension 1 of the source, of extent 4, but got extent 3}}
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<3x8xf16>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q} -> tensor<3x8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c3_unsaid_conversion(%q: tensor<5x4xf16>, %t: tensor<4x8xf32>) {
  // expected-error @below {{'attn.pack' op (C3) expected a region element that turns 'f16' into 'f32'}}
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf32>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q} -> tensor<4x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c3_signature(%q: tensor<5x4xf16>, %t: tensor<4x8xf32>) {
  // expected-error @below {{'attn.pack' op (C3) expected element to yield (f32), but got (f16)}}
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf32>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q}
      element {
      ^bb0(%x: f16):
        attn.yield %x : f16
      } -> tensor<4x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c3_read(%q: tensor<5x4xf32>, %t: tensor<4x8xf32>, %table: tensor<f32>) {
  // expected-error @below {{'attn.pack' op (C3) expected element to hold elementwise arith and math only, but got 'tensor.extract'}}
  %r = attn.pack ins(%q : tensor<5x4xf32>) outs(%t : tensor<4x8xf32>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q}
      element {
      ^bb0(%x: f32):
        %y = tensor.extract %table[] : tensor<f32>
        attn.yield %y : f32
      } -> tensor<4x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @pack_c4_mixed_operands(%q: tensor<5x4xf16>, %t: memref<4x8xf16>) {
  // expected-error @below {{'attn.pack' op (C4) expected operands to be all tensors or all memrefs, but got 'tensor<5x4xf16>' and 'memref<4x8xf16>'}}
  attn.pack ins(%q : tensor<5x4xf16>) outs(%t : memref<4x8xf16>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @layout_without_lanes(%q: tensor<5x4xf16>, %t: tensor<4x8xf16>) {
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf16>)
      // expected-error @below {{expected 1 lane or more, but got 0}}
      layout(#attn.lanes_along_rows<0>) role(query) {indexing_map = #q} -> tensor<4x8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @layout_without_rows(%q: tensor<5x4xf16>, %t: tensor<5x4xf16>) {
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<5x4xf16>)
      // expected-error @below {{expected 1 row or more, but got -3}}
      layout(#attn.lanes_along_features<-3>) role(query) {indexing_map = #q} -> tensor<5x4xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_c16_room_for_rows(%q: memref<3x4xf32>, %k: memref<7x4xf16>, %v: memref<7x3xf16>,
    %a: memref<3x3xf32>) {
  // expected-error @below {{'attn.online' op (C16) expected query to have extent 5 along dimension 0, as #attn.lanes_along_features<5> stores it, but got 'memref<3x4xf32>'}}
  attn.online ins(%q, %k, %v : memref<3x4xf32>, memref<7x4xf16>, memref<7x3xf16>)
      weighting(#attn.identity) layout(#attn.lanes_along_features<5>)
      outs(%a : memref<3x3xf32>) {indexing_maps = [#q, #k, #v, #acc]}
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (d, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @pack_c1_keys_in_rows(%k: tensor<4x7xf16>, %t: tensor<7x4x1xf16>) {
  // expected-error @below {{'attn.pack' op (C1) expected destination to have 2 dimensions, as #attn.lanes_along_features<5> stores it, but got 'tensor<7x4x1xf16>'}}
  %r = attn.pack ins(%k : tensor<4x7xf16>) outs(%t : tensor<7x4x1xf16>)
      layout(#attn.lanes_along_features<5>) role(key) {indexing_map = #k} -> tensor<7x4x1xf16>
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
func.func @merge_c5_rows(%as: tensor<6x4x3xf32>, %a: tensor<4x3xf32>) {
  // expected-error @below {{'attn.merge' op (C5) expected accumulator to have extent 5 along dimension 0, as #attn.lanes_along_features<5> stores it, but got 'tensor<4x3xf32>'}}
  %r = attn.merge ins(%as : tensor<6x4x3xf32>) weighting(#attn.identity)
      layout(#attn.lanes_along_features<5>)
      outs(%a : tensor<4x3xf32>) {indexing_maps = [#acc]} -> tensor<4x3xf32>
  return
}

// -----

#acc = affine_map<(h, m, e) -> (h, m, e)>
func.func @merge_c5_dimensions(%as: tensor<6x2x5x3xf32>, %a: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.merge' op (C5) expected states of a tile in #attn.lanes_along_features<5> to have the dimensions (query rows, channels) and an accumulator of f32 or f64}}
  %r = attn.merge ins(%as : tensor<6x2x5x3xf32>) weighting(#attn.identity)
      layout(#attn.lanes_along_features<5>)
      outs(%a : tensor<2x5x3xf32>) {indexing_maps = [#acc]} -> tensor<2x5x3xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (m, e)>
#row = affine_map<(m, e) -> (m)>
#no = affine_map<(m, e) -> (e)>
func.func @merge_c5_statistic(%as: tensor<6x5x3xf32>, %ms: tensor<6x5xf32>, %ls: tensor<6x3xf32>,
                              %a: tensor<5x3xf32>, %m: tensor<5xf32>, %l: tensor<3xf32>) {
  // expected-error @below {{'attn.merge' op (C5) expected statistic 1 to have query rows alone, but got affine_map<(d0, d1) -> (d1)>}}
  %r:3 = attn.merge ins(%as, %ms, %ls : tensor<6x5x3xf32>, tensor<6x5xf32>, tensor<6x3xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_features<5>)
      outs(%a, %m, %l : tensor<5x3xf32>, tensor<5xf32>, tensor<3xf32>)
      {indexing_maps = [#acc, #row, #no]} -> tensor<5x3xf32>, tensor<5xf32>, tensor<3xf32>
  return
}
