//===- HeadEvaluation.cpp - What attention over heads means -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The definition, in plain numbers: what the description of the op says, pair
// by pair. It knows nothing of the expansion, which is checked against it.
//
//===----------------------------------------------------------------------===//

#include "HeadAttention.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Evaluation.h"
#include "attn/IR/Utils.h"
#include "llvm/Support/FormatVariadic.h"

#include <cmath>

using namespace mlir;

namespace attn {

namespace {

/// The op's operands in numbers. A row is (batch..., head, i).
class HeadEvaluator {
public:
  HeadEvaluator(const HeadAttention &op, Evaluation &evaluation);
  PlainAttention describe();
  /// Reads all lists of blocks, ahead of `describe`.
  llvm::Error readBlocks();

private:
  using Row = PlainAttention::Row;

  /// A row of the output as (batch..., head, i): of packed requests, which one,
  /// and where in it.
  SmallVector<int64_t> getRow(Row row) const;
  /// The number of rows, or of keys, of the request or batch of `row`.
  int64_t countRows(Row row) const;
  int64_t countKeys(Row row) const;
  /// The same of the pages of requests that are packed, one list for each.
  llvm::Error readPages();
  llvm::Error checkPositions();
  /// The list of a row.
  ArrayRef<int64_t> getBlocks(Row row) const;
  /// Whether the list of the row names the key.
  bool isListed(Row row, int64_t j) const;

  /// The position of the first element of row `j` of key or value, for `row`.
  int64_t getKeyRow(const PlainOperand &operand, Row row, int64_t j) const;
  /// The element of bias or boolean_mask for the pair.
  int64_t getBroadcast(const PlainOperand &operand, Row row, int64_t j) const;
  bool isVisible(Row row, int64_t j) const;
  PlainPair getPair(Row row, int64_t j) const;
  /// The region's positional arguments.
  SmallVector<Estimate> getPositions(Row row, int64_t j) const;
  void decideMaskDims(SmallVectorImpl<bool> &maskDims) const;

