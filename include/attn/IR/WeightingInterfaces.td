//===- WeightingInterfaces.td - Kinds of weightings --------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_WEIGHTINGINTERFACES_TD
#define ATTN_IR_WEIGHTINGINTERFACES_TD

include "mlir/IR/OpBase.td"

//===----------------------------------------------------------------------===//
// What all weightings have
//===----------------------------------------------------------------------===//

def WeightingAttrInterface : AttrInterface<"WeightingAttrInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    How the scores of one query row become weights. Its *kind*, how the keys of
    a row are walked, is one of the interfaces that extend this one: a weighting
    implements exactly one of them.

    The state of a row is an accumulator and a few *statistics*, each of a type
    (an element type and a trailing extent) that the kind fixes.
  }];
  let methods = [
    InterfaceMethod<"The number of weighting operands (a sink, a bias).",
      "unsigned", "getNumWeightingOperands", (ins), "", "return 0;">,
    InterfaceMethod<[{
        The statistics, those of the score phase first. Weightings of kind
        *accumulate* state their own (none by default); those of the other
        kinds follow from the kind.
      }], "::llvm::SmallVector<::attn::Statistic>", "getStatistics", (ins), "",
      "return ::attn::detail::getStatisticsOfKind($_attr);">,
    InterfaceMethod<"Whether the weighting defines a log-sum-exp.",
      "bool", "hasLogSumExp", (ins), "", "return false;">,
    InterfaceMethod<[{
        The reference: replaces the scores of the visible keys of one row, in
        ascending key order, by their final weights, and returns the
        log-sum-exp (0 where there is none). `numKeys` counts all keys, the
        hidden ones too. In plain double precision, independently of the
        algebra: it is the meaning of the weighting.
      }], "double", "evaluate",
      (ins "::llvm::MutableArrayRef<double>":$scores,
           "::llvm::ArrayRef<double>":$operands, "double":$numKeys)>
  ];
  let extraClassDeclaration = [{
    /// The kind, or none if the attribute implements no kind's interface.
    ::std::optional<::attn::WeightingKind> getWeightingKind() {
      return ::attn::detail::getWeightingKind(*this);
    }
  }];
}

//===----------------------------------------------------------------------===//
// Kinds
//===----------------------------------------------------------------------===//

def AccumulateWeightingAttrInterface
    : AttrInterface<"AccumulateWeightingAttrInterface",
                    [WeightingAttrInterface]> {
  let cppNamespace = "::attn";
  let description = [{
    One online pass that accumulates weighted values: algebra on elements.

    A statistic of the *score* phase is reduced over the scores before any
    weight is known (the maximum of a softmax): it is the stabiliser that the
    weights are measured against, its combiner is idempotent, associative and
    commutative, and when it moves, the accumulator and the statistics of the
    *weight* phase are multiplied by `rescale(from, to)`. A statistic of the
    *weight* phase is reduced over the weights (the sum of a softmax); its
    combiner is associative and commutative and commutes with a rescaling. Each
    is one number of the accumulation type. The output is the accumulator times
    the factors `finish(statistics)`.

    The values given to the methods are scalars of the accumulation type or
    vectors of it, one lane a row; the methods build elementwise `arith` and
    `math` ops and never a reduction, which belongs to whoever emits the loops.
    No method may yield NaN on neutral statistics: an empty row has the output
    0.

    `scale`, null for one, is a positive factor that the scores, and so the
    statistics of the score phase, have yet to be multiplied by: who cannot
    scale the query beforehand (whose rounding it would change) hands it on, and
    a weighting that multiplies the score anyway has it for nothing.
  }];
  let methods = [
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
           "::mlir::ValueRange":$operands, "::mlir::Value":$scale)>,
    InterfaceMethod<[{
        The factor that carries weights measured against the score statistics
        `from` over to `to`; null stands for one.
      }], "::mlir::Value", "rescale",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$from, "::mlir::ValueRange":$to,
           "::mlir::Value":$scale), "", "return {};">,
    InterfaceMethod<[{
        The factors on the accumulator (and on the weights, where these are
        asked for) once all keys are in, to be multiplied by in this order; none
        stand for one. They are several where their product may exceed what a
        number can hold while the output does not. `numKeys` is the number of
        keys as a value of the accumulation type.
      }], "::llvm::SmallVector<::mlir::Value>", "finish",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$statistics, "::mlir::ValueRange":$operands,
           "::mlir::Value":$numKeys, "::mlir::Value":$scale), "",
      "return {};">,
    InterfaceMethod<"The natural log-sum-exp of the row.",
      "::mlir::Value", "logSumExp",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::ValueRange":$statistics, "::mlir::ValueRange":$operands,
           "::mlir::Value":$scale), "", "return {};">,
    InterfaceMethod<[{
        The gradient of a loss by the natural score of one pair, from what the
        pair and its row have: the final weight w, the gradient g of the loss by
        that weight (the inner product of the output's gradient and the value),
        and `mean`, the sum of w g over the visible keys of the row, the one
        reduction that a gradient may need. The statistics are those of the
        whole row, measured in natural scores; a weight region has been
        differentiated by whoever asks.
      }], "::mlir::Value", "scoreGradient",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$score, "::mlir::Value":$weight,
           "::mlir::Value":$weightGradient, "::mlir::Value":$mean,
           "::mlir::ValueRange":$statistics, "::mlir::ValueRange":$operands,
           "::mlir::Value":$numKeys)>
  ];
}

