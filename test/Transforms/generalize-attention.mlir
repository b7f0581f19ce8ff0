// RUN: attn-opt %s --attn-generalize --verify-roundtrip --mlir-print-local-scope | FileCheck %s

// Rank 2 has neither batch nor heads: the dimensions are (m, n, d, e).
// CHECK-LABEL: func.func @plain(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<5x16xf32>, %[[K:[^:]+]]: tensor<7x16xf32>, %[[V:[^:]+]]: tensor<7x3xf32>, %[[O:[^:]+]]: tensor<5x3xf32>)
// CHECK-NEXT: %[[R:.+]] = attn.generic ins(%[[Q]], %[[K]], %[[V]] : tensor<5x16xf32>, tensor<7x16xf32>, tensor<7x3xf32>)
// CHECK-SAME: weighting(#attn.softmax) outs(%[[O]] : tensor<5x3xf32>) {indexing_maps = [
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> (d0, d2)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> (d1, d2)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> (d1, d3)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> (d0, d3)>],
// CHECK-SAME: scale = 2.500000e-01 : f64} -> tensor<5x3xf32>
// CHECK-NEXT: return %[[R]]
func.func @plain(%q: tensor<5x16xf32>, %k: tensor<7x16xf32>, %v: tensor<7x3xf32>,
                 %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x16xf32>, tensor<7x16xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// As many key heads as query heads: (batch, head, m, n, d, e), no reshape. The
// log-sum-exp and foreign attributes pass through; a given scale is kept.
// CHECK-LABEL: func.func @heads(
// CHECK-NEXT: %[[OUT:.+]], %[[LSE:.+]] = attn.generic ins(
// CHECK-SAME: lse(%{{.+}} : tensor<2x6x5xf32>) {indexing_maps = [
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d3, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d3, d5)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2)>],
// CHECK-SAME: llvm.tag = "kept", scale = 3.000000e+00 : f64} -> tensor<2x6x5x3xf32>, tensor<2x6x5xf32>
// CHECK-NEXT: return %[[OUT]], %[[LSE]]
func.func @heads(%q: tensor<2x6x5x4xf32>, %k: tensor<2x6x7x4xf32>, %v: tensor<2x6x7x3xf32>,
                 %o: tensor<2x6x5x3xf32>, %l: tensor<2x6x5xf32>)
    -> (tensor<2x6x5x3xf32>, tensor<2x6x5xf32>) {
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x3xf32>)
      outs(%o : tensor<2x6x5x3xf32>) lse(%l : tensor<2x6x5xf32>) {scale = 3.0 : f64, llvm.tag = "kept"}
      -> tensor<2x6x5x3xf32>, tensor<2x6x5xf32>
  return %r#0, %r#1 : tensor<2x6x5x3xf32>, tensor<2x6x5xf32>
}

