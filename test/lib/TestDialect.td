//===- TestDialect.td - Weightings of the suite ------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_LIB_TESTDIALECT_TD
#define ATTN_TEST_LIB_TESTDIALECT_TD

include "attn/IR/AttnBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/DialectBase.td"

def AttnTest_Dialect : Dialect {
  let name = "attntest";
  let summary = "Weightings that the compiler has never heard of";
  let cppNamespace = "::attntest";
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::attn::AttnDialect"];
}

class AttnTest_Weighting<string className, string attrMnemonic,
                         list<string> general, list<string> algebra>
    : AttrDef<AttnTest_Dialect, className, [
        DeclareAttrInterfaceMethods<WeightingAttrInterface, general>,
        DeclareAttrInterfaceMethods<AccumulateWeightingAttrInterface,
                                    algebra>]> {
  let mnemonic = attrMnemonic;
}

def AttnTest_UnitNormAttr
    : AttnTest_Weighting<"UnitNorm", "unit_norm", ["getStatistics"],
                         ["rescale", "finish"]> {
  let summary = "s / sqrt(sum s^2), 0 where all scores are 0";
  let description = [{
    Neither a softmax nor a sum. Statistics: the largest magnitude `m` of the
    scores, so that squares neither overflow nor vanish, and the Euclidean norm
    of the weights s / m, of which partial results combine as sqrt(a^2 + b^2).

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @unit_norm(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                         %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attntest.unit_norm) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

def AttnTest_SoftplusAttr
    : AttnTest_Weighting<"Softplus", "softplus",
                         ["getNumWeightingOperands"], ["finish"]> {
  let summary = "log(1 + exp(s)) / t";
  let description = [{
    Not normalised, without statistics; `t` is the weighting operand.
  }];
}

def AttnTest_TopAttr : AttrDef<AttnTest_Dialect, "Top", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface, ["hasLogSumExp"]>,
    DeclareAttrInterfaceMethods<SelectWeightingAttrInterface>]> {
  let mnemonic = "top";
  let summary = "softmax over the k largest scores of the row";
  let parameters = (ins "int64_t":$k);
  let assemblyFormat = "`<` $k `>`";
}

def AttnTest_BestAttr : AttrDef<AttnTest_Dialect, "Best", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface,
                                ["getNumWeightingOperands", "hasLogSumExp"]>,
    DeclareAttrInterfaceMethods<SelectWeightingAttrInterface>]> {
  let mnemonic = "best";
  let summary = "another weighting over the k largest scores of the row";
  let parameters = (ins "int64_t":$k, "::mlir::Attribute":$by);
  let assemblyFormat = "`<` $k `,` $by `>`";
}

def AttnTest_SampledAttr : AttrDef<AttnTest_Dialect, "Sampled", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface,
                                ["getNumWeightingOperands"]>,
    DeclareAttrInterfaceMethods<OrderedWeightingAttrInterface>]> {
  let mnemonic = "sampled";
  let summary = "1 at the first key up to which the softmax exceeds u, else 0";
  let description = "`u` is the weighting operand.";
}

def AttnTest_FadingAttr : AttrDef<AttnTest_Dialect, "Fading", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface,
                                ["getNumWeightingOperands", "hasLogSumExp"]>,
    DeclareAttrInterfaceMethods<OrderedWeightingAttrInterface>]> {
  let mnemonic = "fading";
  let summary = "the softmax with a sink, times 1 - c the mass before";
  let description = [{
    The sink is the first weighting operand, the mass's; `c` is the second.
  }];
}

def AttnTest_GreedyAttr : AttrDef<AttnTest_Dialect, "Greedy", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface>,
    DeclareAttrInterfaceMethods<OrderedWeightingAttrInterface>]> {
  let mnemonic = "greedy";
  let summary = "A weighting with a fault: it lacks the operand of its mass";
}

def AttnTest_KindlessAttr : AttrDef<AttnTest_Dialect, "Kindless", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface>]> {
  let mnemonic = "kindless";
  let summary = "A weighting that is of no kind";
}

def AttnTest_MistypedAttr : AttrDef<AttnTest_Dialect, "Mistyped", [
    DeclareAttrInterfaceMethods<WeightingAttrInterface, ["getStatistics"]>,
    DeclareAttrInterfaceMethods<AccumulateWeightingAttrInterface>]> {
  let mnemonic = "mistyped";
  let summary = "Statistics of a wrong type, or in a wrong order";
  let parameters = (ins "bool":$typed);
  let assemblyFormat = "`<` $typed `>`";
}

def AttnTest_HalfLanesAttr : AttrDef<AttnTest_Dialect, "HalfLanes", [
    DeclareAttrInterfaceMethods<LayoutAttrInterface>]> {
  let mnemonic = "half_lanes";
  let summary = "Query rows in half a vector";
  let description = [{
    Stored and emitted as `#attn.lanes_along_rows` of as many lanes: a layout of
    someone else's, which pays for one query row or two.
  }];
  let parameters = (ins "int64_t":$lanes);
  let assemblyFormat = "`<` $lanes `>`";
  let extraClassDeclaration = [{
    static ::llvm::SmallVector<::attn::LayoutAttrInterface, 2>
    propose(::mlir::MLIRContext *context,
            const ::attn::LayoutProblem &problem);
    ::attn::LanesAlongRowsAttr getBase() const {
      return ::attn::LanesAlongRowsAttr::get(getContext(), getLanes());
    }
  }];
}

def AttnTest_UnverifiedAttr
    : AttnTest_Weighting<"Unverified", "unverified", [], []> {
  let summary = "A weighting with a fault: its IR does not verify";
}

def AttnTest_GaussianOp : Op<AttnTest_Dialect, "gaussian", [
    DestinationStyleOpInterface, Pure,
    DeclareOpInterfaceMethods<ExtentRelationsOpInterface,
                              ["getExtentRelations"]>,
    DeclareOpInterfaceMethods<NamedAttentionOpInterface>]> {
  let summary = "Attention pooling by a Gaussian of the distance";
  let description = [{
    o_i = sum_j w_ij v_j / sum_j w_ij with w_ij = exp(-|q_i - k_j|^2 / 2), on
    `rows x features`. With `expands_wrongly` the expansion, and nothing else,
    leaves out the 2.
  }];
  let arguments = (ins
    AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
    AnyRankedTensor:$output, UnitAttr:$expands_wrongly);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `into` $output attr-dict `:`
    type($query) `,` type($key) `,` type($value) `into` type($output)
    `->` type($result)
  }];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() {
      return getOutputMutable();
    }
  }];
}

#endif // ATTN_TEST_LIB_TESTDIALECT_TD
