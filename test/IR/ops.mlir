// RUN: attn-opt %s --verify-roundtrip | FileCheck %s

// Every op, with every optional part printed once.

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#batch = affine_map<(b, m, n, d, e) -> (b)>
#feature = affine_map<(b, m, n, d, e) -> (d)>
#scalar = affine_map<(b, m, n, d, e) -> ()>
#rows = affine_map<(b, m, n, d, e) -> (b, m)>
#pairs = affine_map<(b, m, n, d, e) -> (b, m, n)>

// The shortest form: nothing but the maps.
// CHECK-LABEL: func.func @generic_plain(
// CHECK-SAME: %[[Q:.+]]: tensor<2x5x4xf32>, %[[K:.+]]: tensor<2x7x4xf32>, %[[V:.+]]: tensor<2x7x3xf32>, %[[O:.+]]: tensor<2x5x3xf32>)
// CHECK: %out = attn.generic ins(%[[Q]], %[[K]], %[[V]] : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
// CHECK-SAME: weighting(#attn.softmax) outs(%[[O]] : tensor<2x5x3xf32>)
// CHECK-SAME: {indexing_maps = [#{{.+}}, #{{.+}}, #{{.+}}, #{{.+}}]} -> tensor<2x5x3xf32>
func.func @generic_plain(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                         %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}

// Every operand group and every region; results and arguments are named.
// CHECK-LABEL: func.func @generic_whole(
// CHECK: %out, %lse, %weights = attn.generic ins(
// CHECK-SAME: inputs(%{{.+}}, %{{.+}} : tensor<2xi32>, tensor<4xf32>)
// CHECK-SAME: weighting(#attn.softmax_sink, %{{.+}} : f32)
// CHECK-SAME: lse(%{{.+}} : tensor<2x5xf32>) weights(%{{.+}} : tensor<2x5x7xf32>)
// CHECK-SAME: acc_type = f64
// CHECK-SAME: scale = 5.000000e-01 : f64
// CHECK-SAME: similarity {
// CHECK-NEXT: ^bb0(%q: f64, %k: f64, %in0: i32, %in1: f64):
// CHECK: } mask {
// CHECK-NEXT: ^bb0(%in0: i32, %in1: f64):
// CHECK-NEXT: %i2 = attn.index 2
// CHECK: } score {
// CHECK-NEXT: ^bb0(%s: f64, %in0: i32, %in1: f64):
// CHECK-NEXT: %i1 = attn.index 1
// CHECK: tensor.extract
// CHECK: } weight {
// CHECK-NEXT: ^bb0(%w: f64, %in0: i32, %in1: f64):
func.func @generic_whole(%q: tensor<2x5x4xf16>, %k: tensor<2x7x4xf16>, %v: tensor<2x7x3xf16>,
                         %len: tensor<2xi32>, %gain: tensor<4xf32>, %sink: f32,
                         %table: tensor<11xf64>, %o: tensor<2x5x3xf16>,
                         %lse: tensor<2x5xf32>, %w: tensor<2x5x7xf32>)
    -> (tensor<2x5x3xf16>, tensor<2x5xf32>, tensor<2x5x7xf32>) {
  %r:3 = attn.generic ins(%q, %k, %v : tensor<2x5x4xf16>, tensor<2x7x4xf16>, tensor<2x7x3xf16>)
      inputs(%len, %gain : tensor<2xi32>, tensor<4xf32>)
      weighting(#attn.softmax_sink, %sink : f32)
      outs(%o : tensor<2x5x3xf16>) lse(%lse : tensor<2x5xf32>) weights(%w : tensor<2x5x7xf32>)
      {indexing_maps = [#q, #k, #v, #batch, #feature, #scalar, #o, #rows, #pairs],
       scale = 0.5 : f64, acc_type = f64}
      similarity {
      ^bb0(%x: f64, %y: f64, %n: i32, %g: f64):
        %xy = arith.mulf %x, %y : f64
        %s = arith.mulf %xy, %g : f64
        attn.yield %s : f64
      }
      mask {
      ^bb0(%n: i32, %g: f64):
        %j = attn.index 2
        %end = arith.index_cast %n : i32 to index
        %visible = arith.cmpi slt, %j, %end : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%s: f64, %n: i32, %g: f64):
        %i = attn.index 1
        %bias = tensor.extract %table[%i] : tensor<11xf64>
        %t = arith.addf %s, %bias : f64
        attn.yield %t : f64
      }
      weight {
      ^bb0(%p: f64, %n: i32, %g: f64):
        %half = arith.constant 0.5 : f64
        %u = arith.mulf %p, %half : f64
        attn.yield %u : f64
      }
      -> tensor<2x5x3xf16>, tensor<2x5xf32>, tensor<2x5x7xf32>
  return %r#0, %r#1, %r#2 : tensor<2x5x3xf16>, tensor<2x5xf32>, tensor<2x5x7xf32>
}

// On memrefs there are no results.
// CHECK-LABEL: func.func @generic_memref(
// CHECK: attn.generic ins(
// CHECK-SAME: weighting(#attn.identity) outs(%{{.+}} : memref<2x5x3xf32>) {indexing_maps = [#{{.+}}]}
// CHECK-NEXT: return
func.func @generic_memref(%q: memref<2x5x4xf32>, %k: memref<2x7x4xf32>,
                          %v: memref<2x7x3xf32, strided<[?, ?, 1], offset: ?>>,
                          %o: memref<2x5x3xf32>) {
  attn.generic ins(%q, %k, %v : memref<2x5x4xf32>, memref<2x7x4xf32>, memref<2x7x3xf32, strided<[?, ?, 1], offset: ?>>)
      weighting(#attn.identity) outs(%o : memref<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
  return
}

// Dynamic and zero extents are fine.
// CHECK-LABEL: func.func @generic_dynamic(
// CHECK: attn.generic
func.func @generic_dynamic(%q: tensor<?x?x4xf32>, %k: tensor<2x0x?xf32>,
                           %v: tensor<?x?x3xf32>, %o: tensor<?x5x?xf32>) -> tensor<?x5x?xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<?x?x4xf32>, tensor<2x0x?xf32>, tensor<?x?x3xf32>)
      weighting(#attn.relu) outs(%o : tensor<?x5x?xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<?x5x?xf32>
  return %r : tensor<?x5x?xf32>
}

// Weightings that take an operand, and one that takes none.
// CHECK-LABEL: func.func @generic_weightings(
// CHECK: weighting(#attn.sigmoid, %{{.+}} : tensor<2xf32>)
// CHECK: weighting(#attn.sum_normalized)
func.func @generic_weightings(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                              %v: tensor<2x7x3xf32>, %bias: tensor<2xf32>,
                              %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.sigmoid, %bias : tensor<2xf32>) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #batch, #o]} -> tensor<2x5x3xf32>
  %s = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.sum_normalized) outs(%r : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<2x5x3xf32>
  return %s : tensor<2x5x3xf32>
}

