//===- Passes.td - Passes over attention -------------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TRANSFORMS_PASSES_TD
#define ATTN_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def CheckExtentsPass : Pass<"attn-check-extents", "::mlir::ModuleOp"> {
  let summary = "Check at run time what extents only a run can compare";
  let description = [{
    Before an op that accesses memory by extents, offsets or indices which it
    takes for granted, compares those that are not right by construction: of
    attention ops, of elementwise and structured ops on tensors, and what ops
    say by `RuntimeVerifiableOpInterface` (slices, casts, reshapes, padding,
    concatenation, single elements). Regions of other ops than functions and
    control flow are not entered. Where two differ, the call ends with an error
    that has both. Extents of arguments, of an op that every call of a function
    reaches, are the caller's to check, unless the caller is a function of the
    module. Starts of packed requests have to ascend from 0 to the number of
    rows.

    Before: `attn.sdpa ins(%q, %k, %v : ...) outs(%o : tensor<?x8xf32>)`
    After: `attn.check %same, "... {0} ... {1}" (%want, %got)` and the op

    Example:
    ```mlir
    func.func @sized(%q: tensor<?x8xf32>, %n: index) -> tensor<?x8xf32> {
      %init = tensor.empty(%n) : tensor<?x8xf32>
      %o = attn.sdpa ins(%q, %q, %q : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
          outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
      return %o : tensor<?x8xf32>
    }
    ```
  }];
  let options = [
    Option<"startsValues", "starts-values", "bool", /*default=*/"true",
           "Check what starts of requests hold, too, which reads them">
  ];
  let statistics = [
    Statistic<"numChecks", "num-checks",
              "Pairs of extents compared at run time">
  ];
  let dependentDialects = [
    "::attn::AttnDialect", "::mlir::arith::ArithDialect",
    "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"
  ];
}

def CheckSizesPass : Pass<"attn-check-sizes"> {
  let summary = "Refuse types that no memory holds";
  let description = [{
    An error for the first value of 2^63 bytes or more, and for the first
    constant of more than 1 GiB, which the code would have to spell out. Dynamic
    extents count as 1.

    Example:
    ```mlir
    func.func @fits(%n: index) -> tensor<?x1024xf32> {
      %0 = tensor.empty(%n) : tensor<?x1024xf32>
      return %0 : tensor<?x1024xf32>
    }
    ```
  }];
}

