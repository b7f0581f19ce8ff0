// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each way to break a constraint of attn.sdpa.

func.func @sdpa_c1_rank_too_low(%q: tensor<4xf32>, %k: tensor<7x4xf32>,
    %v: tensor<7x8xf32>,
    %o: tensor<5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C1) expected query rank to be at least 2 (rows x features), but got 1}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<4xf32>, tensor<7x4xf32>, tensor<7x8xf32>)
      outs(%o : tensor<5x8xf32>)
      -> tensor<5x8xf32>
  return
}

// -----

func.func @sdpa_c1_ranks_differ(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C1) expected value rank to be 4 (as in query), but got 3}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c2_key_batch(%q: tensor<2x6x5x4xf32>, %k: tensor<9x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C2) expected key extent of batch dimension 0 to be 2 (as in query), but got 9}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<9x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

// The first operand to know the extent decides.
func.func @sdpa_c2_batch_without_query(%q: tensor<?x?x6x5x4xf32>, %k: tensor<?x?x3x7x4xf32>,
    %v: tensor<?x9x3x7x8xf32>,
    %o: tensor<?x2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C2) expected output extent of batch dimension 1 to be 9 (as in value), but got 2}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<?x?x6x5x4xf32>, tensor<?x?x3x7x4xf32>, tensor<?x9x3x7x8xf32>)
      outs(%o : tensor<?x2x6x5x8xf32>)
      -> tensor<?x2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c3_heads_not_multiple(%q: tensor<2x6x5x4xf32>, %k: tensor<2x4x7x4xf32>,
    %v: tensor<2x4x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C3) expected the number of query heads to be a multiple of the number of key heads, 4, but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x4x7x4xf32>, tensor<2x4x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c3_no_key_heads(%q: tensor<2x6x5x4xf32>, %k: tensor<2x0x7x4xf32>,
    %v: tensor<2x0x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C3) expected the number of query heads to be a multiple of the number of key heads, 0, but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x0x7x4xf32>, tensor<2x0x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c3_heads_without_query(%q: tensor<2x?x5x4xf32>, %k: tensor<2x?x7x4xf32>,
    %v: tensor<2x4x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C3) expected the number of query heads to be a multiple of the number of key heads, 4, but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x?x5x4xf32>, tensor<2x?x7x4xf32>, tensor<2x4x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c3_value_heads(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x6x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C3) expected value number of heads to be 3 (as in key), but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x6x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c4_key_width(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x8xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C4) expected key feature dimension to be 4 (as in query), but got 8}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x8xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c4_value_rows(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x5x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C4) expected value number of rows to be 7 (as in key), but got 5}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x5x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c4_output_heads(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x3x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C4) expected output number of heads to be 6 (as in query), but got 3}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x3x5x8xf32>)
      -> tensor<2x3x5x8xf32>
  return
}

// -----

func.func @sdpa_c4_output_rows(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x7x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C4) expected output number of rows to be 5 (as in query), but got 7}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x7x8xf32>)
      -> tensor<2x6x7x8xf32>
  return
}

// -----

func.func @sdpa_c4_output_width(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x4xf32>) {
  // expected-error @below {{'attn.sdpa' op (C4) expected output width to be 8 (as in value), but got 4}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x4xf32>)
      -> tensor<2x6x5x4xf32>
  return
}

// -----

