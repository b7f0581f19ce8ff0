//===- Gaussian.cpp - A named op of the suite -------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"

#include <cmath>

using namespace mlir;
using namespace attn;

namespace attntest {

void GaussianOp::getExtentRelations(OperandRelations &relations) {
  relations.add(getKey(), 1, getQuery(), 1, "the width of key and query");
  relations.add(getValue(), 0, getKey(), 0, "the rows of value and key");
  relations.add(getOutput(), 0, getQuery(), 0, "query rows");
  relations.add(getOutput(), 1, getValue(), 1, "the width of output and value");
}

/// similarity (q - k)^2, score exp(-s / 2), weights that are divided by their
/// sum.
LogicalResult GaussianOp::expand(RewriterBase &rewriter) {
  Location loc = getLoc();
  rewriter.setInsertionPoint(*this);
  Type type = rewriter.getF32Type();
  auto map = [&](unsigned first, unsigned second) {
    return AffineMap::get(4, 0,
                          {rewriter.getAffineDimExpr(first),
                           rewriter.getAffineDimExpr(second)},
                          getContext());
  };
  auto generic = GenericOp::create(
      rewriter, loc, getResult().getType(), getQuery(), getKey(), getValue(),
      /*inputs=*/ValueRange(), /*weighting_operands=*/ValueRange(),
      /*query_starts=*/Value(), /*key_starts=*/Value(), /*indptr=*/Value(),
      /*indices=*/Value(), getOutput(),
      /*lse=*/Value(), /*weights=*/Value(),
      rewriter.getAffineMapArrayAttr(
          {map(0, 2), map(1, 2), map(1, 3), map(0, 3)}),
      SumNormalizedAttr::get(getContext()),
      APFloat(getExpandsWrongly() ? 1.0 : 0.5), /*acc_type=*/TypeAttr(),
      /*blocks=*/BlockListAttr());
  rewriter.createBlock(&generic.getSimilarity(), {}, {type, type}, {loc, loc});
  Block &similarity = generic.getSimilarity().front();
  Value difference = arith::SubFOp::create(
      rewriter, loc, similarity.getArgument(0), similarity.getArgument(1));
  Value square = arith::MulFOp::create(rewriter, loc, difference, difference);
  YieldOp::create(rewriter, loc, square);
  rewriter.createBlock(&generic.getScore(), {}, {type}, {loc});
  Value negated = arith::NegFOp::create(
      rewriter, loc, generic.getScore().front().getArgument(0));
  Value kernel = math::ExpOp::create(rewriter, loc, negated);
  YieldOp::create(rewriter, loc, kernel);
  rewriter.replaceOp(*this, generic.getResults());
  return success();
}

static double computeKernel(double distance) { return std::exp(-distance); }

llvm::Expected<SmallVector<PlainResult>>
GaussianOp::evaluate(Evaluation &evaluation) {
  PlainOperand q = evaluation.getOperand(getQuery());
  PlainOperand k = evaluation.getOperand(getKey());
  PlainOperand v = evaluation.getOperand(getValue());
  Rounding rounding(Float32Type::get(getContext()));
  int64_t width = q.shape[1], channels = v.shape[1];
  PlainAttention attention;
  attention.rows = {q.shape[0]};
  attention.numKeys = k.shape[0];
  attention.numFeatures = width;
  attention.numChannels = channels;
  attention.accumulationType = Float32Type::get(getContext());
  attention.getPair = [&](PlainAttention::Row row, int64_t j) {
    PlainPair pair;
    for (int64_t d = 0; d < width; ++d) {
      double difference = q.reals[row[0] * width + d] - k.reals[j * width + d];
      pair.similarity += difference * difference;
    }
    pair.scaledScore = pair.similarity / 2;
    Estimate sum = rounding.sum(pair.scaledScore, pair.scaledScore, width);
    pair.score = rounding.apply(computeKernel, sum);
    return pair;
  };
  attention.getValue = [&](PlainAttention::Row, int64_t j) {
    return v.reals.slice(j * channels, channels);
  };
  attention.weighting = SumNormalizedAttr::get(getContext());
  attention.getWeightingOperands = [](PlainAttention::Row) {
    return SmallVector<double>();
  };
  return evaluation.attend(attention);
}

} // namespace attntest
