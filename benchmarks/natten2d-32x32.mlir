// BENCH: --random

// A neighbourhood of 7 x 7 in a picture of 32 x 32 (Hassani et al., Neighborhood
// Attention Transformer, cut off at the edges): two query row and two key row
// dimensions. natten2d-32x32-flat is the same over one index each.
#q = affine_map<(b, h, i, j, k, l, d, e) -> (b, h, i, j, d)>
#k = affine_map<(b, h, i, j, k, l, d, e) -> (b, h, k, l, d)>
#v = affine_map<(b, h, i, j, k, l, d, e) -> (b, h, k, l, e)>
#o = affine_map<(b, h, i, j, k, l, d, e) -> (b, h, i, j, e)>
func.func @natten2d(%q: tensor<1x8x32x32x64xf32>, %k: tensor<1x8x32x32x64xf32>,
                    %v: tensor<1x8x32x32x64xf32>) -> tensor<1x8x32x32x64xf32> {
  %init = tensor.empty() : tensor<1x8x32x32x64xf32>
  %o = attn.generic
      ins(%q, %k, %v : tensor<1x8x32x32x64xf32>, tensor<1x8x32x32x64xf32>, tensor<1x8x32x32x64xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x8x32x32x64xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.125 : f64}
      mask {
        %row = attn.index 2
        %column = attn.index 3
        %keyRow = attn.index 4
        %keyColumn = attn.index 5
        %reach = arith.constant 3 : index
        %down = arith.subi %row, %keyRow : index
        %across = arith.subi %column, %keyColumn : index
        %rows = math.absi %down : index
        %columns = math.absi %across : index
        %near = arith.cmpi sle, %rows, %reach : index
        %beside = arith.cmpi sle, %columns, %reach : index
        %visible = arith.andi %near, %beside : i1
        attn.yield %visible : i1
      } -> tensor<1x8x32x32x64xf32>
  return %o : tensor<1x8x32x32x64xf32>
}