func.func @sdpa_c5_bias_rank(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %bias: tensor<1x2x6x5x7xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C5) expected bias rank to be at most 4 (that of query), but got 5}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      bias(%bias : tensor<1x2x6x5x7xf32>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c5_bias_keys(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %bias: tensor<5x5xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C5) expected bias number of keys to be 7 or 1 (broadcast), but got 5}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      bias(%bias : tensor<5x5xf32>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c5_bias_rows(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %bias: tensor<7x7xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C5) expected bias number of rows to be 5 or 1 (broadcast), but got 7}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      bias(%bias : tensor<7x7xf32>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c5_mask_heads(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %mask: tensor<3x5x7xi1>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C5) expected boolean_mask number of heads to be 6 or 1 (broadcast), but got 3}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      boolean_mask(%mask : tensor<3x5x7xi1>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c5_mask_batch(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %mask: tensor<4x1x5x7xi1>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C5) expected boolean_mask extent of batch dimension 0 to be 2 or 1 (broadcast), but got 4}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      boolean_mask(%mask : tensor<4x1x5x7xi1>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c6_offset_missing(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C6) expected an offset operand, as causal is offset}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) {causal = #attn.causal<offset>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c6_offset_unused(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %offset: i32,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C6) expected no offset operand, as causal is bottom_right, not offset}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      offset(%offset : i32) outs(%o : tensor<2x6x5x8xf32>) {causal = #attn.causal<bottom_right>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c6_offset_type(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %offset: f32,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C6) expected offset to hold integers, but got 'f32'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      offset(%offset : f32) outs(%o : tensor<2x6x5x8xf32>) {causal = #attn.causal<offset>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c6_offset_rank(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %offset: tensor<2x6xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C6) expected offset to be an integer or to have the 1 batch dimensions of query, but got 'tensor<2x6xi32>'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      offset(%offset : tensor<2x6xi32>) outs(%o : tensor<2x6x5x8xf32>) {causal = #attn.causal<offset>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c6_offset_extent(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %offset: tensor<6xi32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C6) expected offset extent of batch dimension 0 to be 2 (as in query), but got 6}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      offset(%offset : tensor<6xi32>) outs(%o : tensor<2x6x5x8xf32>) {causal = #attn.causal<offset>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c7_window_one_bound(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C7) expected window to have two bounds, left and right, but got 1}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) {window = array<i64: 3>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c7_window_negative(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C7) expected window bounds to be 0 or more, or -1 for unbounded, but got [3, -2]}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) {window = array<i64: 3, -2>}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c7_softcap_zero(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C7) expected softcap to be positive and finite, but got 0.000000e+00 : f64}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) {softcap = 0.0 : f64}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c7_softcap_infinite(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C7) expected softcap to be positive and finite, but got 0x7FF0000000000000 : f64}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) {softcap = 0x7FF0000000000000 : f64}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c7_scale_nan(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C7) expected scale to be finite, but got 0x7FF8000000000000 : f64}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) {scale = 0x7FF8000000000000 : f64}
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c8_mask_arguments(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C8) expected mask to have arguments (index, index, index, index), but got (index, index)}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %true = arith.constant true
        attn.yield %true : i1
      }
      -> tensor<2x6x5x8xf32>
  return
}

// -----

// The score is in the accumulation type.
func.func @sdpa_c8_score_arguments(%q: tensor<5x4xf16>, %k: tensor<7x4xf16>,
    %v: tensor<7x8xf16>,
    %o: tensor<5x8xf16>) {
  // expected-error @below {{'attn.sdpa' op (C8) expected score to have arguments (f32, index, index), but got (f16, index, index)}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf16>, tensor<7x4xf16>, tensor<7x8xf16>)
      outs(%o : tensor<5x8xf16>)
      score {
      ^bb0(%s: f16, %i: index, %j: index):
        attn.yield %s : f16
      }
      -> tensor<5x8xf16>
  return
}

// -----

func.func @sdpa_c8_mask_yield(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C8) expected mask to yield (i1), but got (index)}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        attn.yield %i : index
      }
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c8_no_yield(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C8) expected score to end with attn.yield}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        llvm.unreachable
      }
      -> tensor<2x6x5x8xf32>
  return
}

// -----

// Positions are arguments here, so attn.index is not in the list.
func.func private @f(f32) -> f32
func.func @sdpa_c9_call(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C9) expected score to hold elementwise arith and math, affine apply, min and max, and reads only, but got 'func.call'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        // expected-note @below {{not allowed in a region of this op}}
        %t = func.call @f(%s) : (f32) -> f32
        attn.yield %t : f32
      }
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c9_index(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        // expected-error @below {{'attn.index' op expects parent op to be one of 'attn.generic, attn.online, attn.replay'}}
        %m = attn.index 2
        %visible = arith.cmpi sle, %j, %m : index
        attn.yield %visible : i1
      }
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c10_lse_rank(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>, %lse: tensor<2x6x5x1xf32>) {
  // expected-error @below {{'attn.sdpa' op (C10) expected lse rank to be 3 (output without its last dimension), but got 4}}
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) lse(%lse : tensor<2x6x5x1xf32>)
      -> tensor<2x6x5x8xf32>, tensor<2x6x5x1xf32>
  return
}

// -----

func.func @sdpa_c10_lse_extent(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>, %lse: tensor<2x3x5xf32>) {
  // expected-error @below {{'attn.sdpa' op (C10) expected lse extent of dimension 1 to be 6 (as in output), but got 3}}
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) lse(%lse : tensor<2x3x5xf32>)
      -> tensor<2x6x5x8xf32>, tensor<2x3x5xf32>
  return
}

// -----

