// RUN: attn-run %s --entry=neighbours --target=gpu-emulator --random --check | FileCheck %s
// RUN: attn-run %s --entry=neighbours_f32 --target=gpu-emulator --random --schedule=5 --check | FileCheck %s
// RUN: attn-run %s --entry=dense --target=gpu-emulator --random --shape=0:19x16 --shape=1:3x7x5x16 --shape=2:7x5x3x24 --check | FileCheck %s
// RUN: attn-run %s --entry=dense --target=gpu-emulator --random --shape=0:19x16 --shape=1:3x0x5x16 --shape=2:0x5x3x24 --check | FileCheck %s
// RUN: attn-run %s --entry=split --target=gpu-emulator --random --check | FileCheck %s

// Keys along several dimensions: a key tile is of one position in the outer
// ones, which the operands have in orders of their own.
// CHECK: check: result 0: ok

#q = affine_map<(y, x, u, v, d, e) -> (y, x, d)>
#k = affine_map<(y, x, u, v, d, e) -> (u, v, d)>
#v = affine_map<(y, x, u, v, d, e) -> (u, v, e)>
#o = affine_map<(y, x, u, v, d, e) -> (y, x, e)>
#bias = affine_map<(y, x, u, v, d, e) -> (u, v)>
func.func @neighbours(%q: tensor<6x21x16xf16>, %k: tensor<6x21x16xf16>, %v: tensor<6x21x24xf16>,
                      %bias: tensor<6x21xf32>) -> tensor<6x21x24xf16> {
  %init = tensor.empty() : tensor<6x21x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<6x21x16xf16>, tensor<6x21x16xf16>, tensor<6x21x24xf16>)
      inputs(%bias : tensor<6x21xf32>)
      weighting(#attn.softmax) outs(%init : tensor<6x21x24xf16>)
      {indexing_maps = [#q, #k, #v, #bias, #o], scale = 0.25 : f64}
      mask {
      ^bb0(%in: f32):
        %y = attn.index 0
        %x = attn.index 1
        %u = attn.index 2
        %w = attn.index 3
        %c2 = arith.constant 2 : index
        %c3 = arith.constant 3 : index
        %dy = arith.subi %y, %u : index
        %dx = arith.subi %x, %w : index
        %ay = math.absi %dy : index
        %ax = math.absi %dx : index
        %near = arith.cmpi sle, %ay, %c2 : index
        %close = arith.cmpi sle, %ax, %c3 : index
        %visible = arith.andi %near, %close : i1
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %in: f32):
        %u = attn.index 2
        %w = attn.index 3
        %sum = arith.addi %u, %w : index
        %number = arith.index_cast %sum : index to i32
        %float = arith.sitofp %number : i32 to f32
        %c = arith.constant 0.0625 : f32
        %small = arith.mulf %float, %c : f32
        %t = arith.addf %s, %in : f32
        %r = arith.subf %t, %small : f32
        attn.yield %r : f32
      } -> tensor<6x21x24xf16>
  return %o : tensor<6x21x24xf16>
}

func.func @neighbours_f32(%q: tensor<5x9x8xf32>, %k: tensor<5x9x8xf32>, %v: tensor<5x9x3xf32>)
    -> tensor<5x9x3xf32> {
  %init = tensor.empty() : tensor<5x9x3xf32>
  %o = attn.generic ins(%q, %k, %v : tensor<5x9x8xf32>, tensor<5x9x8xf32>, tensor<5x9x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x9x3xf32>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64}
      mask {
        %y = attn.index 0
        %x = attn.index 1
        %u = attn.index 2
        %w = attn.index 3
        %above = arith.cmpi sle, %u, %y : index
        %before = arith.cmpi sle, %w, %x : index
        %visible = arith.andi %above, %before : i1
        attn.yield %visible : i1
      } -> tensor<5x9x3xf32>
  return %o : tensor<5x9x3xf32>
}

#q3 = affine_map<(m, t, u, v, d, e) -> (m, d)>
#k3 = affine_map<(m, t, u, v, d, e) -> (t, u, v, d)>
#v3 = affine_map<(m, t, u, v, d, e) -> (u, v, t, e)>
#o3 = affine_map<(m, t, u, v, d, e) -> (m, e)>
func.func @dense(%q: tensor<?x16xf16>, %k: tensor<3x?x5x16xf16>, %v: tensor<?x5x3x24xf16>)
    -> tensor<?x24xf16> {
  %c0 = arith.constant 0 : index
  %m = tensor.dim %q, %c0 : tensor<?x16xf16>
  %init = tensor.empty(%m) : tensor<?x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<?x16xf16>, tensor<3x?x5x16xf16>, tensor<?x5x3x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<?x24xf16>)
      {indexing_maps = [#q3, #k3, #v3, #o3], scale = 0.25 : f64} -> tensor<?x24xf16>
  return %o : tensor<?x24xf16>
}

func.func @split(%q: tensor<3x16xf16>, %k: tensor<3x7x40x16xf16>, %v: tensor<7x40x3x24xf16>)
    -> tensor<3x24xf16> {
  %init = tensor.empty() : tensor<3x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<3x16xf16>, tensor<3x7x40x16xf16>, tensor<7x40x3x24xf16>)
      weighting(#attn.softmax) outs(%init : tensor<3x24xf16>)
      {indexing_maps = [#q3, #k3, #v3, #o3], scale = 0.25 : f64,
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 4>}
      -> tensor<3x24xf16>
  return %o : tensor<3x24xf16>
}