  const HeadAttention &op;
  Rounding rounding;
  PlainOperand query, key, value, bias, booleanMask, offset, sink, queryStarts,
      keyStarts, weights;
  PlainRegion mask, score;
  std::optional<PlainBlockList> lists;
  /// By position along the dimensions that lists depend on, in row-major order.
  SmallVector<int64_t> listExtents;
  std::vector<ArrayRef<int64_t>> blocks;
  int64_t rank, numRows, numKeys;
  double scale;
  bool inPairs, roundsWeights;
};

} // namespace

HeadEvaluator::HeadEvaluator(const HeadAttention &op, Evaluation &evaluation)
    : op(op), rounding(op.getAccumulationType()),
      query(evaluation.getOperand(op.query)),
      key(evaluation.getOperand(op.key)),
      value(evaluation.getOperand(op.value)), rank(op.getNumLeadingDims() + 2),
      numRows(query.shape[*op.getDim(op.query, rank - 2)]),
      numKeys(key.shape[*op.getDim(op.key, rank - 2)]) {
  if (op.queryStarts)
    queryStarts = evaluation.getOperand(op.queryStarts);
  if (op.keyStarts)
    keyStarts = evaluation.getOperand(op.keyStarts);
  if (op.bias)
    bias = evaluation.getOperand(op.bias);
  if (op.booleanMask)
    booleanMask = evaluation.getOperand(op.booleanMask);
  if (op.weights)
    weights = evaluation.getOperand(op.weights);
  if (op.offset)
    offset = evaluation.getOperand(op.offset);
  if (op.sink)
    sink = evaluation.getOperand(op.sink);
  if (op.blocks) {
    lists = PlainBlockList{evaluation.getOperand(op.indptr),
                           evaluation.getOperand(op.indices), op.blocks,
                           /*numBlocks=*/0, op.op->getLoc()};
    int64_t keys = op.blocks.getKeys();
    lists->numBlocks =
        op.isPaged() ? key.shape[0]
                     : llvm::divideCeil(uint64_t(numKeys), uint64_t(keys));
  }
  mask = evaluation.getRegion(*op.mask);
  score = evaluation.getRegion(*op.score);
  double width = static_cast<double>(query.shape.back());
  scale = op.scale ? op.scale.getValueAsDouble()
                   : 1.0 / std::sqrt(std::max(width, 1.0));
  inPairs =
      mayMultiplyPairs(op.query, op.key, op.value, op.getAccumulationType());
  roundsWeights =
      mayRoundWeights(op.query, op.key, op.value, op.getAccumulationType());
}

/// Of (batch..., head, i), the dimensions up to that of the lists have lists of
/// their own.
llvm::Error HeadEvaluator::readBlocks() {
  if (!lists)
    return llvm::Error::success();
  if (op.isRagged())
    return readPages();
  int64_t listDim = op.getListDim(), numBatch = op.getNumListBatchDims();
  int64_t rows = op.blocks.getRows();
  listExtents.assign(query.shape.begin(), query.shape.begin() + numBatch);
  listExtents.push_back(
      llvm::divideCeil(uint64_t(query.shape[listDim]), uint64_t(rows)));
  int64_t count = 1;
  for (int64_t extent : listExtents)
    count *= extent;
  // What has an extent of 1 is broadcast.
  auto select = [&](ArrayRef<int64_t> leading, const PlainOperand &operand) {
    size_t own = operand.shape.size() - 1;
    SmallVector<int64_t> index(leading.take_back(own));
    for (auto [number, extent] :
         llvm::zip_equal(index, operand.shape.take_front(own)))
      if (extent == 1)
        number = 0;
    return index;
  };
  int64_t longest = 0;
  for (int64_t number = 0; number < count; ++number) {
    SmallVector<int64_t> position(listExtents.size());
    int64_t rest = number;
    for (size_t i = position.size(); i-- > 0; rest /= listExtents[i])
      position[i] = rest % listExtents[i];
    ArrayRef<int64_t> leading = ArrayRef(position).drop_back();
    SmallVector<int64_t> list = select(leading, lists->indptr);
    list.push_back(position.back());
    auto entries = lists->getEntries(list, select(leading, lists->indices));
    if (!entries)
      return entries.takeError();
    blocks.push_back(*entries);
    longest = std::max<int64_t>(longest, entries->size());
  }
  if (op.isPaged())
    numKeys = longest * op.blocks.getKeys();
  return checkPositions();
}

/// What goes by the position in a list has room for all of it.
llvm::Error HeadEvaluator::checkPositions() {
  if (!op.isPaged())
    return llvm::Error::success();
  for (auto [operand, isBroadcast] :
       {std::pair(&bias, true), std::pair(&booleanMask, true),
        std::pair(&weights, false)}) {
    if (operand->shape.empty() || (isBroadcast && operand->shape.back() == 1))
      continue;
    if (operand->shape.back() < numKeys)
      return llvm::createStringError(locateMessage(
          op.op->getLoc(), llvm::formatv(BlockListErrors::places.data(),
                                         numKeys, operand->shape.back())
                               .str()));
  }
  return llvm::Error::success();
}

/// Requests without rows look at no list.
llvm::Error HeadEvaluator::readPages() {
  const PlainOperand &starts = op.queryStarts ? queryStarts : keyStarts;
  numKeys = 0;
  for (int64_t r = 0; r + 1 < starts.shape[0]; ++r) {
    std::optional<int64_t> length;
    if (op.keyStarts)
      length = keyStarts.integers[r + 1] - keyStarts.integers[r];
    blocks.emplace_back();
    if (countRows(r) == 0)
      continue;
    auto entries = lists->getEntries(r / op.blocks.getRows(), {}, length);
    if (!entries)
      return entries.takeError();
    blocks.back() = *entries;
    int64_t held = entries->size() * op.blocks.getKeys();
    numKeys = std::max(numKeys, length.value_or(held));
  }
  return checkPositions();
}

ArrayRef<int64_t> HeadEvaluator::getBlocks(Row row) const {
  if (op.isRagged())
    return blocks[row[0]];
  int64_t number = 0;
  for (size_t i = 0; i + 1 < listExtents.size(); ++i)
    number = number * listExtents[i] + row[i];
  return blocks[number * listExtents.back() +
                row[op.getListDim()] / op.blocks.getRows()];
}

bool HeadEvaluator::isListed(Row row, int64_t j) const {
  int64_t block = j / op.blocks.getKeys();
  ArrayRef<int64_t> listed = getBlocks(row);
  return op.isPaged() ? block < static_cast<int64_t>(listed.size())
                      : llvm::is_contained(listed, block);
}

int64_t HeadEvaluator::getKeyRow(const PlainOperand &operand, Row row,
                                 int64_t j) const {
  if (op.isPaged()) {
    // A key that the list does not have is asked for by a trace only.
    int64_t keys = op.blocks.getKeys();
    SmallVector<int64_t> index{isListed(row, j) ? getBlocks(row)[j / keys] : 0};
    if (rank > 2) {
      int64_t heads = query.shape[*op.getDim(op.query, rank - 3)];
      index.push_back(row[rank - 3] / (heads / operand.shape[1]));
    }
    index.append({j % keys, 0});
    return operand.getOffset(index);
  }
  SmallVector<int64_t> index(row);
  if (rank > 2) {
    int64_t heads = query.shape[*op.getDim(op.query, rank - 3)];
    int64_t keyHeads = operand.shape[*op.getDim(op.key, rank - 3)];
    index[rank - 3] = row[rank - 3] / (heads / keyHeads);
  }
  index[rank - 2] = j;
  if (op.keyStarts)
    index = {keyStarts.integers[row[0]] + j, index[1]};
  index.push_back(0);
  return operand.getOffset(index);
}

SmallVector<int64_t> HeadEvaluator::getRow(Row row) const {
  if (!op.queryStarts)
    return SmallVector<int64_t>(row);
  // The last request that begins at the row or before it: those after it are
  // empty or later.
  ArrayRef<int64_t> starts = queryStarts.integers;
  int64_t request = llvm::upper_bound(starts, row[0]) - starts.begin() - 1;
  return {request, row[1], row[0] - starts[request]};
}

int64_t HeadEvaluator::countRows(Row row) const {
  return op.queryStarts
             ? queryStarts.integers[row[0] + 1] - queryStarts.integers[row[0]]
             : numRows;
}

int64_t HeadEvaluator::countKeys(Row row) const {
  if (op.keyStarts)
    return keyStarts.integers[row[0] + 1] - keyStarts.integers[row[0]];
  if (op.isPaged())
    return getBlocks(row).size() * op.blocks.getKeys();
  return numKeys;
}

int64_t HeadEvaluator::getBroadcast(const PlainOperand &operand, Row row,
                                    int64_t j) const {
  SmallVector<int64_t> position(row);
  position.push_back(j);
  SmallVector<int64_t> index(
      ArrayRef<int64_t>(position).take_back(operand.shape.size()));
  for (auto [number, extent] : llvm::zip_equal(index, operand.shape))
    if (extent == 1)
      number = 0;
  return operand.getOffset(index);
}

SmallVector<Estimate> HeadEvaluator::getPositions(Row row, int64_t j) const {
  SmallVector<Estimate> positions;
  for (int64_t position : row)
    positions.push_back({static_cast<double>(position), 0});
  positions.push_back({static_cast<double>(j), 0});
  return positions;
}

/// a <= b for sums that may lie beyond 64 bits.
static bool isAtMost(__int128 lhs, __int128 rhs) { return lhs <= rhs; }

bool HeadEvaluator::isVisible(Row row, int64_t j) const {
  if (lists && !isListed(row, j))
    return false;
  __int128 diagonal = row.back();
  if (op.causal == CausalKind::bottom_right)
    diagonal += countKeys(row) - countRows(row);
  if (op.offset)
    diagonal +=
        offset.integers[offset.getOffset(row.take_front(offset.shape.size()))];
  if (op.causal != CausalKind::none && !isAtMost(j, diagonal))
    return false;
  if (op.window) {
    int64_t left = (*op.window)[0], right = (*op.window)[1];
    if (left >= 0 && !isAtMost(diagonal - left, j))
      return false;
    if (right >= 0 && !isAtMost(j, diagonal + right))
      return false;
  }
  if (op.booleanMask &&
      !booleanMask.integers[getBroadcast(booleanMask, row, j)])
    return false;
  return !mask || mask(getPositions(row, j)).value != 0;
}

PlainPair HeadEvaluator::getPair(Row row, int64_t j) const {
  int64_t width = query.shape.back();
  SmallVector<int64_t> index(row);
  if (op.queryStarts)
    index = {queryStarts.integers[row[0]] + row[2], row[1]};
  index.push_back(0);
  ArrayRef<double> q = query.reals.slice(query.getOffset(index), width);
  ArrayRef<double> k = key.reals.slice(getKeyRow(key, row, j), width);
  Estimate dot = rounding.dot(q, k);
  if (inPairs)
    dot.error += rounding.boundFlushed(q, k, scale);
  PlainPair pair;
  pair.similarity = dot.value;
  Estimate s = rounding.multiply(dot, rounding.round(scale, 0));
  pair.scaledScore = s.value;
  if (op.softcap) {
    double cap = op.softcap.getValueAsDouble();
    s = rounding.apply([&](double x) { return cap * std::tanh(x / cap); }, s);
  }
  if (score) {
    SmallVector<Estimate> arguments{s};
    llvm::append_range(arguments, getPositions(row, j));
    s = score(arguments);
  }
  if (op.bias)
    s = rounding.add(s, {bias.reals[getBroadcast(bias, row, j)], 0});
  pair.score = s;
  return pair;
}

/// What the mask depends on: the row where a diagonal bounds it, the batch with
/// an offset each, what boolean_mask spans, what the region asks for.
void HeadEvaluator::decideMaskDims(SmallVectorImpl<bool> &maskDims) const {
  maskDims.assign(rank - 1, false);
  if (op.causal != CausalKind::none || op.window)
    maskDims.back() = true;
  for (size_t dim = 0; dim < offset.shape.size(); ++dim)
    maskDims[dim] = true;
  if (lists) {
    maskDims[op.getListDim()] = true;
    for (ArrayRef<int64_t> shape : {lists->indptr.shape, lists->indices.shape})
      for (size_t i = 0; i + 1 < shape.size(); ++i)
        if (shape[i] != 1)
          maskDims[op.getNumListBatchDims() + 1 - shape.size() + i] = true;
  }
  int64_t missing = rank - booleanMask.shape.size();
  for (auto [dim, extent] : llvm::enumerate(booleanMask.shape))
    if (extent != 1 && static_cast<int64_t>(dim) + missing < rank - 1)
      maskDims[dim + missing] = true;
  if (!op.mask->empty())
    for (int64_t dim = 0; dim + 1 < rank; ++dim)
      if (!op.mask->getArgument(dim).use_empty())
        maskDims[dim] = true;
  // The request, which decides the keys, and the row in it are packed rows.
  if (op.queryStarts)
    maskDims.assign({true, bool(maskDims[1])});
  else if (op.keyStarts)
    maskDims[0] = true;
}

PlainAttention HeadEvaluator::describe() {
  PlainAttention attention;
  attention.rows.assign(query.shape.begin(), query.shape.end() - 1);
  // Weights have room for all keys that a row has, or more.
  attention.numKeys = op.weights ? weights.shape.back() : numKeys;
  attention.numFeatures = query.shape.back();
  attention.numChannels = value.shape.back();
  attention.accumulationType = op.getAccumulationType();
  attention.inPairs = inPairs;
  attention.roundsWeights = roundsWeights;
  if (op.isRagged())
    attention.getNumKeys = [this](Row row) { return countKeys(getRow(row)); };
  if (op.causal != CausalKind::none || op.window || op.booleanMask || mask ||
      lists)
    attention.isVisible = [this](Row row, int64_t j) {
      return isVisible(getRow(row), j);
    };
  decideMaskDims(attention.maskDims);
  attention.getPair = [this](Row row, int64_t j) {
    return getPair(getRow(row), j);
  };
  attention.getValue = [this](Row row, int64_t j) {
    return value.reals.slice(getKeyRow(value, getRow(row), j),
                             value.shape.back());
  };
  MLIRContext *context = op.op->getContext();
  attention.weighting = SoftmaxAttr::get(context);
  attention.getWeightingOperands = [](Row) { return SmallVector<double>(); };
  if (op.sink) {
    attention.weighting = SoftmaxSinkAttr::get(context);
    attention.getWeightingOperands = [this](Row row) {
      int64_t head = sink.shape.empty() ? 0 : getRow(row)[rank - 3];
      return SmallVector<double>{sink.reals[head]};
    };
  }
  attention.wantsLogSumExp = static_cast<bool>(op.lse);
  attention.wantsWeights = static_cast<bool>(op.weights);
  return attention;
}

llvm::Expected<SmallVector<PlainResult>>
HeadAttention::evaluate(Evaluation &evaluation) const {
  HeadEvaluator evaluator(*this, evaluation);
  if (llvm::Error error = evaluator.readBlocks())
    return error;
  return evaluation.attend(evaluator.describe());
}

SmallVector<Value> HeadAttention::getMaskOperands() const {
  SmallVector<Value> operands;
  for (Value operand :
       {booleanMask, offset, queryStarts, keyStarts, indptr, indices})
    if (operand)
      operands.push_back(operand);
  return operands;
}

} // namespace attn
