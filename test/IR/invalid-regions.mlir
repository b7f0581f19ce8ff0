// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint of attn.generic on its regions.

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

// Floats that there is no arithmetic for.
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_float_type(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C7) expected score to compute on f16, bf16, f32, f64, index and integers of up to 64 bits, but 'arith.truncf' has 'f8E4M3FN'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %t = arith.truncf %s : f32 to f8E4M3FN
        attn.yield %s : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

// Integers wider than what is read and written.
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_integer_type(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C7) expected score to compute on f16, bf16, f32, f64, index and integers of up to 64 bits, but 'arith.fptosi' has 'i128'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %t = arith.fptosi %s : f32 to i128
        attn.yield %s : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

// Nor do captured tensors hold others.
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_captured_type(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>,
    %x: tensor<4xcomplex<f32>>, %zero: index) {
  // expected-error @below {{'attn.generic' op (C7) expected score to compute on f16, bf16, f32, f64, index and integers of up to 64 bits, but 'tensor.extract' has 'complex<f32>'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %t = tensor.extract %x[%zero] : tensor<4xcomplex<f32>>
        attn.yield %s : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

// Scales are of a type of their own.
#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_scaling(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{'attn.generic' op (C7) expected score to hold elementwise arith and math, affine apply, min and max, reads and attn.index only, but got 'arith.scaling_extf'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %t = arith.scaling_extf %s, %s : f32, f32 to f64
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
func.func @generic_c7_dim_at_position(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>, %t: tensor<?x?xf32>) {
  // expected-error @below {{(C7) expected mask to hold elementwise arith and math, affine apply, min and max, reads and attn.index only, but got 'tensor.dim'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        // expected-note @below {{not allowed in a region of this op}}
        %extent = tensor.dim %t, %i : tensor<?x?xf32>
        %visible = arith.cmpi slt, %i, %extent : index
        attn.yield %visible : i1
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_rounding_mode(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{(C7) expected score to round to nearest, but 'arith.truncf' has a rounding mode}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %half = arith.truncf %s downward : f32 to f16
        %score = arith.extf %half : f16 to f32
        attn.yield %score : f32
      }
      -> tensor<2x5x3xf32>
  return
}

// -----

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
func.func @generic_c7_vector_constant(%q: tensor<2x5x4xf32>,
    %k: tensor<2x7x4xf32>,
    %v: tensor<2x7x3xf32>,
    %o: tensor<2x5x3xf32>) {
  // expected-error @below {{only, but got 'arith.constant'}}
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        // expected-note @below {{not allowed in a region of this op}}
        %none = arith.constant dense<0.0> : vector<2xf32>
        attn.yield %s : f32
      }
      -> tensor<2x5x3xf32>
  return
}
