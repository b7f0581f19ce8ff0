// Several features or channels, or none, run fused once they are one dimension,
// as the sentence on what is left unfused advises.

// RUN: attn-run %s --entry=several --random --check --require-fused | FileCheck %s
// RUN: attn-run %s --entry=none --random --check --require-fused | FileCheck %s
// CHECK: check: result 0: ok

// Several are not one kernel of a GPU, but those of the steps.
// RUN: attn-run %s --entry=uncollapsed --random --target=gpu-emulator --check | FileCheck %s
// RUN: attn-run %s --entry=uncollapsed --target=gpu --print-config | FileCheck %s --check-prefix=STEPS
// STEPS: gpu kernel: its steps are kernels each: expected one feature dimension, but there are 2

// RUN: not attn-run %s --entry=uncollapsed --random --require-fused 2>&1 | FileCheck %s --check-prefix=UNFUSED --match-full-lines
// UNFUSED: attn-run: error: {{.*}}one-feature-dimension.mlir:[[#@LINE+39]]:8: 'attn.generic' op cannot be fused: expected one feature dimension, but there are 2: collapse them, in one order, in the query and key (tensor.collapse_shape)

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

func.func @several(%q: tensor<5x2x4xf32>, %k: tensor<7x2x4xf32>,
                   %v: tensor<7x3x2xf32>) -> tensor<5x3x2xf32> {
  %q1 = tensor.collapse_shape %q [[0], [1, 2]] : tensor<5x2x4xf32> into tensor<5x8xf32>
  %k1 = tensor.collapse_shape %k [[0], [1, 2]] : tensor<7x2x4xf32> into tensor<7x8xf32>
  %v1 = tensor.collapse_shape %v [[0], [1, 2]] : tensor<7x3x2xf32> into tensor<7x6xf32>
  %init = tensor.empty() : tensor<5x6xf32>
  %o1 = attn.generic ins(%q1, %k1, %v1 : tensor<5x8xf32>, tensor<7x8xf32>, tensor<7x6xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x6xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x6xf32>
  %o = tensor.expand_shape %o1 [[0], [1, 2]] output_shape [5, 3, 2] : tensor<5x6xf32> into tensor<5x3x2xf32>
  return %o : tensor<5x3x2xf32>
}

func.func @none(%q: tensor<5xf32>, %k: tensor<7xf32>, %v: tensor<7xf32>) -> tensor<5xf32> {
  %q1 = tensor.expand_shape %q [[0, 1]] output_shape [5, 1] : tensor<5xf32> into tensor<5x1xf32>
  %k1 = tensor.expand_shape %k [[0, 1]] output_shape [7, 1] : tensor<7xf32> into tensor<7x1xf32>
  %v1 = tensor.expand_shape %v [[0, 1]] output_shape [7, 1] : tensor<7xf32> into tensor<7x1xf32>
  %init = tensor.empty() : tensor<5x1xf32>
  %o1 = attn.generic ins(%q1, %k1, %v1 : tensor<5x1xf32>, tensor<7x1xf32>, tensor<7x1xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x1xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x1xf32>
  %o = tensor.collapse_shape %o1 [[0, 1]] : tensor<5x1xf32> into tensor<5xf32>
  return %o : tensor<5xf32>
}

#qs = affine_map<(m, n, c, d, e) -> (m, c, d)>
#ks = affine_map<(m, n, c, d, e) -> (n, c, d)>
#vs = affine_map<(m, n, c, d, e) -> (n, e)>
#os = affine_map<(m, n, c, d, e) -> (m, e)>
func.func @uncollapsed(%q: tensor<5x2x4xf32>, %k: tensor<7x2x4xf32>,
                       %v: tensor<7x3xf32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x2x4xf32>, tensor<7x2x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#qs, #ks, #vs, #os]} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}
