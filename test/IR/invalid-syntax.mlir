// RUN: attn-opt %s --split-input-file --verify-diagnostics

func.func @region_twice(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                        %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>)
      score {
      ^bb0(%s: f32, %i: index, %j: index):
        attn.yield %s : f32
      }
      // expected-error @below {{'attn.sdpa' expected one region 'score', but got another}}
      score {
      ^bb0(%s: f32, %i: index, %j: index):
        attn.yield %s : f32
      } -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

func.func @operand_twice(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                         %bias: tensor<5x7xf32>, %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.sdpa' `bias` clause can appear at most once}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      bias(%bias : tensor<5x7xf32>) bias(%bias : tensor<5x7xf32>)
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

func.func @region_misspelt(%q: tensor<5x4xf32>, %bias: tensor<5x5xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
      // expected-error @below {{expected a region 'mask' or 'score', but got 'masks'}}
      masks { attn.yield } -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// -----

func.func @operand_after_inits(%q: tensor<5x4xf32>, %bias: tensor<5x5xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
      // expected-error @below {{expected 'bias(...)' further up: operands stand before 'outs', further inits right after it, attributes and regions last}}
      bias(%bias : tensor<5x5xf32>) -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// -----

func.func @result_type_missing(%q: tensor<5x4xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
  // expected-error @below {{expected '->' and a type for each init, as they are tensors: -> 'tensor<5x4xf32>'}}
  return %r : tensor<5x4xf32>
}

// -----

func.func @causal_alone(%q: tensor<5x4xf32>, %bias: tensor<5x5xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
      // expected-error @below {{expected causal to say which key is the last: causal = #attn.causal<top_left> for j <= i, #attn.causal<bottom_right> for j <= i + N_k - N_q, or #attn.causal<offset> with an offset, but got no value}}
      {causal} -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// -----

func.func @causal_bool(%q: tensor<5x4xf32>, %bias: tensor<5x5xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
      // expected-error @below {{expected causal to say which key is the last: causal = #attn.causal<top_left> for j <= i, #attn.causal<bottom_right> for j <= i + N_k - N_q, or #attn.causal<offset> with an offset, but got true}}
      {causal = true} -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// -----

func.func @scale_text(%q: tensor<5x4xf32>, %bias: tensor<5x5xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
      // expected-error @below {{expected scale to be a number, as in scale = 0.125, but got "half"}}
      {scale = "half"} -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}

// -----

func.func @window_text(%q: tensor<5x4xf32>, %bias: tensor<5x5xf32>) -> tensor<5x4xf32> {
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      outs(%q : tensor<5x4xf32>)
      // expected-error @below {{expected window to have two integers, left and right, as in window = [128, 0], but got 4 : i64}}
      {window = 4} -> tensor<5x4xf32>
  return %r : tensor<5x4xf32>
}
