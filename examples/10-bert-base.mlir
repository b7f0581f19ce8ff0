// RUN: attn-run %s --random --shape=0:3x12x37x64 --shape=1:3x12x37x64 --shape=2:3x12x37x64 --shape=3:3 --random-range=3:1:38 --check
// BENCH: --random --shape=0:1x12x512x64 --shape=1:1x12x512x64 --shape=2:1x12x512x64 --shape=3:1 --random-range=3:512:513

// A layer of BERT base: 12 heads of width 64. Sentences shorter than the batch are
// padded; %length says how many tokens of each count.
func.func @bert_base(%q: tensor<?x12x?x64xf32>, %k: tensor<?x12x?x64xf32>,
                     %v: tensor<?x12x?x64xf32>, %length: tensor<?xi32>)
    -> tensor<?x12x?x64xf32> {
  %c0 = arith.constant 0 : index
  %c2 = arith.constant 2 : index
  %batch = tensor.dim %q, %c0 : tensor<?x12x?x64xf32>
  %rows = tensor.dim %q, %c2 : tensor<?x12x?x64xf32>
  %init = tensor.empty(%batch, %rows) : tensor<?x12x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>, tensor<?x12x?x64xf32>)
      outs(%init : tensor<?x12x?x64xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %last = tensor.extract %length[%b] : tensor<?xi32>
        %end = arith.index_cast %last : i32 to index
        %visible = arith.cmpi slt, %j, %end : index
        attn.yield %visible : i1
      } -> tensor<?x12x?x64xf32>
  return %o : tensor<?x12x?x64xf32>
}
