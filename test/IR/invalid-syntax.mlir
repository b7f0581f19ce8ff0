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
