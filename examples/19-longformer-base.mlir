// RUN: attn-run %s --random --shape=0:1x12x613x64 --shape=1:1x12x613x64 --shape=2:1x12x613x64 --shape=3:613 --random-range=3:0:100 --check
// BENCH: --random --shape=0:1x12x4096x64 --shape=1:1x12x4096x64 --shape=2:1x12x4096x64 --shape=3:4096 %runs=3:16,4080

// A layer of Longformer base: 12 heads of width 64, a window of 512 tokens, 256 on
// either side, and global tokens, which see all and are seen by all. A token is
// global where %kind is 0.
func.func @longformer_base(%q: tensor<1x12x?x64xf32>, %k: tensor<1x12x?x64xf32>,
                           %v: tensor<1x12x?x64xf32>, %kind: tensor<?xi32>)
    -> tensor<1x12x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x12x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x12x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>)
      outs(%init : tensor<1x12x?x64xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %c256 = arith.constant 256 : index
        %steps = arith.subi %i, %j : index
        %distance = math.absi %steps : index
        %near = arith.cmpi sle, %distance, %c256 : index
        %zero = arith.constant 0 : i32
        %mine = tensor.extract %kind[%i] : tensor<?xi32>
        %sees = arith.cmpi eq, %mine, %zero : i32
        %other = tensor.extract %kind[%j] : tensor<?xi32>
        %seen = arith.cmpi eq, %other, %zero : i32
        %global = arith.ori %sees, %seen : i1
        %visible = arith.ori %near, %global : i1
        attn.yield %visible : i1
      } -> tensor<1x12x?x64xf32>
  return %o : tensor<1x12x?x64xf32>
}
