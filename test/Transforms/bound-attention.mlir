// RUN: attn-opt %s --attn-bound --verify-roundtrip | FileCheck %s
// RUN: attn-opt %s --attn-bound --remarks-filter-analyse=attn-bound 2>&1 >/dev/null | FileCheck %s --check-prefix=REMARK

#q = affine_map<(b, m, n, d, e) -> (b, m, d)>
#k = affine_map<(b, m, n, d, e) -> (b, n, d)>
#v = affine_map<(b, m, n, d, e) -> (b, n, e)>
#o = affine_map<(b, m, n, d, e) -> (b, m, e)>
#b = affine_map<(b, m, n, d, e) -> (b)>
#bm = affine_map<(b, m, n, d, e) -> (b, m)>
#bn = affine_map<(b, m, n, d, e) -> (b, n)>

// The tile's last row sees most. A box is empty if its first key is beyond its
// last row, and full if its last key is not beyond its first row.
// CHECK-LABEL: func.func @causal(
// CHECK: } ranges {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %{{.+}}: index, %[[M_HI:.+]]: index):
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.+]] = arith.constant 1 : index
// CHECK-DAG: %[[C7:.+]] = arith.constant 7 : index
// CHECK-NEXT: %[[NEXT:.+]] = arith.addi %[[M_HI]], %[[C1]] : index
// CHECK-NEXT: %[[END:.+]] = arith.minsi %[[NEXT]], %[[C7]] : index
// CHECK-NEXT: attn.yield %[[C0]], %[[END]] : index, index
// CHECK-NEXT: } classify {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %[[M_LO:.+]]: index, %[[M_HI:.+]]: index, %[[N_LO:.+]]: index, %[[N_HI:.+]]: index):
// CHECK-NEXT: %[[NONE:.+]] = arith.cmpi slt, %[[M_HI]], %[[N_LO]] : index
// CHECK-NEXT: %[[FULL:.+]] = arith.cmpi sle, %[[N_HI]], %[[M_LO]] : index
// CHECK-NEXT: attn.yield %[[NONE]], %[[FULL]] : i1, i1
// REMARK: remark: {{.*}}attn-bound{{.*}}"1 key range"
func.func @causal(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                  %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}

// Dynamic extents and a symbol: the extent is read before the op. A window so
// wide that differences from it wrap bounds nothing.
// CHECK-LABEL: func.func @window(
// CHECK-SAME: %[[K:[^:]+]]: tensor<2x?x4xf32>, %{{[^:]+}}: tensor<2x?x3xf32>, %[[W:[^:]+]]: index
// CHECK: %[[KEYS:.+]] = tensor.dim %[[K]], %{{.+}} : tensor<2x?x4xf32>
// CHECK-NEXT: attn.generic
// CHECK: } ranges {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %[[M_LO:.+]]: index, %[[M_HI:.+]]: index):
// CHECK-DAG: %[[C0:.+]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.+]] = arith.constant 1 : index
// CHECK-DAG: %[[LEAST:.+]] = arith.constant -1152921504606846976 : index
// CHECK-DAG: %[[MOST:.+]] = arith.constant 1152921504606846976 : index
// CHECK: %[[ABOVE:.+]] = arith.cmpi sle, %[[LEAST]], %[[W]] : index
// CHECK-NEXT: %[[BELOW:.+]] = arith.cmpi sle, %[[W]], %[[MOST]] : index
// CHECK-NEXT: %[[EXACT:.+]] = arith.andi %[[ABOVE]], %[[BELOW]] : i1
// CHECK-NEXT: %[[FIRST:.+]] = arith.subi %[[M_LO]], %[[W]] : index
// CHECK-NEXT: %[[BEGIN:.+]] = arith.maxsi %[[FIRST]], %[[C0]] : index
// CHECK-NEXT: %[[NEXT:.+]] = arith.addi %[[M_HI]], %[[C1]] : index
// CHECK-NEXT: %[[END:.+]] = arith.minsi %[[KEYS]], %[[NEXT]] : index
// CHECK-NEXT: %[[LO:.+]] = arith.select %[[EXACT]], %[[BEGIN]], %[[C0]] : index
// CHECK-NEXT: %[[HI:.+]] = arith.select %[[EXACT]], %[[END]], %[[KEYS]] : index
// CHECK-NEXT: attn.yield %[[LO]], %[[HI]] : index, index
// REMARK: remark: {{.*}}"1 key range"
func.func @window(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>,
                  %v: tensor<2x?x3xf32>, %w: index, %o: tensor<2x?x3xf32>) -> tensor<2x?x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x?x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %causal = arith.cmpi sle, %j, %i : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi sle, %distance, %w : index
        %visible = arith.andi %causal, %near : i1
        attn.yield %visible : i1
      } -> tensor<2x?x3xf32>
  return %r : tensor<2x?x3xf32>
}

