// BENCH: --random

// The neighbourhood of natten2d-32x32 over one index, row by row.
func.func @natten2d_flat(%q: tensor<1x8x1024x64xf32>, %k: tensor<1x8x1024x64xf32>,
                         %v: tensor<1x8x1024x64xf32>) -> tensor<1x8x1024x64xf32> {
  %init = tensor.empty() : tensor<1x8x1024x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x1024x64xf32>, tensor<1x8x1024x64xf32>, tensor<1x8x1024x64xf32>)
      outs(%init : tensor<1x8x1024x64xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %row = affine.apply affine_map<(i) -> (i floordiv 32)>(%i)
        %column = affine.apply affine_map<(i) -> (i mod 32)>(%i)
        %keyRow = affine.apply affine_map<(j) -> (j floordiv 32)>(%j)
        %keyColumn = affine.apply affine_map<(j) -> (j mod 32)>(%j)
        %reach = arith.constant 3 : index
        %down = arith.subi %row, %keyRow : index
        %across = arith.subi %column, %keyColumn : index
        %rows = math.absi %down : index
        %columns = math.absi %across : index
        %near = arith.cmpi sle, %rows, %reach : index
        %beside = arith.cmpi sle, %columns, %reach : index
        %visible = arith.andi %near, %beside : i1
        attn.yield %visible : i1
      } -> tensor<1x8x1024x64xf32>
  return %o : tensor<1x8x1024x64xf32>
}