// Grouped heads: those of the query are split into (key heads, group), the
// results merged again. The position `head` is put together from both.
// CHECK-LABEL: func.func @grouped(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<6x5x4xf32>, %[[K:[^:]+]]: tensor<3x7x4xf32>, %[[V:[^:]+]]: tensor<3x7x8xf32>, %[[O:[^:]+]]: tensor<6x5x8xf32>, %[[L:[^:]+]]: tensor<6x5xf32>)
// CHECK-DAG: %[[O3:.+]] = tensor.expand_shape %[[O]] {{\[\[}}0, 1], [2], [3]] output_shape [3, 2, 5, 8]
// CHECK-DAG: %[[L3:.+]] = tensor.expand_shape %[[L]] {{\[\[}}0, 1], [2]] output_shape [3, 2, 5]
// CHECK-DAG: %[[Q3:.+]] = tensor.expand_shape %[[Q]] {{\[\[}}0, 1], [2], [3]] output_shape [3, 2, 5, 4]
// CHECK: %[[OUT:.+]], %[[LSE:.+]] = attn.generic ins(%[[Q3]], %[[K]], %[[V]] :
// CHECK-SAME: outs(%[[O3]] : tensor<3x2x5x8xf32>) lse(%[[L3]] : tensor<3x2x5xf32>) {indexing_maps = [
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d5)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2)>]
// CHECK-SAME: mask {
// CHECK-NEXT: %[[KEYHEAD:.+]] = attn.index 0
// CHECK-NEXT: %[[TWO:.+]] = arith.constant 2 : index
// CHECK-NEXT: %[[FIRST:.+]] = arith.muli %[[KEYHEAD]], %[[TWO]] : index
// CHECK-NEXT: %[[MEMBER:.+]] = attn.index 1
// CHECK-NEXT: %[[HEAD:.+]] = arith.addi %[[FIRST]], %[[MEMBER]] : index
// CHECK-NEXT: %[[J:.+]] = attn.index 3
// CHECK-NEXT: %[[VISIBLE:.+]] = arith.cmpi sle, %[[J]], %[[HEAD]] : index
// CHECK-NEXT: attn.yield %[[VISIBLE]] : i1
// CHECK: %[[MERGED:.+]] = tensor.collapse_shape %[[OUT]] {{\[\[}}0, 1], [2], [3]]
// CHECK: %[[MERGEDLSE:.+]] = tensor.collapse_shape %[[LSE]] {{\[\[}}0, 1], [2]]
// CHECK: return %[[MERGED]], %[[MERGEDLSE]]
func.func @grouped(%q: tensor<6x5x4xf32>, %k: tensor<3x7x4xf32>, %v: tensor<3x7x8xf32>,
                   %o: tensor<6x5x8xf32>, %l: tensor<6x5xf32>)
    -> (tensor<6x5x8xf32>, tensor<6x5xf32>) {
  %r:2 = attn.sdpa ins(%q, %k, %v : tensor<6x5x4xf32>, tensor<3x7x4xf32>, tensor<3x7x8xf32>)
      outs(%o : tensor<6x5x8xf32>) lse(%l : tensor<6x5xf32>)
      mask {
      ^bb0(%h: index, %row: index, %column: index):
        %visible = arith.cmpi sle, %column, %h : index
        attn.yield %visible : i1
      }
      -> tensor<6x5x8xf32>, tensor<6x5xf32>
  return %r#0, %r#1 : tensor<6x5x8xf32>, tensor<6x5xf32>
}

// One key head: key and value lose it, the heads are query rows. A head that
// is known to be one in the key only is so in the value too.
// CHECK-LABEL: func.func @shared_key(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<2x6x5x4xf32>, %[[K:[^:]+]]: tensor<2x1x7x4xf32>, %[[V:[^:]+]]: tensor<2x?x7x3xf32>,
// CHECK-NEXT: %[[K1:.+]] = tensor.collapse_shape %[[K]] {{\[\[}}0, 1], [2], [3]] : tensor<2x1x7x4xf32> into tensor<2x7x4xf32>
// CHECK-NEXT: %[[CAST:.+]] = tensor.cast %[[V]] : tensor<2x?x7x3xf32> to tensor<2x1x7x3xf32>
// CHECK-NEXT: %[[V1:.+]] = tensor.collapse_shape %[[CAST]] {{\[\[}}0, 1], [2], [3]] : tensor<2x1x7x3xf32> into tensor<2x7x3xf32>
// CHECK-NEXT: %[[OUT:.+]] = attn.generic ins(%[[Q]], %[[K1]], %[[V1]] :
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d3, d5)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0, d1, d2, d5)>]
// CHECK-NEXT: return %[[OUT]]
func.func @shared_key(%q: tensor<2x6x5x4xf32>, %k: tensor<2x1x7x4xf32>, %v: tensor<2x?x7x3xf32>,
                      %o: tensor<2x6x5x3xf32>) -> tensor<2x6x5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x1x7x4xf32>, tensor<2x?x7x3xf32>)
      outs(%o : tensor<2x6x5x3xf32>) -> tensor<2x6x5x3xf32>
  return %r : tensor<2x6x5x3xf32>
}