func.func @sdpa_c11_mixed_operands(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>, %bias: memref<5x7xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C11) expected operands to be all tensors or all memrefs, but got 'tensor<2x6x5x8xf32>' and 'memref<5x7xf32>'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      bias(%bias : memref<5x7xf32>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c11_result_missing(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>, %lse: tensor<2x6x5xf32>) {
  // expected-error @below {{'attn.sdpa' op (C11) expected the number of results to be 2 (one per tensor init), but got 1}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>) lse(%lse : tensor<2x6x5xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c11_result_type(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>,
    %v: tensor<2x3x7x8xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C11) expected result 0 to have the type of its init, 'tensor<2x6x5x8xf32>', but got 'tensor<2x6x5x?xf32>'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x?xf32>
  return
}

// -----

func.func @sdpa_c6_offset_for_nothing(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>, %offset: i32,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C6) expected no offset operand, as causal is none, not offset, and there is no window}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      offset(%offset : i32) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c12_sink_type(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>, %sink: i32,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C12) expected sink to hold floats, but got 'i32'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      sink(%sink : i32) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c12_sink_rank(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>, %sink: tensor<2x6xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C12) expected sink to be a number or to have one number per query head, but got 'tensor<2x6xf32>'}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      sink(%sink : tensor<2x6xf32>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c12_sink_heads(%q: tensor<2x6x5x4xf32>, %k: tensor<2x3x7x4xf32>, %v: tensor<2x3x7x8xf32>, %sink: tensor<3xf32>,
    %o: tensor<2x6x5x8xf32>) {
  // expected-error @below {{'attn.sdpa' op (C12) expected sink number of heads to be 6 (as in query), but got 3}}
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x3x7x4xf32>, tensor<2x3x7x8xf32>)
      sink(%sink : tensor<3xf32>) outs(%o : tensor<2x6x5x8xf32>)
      -> tensor<2x6x5x8xf32>
  return
}

// -----

func.func @sdpa_c12_sink_without_heads(%q: tensor<5x4xf32>, %sink: tensor<1xf32>) {
  // expected-error @below {{'attn.sdpa' op (C12) expected sink to be a number, as query has no heads, but got 'tensor<1xf32>'}}
  %r = attn.sdpa ins(%q, %q, %q : tensor<5x4xf32>, tensor<5x4xf32>, tensor<5x4xf32>)
      sink(%sink : tensor<1xf32>) outs(%q : tensor<5x4xf32>) -> tensor<5x4xf32>
  return
}

// -----

func.func @sdpa_c13_weights_rank(%q: tensor<6x5x4xf32>, %k: tensor<6x7x4xf32>, %w: tensor<5x7xf32>) {
  // expected-error @below {{'attn.sdpa' op (C13) expected weights rank to be 3 (as in output), but got 2}}
  %r:2 = attn.sdpa ins(%q, %k, %k : tensor<6x5x4xf32>, tensor<6x7x4xf32>, tensor<6x7x4xf32>)
      outs(%q : tensor<6x5x4xf32>) weights(%w : tensor<5x7xf32>) -> tensor<6x5x4xf32>, tensor<5x7xf32>
  return
}

// -----

func.func @sdpa_c13_weights_rows(%q: tensor<6x5x4xf32>, %k: tensor<6x7x4xf32>, %w: tensor<6x7x7xf32>) {
  // expected-error @below {{'attn.sdpa' op (C13) expected weights extent of dimension 1 to be 5 (as in output), but got 7}}
  %r:2 = attn.sdpa ins(%q, %k, %k : tensor<6x5x4xf32>, tensor<6x7x4xf32>, tensor<6x7x4xf32>)
      outs(%q : tensor<6x5x4xf32>) weights(%w : tensor<6x7x7xf32>) -> tensor<6x5x4xf32>, tensor<6x7x7xf32>
  return
}

// -----

func.func @sdpa_c13_weights_keys(%q: tensor<6x5x4xf32>, %k: tensor<6x7x4xf32>, %w: tensor<6x5x5xf32>) {
  // expected-error @below {{'attn.sdpa' op (C13) expected weights number of key rows to be 7 (as in key), but got 5}}
  %r:2 = attn.sdpa ins(%q, %k, %k : tensor<6x5x4xf32>, tensor<6x7x4xf32>, tensor<6x7x4xf32>)
      outs(%q : tensor<6x5x4xf32>) weights(%w : tensor<6x5x5xf32>) -> tensor<6x5x4xf32>, tensor<6x5x5xf32>
  return
}
