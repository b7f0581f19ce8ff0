//===- MaskChecker.cpp - Bounds of a mask against the mask ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "MaskChecker.h"
#include "RegionEvaluator.h"
#include "attn/Transforms/Passes.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "gtest/gtest.h"

using namespace mlir;

namespace attn::test {

WalkCounts &WalkCounts::operator+=(const WalkCounts &other) {
  visited += other.visited;
  inVain += other.inVain;
  full += other.full;
  knownFull += other.knownFull;
  numOps = std::max(numOps, other.numOps);
  return *this;
}

MLIRContext &getContext() {
  static MLIRContext context(MLIRContext::Threading::DISABLED);
  context.loadDialect<AttnDialect, affine::AffineDialect, arith::ArithDialect,
                      func::FuncDialect, linalg::LinalgDialect,
                      math::MathDialect, scf::SCFDialect,
                      tensor::TensorDialect>();
  return context;
}

MaskTables::MaskTables() : wide(64), flags(64), bytes(64), spans(128) {
  for (int64_t position = 0; position < 64; ++position)
    ids.push_back(position / 10);
}

static std::string getModule(const MaskCase &mask) {
  auto extent = [&](int64_t size) {
    return mask.isDynamic ? std::string("?") : std::to_string(size);
  };
  std::string q = "tensor<2x" + extent(mask.rows) + "x4xf32>";
  std::string k = "tensor<2x" + extent(mask.keys) + "x4xf32>";
  std::string rows = "tensor<" + extent(mask.rows) + "xi64>";
  std::string keys = "tensor<" + extent(mask.keys) + "xi64>";
  std::string flags = "tensor<" + extent(mask.keys) + "xi1>";
  std::string inputs = "tensor<2xi32>, " + rows + ", " + keys + ", " + flags;
  std::string size = extent(64), body;
  for (char letter : mask.body)
    body += letter == '$' ? size : std::string(1, letter);
  return "#q = affine_map<(b, m, n, d, e) -> (b, m, d)>\n"
         "#k = affine_map<(b, m, n, d, e) -> (b, n, d)>\n"
         "#v = affine_map<(b, m, n, d, e) -> (b, n, e)>\n"
         "#o = affine_map<(b, m, n, d, e) -> (b, m, e)>\n"
         "#b = affine_map<(b, m, n, d, e) -> (b)>\n"
         "#m = affine_map<(b, m, n, d, e) -> (m)>\n"
         "#n = affine_map<(b, m, n, d, e) -> (n)>\n"
         "func.func @f(%q: " +
         q + ", %k: " + k + ", %v: " + k + ", %o: " + q +
         ", %lengths: tensor<2xi32>, %s0: index, %s1: index, %ids: tensor<" +
         size + "xi32>, %wide: tensor<" + size + "xi64>, %flags: tensor<" +
         size + "xi1>, %bytes: tensor<" + size + "xi8>, %spans: tensor<2x" +
         size + "xi32>, %of_rows: " + rows + ", %of_keys: " + keys +
         ", %seen_keys: " + flags + ") -> " + q +
         " {\n"
         "  %r = attn.generic ins(%q, %k, %v : " +
         q + ", " + k + ", " + k +
         ") inputs(%lengths, %of_rows, %of_keys, %seen_keys : " + inputs +
         ") weighting(#attn.softmax) outs(%o : " + q +
         ") {indexing_maps = [#q, #k, #v, #b, #m, #n, #n, #o]}\n"
         "  mask {\n  ^bb0(%len: i32, %mine: i64, %other: i64, %seen: i1):\n"
         "    %i = attn.index 1\n    %j = attn.index 2\n" +
         body + "\n    attn.yield %visible : i1\n  } -> " + q +
         "\n"
         "  return %r : " +
         q + "\n}\n";
}

namespace {

/// The number of visible pairs of any box, by sums over prefixes.
class VisiblePairs {
public:
  VisiblePairs(int64_t rows, int64_t keys,
               llvm::function_ref<bool(int64_t, int64_t)> isVisible)
      : stride(keys + 1), sums((rows + 1) * (keys + 1)) {
    for (int64_t i = 0; i < rows; ++i)
      for (int64_t j = 0; j < keys; ++j)
        sums[(i + 1) * stride + j + 1] = sums[i * stride + j + 1] +
                                         sums[(i + 1) * stride + j] -
                                         sums[i * stride + j] + isVisible(i, j);
  }
  /// Of rows [m0, m1) and keys [n0, n1), as far as there are such keys.
  int64_t count(int64_t m0, int64_t m1, int64_t n0, int64_t n1) const {
    n0 = std::clamp<int64_t>(n0, 0, stride - 1);
    n1 = std::clamp<int64_t>(n1, n0, stride - 1);
    return sums[m1 * stride + n1] - sums[m0 * stride + n1] -
           sums[m1 * stride + n0] + sums[m0 * stride + n0];
  }

private:
  int64_t stride;
  std::vector<int64_t> sums;
};

/// The regions of one op, runnable.
class Checker {
public:
  Checker(const MaskCase &mask, GenericOp op, const Environment &environment)
      : mask(mask), maskRegion(op.getMask().front(), environment),
        ranges(op.getRanges().front(), environment),
        classify(op.getClassify().front(), environment) {}