// Heads known at run time only are grouped by a division that zero heads do
// not upset; a static head count is forgotten before it is split.
// CHECK-LABEL: func.func @dynamic_heads(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<6x5x4xf32>, %[[K:[^:]+]]: tensor<?x7x4xf32>, %[[V:[^:]+]]: tensor<?x7x3xf32>, %[[O:[^:]+]]: tensor<6x5x3xf32>)
// CHECK: %[[KEYHEADS:.+]] = tensor.dim %[[K]], %{{.+}} : tensor<?x7x4xf32>
// CHECK: %[[ONE:.+]] = arith.constant 1 : index
// CHECK: %[[DIVISOR:.+]] = arith.maxui %[[KEYHEADS]], %[[ONE]] : index
// CHECK: %[[SIX:.+]] = arith.constant 6 : index
// CHECK: %[[GROUP:.+]] = arith.divui %[[SIX]], %[[DIVISOR]] : index
// CHECK: %[[O1:.+]] = tensor.cast %[[O]] : tensor<6x5x3xf32> to tensor<?x5x3xf32>
// CHECK: %[[O2:.+]] = tensor.expand_shape %[[O1]] {{\[\[}}0, 1], [2], [3]] output_shape [%[[KEYHEADS]], %[[GROUP]], 5, 3]
// CHECK: %[[Q1:.+]] = tensor.cast %[[Q]] : tensor<6x5x4xf32> to tensor<?x5x4xf32>
// CHECK: %[[Q2:.+]] = tensor.expand_shape %[[Q1]] {{\[\[}}0, 1], [2], [3]] output_shape [%[[KEYHEADS]], %[[GROUP]], 5, 4]
// CHECK: %[[OUT:.+]] = attn.generic ins(%[[Q2]], %[[K]], %[[V]] :
// CHECK-SAME: outs(%[[O2]] : tensor<?x?x5x3xf32>)
// CHECK: %[[MERGED:.+]] = tensor.collapse_shape %[[OUT]] {{\[\[}}0, 1], [2], [3]] : tensor<?x?x5x3xf32> into tensor<?x5x3xf32>
// CHECK: %[[RESULT:.+]] = tensor.cast %[[MERGED]] : tensor<?x5x3xf32> to tensor<6x5x3xf32>
// CHECK: return %[[RESULT]]
func.func @dynamic_heads(%q: tensor<6x5x4xf32>, %k: tensor<?x7x4xf32>, %v: tensor<?x7x3xf32>,
                         %o: tensor<6x5x3xf32>) -> tensor<6x5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<6x5x4xf32>, tensor<?x7x4xf32>, tensor<?x7x3xf32>)
      outs(%o : tensor<6x5x3xf32>) -> tensor<6x5x3xf32>
  return %r : tensor<6x5x3xf32>
}

// The extents of 1 and the dimensions left out of bias and boolean_mask are
// broadcast; the heads of the bias are split as the query's are.
// CHECK-LABEL: func.func @broadcast(
// CHECK-SAME: %[[BIAS:[^:]+]]: tensor<1x6x1x7xf16>, %[[MASK:[^:]+]]: tensor<5x7xi1>,
// CHECK: %[[B1:.+]] = tensor.collapse_shape %[[BIAS]] {{\[\[}}0, 1, 2], [3]] : tensor<1x6x1x7xf16> into tensor<6x7xf16>
// CHECK: %[[B2:.+]] = tensor.expand_shape %[[B1]] {{\[\[}}0, 1], [2]] output_shape [3, 2, 7]
// CHECK: attn.generic
// CHECK-SAME: inputs(%[[B2]], %[[MASK]] : tensor<3x2x7xf16>, tensor<5x7xi1>)
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d1, d2, d4)>,
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5, d6) -> (d3, d4)>,
// CHECK-SAME: mask {
// CHECK-NEXT: ^bb0(%in0: f32, %in1: i1):
// CHECK-NEXT: attn.yield %in1 : i1
// CHECK: score {
// CHECK-NEXT: ^bb0(%s: f32, %in0: f32, %in1: i1):
// CHECK-NEXT: %[[SUM:.+]] = arith.addf %s, %in0 : f32
// CHECK-NEXT: attn.yield %[[SUM]] : f32
func.func @broadcast(%bias: tensor<1x6x1x7xf16>, %mask: tensor<5x7xi1>, %q: tensor<2x6x5x4xf16>,
                     %k: tensor<2x3x7x4xf16>, %v: tensor<2x3x7x8xf16>, %o: tensor<2x6x5x8xf16>)
    -> tensor<2x6x5x8xf16> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf16>, tensor<2x3x7x4xf16>, tensor<2x3x7x8xf16>)
      bias(%bias : tensor<1x6x1x7xf16>) boolean_mask(%mask : tensor<5x7xi1>)
      outs(%o : tensor<2x6x5x8xf16>) -> tensor<2x6x5x8xf16>
  return %r : tensor<2x6x5x8xf16>
}