// An input without row dimensions is a symbol, read once per tile.
// CHECK-LABEL: func.func @lengths(
// CHECK-SAME: %[[LENGTHS:[^:]+]]: tensor<2xi32>
// CHECK: } ranges {
// CHECK-NEXT: ^bb0(%[[B:.+]]: index, %{{.+}}: index, %{{.+}}: index):
// CHECK: %[[LENGTH:.+]] = tensor.extract %[[LENGTHS]][%[[B]]] : tensor<2xi32>
// CHECK-NEXT: %[[INDEX:.+]] = arith.index_cast %[[LENGTH]] : i32 to index
// CHECK-NEXT: %[[END:.+]] = arith.minsi %[[INDEX]], %{{.+}} : index
// CHECK-NEXT: attn.yield %{{.+}}, %[[END]] : index, index
// CHECK-NEXT: } classify {
// CHECK: %[[LENGTH:.+]] = tensor.extract %[[LENGTHS]]
// REMARK: remark: {{.*}}"1 key range"
func.func @lengths(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                   %v: tensor<2x7x3xf32>, %lengths: tensor<2xi32>, %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%lengths : tensor<2xi32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #b, #o]}
      mask {
      ^bb0(%length: i32):
        %j = attn.index 2
        %position = arith.index_cast %j : index to i32
        %visible = arith.cmpi slt, %position, %length : i32
        attn.yield %visible : i1
      } -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}

// The ids of documents are data. Before the op, the least and the greatest id of
// each block of 16 rows and keys; one block has them all here. The rows of a tile
// ask the blocks that it touches; keys with such an id are searched for in the
// causal half, block by block and then one by one from both ends. A box is empty
// if the ids of its rows and of its keys lie apart, and full if all are one.
// CHECK-LABEL: func.func @documents(
// CHECK-SAME: %[[ROWS:[^:]+]]: tensor<2x5xi32>, %[[KEYS:[^:]+]]: tensor<2x7xi32>,
// CHECK: %[[ROW_BLOCKS:.+]]:2 = linalg.generic
// CHECK: scf.for %[[I:.+]] = %{{.+}} to %{{.+}} step %{{.+}} iter_args(%[[LEAST:.+]] = %{{.+}}, %[[MOST:.+]] = %{{.+}}) -> (i32, i32) {
// CHECK-NEXT: %[[ID:.+]] = tensor.extract %[[ROWS]][%{{.+}}, %[[I]]] : tensor<2x5xi32>
// CHECK-NEXT: %[[MIN:.+]] = arith.minsi %[[LEAST]], %[[ID]] : i32
// CHECK-NEXT: %[[MAX:.+]] = arith.maxsi %[[MOST]], %[[ID]] : i32
// CHECK-NEXT: scf.yield %[[MIN]], %[[MAX]] : i32, i32
// CHECK: -> (tensor<2x1xi32>, tensor<2x1xi32>)
// CHECK: %[[KEY_BLOCKS:.+]]:2 = linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: } ranges {
// CHECK-NEXT: ^bb0(%[[B:.+]]: index, %[[M_LO:.+]]: index, %[[M_HI:.+]]: index):
// CHECK: %[[FIRST:.+]] = arith.shrsi %[[M_LO]], %{{.+}} : index
// CHECK: scf.for %[[I:.+]] = %[[FIRST]] to
// CHECK-NEXT: tensor.extract %[[ROW_BLOCKS]]#0[%[[B]], %[[I]]]
// CHECK-NEXT: tensor.extract %[[ROW_BLOCKS]]#1[%[[B]], %[[I]]]
// CHECK: scf.for %[[J:.+]] = %c0
// CHECK-NEXT: tensor.extract %[[KEY_BLOCKS]]#0[%[[B]], %[[J]]]
// CHECK-NEXT: tensor.extract %[[KEY_BLOCKS]]#1[%[[B]], %[[J]]]
// CHECK: scf.for
// CHECK-NEXT: tensor.extract %[[KEYS]]
// CHECK: scf.for
// CHECK-NEXT: tensor.extract %[[KEYS]]
// CHECK: } classify {
// CHECK-NEXT: ^bb0(%[[B:.+]]: index, %[[M_LO:.+]]: index, %[[M_HI:.+]]: index, %[[N_LO:.+]]: index, %[[N_HI:.+]]: index):
// CHECK: scf.for %[[J:.+]] = %[[N_LO]] to
// CHECK-NEXT: tensor.extract %[[KEYS]][%[[B]], %[[J]]] : tensor<2x7xi32>
// CHECK: scf.for
// CHECK-NEXT: tensor.extract %[[ROW_BLOCKS]]#0
// CHECK-NOT: %false
// CHECK: attn.yield
// REMARK: remark: {{.*}}"1 key range"
func.func @documents(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>, %v: tensor<2x7x3xf32>,
                     %rows: tensor<2x5xi32>, %keys: tensor<2x7xi32>, %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      inputs(%rows, %keys : tensor<2x5xi32>, tensor<2x7xi32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #bm, #bn, #o]}
      mask {
      ^bb0(%of_row: i32, %of_key: i32):
        %i = attn.index 1
        %j = attn.index 2
        %causal = arith.cmpi sle, %j, %i : index
        %same = arith.cmpi eq, %of_row, %of_key : i32
        %visible = arith.andi %causal, %same : i1
        attn.yield %visible : i1
      } -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}

// Ids of 64 bits, the same for rows and keys: one summary. They are compared as
// they are; a difference of them could wrap.
// CHECK-LABEL: func.func @wide_documents(
// CHECK: linalg.generic
// CHECK-NOT: linalg.generic
// CHECK: } ranges {
// CHECK-NOT: arith.subi
// CHECK: } classify {
// CHECK-NOT: arith.subi
// CHECK: %[[NONE:.+]] = arith.xori %{{.+}}, %true : i1
// CHECK-NEXT: %[[FULL:.+]] = arith.xori %{{.+}}, %true : i1
// CHECK-NEXT: attn.yield %[[NONE]], %[[FULL]] : i1, i1
// REMARK: remark: {{.*}}"1 key range"
func.func @wide_documents(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>, %v: tensor<2x?x3xf32>,
                          %ids: tensor<?xi64>, %o: tensor<2x?x3xf32>) -> tensor<2x?x3xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x?x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %of_row = tensor.extract %ids[%i] : tensor<?xi64>
        %of_key = tensor.extract %ids[%j] : tensor<?xi64>
        %visible = arith.cmpi eq, %of_row, %of_key : i64
        attn.yield %visible : i1
      } -> tensor<2x?x3xf32>
  return %r : tensor<2x?x3xf32>
}

