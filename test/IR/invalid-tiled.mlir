// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint of the ops of the tiled form.
// What attn.online shares with attn.generic is in invalid.mlir; here it is shown
// once that the shared checks run, and that errors name the accumulator.

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @online_c4_accumulator_extent(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x9xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.online' op (C4) expected accumulator extent of dimension d0 to be 8 (as in query), but got 9}}
  %r:3 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%a : tensor<3x9xf32>)
      statistics(%m, %l : tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
      -> tensor<3x9xf32>, tensor<8xf32>, tensor<8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @online_c4_statistic_extent(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<9xf32>) {
  // expected-error @below {{'attn.online' op (C4) expected statistic 1 extent of dimension d0 to be 8 (as in query), but got 9}}
  %r:3 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%a : tensor<3x8xf32>)
      statistics(%m, %l : tensor<8xf32>, tensor<9xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
      -> tensor<3x8xf32>, tensor<8xf32>, tensor<9xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @online_c6_score_yield(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.online' op (C6) expected score to yield (f32), but got (index)}}
  %r:3 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%a : tensor<3x8xf32>)
      statistics(%m, %l : tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        attn.yield %i : index
      }
      -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @online_c14_statistic_missing(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x8xf32>, %m: tensor<8xf32>) {
  // expected-error @below {{'attn.online' op (C14) expected the number of statistics to be 2 (for #attn.softmax), but got 1}}
  %r:2 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%a : tensor<3x8xf32>)
      statistics(%m : tensor<8xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row]}
      -> tensor<3x8xf32>, tensor<8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#row = affine_map<(m, n, d, e) -> (m)>
#key = affine_map<(m, n, d, e) -> (n)>
func.func @online_c14_statistic_over_keys(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<7xf32>) {
  // expected-error @below {{'attn.online' op (C14) expected statistic 1 to span batch and query rows, no more and no less}}
  %r:3 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%a : tensor<3x8xf32>)
      statistics(%m, %l : tensor<8xf32>, tensor<7xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #key]}
      -> tensor<3x8xf32>, tensor<8xf32>, tensor<7xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#none = affine_map<(m, n, d, e) -> ()>
#row = affine_map<(m, n, d, e) -> (m)>
func.func @online_c14_statistic_without_rows(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x8xf32>, %m: tensor<f32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.online' op (C14) expected statistic 0 to span batch and query rows, no more and no less}}
  %r:3 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%a : tensor<3x8xf32>)
      statistics(%m, %l : tensor<f32>, tensor<8xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #none, #row]}
      -> tensor<3x8xf32>, tensor<f32>, tensor<8xf32>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @online_c14_half_accumulator(%q: tensor<4x8xf16>, %k: tensor<7x4xf16>,
    %v: tensor<7x3xf16>, %a: tensor<3x8xf16>) {
  // expected-error @below {{'attn.online' op (C14) expected accumulator to hold 'f32', but got 'tensor<3x8xf16>'}}
  %r = attn.online ins(%q, %k, %v : tensor<4x8xf16>, tensor<7x4xf16>, tensor<7x3xf16>)
      weighting(#attn.identity) outs(%a : tensor<3x8xf16>)
      {indexing_maps = [#q, #k, #v, #acc]}
      -> tensor<3x8xf16>
  return
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @online_c15_squared_weight(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x3xf32>, %a: tensor<3x8xf32>) {
  // expected-error @below {{'attn.online' op (C15) expected the weight region to be linear in the weight, so that steps commute: use attn.generic}}
  %r = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.identity) outs(%a : tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]}
      weight {
      ^bb0(%w: f32):
        %square = arith.mulf %w, %w : f32
        attn.yield %square : f32
      } -> tensor<3x8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
func.func @merge_c1_map_missing(%as: tensor<6x3x8xf32>, %ms: tensor<6x8xf32>, %ls: tensor<6x8xf32>,
    %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.merge' op (C1) expected one indexing map per init, 3 in all, but got 2}}
  %r:3 = attn.merge ins(%as, %ms, %ls : tensor<6x3x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>)
      weighting(#attn.softmax) outs(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#acc, #row]} -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return
}

// -----

#acc = affine_map<(m, e, x) -> (e, m)>
#row = affine_map<(m, e, x) -> (m)>
func.func @merge_c1_accumulator_map(%as: tensor<6x3x8xf32>, %ms: tensor<6x8xf32>,
    %ls: tensor<6x8xf32>, %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.merge' op (C1) expected the map of init 0 to be a permutation of the init's rank, but got affine_map<(d0, d1, d2) -> (d1, d0)>}}
  %r:3 = attn.merge ins(%as, %ms, %ls : tensor<6x3x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>)
      weighting(#attn.softmax) outs(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#acc, #row, #row]} -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
func.func @merge_c1_statistic_map(%as: tensor<6x3x8xf32>, %ms: tensor<6x8xf32>,
    %ls: tensor<6x8xf32>, %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.merge' op (C1) expected the map of init 1 to be a projected permutation of the init's rank, but got affine_map<(d0, d1) -> (d1, d0)>}}
  %r:3 = attn.merge ins(%as, %ms, %ls : tensor<6x3x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>)
      weighting(#attn.softmax) outs(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#acc, #acc, #row]} -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
func.func @merge_c2_partial_missing(%as: tensor<6x3x8xf32>, %ms: tensor<6x8xf32>,
    %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>) {
  // expected-error @below {{'attn.merge' op (C2) expected an accumulator and 2 statistics for #attn.softmax, partial and merged, but got 2 partial and 3 merged operands}}
  %r:3 = attn.merge ins(%as, %ms : tensor<6x3x8xf32>, tensor<6x8xf32>)
      weighting(#attn.softmax) outs(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#acc, #row, #row]} -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
func.func @merge_c3_partial_shape(%as: tensor<6x8x3xf32>, %a: tensor<3x8xf32>) {
  // expected-error @below {{'attn.merge' op (C3) expected the partial results of 'tensor<3x8xf32>' to add one leading dimension, but got 'tensor<6x8x3xf32>'}}
  %r = attn.merge ins(%as : tensor<6x8x3xf32>) weighting(#attn.identity)
      outs(%a : tensor<3x8xf32>) {indexing_maps = [#acc]} -> tensor<3x8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
func.func @merge_c3_partial_element(%as: tensor<6x3x8xf16>, %a: tensor<3x8xf32>) {
  // expected-error @below {{'attn.merge' op (C3) expected the partial results of 'tensor<3x8xf32>' to add one leading dimension, but got 'tensor<6x3x8xf16>'}}
  %r = attn.merge ins(%as : tensor<6x3x8xf16>) weighting(#attn.identity)
      outs(%a : tensor<3x8xf32>) {indexing_maps = [#acc]} -> tensor<3x8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
func.func @merge_c4_mixed_operands(%as: memref<6x3x8xf32>, %a: tensor<3x8xf32>) {
  // expected-error @below {{'attn.merge' op (C4) expected operands to be all tensors or all memrefs, but got 'tensor<3x8xf32>' and 'memref<6x3x8xf32>'}}
  %r = attn.merge ins(%as : memref<6x3x8xf32>) weighting(#attn.identity)
      outs(%a : tensor<3x8xf32>) {indexing_maps = [#acc]} -> tensor<3x8xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c1_map_missing(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
    %keys: index, %o: tensor<5x3xf16>) {
  // expected-error @below {{'attn.finish' op (C1) expected one indexing map per operand but keys, 4 in all, but got 3}}
  %r = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%o : tensor<5x3xf16>)
      {indexing_maps = [#acc, #row, #row]} -> tensor<5x3xf16>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
func.func @finish_c1_output_map(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
    %keys: index, %o: tensor<5xf16>) {
  // expected-error @below {{'attn.finish' op (C1) expected the map of output to be a permutation of the operand's rank, but got affine_map<(d0, d1) -> (d0)>}}
  %r = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%o : tensor<5xf16>)
      {indexing_maps = [#acc, #row, #row, #row]} -> tensor<5xf16>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c1_lse_map(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
    %keys: index, %o: tensor<5x3xf16>, %lse: tensor<5x1xf32>) {
  // expected-error @below {{'attn.finish' op (C1) expected the map of lse to be a projected permutation of the operand's rank, but got affine_map<(d0, d1) -> (d0)>}}
  %r:2 = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%o : tensor<5x3xf16>) lse(%lse : tensor<5x1xf32>)
      {indexing_maps = [#acc, #row, #row, #out, #row]} -> tensor<5x3xf16>, tensor<5x1xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c2_statistic_missing(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %keys: index,
    %o: tensor<5x3xf16>) {
  // expected-error @below {{'attn.finish' op (C2) expected the number of statistics to be 2 (for #attn.softmax), but got 1}}
  %r = attn.finish ins(%a, %m : tensor<3x8xf32>, tensor<8xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%o : tensor<5x3xf16>)
      {indexing_maps = [#acc, #row, #out]} -> tensor<5x3xf16>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c2_sink_missing(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
    %keys: index, %o: tensor<5x3xf16>) {
  // expected-error @below {{'attn.finish' op (C2) expected the number of weighting operands to be 1 (for #attn.softmax_sink), but got 0}}
  %r = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax_sink) keys(%keys) outs(%o : tensor<5x3xf16>)
      {indexing_maps = [#acc, #row, #row, #out]} -> tensor<5x3xf16>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c3_lse_undefined(%a: tensor<3x8xf32>, %keys: index, %o: tensor<5x3xf16>,
    %lse: tensor<5xf32>) {
  // expected-error @below {{'attn.finish' op (C3) #attn.relu defines no log-sum-exp: drop lse}}
  %r:2 = attn.finish ins(%a : tensor<3x8xf32>)
      weighting(#attn.relu) keys(%keys) outs(%o : tensor<5x3xf16>) lse(%lse : tensor<5xf32>)
      {indexing_maps = [#acc, #out, #row]} -> tensor<5x3xf16>, tensor<5xf32>
  return
}

// -----

#acc = affine_map<(m, e) -> (e, m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @finish_c4_result_type(%a: tensor<3x8xf32>, %keys: index, %o: tensor<5x3xf16>) {
  // expected-error @below {{'attn.finish' op (C4) expected result 0 to have the type of its init, 'tensor<5x3xf16>', but got 'tensor<5x3xf32>'}}
  %r = attn.finish ins(%a : tensor<3x8xf32>)
      weighting(#attn.relu) keys(%keys) outs(%o : tensor<5x3xf16>)
      {indexing_maps = [#acc, #out]} -> tensor<5x3xf32>
  return
}

// -----

func.func @index_outside() {
  // expected-error @below {{'attn.index' op expects parent op to be one of 'attn.generic, attn.online, attn.replay'}}
  %i = attn.index 0
  return
}