// A bias of one element becomes a tensor of rank 0.
// CHECK-LABEL: func.func @broadcast_all(
// CHECK: %[[B:.+]] = tensor.collapse_shape %{{.+}} [] : tensor<1x1xf32> into tensor<f32>
// CHECK: inputs(%[[B]] : tensor<f32>)
// CHECK-SAME: affine_map<(d0, d1, d2, d3) -> ()>
func.func @broadcast_all(%bias: tensor<1x1xf32>, %q: tensor<5x4xf32>, %k: tensor<7x4xf32>,
                         %v: tensor<7x3xf32>, %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      bias(%bias : tensor<1x1xf32>) outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// The order on one pair: softcap, score region, bias. The mask region, like the
// score region, moves as it is, captured values included.
// CHECK-LABEL: func.func @order(
// CHECK-SAME: %[[TABLE:[^:]+]]: tensor<7xf32>,
// CHECK: mask {
// CHECK-NEXT: ^bb0(%in0: f32):
// CHECK-NEXT: %[[I:.+]] = attn.index 0
// CHECK-NEXT: %[[J:.+]] = attn.index 1
// CHECK-NEXT: %[[CAUSAL:.+]] = arith.cmpi sle, %[[J]], %[[I]] : index
// CHECK-NEXT: %[[ODD:.+]] = arith.cmpi ne, %[[J]], %[[I]] : index
// CHECK-NEXT: %[[BOTH:.+]] = arith.andi %[[CAUSAL]], %[[ODD]] : i1
// CHECK-NEXT: attn.yield %[[BOTH]] : i1
// CHECK: score {
// CHECK-NEXT: ^bb0(%s: f32, %in0: f32):
// CHECK-NEXT: %[[INVERSE:.+]] = arith.constant 2.500000e-01 : f32
// CHECK-NEXT: %[[SMALL:.+]] = arith.mulf %s, %[[INVERSE]] : f32
// CHECK-NEXT: %[[TANH:.+]] = math.tanh %[[SMALL]] : f32
// CHECK-NEXT: %[[CAP:.+]] = arith.constant 4.000000e+00 : f32
// CHECK-NEXT: %[[CAPPED:.+]] = arith.mulf %[[TANH]], %[[CAP]] : f32
// CHECK-NEXT: %[[J2:.+]] = attn.index 1
// CHECK-NEXT: %[[SLOPE:.+]] = tensor.extract %[[TABLE]][%[[J2]]] : tensor<7xf32>
// CHECK-NEXT: %[[SCORE:.+]] = arith.mulf %[[CAPPED]], %[[SLOPE]] : f32
// CHECK-NEXT: %[[BIASED:.+]] = arith.addf %[[SCORE]], %in0 : f32
// CHECK-NEXT: attn.yield %[[BIASED]] : f32
func.func @order(%table: tensor<7xf32>, %bias: tensor<5x7xf32>, %q: tensor<5x4xf32>,
                 %k: tensor<7x4xf32>, %v: tensor<7x3xf32>, %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      bias(%bias : tensor<5x7xf32>) outs(%o : tensor<5x3xf32>)
      {causal = #attn.causal<top_left>, softcap = 4.0 : f64}
      mask {
      ^bb0(%row: index, %column: index):
        %visible = arith.cmpi ne, %column, %row : index
        attn.yield %visible : i1
      }
      score {
      ^bb0(%x: f32, %row: index, %column: index):
        %slope = tensor.extract %table[%column] : tensor<7xf32>
        %y = arith.mulf %x, %slope : f32
        attn.yield %y : f32
      }
      -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// bottom_right puts the diagonal at N_k - N_q; the window lies around it. The
// right bound of 1 says less than causal.
// CHECK-LABEL: func.func @causal_window(
// CHECK: mask {
// CHECK-NEXT: %[[I:.+]] = attn.index 0
// CHECK-NEXT: %[[J:.+]] = attn.index 1
// CHECK-NEXT: %[[TWO:.+]] = arith.constant 2 : index
// CHECK-NEXT: %[[LAST:.+]] = arith.addi %[[I]], %[[TWO]] : index
// CHECK-NEXT: %[[UPPER:.+]] = arith.cmpi sle, %[[J]], %[[LAST]] : index
// CHECK-NEXT: %[[MINUSONE:.+]] = arith.constant -1 : index
// CHECK-NEXT: %[[FIRST:.+]] = arith.addi %[[I]], %[[MINUSONE]] : index
// CHECK-NEXT: %[[LOWER:.+]] = arith.cmpi sge, %[[J]], %[[FIRST]] : index
// CHECK-NEXT: %[[BOTH:.+]] = arith.andi %[[UPPER]], %[[LOWER]] : i1
// CHECK-NEXT: attn.yield %[[BOTH]] : i1
func.func @causal_window(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                         %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>)
      {causal = #attn.causal<bottom_right>, window = array<i64: 3, 1>} -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// A window alone has both bounds, and the diagonal at 0.
// CHECK-LABEL: func.func @window(
// CHECK: mask {
// CHECK-NEXT: %[[I:.+]] = attn.index 0
// CHECK-NEXT: %[[J:.+]] = attn.index 1
// CHECK-NEXT: %[[ONE:.+]] = arith.constant 1 : index
// CHECK-NEXT: %[[LAST:.+]] = arith.addi %[[I]], %[[ONE]] : index
// CHECK-NEXT: %[[UPPER:.+]] = arith.cmpi sle, %[[J]], %[[LAST]] : index
// CHECK-NEXT: %[[LOWER:.+]] = arith.cmpi sge, %[[J]], %[[I]] : index
// CHECK-NEXT: %[[BOTH:.+]] = arith.andi %[[UPPER]], %[[LOWER]] : i1
// CHECK-NEXT: attn.yield %[[BOTH]] : i1
func.func @window(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                  %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) {window = array<i64: 0, 1>} -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// Bounds that hold for every pair there is are not written: no bound, a window
// wider than the data, the one row of a decoding step at whatever length.
// CHECK-LABEL: func.func @implied_bounds(
// CHECK-NOT: mask
// CHECK: return
func.func @implied_bounds(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                          %o: tensor<5x3xf32>, %q1: tensor<1x4xf32>, %kn: tensor<?x4xf32>,
                          %vn: tensor<?x3xf32>, %o1: tensor<1x3xf32>)
    -> (tensor<5x3xf32>, tensor<1x3xf32>) {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) {window = array<i64: -1, -1>} -> tensor<5x3xf32>
  %s = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%r : tensor<5x3xf32>) {window = array<i64: 4, 6>} -> tensor<5x3xf32>
  %t = attn.sdpa ins(%q1, %kn, %vn : tensor<1x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      outs(%o1 : tensor<1x3xf32>) {causal = #attn.causal<bottom_right>} -> tensor<1x3xf32>
  return %s, %t : tensor<5x3xf32>, tensor<1x3xf32>
}

// One less on either side, and the bound is needed.
// CHECK-LABEL: func.func @barely_needed_bounds(
// CHECK: mask {
// CHECK: arith.cmpi sle
// CHECK: arith.cmpi sge
func.func @barely_needed_bounds(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                                %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) {window = array<i64: 3, 5>} -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// Lengths known at run time only: the diagonal is computed once, outside.
// CHECK-LABEL: func.func @dynamic_lengths(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<?x4xf32>, %[[K:[^:]+]]: tensor<?x4xf32>,
// CHECK-DAG: %[[NK:.+]] = tensor.dim %[[K]], %{{.+}} : tensor<?x4xf32>
// CHECK-DAG: %[[NQ:.+]] = tensor.dim %[[Q]], %{{.+}} : tensor<?x4xf32>
// CHECK: %[[OFFSET:.+]] = arith.subi %[[NK]], %[[NQ]] : index
// CHECK: mask {
// CHECK-NEXT: %[[I:.+]] = attn.index 0
// CHECK-NEXT: %[[J:.+]] = attn.index 1
// CHECK-NEXT: %[[LAST:.+]] = arith.addi %[[I]], %[[OFFSET]] : index
// CHECK-NEXT: arith.cmpi sle, %[[J]], %[[LAST]] : index
func.func @dynamic_lengths(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>,
                           %o: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      outs(%o : tensor<?x3xf32>) {causal = #attn.causal<bottom_right>} -> tensor<?x3xf32>
  return %r : tensor<?x3xf32>
}

// An offset for all is captured, as an index; one per batch is an input. In 64
// bits it is moved to where sums with it do not wrap.
// CHECK-LABEL: func.func @offsets(
// CHECK-SAME: %[[ALL:[^:]+]]: i32, %[[EACH:[^:]+]]: tensor<2xi64>,
// CHECK: %[[OFFSET:.+]] = arith.index_cast %[[ALL]] : i32 to index
// CHECK: attn.generic
// CHECK-NOT: inputs
// CHECK: arith.addi %{{.+}}, %[[OFFSET]] : index
// CHECK: attn.generic
// CHECK-SAME: inputs(%[[EACH]] : tensor<2xi64>)
// CHECK-SAME: affine_map<(d0, d1, d2, d3, d4, d5) -> (d0)>,
// CHECK-SAME: mask {
// CHECK-NEXT: ^bb0(%in0: i64):
// CHECK-NEXT: %[[I:.+]] = attn.index 2
// CHECK-NEXT: %[[J:.+]] = attn.index 3
// CHECK-NEXT: %[[O:.+]] = arith.index_cast %in0 : i64 to index
// CHECK-NEXT: %[[MOST:.+]] = arith.constant 4398046511104 : index
// CHECK-NEXT: %[[BELOW:.+]] = arith.minsi %[[O]], %[[MOST]] : index
// CHECK-NEXT: %[[LEAST:.+]] = arith.constant -4398046511104 : index
// CHECK-NEXT: %[[SMALL:.+]] = arith.maxsi %[[BELOW]], %[[LEAST]] : index
// CHECK-NEXT: %[[LAST:.+]] = arith.addi %[[I]], %[[SMALL]] : index
// CHECK-NEXT: arith.cmpi sle, %[[J]], %[[LAST]] : index
func.func @offsets(%all: i32, %each: tensor<2xi64>, %q: tensor<2x6x5x4xf32>,
                   %k: tensor<2x6x7x4xf32>, %v: tensor<2x6x7x3xf32>, %o: tensor<2x6x5x3xf32>)
    -> tensor<2x6x5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x3xf32>)
      offset(%all : i32) outs(%o : tensor<2x6x5x3xf32>) {causal = #attn.causal<offset>}
      -> tensor<2x6x5x3xf32>
  %s = attn.sdpa ins(%q, %k, %v : tensor<2x6x5x4xf32>, tensor<2x6x7x4xf32>, tensor<2x6x7x3xf32>)
      offset(%each : tensor<2xi64>) outs(%r : tensor<2x6x5x3xf32>) {causal = #attn.causal<offset>}
      -> tensor<2x6x5x3xf32>
  return %s : tensor<2x6x5x3xf32>
}

// A width known at run time only: the factor goes into the score region, and
// `scale` keeps its default.
// CHECK-LABEL: func.func @dynamic_width(
// CHECK-SAME: %[[Q:[^:]+]]: tensor<5x?xf32>,
// CHECK: %[[D:.+]] = tensor.dim %[[Q]], %{{.+}} : tensor<5x?xf32>
// CHECK: %[[D1:.+]] = arith.maxui %[[D]], %{{.+}} : index
// CHECK: %[[D2:.+]] = arith.index_cast %[[D1]] : index to i64
// CHECK: %[[D3:.+]] = arith.uitofp %[[D2]] : i64 to f32
// CHECK: %[[ROOT:.+]] = math.sqrt %[[D3]] : f32
// CHECK: %[[SCALE:.+]] = arith.divf %{{.+}}, %[[ROOT]] : f32
// CHECK: attn.generic
// CHECK-NOT: scale
// CHECK: score {
// CHECK-NEXT: ^bb0(%s: f32):
// CHECK-NEXT: %[[SCALED:.+]] = arith.mulf %s, %[[SCALE]] : f32
// CHECK-NEXT: attn.yield %[[SCALED]] : f32
func.func @dynamic_width(%q: tensor<5x?xf32>, %k: tensor<7x?xf32>, %v: tensor<7x3xf32>,
                         %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x?xf32>, tensor<7x?xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// An empty sum is 0 under any finite scale.
// CHECK-LABEL: func.func @zero_width(
// CHECK-NOT: score
// CHECK-NOT: scale
// CHECK: return
func.func @zero_width(%q: tensor<5x0xf32>, %k: tensor<7x0xf32>, %v: tensor<7x3xf32>,
                      %o: tensor<5x3xf32>) -> tensor<5x3xf32> {
  %r = attn.sdpa ins(%q, %k, %v : tensor<5x0xf32>, tensor<7x0xf32>, tensor<7x3xf32>)
      outs(%o : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %r : tensor<5x3xf32>
}

// On memrefs the same reshapes are views, and there is nothing to merge.
// CHECK-LABEL: func.func @memrefs(
// CHECK: %[[BIAS:.+]] = memref.collapse_shape %{{.+}} {{\[\[}}0, 1], [2]] : memref<6x1x7xf32> into memref<6x7xf32>
// CHECK: %[[BIAS2:.+]] = memref.expand_shape %[[BIAS]] {{\[\[}}0, 1], [2]] output_shape [3, 2, 7]
// CHECK: %[[O:.+]] = memref.expand_shape %{{.+}} {{\[\[}}0, 1], [2], [3]] output_shape [3, 2, 5, 8] : memref<6x5x8xf32, strided<[?, ?, 1], offset: ?>> into memref<3x2x5x8xf32, strided<[?, ?, ?, 1], offset: ?>>
// CHECK: %[[Q:.+]] = memref.expand_shape %{{.+}} {{\[\[}}0, 1], [2], [3]] output_shape [3, 2, 5, 4]
// CHECK: attn.generic ins(%[[Q]], %{{.+}}, %{{.+}} : memref<3x2x5x4xf32>, memref<3x7x4xf32>, memref<3x7x8xf32>)
// CHECK-SAME: inputs(%[[BIAS2]] : memref<3x2x7xf32>)
// CHECK-SAME: outs(%[[O]] :
// CHECK: return
func.func @memrefs(%q: memref<6x5x4xf32>, %k: memref<3x7x4xf32>, %v: memref<3x7x8xf32>,
                   %bias: memref<6x1x7xf32>, %o: memref<6x5x8xf32, strided<[?, ?, 1], offset: ?>>) {
  attn.sdpa ins(%q, %k, %v : memref<6x5x4xf32>, memref<3x7x4xf32>, memref<3x7x8xf32>)
      bias(%bias : memref<6x1x7xf32>)
      outs(%o : memref<6x5x8xf32, strided<[?, ?, 1], offset: ?>>)
  return
}
