// A key tile is computed exactly if it holds a visible pair. 32 query tiles of
// 32 rows; query tile t sees keys up to 32 t + 31, in key tiles of 64: that is
// 2 (1 + 2 + ... + 16) = 272, of which the 32 on the diagonal are not full.
// RUN: attn-run %s --entry=causal --random --cpu=x86-64-v4 --count-tiles | FileCheck %s --check-prefix=CAUSAL
// CAUSAL: key tiles: 272 looked at, 272 computed, 240 of them full

// A window of 64 spans 95 keys of a query tile, two key tiles; 32 of the first
// query tile, one; 64 of the second, one.
// RUN: attn-run %s --entry=window --random --cpu=x86-64-v4 --count-tiles | FileCheck %s --check-prefix=WINDOW
// WINDOW: key tiles: 62 looked at, 62 computed, 0 of them full

// What is read at keys has its least and greatest element in a tile found out:
// 32 bits. Keys 512 to 1023 are hidden; all others are seen.
// RUN: attn-run %s --entry=flags --random --random-range=3:512:513 --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=FLAGS
// FLAGS: key tiles: 256 looked at, 256 computed, 256 of them full
// FLAGS: check: result 0: ok

// The same in 64 bits, of which sums would wrap.
// RUN: attn-run %s --entry=wide_flags --random --random-range=3:512:513 --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=WIDE
// WIDE: key tiles: 256 looked at, 256 computed, 256 of them full
// WIDE: check: result 0: ok

// Rows of one document share tiles of their own: 8 query tiles of 32, of which
// those of document 0 see keys 0 to 63, and so on.
// RUN: attn-run %s --entry=documents --random --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=DOCUMENTS
// DOCUMENTS: key tiles: 8 looked at, 8 computed, 8 of them full
// DOCUMENTS: check: result 0: ok

// Lengths of rows in 64 bits: rows 0 to 511 see 100 keys, all others none. 16
// query tiles of 32 see a full key tile of 64 and one of 36.
// RUN: attn-run %s --entry=row_lengths --random --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=LENGTHS
// LENGTHS: key tiles: 32 looked at, 32 computed, 32 of them full
// LENGTHS: check: result 0: ok

// Token 0 and token 5 are global, as truth values tell: their tile of 32 rows sees
// 16 key tiles; each of the 31 others keys 0 to 5, in a tile, and a window of 96
// keys, in two. The second tile's window begins at key 0: two tiles in all. The
// last one's ends with the keys: 64 of them, one tile.
// RUN: attn-run %s --entry=global_tokens --random --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=GLOBAL
// GLOBAL: key tiles: 107 looked at, 107 computed, 0 of them full
// GLOBAL: check: result 0: ok

func.func @causal(%q: tensor<1024x16xf32>, %k: tensor<1024x16xf32>, %v: tensor<1024x8xf32>)
    -> tensor<1024x8xf32> {
  %init = tensor.empty() : tensor<1024x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x8xf32>)
      outs(%init : tensor<1024x8xf32>) {causal = #attn.causal<top_left>} -> tensor<1024x8xf32>
  return %o : tensor<1024x8xf32>
}

func.func @window(%q: tensor<1024x16xf32>, %k: tensor<1024x16xf32>, %v: tensor<1024x8xf32>)
    -> tensor<1024x8xf32> {
  %init = tensor.empty() : tensor<1024x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x8xf32>)
      outs(%init : tensor<1024x8xf32>) {window = array<i64: 63, 0>} -> tensor<1024x8xf32>
  return %o : tensor<1024x8xf32>
}

func.func @flags(%q: tensor<1024x16xf32>, %k: tensor<1024x16xf32>, %v: tensor<1024x8xf32>,
                 %first: tensor<1024xi32>) -> tensor<1024x8xf32> {
  %init = tensor.empty() : tensor<1024x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x8xf32>)
      outs(%init : tensor<1024x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %limit = tensor.extract %first[%j] : tensor<1024xi32>
        %bound = arith.index_cast %limit : i32 to index
        %seen = arith.cmpi slt, %j, %bound : index
        attn.yield %seen : i1
      } -> tensor<1024x8xf32>
  return %o : tensor<1024x8xf32>
}