  void run(WalkCounts &counts);

private:
  void checkRows(int64_t batch, const VisiblePairs &pairs, int64_t m0,
                 int64_t m1, int64_t keyTile, WalkCounts &counts);
  /// Checks what is said of a box, and returns whether it is called empty.
  bool checkBox(int64_t batch, const VisiblePairs &pairs, int64_t m0,
                int64_t m1, int64_t n0, int64_t n1, WalkCounts &counts);

  const MaskCase &mask;
  RegionEvaluator maskRegion, ranges, classify;
};

} // namespace

void Checker::run(WalkCounts &counts) {
  for (int64_t batch : {0, 1}) {
    VisiblePairs pairs(mask.rows, mask.keys, [&](int64_t i, int64_t j) {
      const MaskTables &tables = mask.tables;
      bool visible = maskRegion({mask.lengths[batch], tables.wide[i],
                                 tables.wide[j], tables.flags[j]},
                                {batch, i, j, 0, 0})
                         .front();
      if (mask.meaning)
        EXPECT_EQ(visible, mask.meaning(batch, i, j))
            << "at " << batch << ", " << i << ", " << j;
      return visible;
    });
    counts.density +=
        0.5 * pairs.count(0, mask.rows, 0, mask.keys) / (mask.rows * mask.keys);
    for (auto [rowTile, keyTile] : mask.tileSizes) {
      WalkCounts own;
      for (int64_t m0 = 0; m0 < mask.rows; m0 += rowTile)
        checkRows(batch, pairs, m0, std::min(m0 + rowTile, mask.rows), keyTile,
                  own);
      if (rowTile * keyTile > 1)
        counts += own;
    }
  }
}

bool Checker::checkBox(int64_t batch, const VisiblePairs &pairs, int64_t m0,
                       int64_t m1, int64_t n0, int64_t n1, WalkCounts &counts) {
  std::vector<int64_t> answer = classify({batch, m0, m1 - 1, n0, n1 - 1});
  int64_t visible = pairs.count(m0, m1, n0, n1);
  bool isFull = visible == (m1 - m0) * (n1 - n0);
  if (answer[0])
    EXPECT_EQ(visible, 0) << "rows " << m0 << " to " << m1 - 1 << ", keys "
                          << n0 << " to " << n1 - 1 << " called empty";
  if (answer[1])
    EXPECT_TRUE(isFull) << "rows " << m0 << " to " << m1 - 1 << ", keys " << n0
                        << " to " << n1 - 1 << " called full";
  counts.full += isFull;
  counts.knownFull += isFull && answer[1];
  return answer[0];
}

void Checker::checkRows(int64_t batch, const VisiblePairs &pairs, int64_t m0,
                        int64_t m1, int64_t keyTile, WalkCounts &counts) {
  std::vector<int64_t> bounds = ranges({batch, m0, m1 - 1});
  EXPECT_LE(bounds.size(), 8u);
  std::vector<bool> inRange(mask.keys);
  for (size_t r = 0; r < bounds.size(); r += 2) {
    if (bounds[r] >= bounds[r + 1])
      continue;
    EXPECT_GE(bounds[r], 0);
    EXPECT_LE(bounds[r + 1], mask.keys);
    for (int64_t j = std::max<int64_t>(bounds[r], 0);
         j < std::min(bounds[r + 1], mask.keys); ++j)
      inRange[j] = true;
  }
  for (int64_t j = 0; j < mask.keys; ++j)
    if (!inRange[j])
      EXPECT_EQ(pairs.count(m0, m1, j, j + 1), 0)
          << "key " << j << " is in no range of rows " << m0 << " to "
          << m1 - 1;

  WalkCounts unused;
  for (int64_t n0 = 0; n0 < mask.keys; n0 += keyTile)
    checkBox(batch, pairs, m0, m1, n0, std::min(n0 + keyTile, mask.keys),
             unused);

  // The walk of the kernel.
  int64_t cursor = 0, found = 0;
  while (true) {
    int64_t next = mask.keys, end = 0;
    for (size_t r = 0; r < bounds.size(); r += 2) {
      int64_t start = std::max(bounds[r], cursor);
      if (bounds[r + 1] > start)
        next = std::min(next, start);
    }
    if (next >= mask.keys)
      break;
    for (size_t r = 0; r < bounds.size(); r += 2)
      if (bounds[r] <= next)
        end = std::max(end, bounds[r + 1]);
    end = std::min(end, next + keyTile);
    int64_t visible = pairs.count(m0, m1, next, end);
    if (!checkBox(batch, pairs, m0, m1, next, end, counts)) {
      ++counts.visited;
      counts.inVain += visible == 0;
      found += visible;
    }
    cursor = end;
  }
  EXPECT_EQ(found, pairs.count(m0, m1, 0, mask.keys))
      << "visible pairs of rows " << m0 << " to " << m1 - 1;
}

WalkCounts checkMask(MLIRContext &context, const MaskCase &mask) {
  SCOPED_TRACE(mask.body);
  WalkCounts counts;
  OwningOpRef<ModuleOp> module =
      parseSourceString<ModuleOp>(getModule(mask), &context);
  if (!module) {
    ADD_FAILURE() << "does not parse:\n" << getModule(mask);
    return counts;
  }
  GenericOp op;
  module->walk([&](GenericOp found) { op = found; });
  IRRewriter rewriter(&context);
  EXPECT_TRUE(succeeded(boundMask(rewriter, op)));
  if (mask.spoil)
    mask.spoil(op);
  EXPECT_TRUE(succeeded(verify(*module)));
  counts.numOps = std::max(op.getRanges().front().getOperations().size(),
                           op.getClassify().front().getOperations().size());

  Environment environment;
  Block &entry = op->getParentRegion()->front();
  auto setShape = [&](unsigned argument, std::vector<int64_t> shape) {
    environment.tensors[entry.getArgument(argument)].shape = std::move(shape);
  };
  setShape(0, {2, mask.rows, 4});
  setShape(1, {2, mask.keys, 4});
  setShape(2, {2, mask.keys, 4});
  setShape(3, {2, mask.rows, 4});
  environment.tensors[entry.getArgument(4)] = {
      {2}, {mask.lengths[0], mask.lengths[1]}};
  environment.scalars[entry.getArgument(5)] = mask.symbols[0];
  environment.scalars[entry.getArgument(6)] = mask.symbols[1];
  auto setTable = [&](unsigned argument, ArrayRef<int64_t> elements,
                      std::vector<int64_t> shape) {
    environment.tensors[entry.getArgument(argument)] = {std::move(shape),
                                                        elements};
  };
  const MaskTables &tables = mask.tables;
  setTable(7, tables.ids, {64});
  setTable(8, tables.wide, {64});
  setTable(9, tables.flags, {64});
  setTable(10, tables.bytes, {64});
  setTable(11, tables.spans, {2, 64});
  setTable(12, ArrayRef(tables.wide).take_front(mask.rows), {mask.rows});
  setTable(13, ArrayRef(tables.wide).take_front(mask.keys), {mask.keys});
  setTable(14, ArrayRef(tables.flags).take_front(mask.keys), {mask.keys});
  environment.evaluateBefore(op);
  Checker(mask, op, environment).run(counts);
  if (::testing::Test::HasFailure())
    op->print(llvm::errs());
  return counts;
}

} // namespace attn::test
