// Documents packed into one row, of whose tokens some are looked at: how many is
// checked in the run.
func.func @documents(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>,
                     %doc: tensor<?xi32>, %less: index) -> tensor<2x?x16xf32> {
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<2x?x16xf32>
  %init = tensor.empty(%rows) : tensor<2x?x16xf32>
  %fewer = arith.subi %rows, %less : index
  %some = tensor.extract_slice %k[0, 0, 0] [2, %fewer, 16] [1, 1, 1]
      : tensor<2x?x16xf32> to tensor<2x?x16xf32>
  %o = attn.sdpa ins(%q, %some, %k : tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x16xf32>)
      outs(%init : tensor<2x?x16xf32>)
      mask {
      ^bb0(%h: index, %i: index, %j: index):
        %mine = tensor.extract %doc[%i] : tensor<?xi32>
        %other = tensor.extract %doc[%j] : tensor<?xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      } -> tensor<2x?x16xf32>
  return %o : tensor<2x?x16xf32>
}
