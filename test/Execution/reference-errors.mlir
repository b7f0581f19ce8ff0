// What the reference cannot evaluate is one line that says where.

// RUN: split-file %s %t
// RUN: not attn-run %t/control-flow.mlir --target=reference --random 2>&1 | FileCheck %s --check-prefix=FLOW
// RUN: not attn-run %t/read.mlir --target=reference --random 2>&1 | FileCheck %s --check-prefix=READ

// FLOW: attn-run: error: {{.*}}control-flow.mlir:3:8: reference cannot evaluate 'scf.index_switch'
// READ: attn-run: error: {{.*}}read.mlir:19:14: read out of bounds: index -1 of a dimension of extent 3

//--- control-flow.mlir
func.func @f(%x: f32) -> f32 {
  %t = arith.constant 1 : index
  %r = scf.index_switch %t -> f32
  default {
    scf.yield %x : f32
  }
  return %r : f32
}

//--- read.mlir
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
// Nothing hides the pairs for which i - j is negative.
func.func @f(%x: tensor<3x4xf32>, %table: tensor<3xf32>) -> tensor<3x4xf32> {
  %init = tensor.empty() : tensor<3x4xf32>
  %o = attn.generic ins(%x, %x, %x : tensor<3x4xf32>, tensor<3x4xf32>, tensor<3x4xf32>)
      weighting(#attn.softmax) outs(%init : tensor<3x4xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %at = arith.subi %i, %j : index

        // The first pair with a negative index is (0, 1).

        %b = tensor.extract %table[%at] : tensor<3xf32>
        %r = arith.addf %s, %b : f32
        attn.yield %r : f32
      } -> tensor<3x4xf32>
  return %o : tensor<3x4xf32>
}