def SelectWeightingAttrInterface
    : AttrInterface<"SelectWeightingAttrInterface", [WeightingAttrInterface]> {
  let cppNamespace = "::attn";
  let description = [{
    The k best keys of a row, and only these, are weighted: by another weighting
    of kind *accumulate*, as if no other key were visible; the weighting
    operands are those of the other one. Best is the greater score, of equal
    scores the lower key; NaN is greater than any number, so that it shows, and
    a key of score -inf is never selected. The state is k pairs, the statistics
    `score` and `index`, best first, -inf and -1 where fewer keys are selected;
    states merge by (score, index). Values are gathered at the end.

    The gradient is the inner weighting's at the selected keys and zero
    elsewhere: the choice itself has none.
  }];
  let methods = [
    InterfaceMethod<"How many keys are selected, 1 or more.", "int64_t",
      "getNumSelected">,
    InterfaceMethod<"What weights the selected keys.",
      "::attn::AccumulateWeightingAttrInterface", "getSelectedWeighting">
  ];
  let extraSharedClassDeclaration = [{
    /// What `evaluate` is: the best of `scores` weighted as the only ones, the
    /// others 0.
    double evaluateSelected(::llvm::MutableArrayRef<double> scores,
                            ::llvm::ArrayRef<double> operands,
                            double numKeys) const {
      return ::attn::detail::evaluateSelected($_attr, scores, operands,
                                              numKeys);
    }
  }];
}

def OrderedWeightingAttrInterface
    : AttrInterface<"OrderedWeightingAttrInterface", [WeightingAttrInterface]> {
  let cppNamespace = "::attn";
  let description = [{
    The weight of a key depends on the keys before it: a first pass takes the
    statistics of another weighting of kind *accumulate*, whose final weights
    are the *mass* of each key; a second pass, in ascending key order, sums the
    mass. The statistic `before` is the mass of the visible keys so far; states
    of the second pass concatenate in key order. The operands are those of the
    other weighting, then its own. A log-sum-exp, if it has one, is that of the
    other.

    The gradient is zero: the weights are constant between steps.
  }];
  let methods = [
    InterfaceMethod<"What gives the mass of a key.",
      "::attn::AccumulateWeightingAttrInterface", "getMassWeighting">,
    InterfaceMethod<[{
        The final weight of a key of mass `mass`, the visible keys before which
        have the mass `before`. `operands` are those that the other weighting
        does not take.
      }], "::mlir::Value", "weightOfMass",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$loc,
           "::mlir::Value":$mass, "::mlir::Value":$before,
           "::mlir::ValueRange":$operands)>
  ];
}

#endif // ATTN_IR_WEIGHTINGINTERFACES_TD
