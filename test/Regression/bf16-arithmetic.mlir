// RUN: attn-run %s --entry=tensors --random --check | FileCheck %s
// RUN: attn-run %s --entry=region --fusion=always --random --check | FileCheck %s
// RUN: attn-run %s --entry=region --fusion=always --random --check --cpu=x86-64-v3 | FileCheck %s
// RUN: attn-run %s --entry=region --fusion=never --random --check | FileCheck %s
// RUN: attn-run %s --entry=double --random --check | FileCheck %s
// RUN: attn-run %s --entry=double --random --check --cpu=x86-64-v3 | FileCheck %s

// Arithmetic on bf16, and f64 rounded to bf16, called what nothing defines.
// CHECK: check: result 0: ok

func.func @tensors(%x: tensor<9xbf16>, %y: tensor<9xbf16>) -> tensor<9xbf16> {
  %init = tensor.empty() : tensor<9xbf16>
  %sum = linalg.add ins(%x, %y : tensor<9xbf16>, tensor<9xbf16>)
      outs(%init : tensor<9xbf16>) -> tensor<9xbf16>
  %power = linalg.exp ins(%sum : tensor<9xbf16>) outs(%init : tensor<9xbf16>) -> tensor<9xbf16>
  return %power : tensor<9xbf16>
}

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#scalar = affine_map<(m, n, d, e) -> ()>
func.func @region(%q: tensor<5x4xbf16>, %k: tensor<7x4xbf16>, %v: tensor<7x3xbf16>,
                  %factor: bf16, %sink: bf16) -> tensor<5x3xbf16> {
  %init = tensor.empty() : tensor<5x3xbf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xbf16>, tensor<7x4xbf16>, tensor<7x3xbf16>)
      inputs(%factor : bf16)
      weighting(#attn.softmax_sink, %sink : bf16) outs(%init : tensor<5x3xbf16>)
      {indexing_maps = [#q, #k, #v, #scalar, #scalar, #o]}
      score {
      ^bb0(%s: f32, %x: f32):
        %half = arith.truncf %s : f32 to bf16
        %product = arith.mulf %half, %factor : bf16
        %sum = math.fma %product, %half, %half : bf16
        %power = math.exp %product : bf16
        %least = arith.minimumf %power, %sum : bf16
        %zero = arith.constant 0.0 : bf16
        %negative = arith.cmpf olt, %least, %zero : bf16
        %finite = math.isfinite %power : bf16
        %both = arith.andi %negative, %finite : i1
        %chosen = arith.select %both, %least, %zero : bf16
        %r = arith.extf %chosen : bf16 to f32
        // Little enough that the reference, which rounds once, agrees.
        %little = arith.constant 0.01 : f32
        %t = math.fma %r, %little, %s : f32
        attn.yield %t : f32
      } -> tensor<5x3xbf16>
  return %o : tensor<5x3xbf16>
}

func.func @double(%q: tensor<5x4xf64>, %k: tensor<7x4xf64>, %v: tensor<7x3xf64>,
                  %factor: bf16) -> tensor<5x3xbf16> {
  %init = tensor.empty() : tensor<5x3xbf16>
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf64>, tensor<7x4xf64>, tensor<7x3xf64>)
      inputs(%factor : bf16)
      weighting(#attn.softmax) outs(%init : tensor<5x3xbf16>)
      {indexing_maps = [#q, #k, #v, #scalar, #o]}
      score {
      ^bb0(%s: f64, %x: f64):
        %t = arith.mulf %s, %x : f64
        attn.yield %t : f64
      } -> tensor<5x3xbf16>
  return %o : tensor<5x3xbf16>
}
