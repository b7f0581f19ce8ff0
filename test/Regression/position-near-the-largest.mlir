// RUN: attn-run %s --entry=compared --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=clamped --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=wrapped --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=overflow --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=overflow --stop-after=vectorize | FileCheck %s --check-prefix=FLAGS

// Nothing wraps in the source, but sums that the compiler made did.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>

// Positions at either end of the number range, beside each other and beside
// numbers of the other end.
func.func @compared(%q: tensor<20x4xf32>, %k: tensor<70x4xf32>, %v: tensor<70x3xf32>) -> tensor<20x3xf32> {
  %init = tensor.empty() : tensor<20x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<20x4xf32>, tensor<70x4xf32>, tensor<70x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<20x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %largest = arith.constant 9223372036854775807 : index
        %least = arith.constant -9223372036854775808 : index
        %three = arith.constant 3 : index
        %from_largest = arith.subi %largest, %i : index
        %from_least = arith.addi %least, %i : index
        %thrice = arith.muli %i, %three : index
        %far = arith.subi %largest, %thrice : index
        %keys = arith.subi %largest, %j : index
        %c0 = arith.cmpi sle, %j, %from_largest : index
        %c1 = arith.cmpi sgt, %j, %from_least : index
        %c2 = arith.cmpi slt, %from_least, %from_largest : index
        %c3 = arith.cmpi slt, %from_largest, %keys : index
        %c4 = arith.cmpi sge, %far, %keys : index
        %c5 = arith.cmpi eq, %least, %from_least : index
        %n0 = arith.extui %c0 : i1 to i32
        %n1 = arith.extui %c1 : i1 to i32
        %n2 = arith.extui %c2 : i1 to i32
        %n3 = arith.extui %c3 : i1 to i32
        %n4 = arith.extui %c4 : i1 to i32
        %n5 = arith.extui %c5 : i1 to i32
        %s0 = arith.addi %n0, %n1 : i32
        %s1 = arith.addi %n2, %n3 : i32
        %s2 = arith.addi %n4, %n5 : i32
        %s3 = arith.addi %s0, %s1 : i32
        %s4 = arith.addi %s3, %s2 : i32
        %bonus = arith.sitofp %s4 : i32 to f32
        %t = arith.addf %s, %bonus : f32
        attn.yield %t : f32
      } -> tensor<20x3xf32>
  return %o : tensor<20x3xf32>
}

// What is clamped starts from the other end of the number range.
func.func @clamped(%q: tensor<20x4xf32>, %k: tensor<70x4xf32>, %v: tensor<70x3xf32>,
                   %table: tensor<40xf32>) -> tensor<20x3xf32> {
  %init = tensor.empty() : tensor<20x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<20x4xf32>, tensor<70x4xf32>, tensor<70x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<20x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %largest = arith.constant 9223372036854775807 : index
        %least = arith.constant -9223372036854775808 : index
        %low = arith.constant -5 : index
        %high = arith.constant 7 : index
        %middle = arith.constant 20 : index
        %from_largest = arith.subi %largest, %i : index
        %from_least = arith.addi %least, %i : index
        %a = arith.maxsi %from_largest, %low : index
        %b = arith.minsi %from_least, %high : index
        %rows = arith.subi %a, %largest : index
        %x = arith.addi %rows, %middle : index
        %y = arith.subi %b, %least : index
        %tx = tensor.extract %table[%x] : tensor<40xf32>
        %ty = tensor.extract %table[%y] : tensor<40xf32>
        %sx = arith.mulf %s, %tx : f32
        %sy = arith.mulf %sx, %ty : f32
        attn.yield %sy : f32
      } -> tensor<20x3xf32>
  return %o : tensor<20x3xf32>
}

// Sums of i64 wrap as the source has them, and then are positions.
func.func @wrapped(%q: tensor<20x4xf32>, %k: tensor<70x4xf32>, %v: tensor<70x3xf32>) -> tensor<20x3xf32> {
  %init = tensor.empty() : tensor<20x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<20x4xf32>, tensor<70x4xf32>, tensor<70x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<20x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %near = arith.constant 9223372036854775800 : i64
        %i64 = arith.index_cast %i : index to i64
        %sum = arith.addi %near, %i64 : i64
        %x = arith.index_cast %sum : i64 to index
        %c = arith.cmpi slt, %x, %j : index
        %zero = arith.constant 0 : index
        %ten = arith.constant 10 : index
        %low = arith.minsi %x, %ten : index
        %d = arith.cmpi slt, %low, %zero : index
        %two = arith.constant 2.0 : f32
        %a = arith.addf %s, %two : f32
        %t = arith.select %c, %a, %s : f32
        %n = arith.negf %t : f32
        %u = arith.select %d, %n, %t : f32
        attn.yield %u : f32
      } -> tensor<20x3xf32>
  return %o : tensor<20x3xf32>
}

// No sum of a visible pair overflows, but that of the first row, which sees
// nothing of these keys, does.
// FLAGS-LABEL: func @overflow
// FLAGS-NOT: arith.{{addi|subi}} {{.*}}overflow<
func.func @overflow(%q: tensor<20x4xf32>, %k: tensor<20x4xf32>, %v: tensor<20x3xf32>) -> tensor<20x3xf32> {
  %init = tensor.empty() : tensor<20x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<20x4xf32>, tensor<20x4xf32>, tensor<20x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<20x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi sge, %i, %j : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %one = arith.constant 1 : index
        %distance = arith.subi %i, %j overflow<nsw, nuw> : index
        %more = arith.addi %distance, %one overflow<nsw, nuw> : index
        %i64 = arith.index_cast %more : index to i64
        %f = arith.sitofp %i64 : i64 to f32
        %t = arith.divf %s, %f : f32
        attn.yield %t : f32
      } -> tensor<20x3xf32>
  return %o : tensor<20x3xf32>
}
