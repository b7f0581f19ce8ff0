// Query tiles that share each key tile see no key beyond it, however many ranges
// their mask has: in blocks, where every key tile is walked once for all query
// tiles, the result is that of query tiles that walk by themselves.

// RUN: attn-run %s --random --require-fused --check --output=%t.alone.npy
// RUN: attn-opt %s --attn-generalize --attn-bound --attn-tile="query-tiles=3 key-tile=16" --attn-decompose --canonicalize --cse -o %t.tiled.mlir
// RUN: FileCheck %s < %t.tiled.mlir
// RUN: attn-run %t.tiled.mlir --start-after=tile --random --output=%t.blocks.npy
// RUN: %python -c "import numpy, sys; a, b = map(numpy.load, sys.argv[1:]); sys.exit(not numpy.allclose(a, b, atol=1e-5))" %t.alone.npy %t.blocks.npy

// The loop over shared key tiles, and in it one that looks for the next range.
// CHECK: scf.for
// CHECK: scf.while

// A window beside four keys that all rows see: two ranges.
func.func @blocks(%q: tensor<2x200x8xf32>, %k: tensor<2x200x8xf32>,
                  %v: tensor<2x200x5xf32>) -> tensor<2x200x5xf32> {
  %init = tensor.empty() : tensor<2x200x5xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x200x8xf32>, tensor<2x200x8xf32>, tensor<2x200x5xf32>)
      outs(%init : tensor<2x200x5xf32>)
      mask {
      ^bb0(%h: index, %i: index, %j: index):
        %c4 = arith.constant 4 : index
        %c9 = arith.constant 9 : index
        %first = arith.cmpi slt, %j, %c4 : index
        %from = arith.subi %i, %c9 : index
        %to = arith.addi %i, %c9 : index
        %above = arith.cmpi sge, %j, %from : index
        %below = arith.cmpi sle, %j, %to : index
        %near = arith.andi %above, %below : i1
        %visible = arith.ori %first, %near : i1
        attn.yield %visible : i1
      } -> tensor<2x200x5xf32>
  return %o : tensor<2x200x5xf32>
}
