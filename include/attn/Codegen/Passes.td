//===- Passes.td - Passes that make vectors and LLVM -------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_CODEGEN_PASSES_TD
#define ATTN_CODEGEN_PASSES_TD

include "mlir/Pass/PassBase.td"

def VectorizeAttentionPass
    : Pass<"attn-vectorize", "::mlir::func::FuncOp"> {
  let summary = "Emit vector code for tiles on buffers";
  let description = [{
    Replaces `attn.online`, `attn.pack` and `attn.finish` on buffers by what the
    emitter of their layout makes of them, and `linalg.fill`, by loops over
    vectors; `attn.merge`, other `linalg` ops, and copies of views, by loops over
    elements.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    func.func @pack(%q: memref<5x4xf32>, %tile: memref<4x16xf32>) {
      attn.pack ins(%q : memref<5x4xf32>) outs(%tile : memref<4x16xf32>)
          layout(#attn.lanes_along_rows<16>) role(query) {indexing_map = #q}
      return
    }
    ```
  }];
  let options = [
    Option<"vectorBits", "vector-bits", "int64_t", /*default=*/"512",
           "Width of the target's vectors in bits">,
    Option<"numRegisters", "num-registers", "int64_t", /*default=*/"32",
           "Number of the target's vector registers">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"
  ];
}

def ExpandMathPass
    : Pass<"attn-expand-math", "::mlir::func::FuncOp"> {
  let summary = "Expand exponentials on vectors into polynomials";
  let description = [{
    `math.exp` and `math.exp2` on vectors of f32 and f64 become a rounding, a
    polynomial and a scaling by a power of two, with at most 2.5 units in the
    last place of error and correct results for infinities and NaN.

    Example:
    ```mlir
    func.func @exp(%x: vector<16xf32>) -> vector<16xf32> {
      %y = math.exp2 %x : vector<16xf32>
      return %y : vector<16xf32>
    }
    ```
  }];
  let options = [
    Option<"hasScalef", "has-scalef", "bool", /*default=*/"false",
           "The target scales by powers of two in one instruction">
  ];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::math::MathDialect",
                           "::mlir::vector::VectorDialect"];
}

def ExpandViewsPass : Pass<"attn-expand-views", "::mlir::func::FuncOp"> {
  let summary = "Expand views into offsets and strides";
  let description = [{
    Turns subviews, collapsed and expanded shapes into arithmetic on offsets and
    strides and a `memref.reinterpret_cast`, with the upstream patterns of
    `expand-strided-metadata`, in one walk: what a second look could fold is
    folded by LLVM in less time. A pattern of its own serves the split of a
    dimension into two whose sizes are known at run time only, as the heads of a
    query are if their numbers are: the upstream pattern derives one size from
    the others and cannot do that (nor if another is 0); here strides follow
    from the sizes given.

    Example:
    ```mlir
    func.func @split(%m: memref<?x4xf32>, %a: index, %b: index) -> memref<?x?x4xf32> {
      %r = memref.expand_shape %m [[0, 1], [2]] output_shape [%a, %b, 4]
          : memref<?x4xf32> into memref<?x?x4xf32>
      return %r : memref<?x?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
                           "::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def LowerMathPass : Pass<"attn-lower-math", "::mlir::ModuleOp"> {
  let summary = "Lower arithmetic that LLVM has no instruction for";
  let description = [{
    Expands conversions of bf16 and rounding integer divisions, computes on bf16
    in f32, and turns `math` ops into intrinsics, functions of the module and
    calls of libm. Where there is none of them, which is the rule, it costs one
    walk.

    Example:
    ```mlir
    func.func @page(%key: index, %rows: index) -> index {
      %page = arith.floordivsi %key, %rows : index
      return %page : index
    }
    ```
  }];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::math::MathDialect",
    "::mlir::vector::VectorDialect"
  ];
}

#endif // ATTN_CODEGEN_PASSES_TD
