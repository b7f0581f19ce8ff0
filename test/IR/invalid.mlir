// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint of attn.generic.

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
#x = affine_map<(b, m, n, d, e) -> (d)>
func.func @generic_c5_features_in_score(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %x: tensor<4xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C5) expected input 0, which spans feature dimension d3, to be read in similarity only, but score reads it}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%x : tensor<4xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #x, #o]}
      score {
      ^bb0(%s: f32, %in0: f32):
        %t = arith.addf %s, %in0 : f32
        attn.yield %t : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

// Float elements reach the regions in the accumulation type, others in their own.
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#x = affine_map<(b, m, n, d, e) -> (b)>
#y = affine_map<(b, m, n, d, e) -> ()>
func.func @generic_c6_mask_arguments(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %x: tensor<2xf16>,
    %y: i32,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C6) expected mask to have arguments (f32, i32), but got (f16, i32)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%x, %y : tensor<2xf16>, i32)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #x, #y, #o]}
      mask {
      ^bb0(%in0: f16, %in1: i32):
        %true = arith.constant true
        attn.yield %true : i1
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c6_similarity_arguments(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C6) expected similarity to have arguments (f32, f32), but got (f32)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      similarity {
      ^bb0(%x: f32):
        attn.yield %x : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c6_yield_type(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C6) expected mask to yield (i1), but got (index)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        attn.yield %i : index
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c6_yield_count(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C6) expected weight to yield (f32), but got (f32, f32)}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%w: f32):
        attn.yield %w, %w : f32, f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c6_no_yield(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C6) expected score to end with attn.yield}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        llvm.unreachable
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_not_elementwise(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C7) expected score to hold elementwise arith and math, affine apply, min and max, reads and attn.index only, but got 'tensor.empty'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %t = tensor.empty() : tensor<4xf32>
        attn.yield %s : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_write(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>,
    %buffer: memref<f32>) {
  // expected-error @below {{'attn.generic' op (C7) expected weight to hold elementwise arith and math, affine apply, min and max, reads and attn.index only, but got 'memref.store'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      weight {
      ^bb0(%w: f32):
        // expected-note @below {{not allowed in a region of this op}}
        memref.store %w, %buffer[] : memref<f32>
        attn.yield %w : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

// Arithmetic, but not on elements.
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_vector(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>,
    %x: vector<4xf32>) {
  // expected-error @below {{'attn.generic' op (C7) expected score to hold elementwise arith and math, affine apply, min and max, reads and attn.index only, but got 'arith.addf'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %t = arith.addf %x, %x : vector<4xf32>
        attn.yield %s : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c8_feature_index(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C8) expected attn.index to name a batch, query row or key row dimension, but got 3}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        // expected-note @below {{used here}}
        %i = attn.index 3
        %true = arith.constant true
        attn.yield %true : i1
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c8_no_such_dimension(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C8) expected attn.index to name a batch, query row or key row dimension, but got 5}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        // expected-note @below {{used here}}
        %i = attn.index 5
        %true = arith.constant true
        attn.yield %true : i1
      }
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
func.func @generic_c13_no_result(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C13) expected the number of results to be 1 (one per tensor init), but got 0}}
  attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
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
