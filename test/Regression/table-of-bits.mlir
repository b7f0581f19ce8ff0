// RUN: attn-run %s --entry=mask --require-fused --random --random-range=4:0:24 --check | FileCheck %s
// RUN: attn-run %s --entry=mask --require-fused --random --random-range=4:0:24 --check --cpu=x86-64-v3 | FileCheck %s
// RUN: attn-run %s --entry=mask --require-fused --random --random-range=4:0:24 --check --cpu=x86-64 | FileCheck %s
// RUN: attn-run %s --entry=score --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=score --require-fused --random --check --cpu=x86-64-v3 | FileCheck %s
// RUN: attn-run %s --entry=score --require-fused --random --check --cpu=x86-64 | FileCheck %s
// RUN: attn-run %s --entry=widths --require-fused --random --check | FileCheck %s

// A boolean is a byte in memory and a bit in a vector: reads along the rows
// took eight neighbours from one byte. So did other widths that memory rounds
// up.
// CHECK: check: result 0: ok

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>

// By the row, backwards, in steps, from what another table says, and beside a
// batch and a key.
func.func @mask(%q: tensor<2x32x4xf32>, %k: tensor<2x20x4xf32>, %v: tensor<2x20x3xf32>,
                %row: tensor<96xi1>, %ids: tensor<32xi32>, %pair: tensor<2x20x32xi1>)
    -> tensor<2x32x3xf32> {
  %init = tensor.empty() : tensor<2x32x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<2x32x4xf32>, tensor<2x20x4xf32>, tensor<2x20x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<2x32x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %b = attn.index 0
        %i = attn.index 1
        %j = attn.index 2
        %last = arith.constant 95 : index
        %three = arith.constant 3 : index
        %mirrored = arith.subi %last, %i : index
        %third = arith.muli %i, %three : index
        %id32 = tensor.extract %ids[%i] : tensor<32xi32>
        %id = arith.index_cast %id32 : i32 to index
        %r0 = tensor.extract %row[%i] : tensor<96xi1>
        %r1 = tensor.extract %row[%mirrored] : tensor<96xi1>
        %r2 = tensor.extract %row[%third] : tensor<96xi1>
        %r3 = tensor.extract %row[%id] : tensor<96xi1>
        %p = tensor.extract %pair[%b, %j, %i] : tensor<2x20x32xi1>
        %x0 = arith.xori %r0, %r1 : i1
        %x1 = arith.xori %r2, %r3 : i1
        %x2 = arith.xori %x0, %x1 : i1
        %x = arith.xori %x2, %p : i1
        attn.yield %x : i1
      } -> tensor<2x32x3xf32>
  return %o : tensor<2x32x3xf32>
}

// The same for all pairs, and at the distance of row and key.
func.func @score(%q: tensor<1x32x4xf32>, %k: tensor<1x20x4xf32>, %v: tensor<1x20x3xf32>,
                 %row: tensor<96xi1>, %pair: tensor<1x20x32xi1>) -> tensor<1x32x3xf32> {
  %init = tensor.empty() : tensor<1x32x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<1x32x4xf32>, tensor<1x20x4xf32>, tensor<1x20x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x32x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %b = attn.index 0
        %i = attn.index 1
        %j = attn.index 2
        %last = arith.constant 95 : index
        %three = arith.constant 3 : index
        %mirrored = arith.subi %last, %i : index
        %third = arith.muli %i, %three : index
        %keys = arith.constant 19 : index
        %back = arith.subi %i, %j : index
        %distance = arith.addi %back, %keys : index
        %r0 = tensor.extract %row[%distance] : tensor<96xi1>
        %r1 = tensor.extract %row[%mirrored] : tensor<96xi1>
        %r2 = tensor.extract %row[%third] : tensor<96xi1>
        %p = tensor.extract %pair[%b, %j, %i] : tensor<1x20x32xi1>
        %negated = arith.negf %s : f32
        %two = arith.constant 2.0 : f32
        %t0 = arith.select %r0, %s, %negated : f32
        %a1 = arith.addf %t0, %two : f32
        %t1 = arith.select %r1, %a1, %t0 : f32
        %a2 = arith.addf %t1, %two : f32
        %t2 = arith.select %r2, %a2, %t1 : f32
        %a3 = arith.addf %t2, %two : f32
        %t3 = arith.select %p, %a3, %t2 : f32
        attn.yield %t3 : f32
      } -> tensor<1x32x3xf32>
  return %o : tensor<1x32x3xf32>
}

func.func @widths(%q: tensor<1x16x4xf32>, %k: tensor<1x20x4xf32>, %v: tensor<1x20x3xf32>)
    -> tensor<1x16x3xf32> {
  %init = tensor.empty() : tensor<1x16x3xf32>
  %four = arith.constant dense<[1, -2, 3, -4, 5, -6, 7, -8, 0, 1, 2, 3, 4, 5, 6, 7]> : tensor<16xi4>
  %many = arith.constant dense<[1, -2, 3, -4, 5, -6, 7, -8, 9, -10, 11, -12, 13, -14, 15, -8388608]> : tensor<16xi24>
  %o = attn.generic ins(%q, %k, %v : tensor<1x16x4xf32>, tensor<1x20x4xf32>, tensor<1x20x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x16x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %a4 = tensor.extract %four[%i] : tensor<16xi4>
        %b24 = tensor.extract %many[%i] : tensor<16xi24>
        %a = arith.extsi %a4 : i4 to i32
        %b = arith.extsi %b24 : i24 to i32
        %sum = arith.addi %a, %b : i32
        %c = arith.index_cast %sum : i32 to index
        %five = arith.constant 5 : index
        %x = arith.subi %j, %five : index
        %visible = arith.cmpi sge, %x, %c : index
        attn.yield %visible : i1
      } -> tensor<1x16x3xf32>
  return %o : tensor<1x16x3xf32>
}