func.func @wide_flags(%q: tensor<1024x16xf32>, %k: tensor<1024x16xf32>, %v: tensor<1024x8xf32>,
                 %first: tensor<1024xi64>) -> tensor<1024x8xf32> {
  %init = tensor.empty() : tensor<1024x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x8xf32>)
      outs(%init : tensor<1024x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %limit = tensor.extract %first[%j] : tensor<1024xi64>
        %bound = arith.index_cast %limit : i64 to index
        %seen = arith.cmpi slt, %j, %bound : index
        attn.yield %seen : i1
      } -> tensor<1024x8xf32>
  return %o : tensor<1024x8xf32>
}

func.func @row_lengths(%q: tensor<1024x16xf32>, %k: tensor<1024x16xf32>, %v: tensor<1024x8xf32>)
    -> tensor<1024x8xf32> {
  %init = tensor.empty() : tensor<1024x8xf32>
  %none = tensor.empty() : tensor<1024xi64>
  %lengths = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%none : tensor<1024xi64>) {
    ^bb0(%out: i64):
      %c512 = arith.constant 512 : index
      %c100 = arith.constant 100 : i64
      %least = arith.constant -9223372036854775808 : i64
      %i = linalg.index 0 : index
      %first = arith.cmpi slt, %i, %c512 : index
      %length = arith.select %first, %c100, %least : i64
      linalg.yield %length : i64
    } -> tensor<1024xi64>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x8xf32>)
      outs(%init : tensor<1024x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %length = tensor.extract %lengths[%i] : tensor<1024xi64>
        %bound = arith.index_cast %length : i64 to index
        %seen = arith.cmpi slt, %j, %bound : index
        attn.yield %seen : i1
      } -> tensor<1024x8xf32>
  return %o : tensor<1024x8xf32>
}

func.func @global_tokens(%q: tensor<1024x16xf32>, %k: tensor<1024x16xf32>, %v: tensor<1024x8xf32>)
    -> tensor<1024x8xf32> {
  %init = tensor.empty() : tensor<1024x8xf32>
  %none = tensor.empty() : tensor<1024xi1>
  %global = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%none : tensor<1024xi1>) {
    ^bb0(%out: i1):
      %c0 = arith.constant 0 : index
      %c5 = arith.constant 5 : index
      %i = linalg.index 0 : index
      %first = arith.cmpi eq, %i, %c0 : index
      %sixth = arith.cmpi eq, %i, %c5 : index
      %either = arith.ori %first, %sixth : i1
      linalg.yield %either : i1
    } -> tensor<1024xi1>
  %o = attn.sdpa ins(%q, %k, %v : tensor<1024x16xf32>, tensor<1024x16xf32>, tensor<1024x8xf32>)
      outs(%init : tensor<1024x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %c32 = arith.constant 32 : index
        %distance = arith.subi %i, %j : index
        %steps = math.absi %distance : index
        %near = arith.cmpi sle, %steps, %c32 : index
        %sees = tensor.extract %global[%i] : tensor<1024xi1>
        %seen = tensor.extract %global[%j] : tensor<1024xi1>
        %either = arith.ori %sees, %seen : i1
        %visible = arith.ori %near, %either : i1
        attn.yield %visible : i1
      } -> tensor<1024x8xf32>
  return %o : tensor<1024x8xf32>
}

func.func @documents(%q: tensor<256x16xf32>, %k: tensor<256x16xf32>, %v: tensor<256x8xf32>)
    -> tensor<256x8xf32> {
  %c64 = arith.constant 64 : index
  %init = tensor.empty() : tensor<256x8xf32>
  %none = tensor.empty() : tensor<256xi32>
  %ids = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      outs(%none : tensor<256xi32>) {
    ^bb0(%out: i32):
      %i = linalg.index 0 : index
      %document = arith.divui %i, %c64 : index
      %id = arith.index_cast %document : index to i32
      linalg.yield %id : i32
    } -> tensor<256xi32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<256x16xf32>, tensor<256x16xf32>, tensor<256x8xf32>)
      outs(%init : tensor<256x8xf32>)
      mask {
      ^bb0(%i: index, %j: index):
        %mine = tensor.extract %ids[%i] : tensor<256xi32>
        %other = tensor.extract %ids[%j] : tensor<256xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      } -> tensor<256x8xf32>
  return %o : tensor<256x8xf32>
}
