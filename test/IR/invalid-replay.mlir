// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint of attn.replay.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @c1_number_of_maps(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C1) expected one indexing map per operand but keys, rows and full, 7 in all, but got 6}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @c1_rank(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C1) expected the map of statistic 1 to be a projected permutation of (query rows, key rows, features, channels) with one result per dimension of the operand, 1 in all, but got affine_map<(d0, d1, d2, d3) -> (d0, d3)>}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #acc, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e, b) -> (m, d)>
#k = affine_map<(m, n, d, e, b) -> (n, b)>
#v = affine_map<(m, n, d, e, b) -> (n, e)>
#row = affine_map<(m, n, d, e, b) -> (m)>
#w = affine_map<(m, n, d, e, b) -> (m, n)>
#acc = affine_map<(m, n, d, e, b) -> (m, e)>
func.func @c1_behind_the_tile(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C1) expected key to have no dimension d4, which is none of the tile's, but got 'tensor<7x4xf32>'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e, b) -> (m, d)>
#k = affine_map<(m, n, d, e, b) -> (n, d)>
#v = affine_map<(m, n, d, e, b) -> (n, e)>
#row = affine_map<(m, n, d, e, b) -> (m)>
#w = affine_map<(m, n, d, e, b) -> (b, m, n)>
#acc = affine_map<(m, n, d, e, b) -> (m, e)>
func.func @c1_behind_what_is_stored(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<2x5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C1) expected init 0 to have extent 1 along dimension d4, which is none of the tile's, but got 'tensor<2x5x7xf16>'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<2x5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<2x5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#acc = affine_map<(m, n, d, e) -> (m, e)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @c2_query(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C2) expected query to span query rows and features and key to span key rows and features}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#acc, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c2_odd_pairs(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C2) expected further pairs to have two operands each, but got 1 in all}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) pairs(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c2_pair(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C2) expected pair 0 to span query rows and key rows, and both operands features or both channels}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) pairs(%q, %v : tensor<4x8xf32>, tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #q, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c3_number_of_targets(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C3) expected one target per init, and one at least, but got 1 targets and 2 inits}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c3_contracted(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C3) expected one contracted operand per target that contracts, 1 in all, but got 0}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c3_stored(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<3x8xf32>, %a: tensor<5x3xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C3) expected init 1, stored, to span query rows and key rows}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<3x8xf32>, tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #acc, #acc], acc_type = f32,
       targets = [#attn.target<over_keys>, #attn.target<stored>]} -> tensor<3x8xf32>, tensor<5x3xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c3_over_keys(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x4xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C3) expected init 1, over_keys, to span query rows and channels, and what it contracts key rows and channels}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x4xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #k, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c3_over_rows(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C3) expected init 1, over_rows, to span key rows, and what it contracts query rows, and both features or both channels}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_rows>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c3_row(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C3) expected init 1, row, to span query rows}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<row>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c4_key_rows(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<9x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C4) expected contracted operand 0 extent of dimension d1 to be 7 (as in key), but got 9}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<9x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c4_rows(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<9x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C4) expected at most 8 query rows in a tile in #attn.lanes_along_rows<8>, but got init 0 of 9}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<9x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<9x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c5_input_channel(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C5) expected input 0 to have no value channel}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) inputs(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c6_weight(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C6) expected weight to have arguments (f32), but got ()}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]}
      weight {
        %zero = arith.constant 0.0 : f32
        attn.yield %zero : f32
      } -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c9_statistics(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C9) expected the number of statistics to be 2 (for #attn.softmax), but got 1}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max : tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c9_operands(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C9) expected the number of weighting operands to be 1 (for #attn.sigmoid), but got 0}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.sigmoid) layout(#attn.lanes_along_rows<8>)
      keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#n = affine_map<(m, n, d, e) -> (n)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c9_statistic_span(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<7xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C9) expected statistic 0 to span query rows only}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<7xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #n, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c9_statistic_type(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf64>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C9) expected statistic 1 to hold 'f32', but got 'tensor<8xf64>'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf64>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c10_query_extent(%q: tensor<4x9xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<9xf32>, %sum: tensor<9xf32>, %w: tensor<5x7xf16>, %a: tensor<3x9xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C10) expected query to have extent 8 along dimension 1, as #attn.lanes_along_rows<8> stores it, but got 'tensor<4x9xf32>'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x9xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<9xf32>, tensor<9xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x9xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x9xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c10_accumulator_type(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf16>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C10) expected init 1 to hold 'f32', as #attn.lanes_along_rows<8> stores it, but got 'tensor<3x8xf16>'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf16>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c10_key_tile(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C10) expected at most key_tile key rows, 4, but got 7}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>], key_tile = 4 : i64} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @c11_missing(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C11) expected a region element where there are further pairs or states}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<8xf32>)
      {indexing_maps = [#q, #k, #row, #row, #w, #row], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<row_state>]} -> tensor<5x7xf16>, tensor<8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c11_arguments(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C11) expected element to have arguments (f32, f32), but got (f32)}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]}
      element {
      ^bb0(%x: f32):
        attn.yield %x, %x : f32, f32
      } -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c11_yield(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C11) expected element to yield (f32, f32), but got (f32)}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]}
      element {
      ^bb0(%x: f32, %s: f32):
        attn.yield %x : f32
      } -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c12_type(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C12) expected the accumulation type to be f32 or f64, but got 'f16'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.relu) layout(#attn.lanes_along_rows<8>)
      keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #w, #acc], acc_type = f16,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @c13_result(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
    %max: tensor<8xf32>, %sum: tensor<8xf32>, %w: tensor<5x7xf16>, %a: tensor<3x8xf32>, %keys: index) {
  // expected-error @below {{'attn.replay' op (C13) expected result 1 to have the type of its init, 'tensor<3x8xf32>', but got 'tensor<3x9xf32>'}}
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      contracted(%v : tensor<7x3xf32>) weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>) keys(%keys)
      outs(%w, %a : tensor<5x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]} -> tensor<5x7xf16>, tensor<3x9xf32>
  return
}
