// RUN: attn-test-run %s --entry=rows --random=3 --check | FileCheck %s
// RUN: attn-test-run %s --entry=features --random=4 --check | FileCheck %s
// RUN: attn-test-run %s --entry=equal | FileCheck %s --check-prefix=EQUAL
// RUN: attn-test-run %s --entry=equal --target=reference | FileCheck %s --check-prefix=EQUAL

// Keys split in two, each half with its own step, merged and finished: the best
// of both halves stay, with their positions.

// CHECK: check: result 0: ok
// CHECK: check: result 1: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#macc = affine_map<(m, e) -> (m, e)>
#mrow = affine_map<(m, e) -> (m)>
#facc = affine_map<(m, e, n) -> (m, e)>
#frow = affine_map<(m, e, n) -> (m)>
#fv = affine_map<(m, e, n) -> (n, e)>

func.func @rows(%q: tensor<4x16xf32>, %k: tensor<30x4xf32>, %v: tensor<30x5xf32>)
    -> (tensor<13x5xf16>, tensor<13xf32>) {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %none = arith.constant -1 : index
  %at = arith.constant 12 : index
  %keys = arith.constant 30 : index
  %a = tensor.empty() : tensor<0x16xf32>
  %e = tensor.empty() : tensor<3x16xf32>
  %ei = tensor.empty() : tensor<3x16xindex>
  %s0 = linalg.fill ins(%lowest : f32) outs(%e : tensor<3x16xf32>) -> tensor<3x16xf32>
  %i0 = linalg.fill ins(%none : index) outs(%ei : tensor<3x16xindex>) -> tensor<3x16xindex>
  %k1 = tensor.extract_slice %k[0, 0] [12, 4] [1, 1] : tensor<30x4xf32> to tensor<12x4xf32>
  %k2 = tensor.extract_slice %k[12, 0] [18, 4] [1, 1] : tensor<30x4xf32> to tensor<18x4xf32>
  %v1 = tensor.extract_slice %v[0, 0] [12, 0] [1, 1] : tensor<30x5xf32> to tensor<12x0xf32>
  %v2 = tensor.extract_slice %v[12, 0] [18, 0] [1, 1] : tensor<30x5xf32> to tensor<18x0xf32>
  %a1, %s1, %i1 = attn.online ins(%q, %k1, %v1 : tensor<4x16xf32>, tensor<12x4xf32>, tensor<12x0xf32>)
      weighting(#attntest.top<3>) layout(#attn.lanes_along_rows<16>) outs(%a : tensor<0x16xf32>)
      statistics(%s0, %i0 : tensor<3x16xf32>, tensor<3x16xindex>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
      -> tensor<0x16xf32>, tensor<3x16xf32>, tensor<3x16xindex>
  %a2, %s2, %i2 = attn.online ins(%q, %k2, %v2 : tensor<4x16xf32>, tensor<18x4xf32>, tensor<18x0xf32>)
      weighting(#attntest.top<3>) layout(#attn.lanes_along_rows<16>) position(%at) outs(%a : tensor<0x16xf32>)
      statistics(%s0, %i0 : tensor<3x16xf32>, tensor<3x16xindex>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]}
      -> tensor<0x16xf32>, tensor<3x16xf32>, tensor<3x16xindex>
  %as = tensor.empty() : tensor<2x0x16xf32>
  %es = tensor.empty() : tensor<2x3x16xf32>
  %eis = tensor.empty() : tensor<2x3x16xindex>
  // The later half comes first: the order of parts does not matter.
  %ss1 = tensor.insert_slice %s2 into %es[0, 0, 0] [1, 3, 16] [1, 1, 1] : tensor<3x16xf32> into tensor<2x3x16xf32>
  %ss2 = tensor.insert_slice %s1 into %ss1[1, 0, 0] [1, 3, 16] [1, 1, 1] : tensor<3x16xf32> into tensor<2x3x16xf32>
  %is1 = tensor.insert_slice %i2 into %eis[0, 0, 0] [1, 3, 16] [1, 1, 1] : tensor<3x16xindex> into tensor<2x3x16xindex>
  %is2 = tensor.insert_slice %i1 into %is1[1, 0, 0] [1, 3, 16] [1, 1, 1] : tensor<3x16xindex> into tensor<2x3x16xindex>
  %m:3 = attn.merge ins(%as, %ss2, %is2 : tensor<2x0x16xf32>, tensor<2x3x16xf32>, tensor<2x3x16xindex>)
      weighting(#attntest.top<3>) layout(#attn.lanes_along_rows<16>)
      outs(%a, %e, %ei : tensor<0x16xf32>, tensor<3x16xf32>, tensor<3x16xindex>)
      {indexing_maps = [#macc, #mrow, #mrow]}
      -> tensor<0x16xf32>, tensor<3x16xf32>, tensor<3x16xindex>
  %o = tensor.empty() : tensor<13x5xf16>
  %l = tensor.empty() : tensor<13xf32>
  %r:2 = attn.finish ins(%m#0, %m#1, %m#2 : tensor<0x16xf32>, tensor<3x16xf32>, tensor<3x16xindex>)
      weighting(#attntest.top<3>) layout(#attn.lanes_along_rows<16>) value(%v : tensor<30x5xf32>)
      keys(%keys) outs(%o : tensor<13x5xf16>) lse(%l : tensor<13xf32>)
      {indexing_maps = [#facc, #frow, #frow, #fv, #facc, #frow]} -> tensor<13x5xf16>, tensor<13xf32>
  return %r#0, %r#1 : tensor<13x5xf16>, tensor<13xf32>
}

// Few rows, one key each, and a value whose channels lie far apart.
#ft = affine_map<(m, e, n) -> (e, n)>
#fo = affine_map<(m, e, n) -> (e, m)>
func.func @features(%q: tensor<5x4xf32>, %k: tensor<30x4xf32>, %v: tensor<7x30xf32>)
    -> (tensor<7x5xf32>, tensor<5xf32>) {
  %lowest = arith.constant 0xFF800000 : f32
  %none = arith.constant -1 : index
  %keys = arith.constant 30 : index
  %a = tensor.empty() : tensor<5x0xf32>
  %e = tensor.empty() : tensor<5xf32>
  %ei = tensor.empty() : tensor<5xindex>
  %s0 = linalg.fill ins(%lowest : f32) outs(%e : tensor<5xf32>) -> tensor<5xf32>
  %i0 = linalg.fill ins(%none : index) outs(%ei : tensor<5xindex>) -> tensor<5xindex>
  %v1 = tensor.empty() : tensor<30x0xf32>
  %a1, %s1, %i1 = attn.online ins(%q, %k, %v1 : tensor<5x4xf32>, tensor<30x4xf32>, tensor<30x0xf32>)
      weighting(#attntest.top<1>) layout(#attn.lanes_along_features<5>) outs(%a : tensor<5x0xf32>)
      statistics(%s0, %i0 : tensor<5xf32>, tensor<5xindex>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row]} -> tensor<5x0xf32>, tensor<5xf32>, tensor<5xindex>
  %o = tensor.empty() : tensor<7x5xf32>
  %l = tensor.empty() : tensor<5xf32>
  %r:2 = attn.finish ins(%a1, %s1, %i1 : tensor<5x0xf32>, tensor<5xf32>, tensor<5xindex>)
      weighting(#attntest.top<1>) layout(#attn.lanes_along_features<5>) value(%v : tensor<7x30xf32>)
      keys(%keys) outs(%o : tensor<7x5xf32>) lse(%l : tensor<5xf32>)
      {indexing_maps = [#facc, #frow, #frow, #ft, #fo, #frow]} -> tensor<7x5xf32>, tensor<5xf32>
  return %r#0, %r#1 : tensor<7x5xf32>, tensor<5xf32>
}

// Of equal scores the lowest keys of all parts, NaN before any number, and empty
// places behind all.
// EQUAL: {{\[\[}}{{ *}}nan]
// EQUAL-NEXT: [3.0{{0*}}]
// EQUAL: {{\[\[}}9]
// EQUAL-NEXT: [2]]
func.func @equal() -> (tensor<2x1xf32>, tensor<2x1xindex>) {
  %s = arith.constant dense<[[[3.0], [1.0]], [[3.0], [0x7FC00000]], [[0xFF800000], [0xFF800000]]]> : tensor<3x2x1xf32>
  %i = arith.constant dense<[[[5], [0]], [[2], [9]], [[-1], [-1]]]> : tensor<3x2x1xindex>
  %as = tensor.empty() : tensor<3x1x0xf32>
  %a = tensor.empty() : tensor<1x0xf32>
  %e = tensor.empty() : tensor<2x1xf32>
  %ei = tensor.empty() : tensor<2x1xindex>
  %m:3 = attn.merge ins(%as, %s, %i : tensor<3x1x0xf32>, tensor<3x2x1xf32>, tensor<3x2x1xindex>)
      weighting(#attntest.top<2>) layout(#attn.lanes_along_features<1>)
      outs(%a, %e, %ei : tensor<1x0xf32>, tensor<2x1xf32>, tensor<2x1xindex>)
      {indexing_maps = [#macc, #mrow, #mrow]}
      -> tensor<1x0xf32>, tensor<2x1xf32>, tensor<2x1xindex>
  return %m#1, %m#2 : tensor<2x1xf32>, tensor<2x1xindex>
}
