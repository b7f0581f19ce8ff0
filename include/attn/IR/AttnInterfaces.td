//===- AttnInterfaces.td - Interfaces of the dialect -------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNINTERFACES_TD
#define ATTN_IR_ATTNINTERFACES_TD

include "mlir/IR/OpBase.td"

//===----------------------------------------------------------------------===//
// WeightingAttrInterface
//===----------------------------------------------------------------------===//

def WeightingAttrInterface : AttrInterface<"WeightingAttrInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    How the scores of one query row become weights: algebra on elements.

    The state of a row is an accumulator and a few *statistics*. A statistic of
    the *score* phase is reduced over the scores before any weight is known
    (the maximum of a softmax): it is the stabiliser that the weights are
    measured against, its combiner is idempotent, associative and commutative,
    and when it moves, the accumulator and the statistics of the *weight* phase
    are multiplied by `rescale(from, to)`. A statistic of the *weight* phase is
    reduced over the weights (the sum of a softmax); its combiner is associative
    and commutative and commutes with a rescaling. The output is the accumulator
    times `finish(statistics)`.

    The values given to the methods are scalars of the accumulation type or
    vectors of it, one lane a row; the methods build elementwise `arith` and
    `math` ops and never a reduction, which belongs to whoever emits the loops.
    No method may yield NaN on neutral statistics: an empty row has the output
    0. `evaluate` states the same in plain double precision, independently: it
    is the meaning of the weighting, and what the reference calls.
  }];
  let methods = [
    InterfaceMethod<"How the row is walked: one online pass for *accumulate*.",
      "::attn::WeightingKind", "getWeightingKind">,
    InterfaceMethod<"The number of weighting operands (a sink, a bias).",
      "unsigned", "getNumWeightingOperands", (ins), "", "return 0;">,
    InterfaceMethod<"The statistics, those of the score phase first.",
      "::llvm::SmallVector<::attn::Statistic>", "getStatistics">,
    InterfaceMethod<"Combines two values of statistic number `index`.",
      "::mlir::Value", "combine",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "unsigned":$index, "::mlir::Value":$lhs, "::mlir::Value":$rhs)>,
    InterfaceMethod<[{
        The weight of a score, given the statistics of the score phase only
        and the weighting operands.
      }], "::mlir::Value", "weight",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$score, "::mlir::ValueRange":$scoreStatistics,
           "::mlir::ValueRange":$operands)>,
    InterfaceMethod<[{
        The factor that carries weights measured against the score statistics
        `from` over to `to`; null stands for one.
      }], "::mlir::Value", "rescale",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$from, "::mlir::ValueRange":$to), "",
      "return {};">,
    InterfaceMethod<[{
        The factor on the accumulator (and on the weights, where these are
        asked for) once all keys are in; null stands for one. `numKeys` is the
        number of keys as a value of the accumulation type.
      }], "::mlir::Value", "finish",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$statistics, "::mlir::ValueRange":$operands,
           "::mlir::Value":$numKeys), "", "return {};">,
    InterfaceMethod<"Whether the weighting defines a log-sum-exp.",
      "bool", "hasLogSumExp", (ins), "", "return false;">,
    InterfaceMethod<"The natural log-sum-exp of the row.",
      "::mlir::Value", "logSumExp",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$statistics, "::mlir::ValueRange":$operands),
      "", "return {};">,
    InterfaceMethod<[{
        The reference: replaces the scores of the visible keys of one row, in
        ascending key order, by their final weights, and returns the
        log-sum-exp (0 where there is none). `numKeys` counts all keys, the
        hidden ones too.
      }], "double", "evaluate",
      (ins "::llvm::MutableArrayRef<double>":$scores,
           "::llvm::ArrayRef<double>":$operands, "double":$numKeys)>
  ];
}

//===----------------------------------------------------------------------===//
// AttentionOpInterface
//===----------------------------------------------------------------------===//

def AttentionOpInterface : OpInterface<"AttentionOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    What `attn.generic` and `attn.online` share: the operands that regions read,
    the maps and the dimension classes inferred from them, the regions.
  }];
  let methods = [
    InterfaceMethod<"", "::mlir::Value", "getQuery">,
    InterfaceMethod<"", "::mlir::Value", "getKey">,
    InterfaceMethod<"", "::mlir::Value", "getValue">,
    InterfaceMethod<"", "::mlir::OperandRange", "getInputs">,
    InterfaceMethod<"", "::mlir::OperandRange", "getWeightingOperands">,
    InterfaceMethod<"", "::mlir::Region &", "getSimilarity">,
    InterfaceMethod<"", "::mlir::Region &", "getMask">,
    InterfaceMethod<"", "::mlir::Region &", "getScore">,
    InterfaceMethod<"", "::mlir::Region &", "getWeight">,
    InterfaceMethod<"", "::mlir::ArrayAttr", "getIndexingMaps">,
    InterfaceMethod<"", "::attn::WeightingAttrInterface", "getWeighting">,
    InterfaceMethod<"The factor on the similarity.", "::llvm::APFloat",
      "getScale">,
    InterfaceMethod<"The init that the weighted values are summed into.",
      "::mlir::Value", "getAccumulatorInit">,
    InterfaceMethod<[{
        The type of all arithmetic: `acc_type`, or the widest of f32 and the
        element types of query, key, value and output.
      }], "::mlir::FloatType", "getAccumulationType", (ins), "",
      "return ::attn::detail::getAccumulationType($_op);">,
    InterfaceMethod<"The operands that have a map, in the order of the maps.",
      "::llvm::SmallVector<::mlir::Value>", "getMappedOperands", (ins), "",
      "return ::attn::detail::getMappedOperands($_op);">,
    InterfaceMethod<"The map of operand `index`, in operand order.",
      "::mlir::AffineMap", "getIndexingMap", (ins "unsigned":$index), "", [{
        return ::llvm::cast<::mlir::AffineMapAttr>(
            $_op.getIndexingMaps()[index]).getValue();
      }]>,
    InterfaceMethod<[{
        The position of the first weighting operand among the mapped operands,
        if there is one: after query, key, value and inputs.
      }], "unsigned", "getWeightingIndex", (ins), "",
      "return 3 + $_op.getInputs().size();">,
    InterfaceMethod<[{
        The position of the output, or the accumulator, among the mapped
        operands: the first of the inits.
      }], "unsigned", "getOutputIndex", (ins), "", [{
        return 3 + $_op.getInputs().size() +
               $_op.getWeightingOperands().size();
      }]>,
    InterfaceMethod<"The number of iteration dimensions.", "unsigned",
      "getNumDims", (ins), "", "return $_op.getIndexingMap(0).getNumDims();">,
    InterfaceMethod<"The classes of the dimensions. The op must be valid.",
      "::attn::DimensionClasses", "getDimensionClasses", (ins), "",
      "return ::attn::detail::getDimensionClasses($_op);">,
    InterfaceMethod<[{
        Whether the weight region is homogeneous and linear in the weight by its
        structure (scaled by, or selected against zero on, values that do not
        depend on it; sums of these), so that it commutes with rescaling and one
        pass suffices. An empty region is.
      }], "bool", "isLinearInWeight", (ins), "",
      "return ::attn::detail::isLinearInWeight($_op.getWeight());">
  ];
}

#endif // ATTN_IR_ATTNINTERFACES_TD
