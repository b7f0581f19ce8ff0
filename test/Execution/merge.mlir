// Keys split in two, each half with its own step, merged and finished: the
// result is that of all keys at once, whatever the half a row's maximum is in.
// RUN: attn-run %s --entry=split --random=3 --check | FileCheck %s
// RUN: attn-run %s --entry=merge --random=5 --random-range=1:-3:3 --check | FileCheck %s
// RUN: attn-run %s --entry=split --random=3 --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=merge --random=5 --random-range=1:-3:3 --target=gpu-emulator --check | FileCheck %s
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
#row = affine_map<(m, n, d, e) -> (m)>
#macc = affine_map<(m, e) -> (e, m)>
#mrow = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>

func.func @merge(%accs: tensor<3x5x16xf32>, %maxs: tensor<3x16xf32>, %sums: tensor<3x16xf32>)
    -> (tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>) {
  %a = tensor.empty() : tensor<5x16xf32>
  %r = tensor.empty() : tensor<16xf32>
  %m:3 = attn.merge ins(%accs, %maxs, %sums : tensor<3x5x16xf32>, tensor<3x16xf32>, tensor<3x16xf32>)
      weighting(#attn.softmax)
      outs(%a, %r, %r : tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>)
      {indexing_maps = [#macc, #mrow, #mrow]}
      -> tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>
  return %m#0, %m#1, %m#2 : tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>
}

func.func @split(%q: tensor<4x16xf32>, %k: tensor<9x4xf32>, %v: tensor<9x5xf32>)
    -> tensor<16x5xf32> {
  %zero = arith.constant 0.0 : f32
  %lowest = arith.constant 0xFF800000 : f32
  %keys = arith.constant 9 : index
  %e = tensor.empty() : tensor<5x16xf32>
  %r = tensor.empty() : tensor<16xf32>
  %a0 = linalg.fill ins(%zero : f32) outs(%e : tensor<5x16xf32>) -> tensor<5x16xf32>
  %m0 = linalg.fill ins(%lowest : f32) outs(%r : tensor<16xf32>) -> tensor<16xf32>
  %l0 = linalg.fill ins(%zero : f32) outs(%r : tensor<16xf32>) -> tensor<16xf32>
  %k1 = tensor.extract_slice %k[0, 0] [4, 4] [1, 1] : tensor<9x4xf32> to tensor<4x4xf32>
  %v1 = tensor.extract_slice %v[0, 0] [4, 5] [1, 1] : tensor<9x5xf32> to tensor<4x5xf32>
  %k2 = tensor.extract_slice %k[4, 0] [5, 4] [1, 1] : tensor<9x4xf32> to tensor<5x4xf32>
  %v2 = tensor.extract_slice %v[4, 0] [5, 5] [1, 1] : tensor<9x5xf32> to tensor<5x5xf32>
  %a1, %m1, %l1 = attn.online ins(%q, %k1, %v1 : tensor<4x16xf32>, tensor<4x4xf32>, tensor<4x5xf32>)
      weighting(#attn.softmax) outs(%a0 : tensor<5x16xf32>)
      statistics(%m0, %l0 : tensor<16xf32>, tensor<16xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row], scale = 2.0 : f64}
      -> tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>
  %a2, %m2, %l2 = attn.online ins(%q, %k2, %v2 : tensor<4x16xf32>, tensor<5x4xf32>, tensor<5x5xf32>)
      weighting(#attn.softmax) outs(%a0 : tensor<5x16xf32>)
      statistics(%m0, %l0 : tensor<16xf32>, tensor<16xf32>)
      {indexing_maps = [#q, #k, #v, #acc, #row, #row], scale = 2.0 : f64}
      -> tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>
  %as1 = tensor.expand_shape %a1 [[0, 1], [2]] output_shape [1, 5, 16] : tensor<5x16xf32> into tensor<1x5x16xf32>
  %as2 = tensor.expand_shape %a2 [[0, 1], [2]] output_shape [1, 5, 16] : tensor<5x16xf32> into tensor<1x5x16xf32>
  %ms1 = tensor.expand_shape %m1 [[0, 1]] output_shape [1, 16] : tensor<16xf32> into tensor<1x16xf32>
  %ms2 = tensor.expand_shape %m2 [[0, 1]] output_shape [1, 16] : tensor<16xf32> into tensor<1x16xf32>
  %ls1 = tensor.expand_shape %l1 [[0, 1]] output_shape [1, 16] : tensor<16xf32> into tensor<1x16xf32>
  %ls2 = tensor.expand_shape %l2 [[0, 1]] output_shape [1, 16] : tensor<16xf32> into tensor<1x16xf32>
  %as = tensor.concat dim(0) %as1, %as2 : (tensor<1x5x16xf32>, tensor<1x5x16xf32>) -> tensor<2x5x16xf32>
  %ms = tensor.concat dim(0) %ms1, %ms2 : (tensor<1x16xf32>, tensor<1x16xf32>) -> tensor<2x16xf32>
  %ls = tensor.concat dim(0) %ls1, %ls2 : (tensor<1x16xf32>, tensor<1x16xf32>) -> tensor<2x16xf32>
  %m:3 = attn.merge ins(%as, %ms, %ls : tensor<2x5x16xf32>, tensor<2x16xf32>, tensor<2x16xf32>)
      weighting(#attn.softmax) outs(%e, %r, %r : tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>)
      {indexing_maps = [#macc, #mrow, #mrow]}
      -> tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>
  %init = tensor.empty() : tensor<16x5xf32>
  %o = attn.finish ins(%m#0, %m#1, %m#2 : tensor<5x16xf32>, tensor<16xf32>, tensor<16xf32>)
      weighting(#attn.softmax) keys(%keys) outs(%init : tensor<16x5xf32>)
      {indexing_maps = [#macc, #mrow, #mrow, #out]} -> tensor<16x5xf32>
  return %o : tensor<16x5xf32>
}
