// RUN: attn-opt %s --split-input-file --verify-diagnostics

// One case for each constraint of attn.contract.

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
func.func @contract_c1_maps(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C1) expected one indexing map per operand, 3 in all, but got 2}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c1_rank(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C1) expected the map of rhs to be a projected permutation of (rows, columns, features) of the operand's rank, but got affine_map<(d0, d1, d2) -> (d2)>}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, c)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c2_columns_in_lhs(%a: tensor<5x3xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C2) expected lhs to have no columns, but its map is affine_map<(d0, d1, d2) -> (d0, d1)>}}
  %0 = attn.contract ins(%a, %b : tensor<5x3xf32>, tensor<7x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r)>
func.func @contract_c2_init(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5xf32>) {
  // expected-error @below {{'attn.contract' op (C2) expected init to have columns, but its map is affine_map<(d0, d1, d2) -> (d0)>}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) outs(%c : tensor<5xf32>)
      {indexing_maps = [#a, #b, #c]} -> tensor<5xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (k)>
#c = affine_map<(r, c, k) -> ()>
func.func @contract_c2_number(%a: tensor<7xf32>, %b: tensor<7xf32>, %c: tensor<f32>) {
  // expected-error @below {{'attn.contract' op (C2) expected rows or columns, but lhs and rhs have features only}}
  %0 = attn.contract ins(%a, %b : tensor<7xf32>, tensor<7xf32>) outs(%c : tensor<f32>)
      {indexing_maps = [#a, #a, #c]} -> tensor<f32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c3(%a: tensor<5x7xf32>, %b: tensor<6x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C3) expected dimension 0 of rhs to be 7 (as in lhs), but got 6}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<6x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c4_inputs(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C4) expected a region element, which the inputs are for}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) inputs(%c : tensor<5x3xf32>)
      outs(%c : tensor<5x3xf32>) {indexing_maps = [#a, #b, #c, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c4_sum(%a: tensor<5x7xf16>, %b: tensor<7x3xf16>, %c: tensor<5x3xf16>) {
  // expected-error @below {{'attn.contract' op (C4) expected element to have arguments (f32), but got (f16)}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf16>, tensor<7x3xf16>) outs(%c : tensor<5x3xf16>)
      {indexing_maps = [#a, #b, #c]} element {
      ^bb0(%sum: f16):
        attn.yield %sum : f16
      } -> tensor<5x3xf16>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c4_read(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>, %i: index) {
  // expected-error @below {{'attn.contract' op (C4) expected element to hold elementwise arith and math only, but got 'tensor.extract'}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} element {
      ^bb0(%sum: f32):
        %x = tensor.extract %a[%i, %i] : tensor<5x7xf32>
        attn.yield %x : f32
      } -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c5(%a: tensor<5x7xf32>, %b: memref<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C5) expected operands to be all tensors or all memrefs, but got 'tensor<5x3xf32>' and 'memref<7x3xf32>'}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, memref<7x3xf32>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c2_factor(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C2) expected lhs_input 0 to have no columns, but its map is affine_map<(d0, d1, d2) -> (d0, d1)>}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) lhs_inputs(%c : tensor<5x3xf32>)
      outs(%c : tensor<5x3xf32>) {indexing_maps = [#a, #b, #c, #c]} lhs_element {
      ^bb0(%lhs: f32, %x: f32):
        attn.yield %lhs : f32
      } -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c4_factor_inputs(%a: tensor<5x7xf32>, %b: tensor<7x3xf32>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C4) expected a region rhs_element, which the rhs_inputs are for}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xf32>) rhs_inputs(%b : tensor<7x3xf32>)
      outs(%c : tensor<5x3xf32>) {indexing_maps = [#a, #b, #b, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c4_integers(%a: tensor<5x7xf32>, %b: tensor<7x3xi8>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C4) expected a region rhs_element, which makes a float of an element of rhs, which is 'i8'}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xi8>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} -> tensor<5x3xf32>
  return
}

// -----

#a = affine_map<(r, c, k) -> (r, k)>
#b = affine_map<(r, c, k) -> (k, c)>
#c = affine_map<(r, c, k) -> (r, c)>
func.func @contract_c4_factor(%a: tensor<5x7xf32>, %b: tensor<7x3xi8>, %c: tensor<5x3xf32>) {
  // expected-error @below {{'attn.contract' op (C4) expected rhs_element to yield (f32), but got (i8)}}
  %0 = attn.contract ins(%a, %b : tensor<5x7xf32>, tensor<7x3xi8>) outs(%c : tensor<5x3xf32>)
      {indexing_maps = [#a, #b, #c]} rhs_element {
      ^bb0(%rhs: i8):
        attn.yield %rhs : i8
      } -> tensor<5x3xf32>
  return
}
