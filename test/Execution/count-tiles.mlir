// A key tile is computed exactly if it holds a visible pair. 32 query tiles of
// 32 rows; query tile t sees keys up to 32 t + 31, in key tiles of 64: that is
// 2 (1 + 2 + ... + 16) = 272, of which the 32 on the diagonal are not full.
// RUN: attn-run %s --entry=causal --random --cpu=x86-64-v4 --count-tiles | FileCheck %s --check-prefix=CAUSAL
// CAUSAL: key tiles: 272 looked at, 272 computed, 240 of them full

// A window of 64 spans 95 keys of a query tile, two key tiles; 32 of the first
// query tile, one; 64 of the second, one.
// RUN: attn-run %s --entry=window --random --cpu=x86-64-v4 --count-tiles | FileCheck %s --check-prefix=WINDOW
// WINDOW: key tiles: 62 looked at, 62 computed, 0 of them full

// What is read at keys has its least and greatest element in a tile found out.
// Keys 512 to 1023 are hidden.
// RUN: attn-run %s --entry=flags --random --random-range=3:512:513 --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=FLAGS
// FLAGS: key tiles: 256 looked at, 256 computed, 0 of them full
// FLAGS: check: result 0: ok

// Numbers of 64 bits cannot be bounded so: each tile is looked at, and those
// where no flag is set are not computed.
// RUN: attn-run %s --entry=wide_flags --random --random-range=3:512:513 --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=WIDE
// WIDE: key tiles: 512 looked at, 256 computed, 0 of them full
// WIDE: check: result 0: ok

// Rows of one document share tiles of their own: 8 query tiles of 32, of which
// those of document 0 see keys 0 to 63, and so on.
// RUN: attn-run %s --entry=documents --random --cpu=x86-64-v4 --check --count-tiles | FileCheck %s --check-prefix=DOCUMENTS
// DOCUMENTS: key tiles: 8 looked at, 8 computed, 0 of them full
// DOCUMENTS: check: result 0: ok

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
