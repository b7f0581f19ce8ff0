// RUN: split-file %s %t
// RUN: attn-opt %t/generalize.mlir --attn-verify-stage=stage=generalize --verify-diagnostics
// RUN: attn-opt %t/bound.mlir --attn-verify-stage=stage=bound --verify-diagnostics
// RUN: attn-opt %t/tile.mlir --attn-verify-stage=stage=tile --split-input-file --verify-diagnostics
// RUN: attn-opt %t/bufferize.mlir --attn-verify-stage=stage=bufferize --split-input-file --verify-diagnostics
// RUN: attn-opt %t/vectorize.mlir --attn-verify-stage=stage=vectorize --verify-diagnostics
// RUN: attn-opt %t/gpu.mlir --attn-verify-stage=stage=gpu --split-input-file --verify-diagnostics
// RUN: attn-opt %t/llvm.mlir --attn-verify-stage=stage=llvm --split-input-file --verify-diagnostics
// RUN: attn-opt %t/unknown.mlir --attn-verify-stage=stage=tiles --verify-diagnostics

// One breach of each stage's sentence.

//--- generalize.mlir
func.func @leftover(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.sdpa' op breaks stage generalize: only core ops remain of the dialect}}
  %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

//--- bound.mlir
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @no_ranges(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                     %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.generic' op breaks stage bound: every mask has its ranges and its classifier}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      } -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

//--- tile.mlir
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @generic(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                   %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
  // expected-error @below {{'attn.generic' op breaks stage tile: no attn.generic remains}}
  %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
  return %o : tensor<5x3xf32>
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @spans(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                 %a: tensor<3x8xf32>) -> (tensor<3x8xf32>, tensor<8x7xf32>) {
  // expected-error @below {{'tensor.empty' op breaks stage tile: nothing that the compiler created spans all query rows and all key rows}}
  %s = tensor.empty() : tensor<8x7xf32>
  %acc = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.identity) outs(%a : tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]} -> tensor<3x8xf32>
  return %acc, %s : tensor<3x8xf32>, tensor<8x7xf32>
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @spans_dynamic(%q: tensor<4x?xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>,
                         %a: tensor<3x?xf32>) -> (tensor<3x?xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %rows = tensor.dim %q, %c1 : tensor<4x?xf32>
  %keys = tensor.dim %k, %c0 : tensor<?x4xf32>
  // expected-error @below {{'tensor.empty' op breaks stage tile: nothing that the compiler created spans all query rows and all key rows}}
  %s = tensor.empty(%rows, %keys) : tensor<?x?xf32>
  %acc = attn.online ins(%q, %k, %v : tensor<4x?xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      weighting(#attn.identity) outs(%a : tensor<3x?xf32>)
      {indexing_maps = [#q, #k, #v, #acc]} -> tensor<3x?xf32>
  return %acc, %s : tensor<3x?xf32>, tensor<?x?xf32>
}

// -----

// Query tiles gathered in a buffer, as blocks are: the rows are the source's.
#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (m, e)>
func.func @spans_in_blocks(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>,
                           %a: tensor<3x8xf32>, %zero: f32) -> (tensor<3x8xf32>, tensor<?x?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %rows = tensor.dim %q, %c0 : tensor<?x4xf32>
  %keys = tensor.dim %k, %c0 : tensor<?x4xf32>
  %buffer = tensor.empty() : tensor<2x4x8xf32>
  %packed = scf.for %t = %c0 to %c2 step %c1 iter_args(%b = %buffer) -> tensor<2x4x8xf32> {
    %source = tensor.extract_slice %q[%t, 0] [8, 4] [1, 1] : tensor<?x4xf32> to tensor<8x4xf32>
    %target = tensor.extract_slice %b[%t, 0, 0] [1, 4, 8] [1, 1, 1] : tensor<2x4x8xf32> to tensor<4x8xf32>
    %tile = attn.pack ins(%source : tensor<8x4xf32>) outs(%target : tensor<4x8xf32>)
        layout(#attn.lanes_along_rows<8>) role(query) {indexing_map = #q} -> tensor<4x8xf32>
    %next = tensor.insert_slice %tile into %b[%t, 0, 0] [1, 4, 8] [1, 1, 1] : tensor<4x8xf32> into tensor<2x4x8xf32>
    scf.yield %next : tensor<2x4x8xf32>
  }
  %tile = tensor.extract_slice %packed[%c1, 0, 0] [1, 4, 8] [1, 1, 1] : tensor<2x4x8xf32> to tensor<4x8xf32>
  %keytile = tensor.extract_slice %k[0, 0] [7, 4] [1, 1] : tensor<?x4xf32> to tensor<7x4xf32>
  %valuetile = tensor.extract_slice %v[0, 0] [7, 3] [1, 1] : tensor<?x3xf32> to tensor<7x3xf32>
  // expected-error @below {{'tensor.splat' op breaks stage tile: nothing that the compiler created spans all query rows and all key rows}}
  %s = tensor.splat %zero[%keys, %rows] : tensor<?x?xf32>
  %acc = attn.online ins(%tile, %keytile, %valuetile : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.identity) layout(#attn.lanes_along_rows<8>) outs(%a : tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]} -> tensor<3x8xf32>
  return %acc, %s : tensor<3x8xf32>, tensor<?x?xf32>
}

// -----

#q = affine_map<(m, n, d, e) -> (d, m)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#acc = affine_map<(m, n, d, e) -> (e, m)>
func.func @no_layout(%q: tensor<4x8xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                     %a: tensor<3x8xf32>) -> tensor<3x8xf32> {
  // expected-error @below {{'attn.online' op breaks stage tile: tile ops carry a layout}}
  %acc = attn.online ins(%q, %k, %v : tensor<4x8xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
      weighting(#attn.identity) outs(%a : tensor<3x8xf32>)
      {indexing_maps = [#q, #k, #v, #acc]} -> tensor<3x8xf32>
  return %acc : tensor<3x8xf32>
}

//--- bufferize.mlir
#acc = affine_map<(m, e) -> (e, m)>
#out = affine_map<(m, e) -> (m, e)>
func.func @no_layout(%a: memref<3x8xf32>, %o: memref<8x3xf32>, %keys: index) {
  // expected-error @below {{'attn.finish' op breaks stage bufferize: tile ops carry a layout}}
  attn.finish ins(%a : memref<3x8xf32>) weighting(#attn.identity) keys(%keys)
      outs(%o : memref<8x3xf32>) {indexing_maps = [#acc, #out]}
  return
}

// -----

func.func @leftover(%n: index) {
  // expected-error @below {{'tensor.empty' op breaks stage bufferize: no tensors}}
  %x = tensor.empty(%n) : tensor<?xf32>
  return
}

// -----

func.func @per_item(%n: index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.forall (%w) in (%n) {
    scf.for %i = %c0 to %n step %c1 {
      // expected-error @below {{'memref.alloc' op breaks stage bufferize: scratch is allocated once per worker}}
      %x = memref.alloc() : memref<5xf32>
      memref.dealloc %x : memref<5xf32>
    }
  }
  return
}

// -----

func.func @own_size(%n: index) {
  scf.forall (%w) in (%n) {
    // expected-error @below {{'memref.alloc' op breaks stage bufferize: scratch is of one size for all workers}}
    %x = memref.alloc(%w) : memref<?xf32>
    memref.dealloc %x : memref<?xf32>
  }
  return
}

//--- vectorize.mlir
#q = affine_map<(m, n, d, e) -> (m, d)>
func.func @leftover(%q: memref<5x4xf16>, %tile: memref<4x16xf16>) {
  // expected-error @below {{'attn.pack' op breaks stage vectorize: tile bodies are vectors and loops}}
  attn.pack ins(%q : memref<5x4xf16>) outs(%tile : memref<4x16xf16>)
      layout(#attn.lanes_along_rows<16>) role(query) {indexing_map = #q}
  return
}

//--- llvm.mlir
llvm.func @leftover() {
  // expected-error @below {{'arith.constant' op breaks stage llvm: the LLVM dialect only}}
  %c = arith.constant 1 : i32
  llvm.return
}

// -----

// Parallel work is a call of the runtime.
llvm.func @parallel() {
  // expected-error @below {{'omp.parallel' op breaks stage llvm: the LLVM dialect only}}
  omp.parallel {
    omp.terminator
  }
  llvm.return
}

//--- gpu.mlir
func.func @load(%x: memref<3xf32>, %i: index) -> f32 {
  // expected-error @below {{'memref.load' op breaks stage gpu: nothing outside of a kernel reads or writes memory}}
  %e = memref.load %x[%i] : memref<3xf32>
  return %e : f32
}

// -----

func.func @copy(%x: memref<3xf32>, %y: memref<3xf32>) {
  // expected-error @below {{'memref.copy' op breaks stage gpu: nothing outside of a kernel reads or writes memory}}
  memref.copy %x, %y : memref<3xf32> to memref<3xf32>
  return
}

// -----

func.func @store(%x: memref<3xf32>, %f: f32, %i: index) {
  // expected-error @below {{'memref.store' op breaks stage gpu: nothing outside of a kernel reads or writes memory}}
  memref.store %f, %x[%i] : memref<3xf32>
  return
}

// -----

func.func @fill(%x: memref<3xf32>, %f: f32) {
  // expected-error @below {{'linalg.fill' op breaks stage gpu: nothing outside of a kernel reads or writes memory}}
  linalg.fill ins(%f : f32) outs(%x : memref<3xf32>)
  return
}

//--- unknown.mlir
// expected-error @below {{attn-verify-stage expected import, generalize, bound, tile, bufferize, vectorize, gpu, nvvm or llvm, but got tiles}}
module {
}
