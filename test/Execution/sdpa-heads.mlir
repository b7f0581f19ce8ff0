// RUN: attn-run %s --entry=grouped --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=shared --random --shape=0:2x6x13x16 --shape=1:2x1x37x16 --shape=2:2x1x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=dynamic --random --shape=0:2x6x13x16 --shape=1:2x2x37x16 --shape=2:2x2x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=dynamic --random --shape=0:2x6x13x16 --shape=1:2x1x37x16 --shape=2:2x1x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=dynamic --random --shape=0:2x6x13x16 --shape=1:2x6x37x16 --shape=2:2x6x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=dynamic --random --shape=0:2x0x13x16 --shape=1:2x0x37x16 --shape=2:2x0x37x8 --check | FileCheck %s
// RUN: attn-run %s --entry=half --random --shape=0:2x6x13x16 --shape=1:2x3x37x16 --shape=2:2x3x37x8 --check | FileCheck %s

// Grouped heads, one shared key head, and head counts known at run time only, which
// may turn out grouped, shared, or neither. Regions see the query head.
// CHECK: check: result 0: ok

func.func @grouped(%q: tensor<2x6x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      outs(%init : tensor<2x6x?x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %visible = arith.cmpi ne, %h, %j : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %head = arith.index_cast %h : index to i32
        %float = arith.sitofp %head : i32 to f32
        %t = arith.addf %s, %float : f32
        attn.yield %t : f32
      }
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}

func.func @shared(%q: tensor<2x6x?x16xf32>, %k: tensor<2x1x?x16xf32>, %v: tensor<2x1x?x8xf32>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x1x?x16xf32>, tensor<2x1x?x8xf32>)
      outs(%init : tensor<2x6x?x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %visible = arith.cmpi ne, %h, %j : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %head = arith.index_cast %h : index to i32
        %float = arith.sitofp %head : i32 to f32
        %t = arith.addf %s, %float : f32
        attn.yield %t : f32
      }
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}

func.func @dynamic(%q: tensor<2x?x?x16xf32>, %k: tensor<2x?x?x16xf32>, %v: tensor<2x?x?x8xf32>)
    -> tensor<2x?x?x8xf32> {
  %c1 = arith.constant 1 : index
  %d1 = tensor.dim %q, %c1 : tensor<2x?x?x16xf32>
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x?x?x16xf32>
  %init = tensor.empty(%d1, %d2) : tensor<2x?x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x?x?x16xf32>, tensor<2x?x?x16xf32>, tensor<2x?x?x8xf32>)
      outs(%init : tensor<2x?x?x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %visible = arith.cmpi ne, %h, %j : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %head = arith.index_cast %h : index to i32
        %float = arith.sitofp %head : i32 to f32
        %t = arith.addf %s, %float : f32
        attn.yield %t : f32
      }
      -> tensor<2x?x?x8xf32>
  return %r : tensor<2x?x?x8xf32>
}

func.func @half(%q: tensor<2x6x?x16xf32>, %k: tensor<2x?x?x16xf32>, %v: tensor<2x?x?x8xf32>)
    -> tensor<2x6x?x8xf32> {
  %c2 = arith.constant 2 : index
  %d2 = tensor.dim %q, %c2 : tensor<2x6x?x16xf32>
  %init = tensor.empty(%d2) : tensor<2x6x?x8xf32>
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x?x16xf32>, tensor<2x?x?x16xf32>, tensor<2x?x?x8xf32>)
      outs(%init : tensor<2x6x?x8xf32>)
      mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %visible = arith.cmpi ne, %h, %j : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %head = arith.index_cast %h : index to i32
        %float = arith.sitofp %head : i32 to f32
        %t = arith.addf %s, %float : f32
        attn.yield %t : f32
      }
      -> tensor<2x6x?x8xf32>
  return %r : tensor<2x6x?x8xf32>
}
