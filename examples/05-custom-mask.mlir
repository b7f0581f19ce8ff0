// RUN: attn-run %s --random --shape=1x8x53x64 --check

// A mask of one's own: every third key within 24 positions on either side. The
// compiler derives from the region which keys a tile of rows can see at all.
func.func @custom_mask(%q: tensor<1x8x?x64xf32>, %k: tensor<1x8x?x64xf32>,
                       %v: tensor<1x8x?x64xf32>) -> tensor<1x8x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x8x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x8x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>, tensor<1x8x?x64xf32>)
      outs(%init : tensor<1x8x?x64xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %c0 = arith.constant 0 : index
        %c24 = arith.constant 24 : index
        %steps = arith.subi %i, %j : index
        %distance = math.absi %steps : index
        %near = arith.cmpi sle, %distance, %c24 : index
        %rest = affine.apply affine_map<(i, j) -> ((i - j) mod 3)>(%i, %j)
        %third = arith.cmpi eq, %rest, %c0 : index
        %visible = arith.andi %near, %third : i1
        attn.yield %visible : i1
      } -> tensor<1x8x?x64xf32>
  return %o : tensor<1x8x?x64xf32>
}
