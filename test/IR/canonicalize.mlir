// RUN: attn-opt %s --canonicalize --split-input-file | FileCheck %s

// A region that says what its absence says goes.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
// CHECK-LABEL: func.func @trivial_regions(
// CHECK-NEXT: %[[OUT:.+]] = attn.generic ins(
// CHECK-SAME: scale = 5.000000e-01 : f64} -> tensor<5x3xf32>
// CHECK-NEXT: return %[[OUT]]
func.func @trivial_regions(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                           %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.5 : f64}
      similarity {
      ^bb0(%x: f32, %y: f32):
        %p = arith.mulf %x, %y : f32
        attn.yield %p : f32
      }
      mask {
        %true = arith.constant true
        attn.yield %true : i1
      }
      score {
      ^bb0(%s: f32):
        attn.yield %s : f32
      }
      weight {
      ^bb0(%w: f32):
        attn.yield %w : f32
      }
      -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

// The product commutes; a condition on sizes folds to true before it goes.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
// CHECK-LABEL: func.func @folded_regions(
// CHECK-NEXT: %[[OUT:.+]] = attn.generic ins(
// CHECK-NOT: similarity
// CHECK-NOT: mask
// CHECK-NOT: score
// CHECK: return %[[OUT]]
func.func @folded_regions(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                          %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %zero = arith.constant 0 : index
  %one = arith.constant 1.0 : f32
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      similarity {
      ^bb0(%x: f32, %y: f32):
        %p = arith.mulf %y, %x : f32
        attn.yield %p : f32
      }
      mask {
        %n = tensor.dim %k, %zero : tensor<7x4xf32>
        %visible = arith.cmpi sgt, %n, %zero : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32):
        %t = arith.mulf %s, %one : f32
        attn.yield %t : f32
      }
      -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

// What only looks trivial stays: a square, a mask that is false, a score that
// swaps its arguments.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
// CHECK-LABEL: func.func @not_trivial(
// CHECK: similarity {
// CHECK-NEXT: ^bb0(%q: f32, %k: f32, %in0: f32):
// CHECK-NEXT: %[[SQUARE:.+]] = arith.mulf %q, %q : f32
// CHECK-NEXT: attn.yield %[[SQUARE]] : f32
// CHECK: mask {
// CHECK: attn.yield %false : i1
// CHECK: score {
// CHECK-NEXT: ^bb0(%s: f32, %in0: f32):
// CHECK-NEXT: attn.yield %in0 : f32
func.func @not_trivial(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                       %x: tensor<5xf32>, %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%x : tensor<5xf32>) weighting(#attn.softmax) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32, %c: f32):
        %p = arith.mulf %a, %a : f32
        attn.yield %p : f32
      }
      mask {
      ^bb0(%c: f32):
        %false = arith.constant false
        attn.yield %false : i1
      }
      score {
      ^bb0(%s: f32, %c: f32):
        attn.yield %c : f32
      }
      -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

// Inputs that no region reads go, with their maps and arguments; the others
// keep their order. The weighting operand that follows them stays.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
#key = affine_map<(m, n, d, e) -> (n)>
#none = affine_map<(m, n, d, e) -> ()>
// CHECK-DAG: #[[$KEY:.+]] = affine_map<(d0, d1, d2, d3) -> (d1)>
// CHECK-DAG: #[[$NONE:.+]] = affine_map<(d0, d1, d2, d3) -> ()>
// CHECK-LABEL: func.func @unused_inputs(
// CHECK-SAME: %[[A:[^:]+]]: tensor<5xf32>, %[[B:[^:]+]]: tensor<7xi1>, %[[C:[^:]+]]: f32, %[[D:[^:]+]]: tensor<7xf32>, %[[SINK:[^:]+]]: f32,
// CHECK: attn.generic
// CHECK-SAME: inputs(%[[B]], %[[D]] : tensor<7xi1>, tensor<7xf32>)
// CHECK-SAME: weighting(#attn.softmax_sink, %[[SINK]] : f32)
// CHECK-SAME: indexing_maps = [#{{[a-z0-9]+}}, #{{[a-z0-9]+}}, #{{[a-z0-9]+}}, #[[$KEY]], #[[$KEY]], #[[$NONE]], #{{[a-z0-9]+}}]
// CHECK-SAME: mask {
// CHECK-NEXT: ^bb0(%in0: i1, %in1: f32):
// CHECK-NEXT: attn.yield %in0 : i1
// CHECK: score {
// CHECK-NEXT: ^bb0(%s: f32, %in0: i1, %in1: f32):
// CHECK-NEXT: %[[SUM:.+]] = arith.addf %s, %in1 : f32
// CHECK-NEXT: attn.yield %[[SUM]] : f32
func.func @unused_inputs(%a: tensor<5xf32>, %b: tensor<7xi1>, %c: f32, %d: tensor<7xf32>,
                         %sink: f32, %q: tensor<5x4xf32>, %k: tensor<7x4xf32>,
                         %v: tensor<7x3xf32>, %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%a, %b, %c, %d : tensor<5xf32>, tensor<7xi1>, f32, tensor<7xf32>)
      weighting(#attn.softmax_sink, %sink : f32) outs(%o : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #key, #none, #key, #none, #o]}
      mask {
      ^bb0(%x0: f32, %x1: i1, %x2: f32, %x3: f32):
        attn.yield %x1 : i1
      }
      score {
      ^bb0(%s: f32, %x0: f32, %x1: i1, %x2: f32, %x3: f32):
        %t = arith.addf %s, %x3 : f32
        attn.yield %t : f32
      }
      -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// -----

// An input that only a trivial region mentions goes once the region has gone.

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#row = affine_map<(m, n, d, e) -> (m)>
// CHECK-LABEL: func.func @input_of_trivial_region(
// CHECK-NEXT: attn.generic
// CHECK-NOT: inputs(
// CHECK-SAME: {indexing_maps = [#{{[a-z0-9]+}}, #{{[a-z0-9]+}}, #{{[a-z0-9]+}}, #{{[a-z0-9]+}}]}
// CHECK-NEXT: return
func.func @input_of_trivial_region(%q: memref<5x4xf32>, %k: memref<7x4xf32>,
                                   %v: memref<7x3xf32>, %x: memref<5xf32>, %o: memref<5x3xf32>) {
  attn.generic ins(%q, %k, %v : memref<5x4xf32>, memref<7x4xf32>, memref<7x3xf32>)
      inputs(%x : memref<5xf32>) weighting(#attn.softmax) outs(%o : memref<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      weight {
      ^bb0(%w: f32, %c: f32):
        attn.yield %w : f32
      }
  return
}

// -----

// What is the same for all, or is in no parallel loop, says nothing.
// CHECK-LABEL: func.func @costs(
// CHECK-NOT: attn.cost
// CHECK: scf.forall
// CHECK-NEXT: attn.cost
func.func @costs(%n: index) {
  %c7 = arith.constant 7 : index
  attn.cost %n
  scf.forall (%i) in (%n) {
    attn.cost %c7
    attn.cost %i
  }
  return
}
