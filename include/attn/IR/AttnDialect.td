//===- AttnDialect.td - The attn dialect -------------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNDIALECT_TD
#define ATTN_IR_ATTNDIALECT_TD

include "mlir/IR/DialectBase.td"

def Attn_Dialect : Dialect {
  let name = "attn";
  let summary = "Attention mechanisms as four independent choices";
  let description = [{
    An attention mechanism says how a query meets a key (*similarity*), how the
    number is adjusted knowing its position (*score*), which pairs exist at all
    (*mask*), and how scores become weights (*weighting*). `attn.generic` states
    exactly these four; named ops such as `attn.sdpa` expand into it; and the
    compiler's own ops (`attn.online`, `attn.merge`, `attn.finish`, `attn.pack`)
    carry its tiled form.

    An op refuses attributes that it does not know, unless they belong to
    another dialect (`dialect.name`) or to a pass that marks ops (`__name`): a
    misspelt mask must not go unnoticed.
  }];
  let cppNamespace = "::attn";
  let useDefaultAttributePrinterParser = 1;
  let hasCanonicalizer = 1;
  let dependentDialects = [
    "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let extraClassDeclaration = [{
    /// Makes `attn-tile` consider the layouts that `propose` gives.
    void addLayouts(::attn::ProposeLayoutsFn propose) {
      layouts.push_back(propose);
    }
    /// All layouts that a tile of `problem` may have.
    ::llvm::SmallVector<::attn::LayoutAttrInterface, 2>
    proposeLayouts(const ::attn::LayoutProblem &problem);

  private:
    ::llvm::SmallVector<::attn::ProposeLayoutsFn> layouts;
  }];
}

#endif // ATTN_IR_ATTNDIALECT_TD