// The first keys and the last ones: two ranges.
// CHECK-LABEL: func.func @sink_and_window(
// CHECK: } ranges {
// CHECK: attn.yield %{{.+}}, %{{.+}}, %{{.+}}, %{{.+}} : index, index, index, index
// REMARK: remark: {{.*}}"2 key ranges"
func.func @sink_and_window(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                           %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %c2 = arith.constant 2 : index
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %sink = arith.cmpi slt, %j, %c2 : index
        %distance = arith.subi %i, %j : index
        %near = arith.cmpi ult, %distance, %c2 : index
        %visible = arith.ori %sink, %near : i1
        attn.yield %visible : i1
      } -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}

// Keys along two dimensions, queries along two: bounds per query row dimension,
// the position along the outer key dimension, and a range of the inner one.
// CHECK-LABEL: func.func @two_dimensional(
// CHECK: } ranges {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %{{.+}}: index, %[[X_LO:.+]]: index, %[[X_HI:.+]]: index, %[[Y:.+]]: index):
// CHECK: } classify {
// CHECK-NEXT: ^bb0(%{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index, %{{.+}}: index):
// REMARK: remark: {{.*}}"1 key range"
#q2 = affine_map<(my, mx, ny, nx, d, e) -> (my, mx, d)>
#k2 = affine_map<(my, mx, ny, nx, d, e) -> (ny, nx, d)>
#v2 = affine_map<(my, mx, ny, nx, d, e) -> (ny, nx, e)>
#o2 = affine_map<(my, mx, ny, nx, d, e) -> (my, mx, e)>
func.func @two_dimensional(%q: tensor<3x5x4xf32>, %k: tensor<3x7x4xf32>,
                           %v: tensor<3x7x2xf32>, %o: tensor<3x5x2xf32>) -> tensor<3x5x2xf32> {
  %r = attn.generic ins(%q, %k, %v : tensor<3x5x4xf32>, tensor<3x7x4xf32>, tensor<3x7x2xf32>)
      weighting(#attn.softmax) outs(%o : tensor<3x5x2xf32>)
      {indexing_maps = [#q2, #k2, #v2, #o2]}
      mask {
        %c1 = arith.constant 1 : index
        %my = attn.index 0
        %mx = attn.index 1
        %ny = attn.index 2
        %nx = attn.index 3
        %dy = arith.subi %my, %ny : index
        %dx = arith.subi %mx, %nx : index
        %ay = math.absi %dy : index
        %ax = math.absi %dx : index
        %distance = arith.maxsi %ay, %ax : index
        %visible = arith.cmpi sle, %distance, %c1 : index
        attn.yield %visible : i1
      } -> tensor<3x5x2xf32>
  return %r : tensor<3x5x2xf32>
}

// An op that has its regions keeps them.
// CHECK-LABEL: func.func @bounded(
// CHECK: } ranges {
// CHECK-NEXT: ^bb0(
// CHECK-NEXT: attn.yield %c0, %c7 : index, index
// CHECK-NEXT: } ->
// REMARK-NOT: remark:
func.func @bounded(%q: tensor<2x5x4xf32>, %k: tensor<2x7x4xf32>,
                   %v: tensor<2x7x3xf32>, %o: tensor<2x5x3xf32>) -> tensor<2x5x3xf32> {
  %c0 = arith.constant 0 : index
  %c7 = arith.constant 7 : index
  %r = attn.generic ins(%q, %k, %v : tensor<2x5x4xf32>, tensor<2x7x4xf32>, tensor<2x7x3xf32>)
      weighting(#attn.softmax) outs(%o : tensor<2x5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } ranges {
      ^bb0(%b0: index, %m_lo: index, %m_hi: index):
        attn.yield %c0, %c7 : index, index
      } -> tensor<2x5x3xf32>
  return %r : tensor<2x5x3xf32>
}