// Two dimensions of every class: grouped heads, split keys, split features.
// CHECK-LABEL: func.func @generic_several_dimensions(
// CHECK: attn.generic
#q2 = affine_map<(h, g, m, n0, n1, d0, d1, e0, e1) -> (d1, m, h, g, d0)>
#k2 = affine_map<(h, g, m, n0, n1, d0, d1, e0, e1) -> (n0, h, d0, n1, d1)>
#v2 = affine_map<(h, g, m, n0, n1, d0, d1, e0, e1) -> (h, n1, e1, n0, e0)>
#o2 = affine_map<(h, g, m, n0, n1, d0, d1, e0, e1) -> (e0, h, m, g, e1)>
func.func @generic_several_dimensions(%q: tensor<4x5x2x3x6xf32>, %k: tensor<7x2x6x8x4xf32>,
                                      %v: tensor<2x8x9x7x10xf32>, %o: tensor<10x2x5x3x9xf32>)
    -> tensor<10x2x5x3x9xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<4x5x2x3x6xf32>, tensor<7x2x6x8x4xf32>, tensor<2x8x9x7x10xf32>)
      weighting(#attn.softmax) outs(%o : tensor<10x2x5x3x9xf32>)
      {indexing_maps = [#q2, #k2, #v2, #o2]} -> tensor<10x2x5x3x9xf32>
  return %r : tensor<10x2x5x3x9xf32>
}

// CHECK-LABEL: func.func @sdpa_plain(
// CHECK: %out = attn.sdpa ins(%{{.+}}, %{{.+}}, %{{.+}} : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
// CHECK-SAME: outs(%{{.+}} : tensor<5x3xf32>) -> tensor<5x3xf32>
func.func @sdpa_plain(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                      %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// Two batch dimensions, grouped heads, and everything that is optional.
// CHECK-LABEL: func.func @sdpa_whole(
// CHECK: %out, %lse = attn.sdpa ins(
// CHECK-SAME: bias(%{{.+}} : tensor<6x1x7xf32>)
// CHECK-SAME: boolean_mask(%{{.+}} : tensor<2x1x1x5x7xi1>)
// CHECK-SAME: offset(%{{.+}} : tensor<2x3xi32>)
// CHECK-SAME: lse(%{{.+}} : tensor<2x3x6x5xf32>)
// CHECK-SAME: {causal = #attn.causal<offset>, scale = 1.250000e-01 : f64, softcap = 3.000000e+01 : f64, window = array<i64: 3, -1>}
// CHECK-SAME: mask {
// CHECK-NEXT: ^bb0(%batch0: index, %batch1: index, %head: index, %i: index, %j: index):
// CHECK: } score {
// CHECK-NEXT: ^bb0(%s: f32, %batch0: index, %batch1: index, %head: index, %i: index, %j: index):
func.func @sdpa_whole(%q: tensor<2x3x6x5x4xbf16>, %k: tensor<2x3x2x7x4xbf16>,
                      %v: tensor<2x3x2x7x8xbf16>, %bias: tensor<6x1x7xf32>,
                      %bm: tensor<2x1x1x5x7xi1>, %off: tensor<2x3xi32>,
                      %o: tensor<2x3x6x5x8xbf16>, %l: tensor<2x3x6x5xf32>)
    -> (tensor<2x3x6x5x8xbf16>, tensor<2x3x6x5xf32>) {
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x3x6x5x4xbf16>, tensor<2x3x2x7x4xbf16>, tensor<2x3x2x7x8xbf16>)
      bias(%bias : tensor<6x1x7xf32>) boolean_mask(%bm : tensor<2x1x1x5x7xi1>)
      offset(%off : tensor<2x3xi32>)
      outs(%o : tensor<2x3x6x5x8xbf16>) lse(%l : tensor<2x3x6x5xf32>)
      {causal = #attn.causal<offset>, window = array<i64: 3, -1>, softcap = 30.0 : f64,
       scale = 0.125 : f64}
      mask {
      ^bb0(%b0: index, %b1: index, %h: index, %row: index, %column: index):
        %visible = arith.cmpi ne, %h, %column : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%x: f32, %b0: index, %b1: index, %h: index, %row: index, %column: index):
        %y = math.absf %x : f32
        attn.yield %y : f32
      }
      -> tensor<2x3x6x5x8xbf16>, tensor<2x3x6x5xf32>
  return %r#0, %r#1 : tensor<2x3x6x5x8xbf16>, tensor<2x3x6x5xf32>
}

// CHECK-LABEL: func.func @sdpa_memref(
// CHECK: attn.sdpa ins(
// CHECK-SAME: offset(%{{.+}} : index) outs(%{{.+}} : memref<?x?x?x?xf64>) {causal = #attn.causal<offset>}
// CHECK-NEXT: return
func.func @sdpa_memref(%q: memref<?x?x?x?xf64>, %k: memref<?x?x?x?xf64>, %off: index,
                       %o: memref<?x?x?x?xf64>) {
  attn.sdpa ins(%q, %k, %k : memref<?x?x?x?xf64>, memref<?x?x?x?xf64>, memref<?x?x?x?xf64>)
      offset(%off : index) outs(%o : memref<?x?x?x?xf64>) {causal = #attn.causal<offset>}
  return
}

#qt = affine_map<(m, n, d, e) -> (d, m)>
#kt = affine_map<(m, n, d, e) -> (n, d)>
#vt = affine_map<(m, n, d, e) -> (n, e)>
#at = affine_map<(m, n, d, e) -> (e, m)>
#rt = affine_map<(m, n, d, e) -> (m)>

// CHECK-LABEL: func.func @online(
// CHECK: %acc, %max, %sum = attn.online ins(
// CHECK-SAME: weighting(#attn.softmax) rows(%{{.+}}) outs(%{{.+}} : tensor<3x8xf32>)
// CHECK-SAME: statistics(%{{.+}}, %{{.+}} : tensor<8xf32>, tensor<8xf32>)
// CHECK-SAME: mask {
// CHECK-NEXT: %i0 = attn.index 0
func.func @online(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>, %n: index,
                  %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>)
    -> (tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %r:3 = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) rows(%n)
      outs(%a : tensor<3x8xf32>) statistics(%m, %l : tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#qt, #kt, #vt, #at, #rt, #rt], scale = 0.5 : f64}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }
      -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return %r#0, %r#1, %r#2 : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
}

// A weighting without statistics.
// CHECK-LABEL: func.func @online_identity(
// CHECK: attn.online ins(
// CHECK-SAME: weighting(#attn.identity) outs(%{{.+}} : memref<3x8xf32>) {indexing_maps
func.func @online_identity(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                           %a: memref<3x8xf32>) {
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) outs(%a : memref<3x8xf32>)
      {indexing_maps = [#qt, #kt, #vt, #at]}
  return
}

#acc = affine_map<(m, e) -> (e, m)>
#row = affine_map<(m, e) -> (m)>
#out = affine_map<(m, e) -> (m, e)>
#none = affine_map<(m, e) -> ()>

// A tile in a layout: the maps say what the dimensions are, not where they lie.
// CHECK-LABEL: func.func @online_in_layout(
// CHECK: weighting(#attn.identity) layout(#attn.lanes_along_rows<8>) outs(%{{.+}} : memref<3x8xf32>)
#ql = affine_map<(m, n, d, e) -> (m, d)>
#al = affine_map<(m, n, d, e) -> (m, e)>
func.func @online_in_layout(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                            %a: memref<3x8xf32>) {
  attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>)
      outs(%a : memref<3x8xf32>) {indexing_maps = [#ql, #kt, #vt, #al]}
  return
}

// CHECK-LABEL: func.func @merge(
// CHECK: attn.merge ins(%{{.+}}, %{{.+}}, %{{.+}} : tensor<6x3x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>)
// CHECK-SAME: weighting(#attn.softmax) outs(
func.func @merge(%as: tensor<6x3x8xf32>, %ms: tensor<6x8xf32>, %ls: tensor<6x8xf32>,
                 %a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>)
    -> (tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>) {
  %r:3 = attn.merge ins(%as, %ms, %ls : tensor<6x3x8xf32>, tensor<6x8xf32>, tensor<6x8xf32>)
      weighting(#attn.softmax)
      outs(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      {indexing_maps = [#acc, #row, #row]} -> tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
  return %r#0, %r#1, %r#2 : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: func.func @finish(
// CHECK: attn.finish ins(%{{.+}}, %{{.+}}, %{{.+}} : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
// CHECK-SAME: weighting(#attn.softmax_sink, %{{.+}} : f32) keys(%{{.+}}) outs(%{{.+}} : tensor<5x3xf16>) lse(%{{.+}} : tensor<5xf32>)
func.func @finish(%a: tensor<3x8xf32>, %m: tensor<8xf32>, %l: tensor<8xf32>, %sink: f32,
                  %keys: index, %o: tensor<5x3xf16>, %lse: tensor<5xf32>)
    -> (tensor<5x3xf16>, tensor<5xf32>) {
  %r:2 = attn.finish ins(%a, %m, %l : tensor<3x8xf32>, tensor<8xf32>, tensor<8xf32>)
      weighting(#attn.softmax_sink, %sink : f32) keys(%keys)
      outs(%o : tensor<5x3xf16>) lse(%lse : tensor<5xf32>)
      {indexing_maps = [#acc, #row, #row, #none, #out, #row]}
      -> tensor<5x3xf16>, tensor<5xf32>
  return %r#0, %r#1 : tensor<5x3xf16>, tensor<5xf32>
}

// CHECK-LABEL: func.func @pack(
// CHECK: attn.pack ins(%{{.+}} : tensor<5x4xf16>) outs(%{{.+}} : tensor<4x8xf32>)
// CHECK-SAME: layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #{{.+}}} element {
// CHECK-NEXT: ^bb0(%x: f16):
// CHECK: attn.pack ins(%{{.+}} : memref<?x4xi8>) outs(%{{.+}} : memref<8x4xi8>)
// CHECK-SAME: layout(#attn.lanes_along_rows<8>) role(input) {indexing_map = #{{[a-z0-9]+}}}{{$}}
#qp = affine_map<(m, n, d, e) -> (m, d)>
#np = affine_map<(m, n, d, e) -> (n, d)>
func.func @pack(%q: tensor<5x4xf16>, %t: tensor<4x8xf32>, %x: memref<?x4xi8>,
                %y: memref<8x4xi8>) -> tensor<4x8xf32> {
  %r = attn.pack ins(%q : tensor<5x4xf16>) outs(%t : tensor<4x8xf32>)
      layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #qp}
      element {
      ^bb0(%half: f16):
        %wide = arith.extf %half : f16 to f32
        attn.yield %wide : f32
      } -> tensor<4x8xf32>
  attn.pack ins(%x : memref<?x4xi8>) outs(%y : memref<8x4xi8>)
      layout(#attn.lanes_along_rows<8>) role(input) {indexing_map = #np}
  return %r : tensor<4x8xf32>
}

// Operands and regions with a keyword come in any order, and are printed in one.
// CHECK-LABEL: func.func @any_order(
// CHECK: attn.sdpa ins(
// CHECK-SAME: bias(%{{.+}} : tensor<5x7xf32>) boolean_mask(%{{.+}} : tensor<5x7xi1>) offset(%{{.+}} : index)
// CHECK-SAME: causal
// CHECK-SAME: {{ }}mask {
// CHECK: } score {
// CHECK: } -> tensor<5x3xf32>
func.func @any_order(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                     %bias: tensor<5x7xf32>, %bits: tensor<5x7xi1>, %at: index,
                     %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      offset(%at : index) boolean_mask(%bits : tensor<5x7xi1>) bias(%bias : tensor<5x7xf32>)
      outs(%o : tensor<5x3xf32>) {causal = #attn.causal<offset>}
      score {
      ^bb0(%s: f32, %i: index, %j: index):
        attn.yield %s : f32
      } mask {
      ^bb0(%i: index, %j: index):
        %past = arith.cmpi sle, %j, %i : index
        attn.yield %past : i1
      } -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}
