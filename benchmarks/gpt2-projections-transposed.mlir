// BENCH: --random
// LIMIT: transposed 1024x2304x768,1024x768x768,1024x3072x768,1024x768x3072

// The four projections of a layer of GPT-2 small, of 1024 tokens; weights are stored
// output by output, as torch.nn.Linear has them.
func.func @projections(%x: tensor<1024x768xf32>, %h: tensor<1024x3072xf32>, %wqkv: tensor<2304x768xf32>, %wout: tensor<768x768xf32>, %wup: tensor<3072x768xf32>, %wdown: tensor<768x3072xf32>)
    -> (tensor<1024x2304xf32>, tensor<1024x768xf32>, tensor<1024x3072xf32>, tensor<1024x768xf32>) {
  %zero = arith.constant 0.0 : f32
  %eqkv = tensor.empty() : tensor<1024x2304xf32>
  %iqkv = linalg.fill ins(%zero : f32) outs(%eqkv : tensor<1024x2304xf32>) -> tensor<1024x2304xf32>
  %qkv = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %wqkv : tensor<1024x768xf32>, tensor<2304x768xf32>)
      outs(%iqkv : tensor<1024x2304xf32>) -> tensor<1024x2304xf32>
  %eout = tensor.empty() : tensor<1024x768xf32>
  %iout = linalg.fill ins(%zero : f32) outs(%eout : tensor<1024x768xf32>) -> tensor<1024x768xf32>
  %out = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %wout : tensor<1024x768xf32>, tensor<768x768xf32>)
      outs(%iout : tensor<1024x768xf32>) -> tensor<1024x768xf32>
  %eup = tensor.empty() : tensor<1024x3072xf32>
  %iup = linalg.fill ins(%zero : f32) outs(%eup : tensor<1024x3072xf32>) -> tensor<1024x3072xf32>
  %up = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%x, %wup : tensor<1024x768xf32>, tensor<3072x768xf32>)
      outs(%iup : tensor<1024x3072xf32>) -> tensor<1024x3072xf32>
  %edown = tensor.empty() : tensor<1024x768xf32>
  %idown = linalg.fill ins(%zero : f32) outs(%edown : tensor<1024x768xf32>) -> tensor<1024x768xf32>
  %down = linalg.matmul indexing_maps = [affine_map<(m, n, k) -> (m, k)>, affine_map<(m, n, k) -> (n, k)>, affine_map<(m, n, k) -> (m, n)>]
      ins(%h, %wdown : tensor<1024x3072xf32>, tensor<768x3072xf32>)
      outs(%idown : tensor<1024x768xf32>) -> tensor<1024x768xf32>
  return %qkv, %out, %up, %down : tensor<1024x2304xf32>, tensor<1024x768xf32>, tensor<1024x3072xf32>, tensor<1024x768xf32>
}
