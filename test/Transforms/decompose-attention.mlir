// RUN: attn-opt %s --attn-decompose | FileCheck %s

// The unfused path: the scores are a tensor, and only linalg is left.

// CHECK-LABEL: @plain
// CHECK-NOT: attn.{{generic|yield|index}}
// CHECK: tensor<37x150xf32>
// CHECK-NOT: attn.{{generic|yield|index}}
// CHECK: linalg.generic
// CHECK-NOT: attn.{{generic|yield|index}}

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @plain(%q: tensor<37x4xf32>, %k: tensor<150x4xf32>, %v: tensor<150x3xf32>,
                 %init: tensor<37x3xf32>) -> tensor<37x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<37x4xf32>, tensor<150x4xf32>, tensor<150x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<37x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<37x3xf32>
  return %o : tensor<37x3xf32>
}

// A step starts from the state in its inits, and updates it there; rows are
// finished, and rounded, at the end. Neither carries a layout.

// CHECK-LABEL: @step_and_finish
// CHECK-SAME: %[[ACC:[a-z0-9]+]]: tensor<5x3xf32>, %[[MAX:[a-z0-9]+]]: tensor<5xf32>, %[[SUM:[a-z0-9]+]]: tensor<5xf32>, %[[OUT:[a-z0-9]+]]: tensor<5x3xf16>
// CHECK-NOT: attn.
// CHECK: %[[M:.+]] = linalg.generic {{.+}} outs(%[[MAX]] : tensor<5xf32>)
// CHECK: linalg.generic {{.+}} ins(%[[MAX]], %[[M]] : {{.+}}) outs(%[[SUM]] : tensor<5xf32>)
// CHECK: %[[A:.+]] = linalg.generic {{.+}} ins(%[[MAX]], %[[M]] : {{.+}}) outs(%[[ACC]] : tensor<5x3xf32>)
// CHECK: linalg.generic {{.+}} outs(%[[A]] : tensor<5x3xf32>)
// CHECK: linalg.generic {{.+}} outs(%[[OUT]] : tensor<5x3xf16>)
// CHECK: arith.truncf
// CHECK-NOT: attn.
// CHECK: return

#row = affine_map<(m, n, d, e) -> (m)>
#facc = affine_map<(m, e) -> (m, e)>
#frow = affine_map<(m, e) -> (m)>
func.func @step_and_finish(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                           %a: tensor<5x3xf32>, %m: tensor<5xf32>, %l: tensor<5xf32>,
                           %init: tensor<5x3xf16>) -> tensor<5x3xf16> {
  %keys = arith.constant 7 : index
  %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax)
      outs(%a : tensor<5x3xf32>) statistics(%m, %l : tensor<5xf32>, tensor<5xf32>)
      {indexing_maps = [#q, #k, #v, #o, #row, #row]}
      -> tensor<5x3xf32>, tensor<5xf32>, tensor<5xf32>
  %out = attn.finish ins(%acc, %max, %sum : tensor<5x3xf32>, tensor<5xf32>, tensor<5xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%init : tensor<5x3xf16>)
      {indexing_maps = [#facc, #frow, #frow, #facc]} -> tensor<5x3xf16>
  return %out : tensor<5x3xf16>
}

// What carries a layout is left to its emitter.

// CHECK-LABEL: @kernel
// CHECK: attn.online
// CHECK: attn.finish

#tq = affine_map<(m, n, d, e) -> (m, d)>
#tacc = affine_map<(m, n, d, e) -> (m, e)>
func.func @kernel(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>,
                  %init: tensor<5x3xf16>) -> tensor<5x3xf16> {
  %keys = arith.constant 7 : index
  %acc, %max, %sum = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>)
      outs(%a : tensor<3x8xf32>) statistics(%m, %l : tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#tq, #k, #v, #tacc, #row, #row]}
      -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  %out = attn.finish ins(%acc, %max, %sum : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax) layout(#attn.lanes_along_rows<8>) keys(%keys) outs(%init : tensor<5x3xf16>)
      {indexing_maps = [#facc, #frow, #frow, #facc]} -> tensor<5x3xf16>
  return %out : tensor<5x3xf16>
}

// Whatever operands look like, without a layout they are no tiles: query rows
// that lie apart, no query rows, a sink that is not of their type.

// CHECK-LABEL: @near_tiles
// CHECK-NOT: attn.{{online|finish}}
// CHECK: return

#qt = affine_map<(m, n, d, e) -> (d, m)>
#kt = affine_map<(m, n, d, e) -> (n, d)>
#vt = affine_map<(m, n, d, e) -> (n, e)>
#at = affine_map<(m, n, d, e) -> (e, m)>
#rt = affine_map<(m, n, d, e) -> (m)>
#fa = affine_map<(m, e) -> (e, m)>
#fr = affine_map<(m, e) -> (m)>
#fs = affine_map<(m, e) -> ()>
#fo = affine_map<(m, e) -> (m, e)>
func.func @near_tiles(%qq: tensor<4x16xf32>, %q0: tensor<4x0xf32>, %k: tensor<7x4xf32>,
                      %v: tensor<7x3xf32>, %a: tensor<3x8xf32>, %a0: tensor<3x0xf32>,
                      %m: tensor<8xf32>, %l: tensor<8xf32>, %s: tensor<f32>, %s16: tensor<8xf16>,
                      %o: tensor<5x3xf16>)
    -> (tensor<3x8xf32>, tensor<3x0xf32>, tensor<5x3xf16>, tensor<5x3xf16>) {
  %q = tensor.extract_slice %qq[0, 0] [4, 8] [1, 2] : tensor<4x16xf32> to tensor<4x8xf32>
  %apart = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.identity) outs(%a : tensor<3x8xf32>)
      {indexing_maps = [#qt, #kt, #vt, #at]} -> tensor<3x8xf32>
  %none = attn.online ins(%q0, %k, %v : tensor<4x0xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.identity) outs(%a0 : tensor<3x0xf32>)
      {indexing_maps = [#qt, #kt, #vt, #at]} -> tensor<3x0xf32>
  %keys = arith.constant 7 : index
  %one = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax_sink, %s : tensor<f32>) keys(%keys) outs(%o : tensor<5x3xf16>)
      {indexing_maps = [#fa, #fr, #fr, #fs, #fo]} -> tensor<5x3xf16>
  %half = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax_sink, %s16 : tensor<8xf16>) keys(%keys) outs(%o : tensor<5x3xf16>)
      {indexing_maps = [#fa, #fr, #fr, #fr, #fo]} -> tensor<5x3xf16>
  return %apart, %none, %one, %half
      : tensor<3x8xf32>, tensor<3x0xf32>, tensor<5x3xf16>, tensor<5x3xf16>
}
