//===- SplitTest.cpp - Keys that are selected part by part ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestDialect.h"
#include "TestUtils.h"
#include "attn/Interfaces/Interfaces.h"
#include "mlir/IR/Verifier.h"

using namespace mlir;
using namespace attn;

namespace {

class SplitTest : public ReferenceTest {
protected:
  SplitTest() {
    DialectRegistry registry;
    registerTilingInterfaceExternalModels(registry);
    context.appendDialectRegistry(registry);
    context.getOrLoadDialect<attntest::AttnTestDialect>();
  }

  /// Splits the keys of the op in `module` into blocks of `size`, of which the
  /// last may be shorter, one after the other.
  LogicalResult split(int64_t numKeys, int64_t size) {
    GenericOp op;
    module->walk([&](GenericOp found) { op = found; });
    auto splits = cast<PartialReductionOpInterface>(op.getOperation());
    IRRewriter b(&context);
    b.setInsertionPoint(op);
    Location loc = op.getLoc();
    unsigned key = op.getDimensionClasses().keyRows.front();
    SetVector<unsigned> reduced;
    reduced.insert(key);
    constexpr auto kStrategy =
        ReductionTilingStrategy::PartialReductionOuterParallel;
    SmallVector<OpFoldResult> offsets, sizes;
    for (Range range :
         cast<TilingInterface>(op.getOperation()).getIterationDomain(b)) {
      offsets.push_back(range.offset);
      sizes.push_back(range.size);
    }
    SmallVector<OpFoldResult> counts(sizes);
    counts[key] = b.getIndexAttr((numKeys + size - 1) / size);
    FailureOr<SmallVector<Value>> states =
        splits.generateInitialTensorForPartialReduction(b, loc, counts,
                                                        reduced);
    if (failed(states))
      return failure();
    for (int64_t first = 0; first < numKeys; first += size) {
      offsets[key] = b.getIndexAttr(first);
      sizes[key] = b.getIndexAttr(std::min(size, numKeys - first));
      OpFoldResult number = b.getIndexAttr(first / size);
      FailureOr<TilingResult> part = splits.tileToPartialReduction(
          b, loc, kStrategy, *states, offsets, sizes, reduced, number);
      if (failed(part))
        return failure();
      for (unsigned i = 0, e = states->size(); i < e; ++i) {
        SmallVector<OpFoldResult> at, extents;
        if (failed(splits.getPartialResultTilePosition(
                b, i, kStrategy, offsets, sizes, reduced, number, at, extents)))
          return failure();
        SmallVector<OpFoldResult> strides(at.size(), b.getIndexAttr(1));
        (*states)[i] = tensor::InsertSliceOp::create(
            b, loc, part->tiledValues[i], (*states)[i], at, extents, strides);
      }
    }
    FailureOr<MergeResult> merged =
        splits.mergeReductions(b, loc, *states, reduced);
    if (failed(merged))
      return failure();
    b.replaceOp(op, merged->replacements);
    return verify(*module);
  }
};

/// Batches of rows over eleven keys, by `weighting`.
std::string write(const std::string &weighting) {
  return R"(
  #q = affine_map<(b, m, n, d, e) -> (b, m, d)>
  #k = affine_map<(b, m, n, d, e) -> (n, b, d)>
  #v = affine_map<(b, m, n, d, e) -> (b, e, n)>
  #o = affine_map<(b, m, n, d, e) -> (m, b, e)>
  #r = affine_map<(b, m, n, d, e) -> (b, m)>
  func.func @f(%q: tensor<2x3x1xf64>, %k: tensor<11x2x1xf64>, %v: tensor<2x2x11xf64>)
      -> (tensor<3x2x2xf64>, tensor<2x3xf64>) {
    %i = tensor.empty() : tensor<3x2x2xf64>
    %l = tensor.empty() : tensor<2x3xf64>
    %o:2 = attn.generic ins(%q, %k, %v : tensor<2x3x1xf64>, tensor<11x2x1xf64>, tensor<2x2x11xf64>)
        weighting()" +
         weighting + R"() outs(%i : tensor<3x2x2xf64>) lse(%l : tensor<2x3xf64>)
        {indexing_maps = [#q, #k, #v, #o, #r]}
        mask {
          %m = attn.index 1
          %n = attn.index 2
          %c4 = arith.constant 4 : index
          %end = arith.muli %m, %c4 : index
          %visible = arith.cmpi slt, %n, %end : index
          attn.yield %visible : i1
        } -> tensor<3x2x2xf64>, tensor<2x3xf64>
    return %o#0, %o#1 : tensor<3x2x2xf64>, tensor<2x3xf64>
  })";
}

TEST_F(SplitTest, BestOfAllParts) {
  std::vector<double> q = {1, 2, 3, -1, -2, -3}, k, v;
  for (int i = 0; i < 22; ++i)
    k.push_back((i * 7) % 5);
  for (int i = 0; i < 44; ++i)
    v.push_back(i);
  Array query = f64({2, 3, 1}, q), key = f64({11, 2, 1}, k),
        value = f64({2, 2, 11}, v);
  for (const char *weighting :
       {"#attntest.top<1>", "#attntest.top<3>", "#attn.softmax"}) {
    ReferenceResult expected =
        evaluate(write(weighting), {&query, &key, &value});
    for (int64_t size : {11, 4, 1}) {
      parse(write(weighting));
      ASSERT_TRUE(succeeded(split(/*numKeys=*/11, size))) << weighting;
      auto got = evaluateReference(*module, "f", {&query, &key, &value});
      ASSERT_TRUE(bool(got)) << llvm::toString(got.takeError());
      for (int result : {0, 1})
        EXPECT_THAT(got->results[result].values,
                    testing::Pointwise(testing::DoubleNear(1e-12),
                                       expected.results[result].values))
            << weighting << " in parts of " << size;
    }
  }
}

} // namespace
