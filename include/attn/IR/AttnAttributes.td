//===- AttnAttributes.td - Weightings ----------------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNATTRIBUTES_TD
#define ATTN_IR_ATTNATTRIBUTES_TD

include "attn/IR/AttnDialect.td"
include "attn/IR/AttnInterfaces.td"
include "attn/IR/BlockList.td"
include "attn/IR/Layouts.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

def Attn_CausalKind : I32EnumAttr<"CausalKind",
    "Which key is the last that a query row sees", [
      I32EnumAttrCase<"none", 0>,
      I32EnumAttrCase<"top_left", 1>,
      I32EnumAttrCase<"bottom_right", 2>,
      I32EnumAttrCase<"offset", 3>]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_CausalAttr : EnumAttr<Attn_Dialect, Attn_CausalKind, "causal"> {
  let assemblyFormat = "`<` $value `>`";
}

def Attn_ReplayTarget : I32EnumAttr<"ReplayTarget",
    "Where an element of a pair goes", [
      I32EnumAttrCase<"stored", 0>,
      I32EnumAttrCase<"over_keys", 1>,
      I32EnumAttrCase<"over_rows", 2>,
      I32EnumAttrCase<"row", 3>,
      I32EnumAttrCase<"row_state", 4>]> {
  let cppNamespace = "::attn";
  let genSpecializedAttr = 0;
}
def Attn_ReplayTargetAttr
    : EnumAttr<Attn_Dialect, Attn_ReplayTarget, "target"> {
  let assemblyFormat = "`<` $value `>`";
}
def Attn_ReplayTargetArrayAttr : TypedArrayAttrBase<Attn_ReplayTargetAttr,
    "array of targets: stored, over_keys, over_rows, row or row_state">;

/// A weighting of kind accumulate without parameters. Every method is written
/// in lib/IR/Weightings/<Class>.cpp; named here are those that are optional.
class Attn_Weighting<string className, string attrMnemonic,
                     list<string> general, list<string> algebra>
    : AttrDef<Attn_Dialect, className, [
        DeclareAttrInterfaceMethods<WeightingAttrInterface, general>,
        DeclareAttrInterfaceMethods<AccumulateWeightingAttrInterface,
                                    algebra>]> {
  let mnemonic = attrMnemonic;
}

def Attn_SoftmaxAttr : Attn_Weighting<"Softmax", "softmax",
    ["getStatistics", "hasLogSumExp"], ["rescale", "finish", "logSumExp"]> {
  let summary = "exp(s - m) / l";
  let description = [{
    Statistics: the running maximum `m` of the scores and the running sum `l` of
    `exp(s - m)`. Partial results merge by both. A row without a visible key, or
    whose visible scores are all -inf, has weights 0 and log-sum-exp -inf.
    The one-pass form is that of Milakov and Gimelshein, "Online normalizer
    calculation for softmax" (2018), section 3.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @softmax(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                       %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

def Attn_SoftmaxSinkAttr : Attn_Weighting<"SoftmaxSink", "softmax_sink",
    ["getNumWeightingOperands", "getStatistics", "hasLogSumExp"],
    ["rescale", "finish", "logSumExp"]> {
  let summary = "exp(s - m) / (l + exp(sink - m))";
  let description = [{
    A softmax with one extra logit, the weighting operand, that has no value. It
    enters only when a row is finished, so partial results merge as a softmax's
    do. The log-sum-exp includes it: an empty row's is the sink itself.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    #scalar = affine_map<(m, n, d, e) -> ()>
    func.func @softmax_sink(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                            %sink: f32,
                            %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.softmax_sink, %sink : f32) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #scalar, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

def Attn_SigmoidAttr : Attn_Weighting<"Sigmoid", "sigmoid",
    ["getNumWeightingOperands"], []> {
  let summary = "1 / (1 + exp(-(s + b)))";
  let description = [{
    Weights that are not normalised; `b` is the weighting operand. There are no
    statistics: partial results merge by addition.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    #scalar = affine_map<(m, n, d, e) -> ()>
    func.func @sigmoid(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                       %bias: f32,
                       %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.sigmoid, %bias : f32) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #scalar, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

def Attn_ReluAttr : Attn_Weighting<"Relu", "relu", [], ["finish"]> {
  let summary = "max(s, 0) / N_k";
  let description = [{
    `N_k` is the number of all keys, hidden ones included.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @relu(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                    %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.relu) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

def Attn_IdentityAttr : Attn_Weighting<"Identity", "identity", [], []> {
  let summary = "s";
  let description = [{
    The score is the weight.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @identity(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                        %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.identity) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

def Attn_SumNormalizedAttr : Attn_Weighting<"SumNormalized", "sum_normalized",
    ["getStatistics"], ["finish"]> {
  let summary = "s / sum(s), 0 where the sum is 0";
  let description = [{
    Attention pooling by a kernel (Nadaraya-Watson): the score region computes
    the kernel of the distance.

    Example:
    ```mlir
    #q = affine_map<(m, n, d, e) -> (m, d)>
    #k = affine_map<(m, n, d, e) -> (n, d)>
    #v = affine_map<(m, n, d, e) -> (n, e)>
    #o = affine_map<(m, n, d, e) -> (m, e)>
    func.func @sum_normalized(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x3xf32>,
                              %init: tensor<5x3xf32>) -> tensor<5x3xf32> {
      %o = attn.generic ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x3xf32>)
          weighting(#attn.sum_normalized) outs(%init : tensor<5x3xf32>)
          {indexing_maps = [#q, #k, #v, #o]}
          score {
          ^bb0(%s: f32):
            %w = math.exp %s : f32
            attn.yield %w : f32
          } -> tensor<5x3xf32>
      return %o : tensor<5x3xf32>
    }
    ```
  }];
}

#endif // ATTN_IR_ATTNATTRIBUTES_TD
