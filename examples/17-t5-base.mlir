// RUN: attn-run %s --random --shape=0:1x12x37x64 --shape=1:1x12x37x64 --shape=2:1x12x37x64 --check
// BENCH: --random --shape=1x12x512x64

// The encoder of T5 base: 12 heads of width 64, no scale, and a learned bias on the
// distance of a pair. T5 groups distances in buckets, all those beyond 128 in one;
// %bias spells them out, one entry for each distance from -128 to 128.
func.func @t5_base(%q: tensor<1x12x?x64xf32>, %k: tensor<1x12x?x64xf32>,
                   %v: tensor<1x12x?x64xf32>, %bias: tensor<12x257xf32>)
    -> tensor<1x12x?x64xf32> {
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c2 : tensor<1x12x?x64xf32>
  %init = tensor.empty(%rows) : tensor<1x12x?x64xf32>
  %o = attn.sdpa
      ins(%q, %k, %v : tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>, tensor<1x12x?x64xf32>)
      outs(%init : tensor<1x12x?x64xf32>) {scale = 1.0 : f64}
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %far = arith.constant 128 : index
        %minusfar = arith.constant -128 : index
        %steps = arith.subi %j, %i : index
        %atleast = arith.maxsi %steps, %minusfar : index
        %distance = arith.minsi %atleast, %far : index
        %entry = arith.addi %distance, %far : index
        %learned = tensor.extract %bias[%h, %entry] : tensor<12x257xf32>
        %t = arith.addf %s, %learned : f32
        attn.yield %t : f32
      } -> tensor<1x12x?x64xf32>
  return %o : tensor<1x12x?x64xf32>
}
