// An extent that was known to be 0 only once two ops were seen to be the same,
// after tiles were made, left slices that upstream's patterns turned into ops
// that do not verify: "offset 2 is out-of-bounds: 0 >= 0".

// RUN: attn-run %s --entry=features --random --shape=3:4 --fusion=always --check | FileCheck %s
// RUN: attn-run %s --entry=channels --random --shape=3:4 --fusion=always --check | FileCheck %s
// CHECK: check: result 0: ok

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>

func.func @features(%q: tensor<2x37x8xf32>, %k: tensor<2x21x8xf32>, %v: tensor<2x21x6xf32>,
                    %z: tensor<?xf32>) -> tensor<2x37x6xf32> {
  %c0 = arith.constant 0 : index
  %x = tensor.dim %z, %c0 : tensor<?xf32>
  %y = tensor.dim %z, %c0 : tensor<?xf32>
  %zero = arith.subi %x, %y : index
  %qs = tensor.extract_slice %q[0, 0, 0] [2, 37, %zero] [1, 1, 1] : tensor<2x37x8xf32> to tensor<2x37x?xf32>
  %ks = tensor.extract_slice %k[0, 0, 0] [2, 21, %zero] [1, 1, 1] : tensor<2x21x8xf32> to tensor<2x21x?xf32>
  %init = tensor.empty() : tensor<2x37x6xf32>
  %o = attn.generic ins(%qs, %ks, %v : tensor<2x37x?xf32>, tensor<2x21x?xf32>, tensor<2x21x6xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x37x6xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x37x6xf32>
  return %o : tensor<2x37x6xf32>
}

func.func @channels(%q: tensor<2x37x8xf32>, %k: tensor<2x21x8xf32>, %v: tensor<2x21x6xf32>,
                    %z: tensor<?xf32>) -> tensor<2x37x?xf32> {
  %c0 = arith.constant 0 : index
  %x = tensor.dim %z, %c0 : tensor<?xf32>
  %y = tensor.dim %z, %c0 : tensor<?xf32>
  %zero = arith.subi %x, %y : index
  %vs = tensor.extract_slice %v[0, 0, 0] [2, 21, %zero] [1, 1, 1] : tensor<2x21x6xf32> to tensor<2x21x?xf32>
  %init = tensor.empty(%zero) : tensor<2x37x?xf32>
  %o = attn.generic ins(%q, %k, %vs : tensor<2x37x8xf32>, tensor<2x21x8xf32>, tensor<2x21x?xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x37x?xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x37x?xf32>
  return %o : tensor<2x37x?xf32>
}
