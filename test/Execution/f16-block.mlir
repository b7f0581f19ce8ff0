// RUN: attn-run %s --random --check | FileCheck %s
// RUN: attn-run %s --random=2 --check --fusion=never | FileCheck %s
// RUN: sed 's/f16/bf16/g' %s > %t.mlir && attn-run %t.mlir --random --check | FileCheck %s

// Sums, projections and what lies between the ops of an attention block of 12
// tokens are f16: the check knows what rounding them may add up to, which is more
// than that of the result.
// CHECK: check: result 0: ok: 576 elements

#xy = affine_map<(x, y) -> (x, y)>
#x = affine_map<(x, y) -> (x)>
#y = affine_map<(x, y) -> (y)>
#q = affine_map<(h, m, n, d, e) -> (m, h, d)>
#k = affine_map<(h, m, n, d, e) -> (n, h, d)>
#v = affine_map<(h, m, n, d, e) -> (n, h, e)>
#o = affine_map<(h, m, n, d, e) -> (m, h, e)>
func.func @gpt2_block(%x: tensor<12x48xf16>, %gain: tensor<48xf16>, %shift: tensor<48xf16>,
                      %wqkv: tensor<48x144xf16>, %bqkv: tensor<144xf16>,
                      %wout: tensor<48x48xf16>, %bout: tensor<48xf16>) -> tensor<12x48xf16> {
  %zero = arith.constant 0.0 : f16
  %width = arith.constant 48.0 : f16
  %eps = arith.constant 1.0e-5 : f16
  %rows = tensor.empty() : tensor<12xf16>
  %none = linalg.fill ins(%zero : f16) outs(%rows : tensor<12xf16>) -> tensor<12xf16>
  %sum = linalg.generic {indexing_maps = [#xy, #x], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<12x48xf16>) outs(%none : tensor<12xf16>) {
  ^bb0(%a: f16, %s: f16):
    %0 = arith.addf %s, %a : f16
    linalg.yield %0 : f16
  } -> tensor<12xf16>
  %squares = linalg.generic {indexing_maps = [#xy, #x, #x], iterator_types = ["parallel", "reduction"]}
      ins(%x, %sum : tensor<12x48xf16>, tensor<12xf16>) outs(%none : tensor<12xf16>) {
  ^bb0(%a: f16, %b: f16, %s: f16):
    %mean = arith.divf %b, %width : f16
    %0 = arith.subf %a, %mean : f16
    %1 = arith.mulf %0, %0 : f16
    %2 = arith.addf %s, %1 : f16
    linalg.yield %2 : f16
  } -> tensor<12xf16>
  %e0 = tensor.empty() : tensor<12x48xf16>
  %norm = linalg.generic {indexing_maps = [#xy, #x, #x, #y, #y, #xy],
                          iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum, %squares, %gain, %shift
          : tensor<12x48xf16>, tensor<12xf16>, tensor<12xf16>, tensor<48xf16>, tensor<48xf16>)
      outs(%e0 : tensor<12x48xf16>) {
  ^bb0(%a: f16, %b: f16, %s: f16, %g: f16, %t: f16, %out: f16):
    %mean = arith.divf %b, %width : f16
    %variance = arith.divf %s, %width : f16
    %0 = arith.addf %variance, %eps : f16
    %1 = math.rsqrt %0 : f16
    %2 = arith.subf %a, %mean : f16
    %3 = arith.mulf %2, %1 : f16
    %4 = arith.mulf %3, %g : f16
    %5 = arith.addf %4, %t : f16
    linalg.yield %5 : f16
  } -> tensor<12x48xf16>

  %e1 = tensor.empty() : tensor<12x144xf16>
  %i1 = linalg.fill ins(%zero : f16) outs(%e1 : tensor<12x144xf16>) -> tensor<12x144xf16>
  %p1 = linalg.matmul ins(%norm, %wqkv : tensor<12x48xf16>, tensor<48x144xf16>)
      outs(%i1 : tensor<12x144xf16>) -> tensor<12x144xf16>
  %qkv = linalg.generic {indexing_maps = [#xy, #y, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%p1, %bqkv : tensor<12x144xf16>, tensor<144xf16>) outs(%e1 : tensor<12x144xf16>) {
  ^bb0(%a: f16, %b: f16, %out: f16):
    %0 = arith.addf %a, %b : f16
    linalg.yield %0 : f16
  } -> tensor<12x144xf16>
  %heads = tensor.expand_shape %qkv [[0], [1, 2, 3]] output_shape [12, 3, 3, 16]
      : tensor<12x144xf16> into tensor<12x3x3x16xf16>
  %query = tensor.extract_slice %heads[0, 0, 0, 0] [12, 1, 3, 16] [1, 1, 1, 1]
      : tensor<12x3x3x16xf16> to tensor<12x3x16xf16>
  %key = tensor.extract_slice %heads[0, 1, 0, 0] [12, 1, 3, 16] [1, 1, 1, 1]
      : tensor<12x3x3x16xf16> to tensor<12x3x16xf16>
  %value = tensor.extract_slice %heads[0, 2, 0, 0] [12, 1, 3, 16] [1, 1, 1, 1]
      : tensor<12x3x3x16xf16> to tensor<12x3x16xf16>
  %e2 = tensor.empty() : tensor<12x3x16xf16>
  %attention = attn.generic
      ins(%query, %key, %value : tensor<12x3x16xf16>, tensor<12x3x16xf16>, tensor<12x3x16xf16>)
      weighting(#attn.softmax) outs(%e2 : tensor<12x3x16xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<12x3x16xf16>
  %joined = tensor.collapse_shape %attention [[0], [1, 2]]
      : tensor<12x3x16xf16> into tensor<12x48xf16>

  %i3 = linalg.fill ins(%zero : f16) outs(%e0 : tensor<12x48xf16>) -> tensor<12x48xf16>
  %p3 = linalg.matmul ins(%joined, %wout : tensor<12x48xf16>, tensor<48x48xf16>)
      outs(%i3 : tensor<12x48xf16>) -> tensor<12x48xf16>
  %result = linalg.generic {indexing_maps = [#xy, #y, #xy, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%p3, %bout, %x : tensor<12x48xf16>, tensor<48xf16>, tensor<12x48xf16>)
      outs(%e0 : tensor<12x48xf16>) {
  ^bb0(%a: f16, %b: f16, %before: f16, %out: f16):
    %0 = arith.addf %a, %b : f16
    %1 = arith.addf %0, %before : f16
    linalg.yield %1 : f16
  } -> tensor<12x48xf16>
  return %result : tensor<12x48xf16>
}
