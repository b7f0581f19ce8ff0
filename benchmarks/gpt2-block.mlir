// BENCH: --random

// The attention block of a layer of GPT-2 small, of 1024 tokens: layer norm,
// projections, causal attention of 12 heads, output, residual.
#xy = affine_map<(x, y) -> (x, y)>
#x = affine_map<(x, y) -> (x)>
#y = affine_map<(x, y) -> (y)>
#q = affine_map<(h, m, n, d, e) -> (m, h, d)>
#k = affine_map<(h, m, n, d, e) -> (n, h, d)>
#v = affine_map<(h, m, n, d, e) -> (n, h, e)>
#o = affine_map<(h, m, n, d, e) -> (m, h, e)>
func.func @gpt2_block(%x: tensor<1024x768xf32>, %gain: tensor<768xf32>, %shift: tensor<768xf32>,
                      %wqkv: tensor<768x2304xf32>, %bqkv: tensor<2304xf32>,
                      %wout: tensor<768x768xf32>, %bout: tensor<768xf32>) -> tensor<1024x768xf32> {
  %zero = arith.constant 0.0 : f32
  %width = arith.constant 768.0 : f32
  %eps = arith.constant 1.0e-5 : f32
  %rows = tensor.empty() : tensor<1024xf32>
  %none = linalg.fill ins(%zero : f32) outs(%rows : tensor<1024xf32>) -> tensor<1024xf32>
  %sum = linalg.generic {indexing_maps = [#xy, #x], iterator_types = ["parallel", "reduction"]}
      ins(%x : tensor<1024x768xf32>) outs(%none : tensor<1024xf32>) {
  ^bb0(%a: f32, %s: f32):
    %0 = arith.addf %s, %a : f32
    linalg.yield %0 : f32
  } -> tensor<1024xf32>
  %squares = linalg.generic {indexing_maps = [#xy, #x, #x], iterator_types = ["parallel", "reduction"]}
      ins(%x, %sum : tensor<1024x768xf32>, tensor<1024xf32>) outs(%none : tensor<1024xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32):
    %mean = arith.divf %b, %width : f32
    %0 = arith.subf %a, %mean : f32
    %1 = arith.mulf %0, %0 : f32
    %2 = arith.addf %s, %1 : f32
    linalg.yield %2 : f32
  } -> tensor<1024xf32>
  %e0 = tensor.empty() : tensor<1024x768xf32>
  %norm = linalg.generic {indexing_maps = [#xy, #x, #x, #y, #y, #xy],
                          iterator_types = ["parallel", "parallel"]}
      ins(%x, %sum, %squares, %gain, %shift
          : tensor<1024x768xf32>, tensor<1024xf32>, tensor<1024xf32>, tensor<768xf32>, tensor<768xf32>)
      outs(%e0 : tensor<1024x768xf32>) {
  ^bb0(%a: f32, %b: f32, %s: f32, %g: f32, %t: f32, %out: f32):
    %mean = arith.divf %b, %width : f32
    %variance = arith.divf %s, %width : f32
    %0 = arith.addf %variance, %eps : f32
    %1 = math.rsqrt %0 : f32
    %2 = arith.subf %a, %mean : f32
    %3 = arith.mulf %2, %1 : f32
    %4 = arith.mulf %3, %g : f32
    %5 = arith.addf %4, %t : f32
    linalg.yield %5 : f32
  } -> tensor<1024x768xf32>

  %e1 = tensor.empty() : tensor<1024x2304xf32>
  %i1 = linalg.fill ins(%zero : f32) outs(%e1 : tensor<1024x2304xf32>) -> tensor<1024x2304xf32>
  %p1 = linalg.matmul ins(%norm, %wqkv : tensor<1024x768xf32>, tensor<768x2304xf32>)
      outs(%i1 : tensor<1024x2304xf32>) -> tensor<1024x2304xf32>
  %qkv = linalg.generic {indexing_maps = [#xy, #y, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%p1, %bqkv : tensor<1024x2304xf32>, tensor<2304xf32>) outs(%e1 : tensor<1024x2304xf32>) {
  ^bb0(%a: f32, %b: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  } -> tensor<1024x2304xf32>
  %heads = tensor.expand_shape %qkv [[0], [1, 2, 3]] output_shape [1024, 3, 12, 64]
      : tensor<1024x2304xf32> into tensor<1024x3x12x64xf32>
  %query = tensor.extract_slice %heads[0, 0, 0, 0] [1024, 1, 12, 64] [1, 1, 1, 1]
      : tensor<1024x3x12x64xf32> to tensor<1024x12x64xf32>
  %key = tensor.extract_slice %heads[0, 1, 0, 0] [1024, 1, 12, 64] [1, 1, 1, 1]
      : tensor<1024x3x12x64xf32> to tensor<1024x12x64xf32>
  %value = tensor.extract_slice %heads[0, 2, 0, 0] [1024, 1, 12, 64] [1, 1, 1, 1]
      : tensor<1024x3x12x64xf32> to tensor<1024x12x64xf32>
  %e2 = tensor.empty() : tensor<1024x12x64xf32>
  %attention = attn.generic
      ins(%query, %key, %value : tensor<1024x12x64xf32>, tensor<1024x12x64xf32>, tensor<1024x12x64xf32>)
      weighting(#attn.softmax) outs(%e2 : tensor<1024x12x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<1024x12x64xf32>
  %joined = tensor.collapse_shape %attention [[0], [1, 2]]
      : tensor<1024x12x64xf32> into tensor<1024x768xf32>

  %i3 = linalg.fill ins(%zero : f32) outs(%e0 : tensor<1024x768xf32>) -> tensor<1024x768xf32>
  %p3 = linalg.matmul ins(%joined, %wout : tensor<1024x768xf32>, tensor<768x768xf32>)
      outs(%i3 : tensor<1024x768xf32>) -> tensor<1024x768xf32>
  %result = linalg.generic {indexing_maps = [#xy, #y, #xy, #xy], iterator_types = ["parallel", "parallel"]}
      ins(%p3, %bout, %x : tensor<1024x768xf32>, tensor<768xf32>, tensor<1024x768xf32>)
      outs(%e0 : tensor<1024x768xf32>) {
  ^bb0(%a: f32, %b: f32, %before: f32, %out: f32):
    %0 = arith.addf %a, %b : f32
    %1 = arith.addf %0, %before : f32
    linalg.yield %1 : f32
  } -> tensor<1024x768xf32>
  return %result : tensor<1024x768xf32>
}
