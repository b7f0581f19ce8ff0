// RUN: attn-run %s --entry=lanes --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=lanes --fusion=never --random --check | FileCheck %s
// RUN: attn-run %s --entry=key_rows --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=padding --require-fused --random --check | FileCheck %s
// RUN: attn-run %s --entry=similarity --fusion=always --random --random-range=3:0:3 --check | FileCheck %s
// RUN: attn-run %s --entry=similarity --fusion=never --random --random-range=3:0:3 --check | FileCheck %s
// RUN: attn-run %s --entry=powers --fusion=always --random --check | FileCheck %s

// Vectors divide in all lanes, and one integer division by zero, or of the
// lowest number by -1, ends the process: what would trap divides by 1.
// CHECK: check: result 0: ok

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#key = affine_map<(m, n, d, e) -> (n)>
#row = affine_map<(m, n, d, e) -> (m)>

// The divisor is 0 on the diagonal, -1 beside it.
func.func @lanes(%q: tensor<16x4xf32>, %k: tensor<16x4xf32>, %v: tensor<16x3xf32>)
    -> tensor<16x3xf32> {
  %init = tensor.empty() : tensor<16x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<16x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %before = arith.cmpi slt, %j, %i : index
        attn.yield %before : i1
      }
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %distance = arith.subi %i, %j : index
        %hundred = arith.constant 100 : index
        %quotient = arith.floordivsi %hundred, %distance : index
        %lowest = arith.constant -9223372036854775808 : index
        %rest = arith.remsi %lowest, %distance : index
        %sum = arith.addi %quotient, %rest : index
        %wide = arith.index_cast %sum : index to i64
        %bias = arith.sitofp %wide : i64 to f32
        %small = arith.constant 0.01 : f32
        %t = math.fma %bias, %small, %s : f32
        attn.yield %t : f32
      } -> tensor<16x3xf32>
  return %o : tensor<16x3xf32>
}

// One division for all lanes, by 0 and by -1 in key rows that no lane sees.
func.func @key_rows(%q: tensor<16x4xf32>, %k: tensor<16x4xf32>, %v: tensor<16x3xf32>)
    -> tensor<16x3xf32> {
  %init = tensor.empty() : tensor<16x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<16x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %j = attn.index 1
        %three = arith.constant 3 : index
        %rest = arith.remui %j, %three : index
        %two = arith.constant 2 : index
        %visible = arith.cmpi eq, %rest, %two : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32):
        %j = attn.index 1
        %four = arith.constant 4 : index
        %divisor = arith.subi %j, %four : index
        %lowest = arith.constant -9223372036854775808 : index
        %quotient = arith.divsi %lowest, %divisor : index
        %wide = arith.index_cast %quotient : index to i64
        %bias = arith.sitofp %wide : i64 to f32
        %small = arith.constant 1.0e-19 : f32
        %t = math.fma %bias, %small, %s : f32
        attn.yield %t : f32
      } -> tensor<16x3xf32>
  return %o : tensor<16x3xf32>
}

// Beyond the last query row the divisors are 0.
func.func @padding(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>)
    -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %divisors = arith.constant dense<[1, 2, 3, -1, 5]> : tensor<5xi64>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%divisors : tensor<5xi64>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #row, #o]}
      mask {
      ^bb0(%x: i64):
        %i = attn.index 0
        %j = attn.index 1
        %divisor = arith.index_cast %x : i64 to index
        %block = arith.divsi %j, %divisor : index
        %visible = arith.cmpi sle, %block, %i : index
        attn.yield %visible : i1
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// The similarity is computed for hidden pairs as well.
func.func @similarity(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                      %divisors: tensor<7xi32>) -> tensor<5x3xf32> {
  %init = tensor.empty() : tensor<5x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      inputs(%divisors : tensor<7xi32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #key, #o]}
      similarity {
      ^bb0(%a: f32, %b: f32, %x: i32):
        %five = arith.constant 5 : i32
        %quotient = arith.ceildivui %five, %x : i32
        %factor = arith.sitofp %quotient : i32 to f32
        %product = arith.mulf %a, %b : f32
        %term = arith.mulf %product, %factor : f32
        attn.yield %term : f32
      }
      mask {
      ^bb0(%x: i32):
        %zero = arith.constant 0 : i32
        %visible = arith.cmpi ne, %x, %zero : i32
        attn.yield %visible : i1
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// A negative power of 0 is a quotient by 0.
func.func @powers(%q: tensor<16x4xf32>, %k: tensor<16x4xf32>, %v: tensor<16x3xf32>)
    -> tensor<16x3xf32> {
  %init = tensor.empty() : tensor<16x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<16x4xf32>, tensor<16x4xf32>, tensor<16x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<16x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %before = arith.cmpi slt, %j, %i : index
        attn.yield %before : i1
      }
      score {
      ^bb0(%s: f32):
        %i = attn.index 0
        %j = attn.index 1
        %distance = arith.subi %i, %j : index
        %exponent = arith.constant -3 : index
        %power = math.ipowi %distance, %exponent : index
        %wide = arith.index_cast %power : index to i64
        %bias = arith.sitofp %wide : i64 to f32
        %t = arith.addf %s, %bias : f32
        attn.yield %t : f32
      } -> tensor<16x3xf32>
  return %o : tensor<16x3xf32>
}