def SeparateInitsPass : Pass<"attn-separate-inits", "::mlir::func::FuncOp"> {
  let summary = "Give ops that share an empty tensor one each";
  let description = [{
    Bufferization compares each write to a buffer with each read and each other
    write of it, for each op: common subexpression elimination, which makes one
    init of all that are alike, makes the time cubic in the length of a chain of
    ops. A `tensor.empty` of more than `max-uses` uses is one per use again.

    Before: `%0 = tensor.empty()`, `linalg.exp ... outs(%0)`,
    `linalg.log ... outs(%0)`
    After: `%0 = tensor.empty()`, `linalg.exp ... outs(%0)`,
    `%1 = tensor.empty()`, `linalg.log ... outs(%1)`

    Example:
    ```mlir
    func.func @shared(%x: tensor<5xf32>) -> tensor<5xf32> {
      %0 = tensor.empty() : tensor<5xf32>
      %1 = linalg.exp ins(%x : tensor<5xf32>) outs(%0 : tensor<5xf32>) -> tensor<5xf32>
      %2 = linalg.log ins(%1 : tensor<5xf32>) outs(%0 : tensor<5xf32>) -> tensor<5xf32>
      return %2 : tensor<5xf32>
    }
    ```
  }];
  let options = [
    Option<"maxUses", "max-uses", "unsigned", /*default=*/"8",
           "How many ops may share one">
  ];
  let statistics = [
    Statistic<"numSeparated", "num-separated", "Empty tensors that were shared">
  ];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def LendArgumentsPass : Pass<"attn-lend-arguments", "::mlir::ModuleOp"> {
  let summary = "Only read what callers lend, and read it where it is";
  let description = [{
    Tensors are values: what a function makes of an argument is none of its
    caller's arrays. Bufferization takes arguments for its own to write; those
    of public functions become `bufferization.writable = false`, unless they say
    whether they are.

    An argument with a `bufferization.buffer_layout` is lent as it lies, as rows
    of a larger array do. Where it is handed on to another function, that one
    takes it as it lies, too: it would be copied otherwise.

    Before: `@f(%q: ... {bufferization.buffer_layout = strided<[?, 1]>})` and
    `call @g(%q)`
    After: the same layout on the argument of `@g`

    Example:
    ```mlir
    func.func private @square(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
      %o = arith.mulf %x, %x : tensor<5x4xf32>
      return %o : tensor<5x4xf32>
    }
    func.func @lent(
        %q: tensor<5x4xf32> {bufferization.buffer_layout = strided<[?, 1]>})
        -> tensor<5x4xf32> {
      %o = call @square(%q) : (tensor<5x4xf32>) -> tensor<5x4xf32>
      return %o : tensor<5x4xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numHandedOn", "num-handed-on", "Arguments that are lent further">
  ];
  let dependentDialects = ["::mlir::bufferization::BufferizationDialect"];
}

def LendResultsPass : Pass<"attn-lend-results", "::mlir::ModuleOp"> {
  let summary = "Compute results where callers want them";
  let description = [{
    A result with a `bufferization.buffer_layout` becomes a last argument, a
    memref of that layout, into which it is written. The `tensor.empty` that it
    is computed in, through ops in destination-passing style, loops, casts and
    collapsed dimensions, becomes that memref; what is computed elsewhere is
    copied at the end. Extents that only a run can compare are checked. An error
    for a function that is called: its callers want the result.

    Before: `@f() -> (tensor<5x4xf32> {bufferization.buffer_layout = ...})`
    After: `@f(%out: memref<5x4xf32, strided<[?, 1]>>)`

    Example:
    ```mlir
    func.func @exp(%x: tensor<5x4xf32>)
        -> (tensor<5x4xf32> {bufferization.buffer_layout = strided<[?, 1]>}) {
      %0 = tensor.empty() : tensor<5x4xf32>
      %1 = linalg.exp ins(%x : tensor<5x4xf32>) outs(%0 : tensor<5x4xf32>) -> tensor<5x4xf32>
      return %1 : tensor<5x4xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numInPlace", "num-in-place", "Results computed where they go">,
    Statistic<"numCopied", "num-copied", "Results copied to where they go">
  ];
  let dependentDialects = [
    "::attn::AttnDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"
  ];
}

def OwnInitsPass : Pass<"attn-own-inits", "::mlir::func::FuncOp"> {
  let summary = "Compute attention in new tensors, not in arguments";
  let description = [{
    `attn.generic` overwrites its inits. Where one is an argument of a public
    function, or a view of one, it is its caller's (`attn-lend-arguments`), and
    a tiled op, of which nothing tells any more that it writes all, would begin
    with a copy. A new tensor of the same extents takes its place.

    Before: `attn.generic ... outs(%argument : tensor<5x3xf32>)`
    After: `%new = tensor.empty()` and `attn.generic ... outs(%new : ...)`

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @into(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
  let statistics = [
    Statistic<"numReplaced", "num-replaced", "Inits that were arguments">
  ];
  let dependentDialects = ["::mlir::tensor::TensorDialect"];
}

def GeneralizeElementwisePass
    : Pass<"attn-generalize-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Turn arithmetic on whole tensors into linalg.generic";
  let description = [{
    As upstream's conversion, but each result is a new tensor. Upstream takes an
    operand of the same type for the init: bufferization would then write into
    arguments that nobody gave away. `linalg.softmax` becomes the ops that it is
    made of, in f32 where its elements are narrower.

    Before: `arith.mulf %q, %q : tensor<5x4xf32>`
    After: `linalg.generic ins(%q, %q) outs(%empty) { arith.mulf }`

    Example:
    ```mlir
    func.func @square(%q: tensor<5x4xf32>) -> tensor<5x4xf32> {
      %o = arith.mulf %q, %q : tensor<5x4xf32>
      return %o : tensor<5x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::tensor::TensorDialect"];
}

def GeneralizeAttentionPass
    : Pass<"attn-generalize", "::mlir::func::FuncOp"> {
  let summary = "Expand named attention ops into attn.generic";
  let description = [{
    Afterwards only core ops remain of the dialect.

    Before: `attn.sdpa ins(...) outs(...) {causal = #attn.causal<top_left>}`
    After: `attn.generic ... weighting(#attn.softmax) ... mask { j <= i }`

    Example:
    ```mlir
    func.func @causal(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                      %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          outs(%init : tensor<5x3xf32>) {causal = #attn.causal<top_left>}
          -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
  let dependentDialects = ["::attn::AttnDialect",
                           "::mlir::memref::MemRefDialect"];
}

def BoundAttentionPass
    : Pass<"attn-bound", "::mlir::func::FuncOp"> {
  let summary = "Derive key ranges and a classifier from every mask";
  let description = [{
    Writes the regions `ranges` and `classify` of each `attn.generic` with a
    mask: which keys a tile of query rows can see at all, and whether every pair
    of a box of rows and keys, or none, is visible.

    What masks read from tensors of integers at positions is summarised before
    the op: the least and the greatest element of each block of 16. See
    `docs/masks.md`.

    Before: `mask { j <= i }`
    After: `mask { j <= i } ranges { yield 0, min(m_hi + 1, N) } classify {...}`

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @causal(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                      %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
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
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::linalg::LinalgDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::tensor::TensorDialect"];
  let statistics = [
    Statistic<"numBounded", "num-bounded", "Masks with a bounded key range">
  ];
}

def SpecializeRowsPass
    : Pass<"attn-specialize-rows", "::mlir::func::FuncOp"> {
  let summary = "Give one query row a kernel of its own";
  let description = [{
    Where only the run knows how many query rows there are, one of them is what
    decoding has, for which there are tiles of few rows: those of many would be
    empty but for one row. An `attn.generic` whose innermost query row dimension
    is dynamic becomes two, one of them on a single row, if tiles of few rows
    are the cheapest for that and there are 128 keys or more, as far as is
    known. Which of them runs follows from the extent alone.

    Before: `%r = attn.generic ins(%q, ...`, `%q : tensor<?x4xf32>`
    After: `%r = scf.if %is_one { attn.generic ins(%cast, ...`,
    `%cast : tensor<1x4xf32>`, `} else { attn.generic ins(%q, ...`

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @rows(%q: tensor<?x4xf32>, %k: tensor<512x4xf32>, %v: tensor<512x3xf32>,
                    %init: tensor<?x3xf32>) -> tensor<?x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<?x4xf32>, tensor<512x4xf32>, tensor<512x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<?x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<?x3xf32>
      return %o : tensor<?x3xf32>
    }
    ```
  }];
  let options = [
    Option<"queryTile", "query-tile", "int64_t", /*default=*/"0",
           "Query rows in a tile; 0 chooses by the target's vectors">,
    Option<"fusion", "fusion", "::attn::FusionPolicy",
           /*default=*/"::attn::FusionPolicy::Auto", "Which ops to fuse",
           "::attn::getFusionPolicyValues()">,
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "Width of the target's vectors in bits">,
    Option<"hasBf16Dot", "has-bf16-dot", "bool", /*default=*/"false",
           "The target multiplies pairs of bf16 and adds to f32">
  ];
  let statistics = [
    Statistic<"numSpecialized", "num-specialized", "Attention ops made two">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def TileAttentionPass
    : Pass<"attn-tile", "::mlir::func::FuncOp"> {
  let summary = "Tile attention over batch, query rows and key rows";
  let description = [{
    Replaces each `attn.generic` on tensors by a parallel loop over batch and
    query tiles whose body packs the queries, walks the visible keys with
    `attn.online`, and writes the output with `attn.finish`. No value spans all
    query rows and all key rows.

    Fusion pays for whatever fits the kernel, unless the query rows of a tile
    meet their keys in 4 pairs or fewer. Ops that do not fit, or for which it
    does not pay, are left to `attn-decompose`, with a remark that says why;
    `fusion` overrides the second.

    Where only the run knows how many rows the innermost query row dimension
    has, few rows have a loop of their own, with tiles of up to 8: as many rows
    as make up to 16 with those of the other dimensions that such a tile folds,
    and for which its layout states less cost than that of tiles of many. The
    extent says which loop runs. Of packed requests, those of one row, those of
    few and the others have a loop each, which passes over what is not its own.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @plain(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                     %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
  let options = [
    Option<"queryTile", "query-tile", "int64_t", /*default=*/"0",
           "Query rows in a tile; 0 chooses by the target's vectors">,
    Option<"keyTile", "key-tile", "int64_t", /*default=*/"0",
           "Key rows in a tile; 0 chooses by the first-level cache">,
    Option<"queryTiles", "query-tiles", "int64_t", /*default=*/"0",
           "Query tiles that share each key tile; 0 chooses by the size of "
           "keys and values">,
    Option<"requireFused", "require-fused", "bool", /*default=*/"false",
           "Report an error where an op would be left unfused">,
    Option<"fusion", "fusion", "::attn::FusionPolicy",
           /*default=*/"::attn::FusionPolicy::Auto", "Which ops to fuse",
           "::attn::getFusionPolicyValues()">,
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "Width of the target's vectors in bits">,
    Option<"hasBf16Dot", "has-bf16-dot", "bool", /*default=*/"false",
           "The target multiplies pairs of bf16 and adds to f32">,
    Option<"countTiles", "count-tiles", "bool", /*default=*/"false",
           "Count the key tiles that are looked at, computed and full">
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "Attention ops tiled">,
    Statistic<"numUnfused", "num-unfused", "Attention ops left unfused">
  ];
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"
  ];
}

def DecomposeAttentionPass
    : Pass<"attn-decompose", "::mlir::func::FuncOp"> {
  let summary = "Expand attention into linalg with its scores in memory";
  let description = [{
    The unfused path: similarity, score, statistics, weights and the weighted
    sum become separate `linalg.generic` ops. `attn.merge` becomes reductions.
    Every op of the dialect that implements `linalg::AggregatedOpInterface` is
    expanded by it, but for an `attn.online` or `attn.finish` that carries a
    layout: a tile, which `attn-vectorize` has a kernel for; and for an
    `attn.generic` with the attribute `attn.gpu_kernel`.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @plain(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                     %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def TileContractionsPass
    : Pass<"attn-tile-contractions", "::mlir::func::FuncOp"> {
  let summary = "Tile products of matrices over rows and columns";
  let description = [{
    Replaces each contraction of `linalg` on tensors of floats, named or
    generic, by a parallel loop over blocks of rows and of columns around
    `attn.contract`. Operands may be transposed, have batch dimensions, and lack
    rows or columns. Where the sum is over one dimension, an init that is filled
    with zeros is not filled, and elementwise ops that alone use the product, a
    bias, an activation, a residual, a conversion, are computed with it; sums
    over further dimensions are added in the init. Elementwise ops that an
    operand comes from and nothing else reads are computed where it is packed,
    if that is cheap for as often as it is packed: a conversion, the scale of a
    quantized weight. How large blocks are depends on extents only, never on the
    number of workers. What is no such contraction is left as it is.

    Example:
    ```mlir
    func.func @project(%x: tensor<5x7xf32>, %w: tensor<7x3xf32>) -> tensor<5x3xf32> {
      %zero = arith.constant 0.0 : f32
      %empty = tensor.empty() : tensor<5x3xf32>
      %init = linalg.fill ins(%zero : f32) outs(%empty : tensor<5x3xf32>) -> tensor<5x3xf32>
      %y = linalg.matmul ins(%x, %w : tensor<5x7xf32>, tensor<7x3xf32>)
          outs(%init : tensor<5x3xf32>) -> tensor<5x3xf32>
      return %y : tensor<5x3xf32>
    }
    ```
  }];
  let options = [
    Option<"whole", "whole", "bool", /*default=*/"false",
           "Leave rows and columns to kernels: one op has all, and factors are "
           "as they are">
  ];
  let statistics = [
    Statistic<"numTiled", "num-tiled", "Contractions tiled">,
    Statistic<"numFused", "num-fused", "Elementwise ops computed with them">
  ];
  let dependentDialects = [
    "::attn::AttnDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect"
  ];
}

def CountTilesPass : Pass<"attn-count-tiles", "::mlir::ModuleOp"> {
  let summary = "Declare the counters of ops that count their tiles";
  let description = [{
    `attn.online` with `count_tiles` counts in a buffer of the module, which
    this declares where there is such an op: key tiles looked at, computed, and
    full.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (d, m)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #acc = affine_map<(m, n, d, e) -> (e, m)>
    func.func @f(%q: memref<4x8xf32>, %k: memref<7x4xf32>, %v: memref<7x3xf32>,
                 %acc: memref<3x8xf32>) {
      attn.online ins(%q, %k, %v : memref<4x8xf32>, memref<7x4xf32>, memref<7x3xf32>)
          weighting(#attn.identity) outs(%acc : memref<3x8xf32>)
          {indexing_maps = [#q, #k, #v, #acc], count_tiles}
      return
    }
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def VerifyStagePass : Pass<"attn-verify-stage"> {
  let summary = "Check the sentence that holds after a stage";
  let description = [{
    Reports the first op that breaks what the stage promises, as an error.

    Example:
    ```mlir
    func.func @nothing(%x: tensor<5x4xf32>) -> tensor<5x4xf32> {
      return %x : tensor<5x4xf32>
    }
    ```
  }];
  let options = [
    Option<"stage", "stage", "std::string", /*default=*/"\"import\"",
           "import, generalize, bound, tile, bufferize, vectorize, gpu, nvvm "
           "or llvm">
  ];
}

#endif // ATTN_TRANSFORMS_PASSES_TD
