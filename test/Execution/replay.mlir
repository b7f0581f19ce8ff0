// RUN: attn-run %s --entry=softmax --random --random-range=4:1:2 --check | FileCheck %s --check-prefixes=CHECK,TWO
// RUN: attn-run %s --entry=rows_first --random --check | FileCheck %s
// RUN: attn-run %s --entry=hidden --random --check | FileCheck %s
// RUN: attn-run %s --entry=elements --random --check | FileCheck %s --check-prefixes=CHECK,TWO,FOUR
// RUN: attn-run %s --entry=reduced --target=reference --random | FileCheck %s --check-prefix=REFERENCE

// One tile of pairs, by statistics that somebody gives.

// CHECK: check: result 0: ok
// TWO: check: result 1: ok
// FOUR: check: result 2: ok
// FOUR: check: result 3: ok
// REFERENCE: result 1: 8xf32

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#w = affine_map<(m, n, d, e) -> (m, n)>
#wt = affine_map<(m, n, d, e) -> (n, m)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#g = affine_map<(m, n, d, e) -> (n, d)>
#none = affine_map<(m, n, d, e) -> ()>

// Weights, and the values by them.
func.func @softmax(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                   %max: tensor<8xf32>, %sum: tensor<8xf32>, %a: tensor<3x8xf32>)
    -> (tensor<8x7xf16>, tensor<3x8xf32>) {
  %keys = arith.constant 7 : index
  %w = tensor.empty() : tensor<8x7xf16>
  %r:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>) contracted(%v : tensor<7x3xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      statistics(%max, %sum : tensor<8xf32>, tensor<8xf32>)
      keys(%keys) outs(%w, %a : tensor<8x7xf16>, tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #row, #row, #w, #acc], acc_type = f32,
       targets = [#attn.target<stored>, #attn.target<over_keys>]}
      weight {
      ^bb0(%p: f32):
        %t = arith.mulf %p, %p : f32
        attn.yield %t : f32
      } -> tensor<8x7xf16>, tensor<3x8xf32>
  return %r#0, %r#1 : tensor<8x7xf16>, tensor<3x8xf32>
}

// Rows that are neighbours in memory, 5 of them.
func.func @rows_first(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>) -> tensor<7x5xf32> {
  %keys = arith.constant 7 : index
  %rows = arith.constant 5 : index
  %w = tensor.empty() : tensor<7x5xf32>
  %r = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      weighting(#attn.relu) layout(#attn.lanes_along_rows<8>)
      keys(%keys) rows(%rows) outs(%w : tensor<7x5xf32>)
      {indexing_maps = [#q, #k, #wt], acc_type = f32, targets = [#attn.target<stored>]} -> tensor<7x5xf32>
  return %r : tensor<7x5xf32>
}

// Hidden pairs are zero, where some are and where all are.
func.func @hidden(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %w: tensor<8x7xf32>) -> tensor<8x7xf32> {
  %keys = arith.constant 7 : index
  %some = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      keys(%keys) outs(%w : tensor<8x7xf32>)
      {indexing_maps = [#q, #k, #w], acc_type = f32, targets = [#attn.target<stored>]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %past = arith.cmpi sle, %j, %i : index
        attn.yield %past : i1
      } -> tensor<8x7xf32>
  %none = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      keys(%keys) outs(%w : tensor<8x7xf32>)
      {indexing_maps = [#q, #k, #w], acc_type = f32, targets = [#attn.target<stored>]}
      mask {
        %j = attn.index 1
        %never = arith.cmpi slt, %j, %j : index
        attn.yield %never : i1
      } -> tensor<8x7xf32>
  %sum = arith.addf %some, %none : tensor<8x7xf32>
  return %sum : tensor<8x7xf32>
}

// Elements of pairs: what is stored, what is contracted and what is added up
// differ; a state is what its row has before a key. Hidden keys leave it alone.
func.func @elements(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>, %x: tensor<7x8xf32>,
                    %a: tensor<3x8xf32>, %r: tensor<8xf32>, %before: tensor<8xf32>)
    -> (tensor<3x8xf32>, tensor<8x7xf32>, tensor<8xf32>, tensor<8xf32>) {
  %keys = arith.constant 7 : index
  %bias = arith.constant 0.5 : f32
  %w = tensor.empty() : tensor<8x7xf32>
  %o:4 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>) contracted(%v : tensor<7x3xf32>)
      inputs(%x : tensor<7x8xf32>)
      weighting(#attn.sigmoid, %bias : f32) layout(#attn.lanes_along_rows<8>)
      keys(%keys) outs(%a, %w, %r, %before : tensor<3x8xf32>, tensor<8x7xf32>, tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#q, #k, #v, #w, #none, #acc, #w, #row, #row], acc_type = f32,
       targets = [#attn.target<over_keys>, #attn.target<stored>, #attn.target<row>, #attn.target<row_state>]}
      mask {
      ^bb0(%in: f32):
        %i = attn.index 0
        %j = attn.index 1
        %sum = arith.addi %i, %j : index
        %c3 = arith.constant 3 : index
        %some = arith.cmpi ne, %sum, %c3 : index
        attn.yield %some : i1
      }
      element {
      ^bb0(%p: f32, %s: f32, %state: f32, %in: f32):
        %by = arith.mulf %p, %in : f32
        %so = arith.mulf %p, %state : f32
        %all = arith.addf %s, %so : f32
        attn.yield %by, %so, %all, %p : f32, f32, f32, f32
      } -> tensor<3x8xf32>, tensor<8x7xf32>, tensor<8xf32>, tensor<8xf32>
  return %o#0, %o#1, %o#2, %o#3 : tensor<3x8xf32>, tensor<8x7xf32>, tensor<8xf32>, tensor<8xf32>
}

// What is not emitted yet has its meaning.
func.func @reduced(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %g: tensor<7x4xf32>, %r: tensor<8xf32>)
    -> (tensor<7x4xf32>, tensor<8xf32>) {
  %keys = arith.constant 7 : index
  %o:2 = attn.replay ins(%q, %k : tensor<4x8xf32>, tensor<7x4xf32>) contracted(%q : tensor<4x8xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      keys(%keys) outs(%g, %r : tensor<7x4xf32>, tensor<8xf32>)
      {indexing_maps = [#q, #k, #q, #g, #row], acc_type = f32,
       targets = [#attn.target<over_rows>, #attn.target<row>]} -> tensor<7x4xf32>, tensor<8xf32>
  return %o#0, %o#1 : tensor<7x4xf32>, tensor<8xf32>
}
