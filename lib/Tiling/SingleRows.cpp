//===- SingleRows.cpp - Requests of one row ---------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// In a mixed batch most requests go on by one token. Which ones do, only the
// run knows; but an op on one row for each request is what decoding is, for
// which there are tiles of few rows. So there are two ops, which share the
// requests by the number of their rows. The rows of the one are copied, a few
// beside the keys that they meet.
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
#include "attn/IR/Utils.h"
#include "attn/Tiling/IterationBox.h"
#include "attn/Tiling/Tiling.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {

namespace {

/// Writes the op on single rows.
class SingleRows {
public:
  SingleRows(RewriterBase &rewriter, GenericOp op)
      : b(rewriter), loc(op.getLoc()), op(op), dims(*getRaggedDims(op)) {}

  GenericOp run();

private:
  /// The packed dimension of mapped operand `index`, if it has one.
  std::optional<unsigned> getPackedRow(unsigned index);
  /// The rows of requests of one row, of `packed`, whose rows lie along its
  /// dimension `position`: one for each request; others are not written.
  Value gather(Value packed, unsigned position);
  /// `packed` with such rows in their places.
  Value scatter(Value rows, Value packed, unsigned position);
  /// A parallel loop over the requests, which copies the row of those of one
  /// row from `from` to `to`, in one of which rows are packed.
  Value copyRows(Value from, Value to, unsigned position, bool intoPacked);
  /// The map of an operand that has requests in place of packed rows.
  AffineMap getMap(AffineMap map);
  BlockListAttr getBlocks();
  unsigned renumber(unsigned dim) { return dim - (dim > *dims.queryRow); }
  void cloneBody(Region &from, Region &to);
  void cloneBounds(GenericOp single, Region &from, Region &to);

  RewriterBase &b;
  Location loc;
  GenericOp op;
  RaggedDims dims;
  OpFoldResult requests;
};

} // namespace

std::optional<unsigned> SingleRows::getPackedRow(unsigned index) {
  AffineMap map = op.getIndexingMap(index);
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    if (isPacked(op, index, i) && map.getDimPosition(i) == *dims.queryRow)
      return i;
  return std::nullopt;
}

Value SingleRows::copyRows(Value from, Value to, unsigned position,
                           bool intoPacked) {
  auto loop = scf::ForallOp::create(b, loc, ArrayRef<OpFoldResult>(requests),
                                    to, /*mapping=*/std::nullopt);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(loop.getTerminator());
  Value request = loop.getInductionVar(0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto read = [&](Value at) {
    return b.createOrFold<arith::IndexCastOp>(
        loc, b.getIndexType(),
        tensor::ExtractOp::create(b, loc, op.getQueryStarts(), at).getResult());
  };
  Value row = read(request);
  Value behind = read(arith::AddIOp::create(b, loc, request, one));
  Value count = arith::SubIOp::create(b, loc, behind, row);
  Value isSingle =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, count, one);
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  count = arith::SelectOp::create(b, loc, isSingle, one, zero);
  SmallVector<OpFoldResult> extents = tensor::getMixedSizes(b, loc, to);
  extents[position] = count;
  SmallVector<OpFoldResult> packed(extents.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> own(packed),
      strides(extents.size(), b.getIndexAttr(1));
  packed[position] = row;
  own[position] = request;
  Value part = createSlice(b, loc, from, intoPacked ? own : packed, extents);
  SmallVector<OpFoldResult> target =
      getSliceOffsets(b, loc, intoPacked ? packed : own, extents);
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(
      b, loc, part, loop.getRegionIterArgs()[0], target, extents, strides);
  return loop.getResult(0);
}

Value SingleRows::gather(Value packed, unsigned position) {
  SmallVector<OpFoldResult> shape = tensor::getMixedSizes(b, loc, packed);
  shape[position] = requests;
  Value empty = tensor::EmptyOp::create(b, loc, shape,
                                        getElementTypeOrSelf(packed.getType()));
  return copyRows(packed, empty, position, /*intoPacked=*/false);
}

Value SingleRows::scatter(Value rows, Value packed, unsigned position) {
  return copyRows(rows, packed, position, /*intoPacked=*/true);
}

AffineMap SingleRows::getMap(AffineMap map) {
  SmallVector<AffineExpr> renumbered;
  for (unsigned dim = 0, e = map.getNumDims(); dim < e; ++dim)
    renumbered.push_back(dim == *dims.queryRow
                             ? b.getAffineConstantExpr(0)
                             : b.getAffineDimExpr(renumber(dim)));
  return map.replaceDimsAndSymbols(renumbered, {}, map.getNumDims() - 1, 0);
}

BlockListAttr SingleRows::getBlocks() {
  BlockListAttr blocks = op.getBlocksAttr();
  if (!blocks)
    return {};
  SmallVector<AffineMap> maps;
  for (AffineMap map : blocks.getMaps())
    maps.push_back(getMap(map));
  return BlockListAttr::get(b.getContext(), blocks.getRows(), blocks.getKeys(),
                            blocks.getKind(), maps);
}

/// The row is the first of its request, and the only one.
void SingleRows::cloneBody(Region &from, Region &to) {
  cloneRegion(b, from, to, [&](IndexOp index) -> Value {
    if (index.getDim() == *dims.queryRow)
      return arith::ConstantIndexOp::create(b, loc, 0);
    return IndexOp::create(b, loc, renumber(index.getDim()));
  });
}

/// The positions of a box, by dimension: one along the batch, the first and the
/// last along query rows. What is batch may be rows for the single ones.
void SingleRows::cloneBounds(GenericOp single, Region &from, Region &to) {
  if (from.empty())
    return;
  OpBuilder::InsertionGuard guard(b);
  DimensionClasses before = op.getDimensionClasses();
  DimensionClasses after = single.getDimensionClasses();
  unsigned numOthers = from.getNumArguments() - before.batch.size() -
                       2 * before.queryRows.size();
  unsigned numRows = after.batch.size() + 2 * after.queryRows.size();
  SmallVector<Type> types(numRows + numOthers, b.getIndexType());
  Block *body = b.createBlock(&to, to.end(), types,
                              SmallVector<Location>(types.size(), loc));
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  auto locate = [&](unsigned dim, bool last) -> Value {
    if (dim == *dims.queryRow)
      return zero;
    unsigned number = renumber(dim);
    auto *batch = llvm::find(after.batch, number);
    if (batch != after.batch.end())
      return body->getArgument(batch - after.batch.begin());
    auto *row = llvm::find(after.queryRows, number);
    return body->getArgument(after.batch.size() +
                             2 * (row - after.queryRows.begin()) + last);
  };
  SmallVector<Value> arguments;
  for (unsigned dim : before.batch)
    arguments.push_back(locate(dim, /*last=*/false));
  for (unsigned dim : before.queryRows)
    arguments.append({locate(dim, /*last=*/false), locate(dim, /*last=*/true)});
  llvm::append_range(arguments, body->getArguments().drop_front(numRows));
  YieldOp::create(b, loc, inlineBody(b, from, arguments));
}

GenericOp SingleRows::run() {
  for (unsigned i = 0, e = op.getIndexingMaps().size(); i < e; ++i)
    if (op.getIndexingMap(i).isFunctionOfDim(*dims.queryRow) &&
        !getPackedRow(i))
      return {};
  // Lists tell requests apart where no starts of queries do, and tiles, too.
  std::optional<BlockList> blocks = BlockList::of(op);
  if (blocks &&
      (blocks->getListDim() != dims.request || blocks->getRows() != 1))
    return {};
  b.setInsertionPoint(op);
  requests = getExtents(b, op)[dims.request];
  SmallVector<Value> operands;
  SmallVector<AffineMap> maps;
  unsigned weighting = op.getWeightingIndex(), output = op.getOutputIndex();
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    std::optional<unsigned> position = getPackedRow(index);
    Value rows = operand;
    if (position && index < output) {
      rows = gather(operand, *position);
    } else if (position) {
      SmallVector<OpFoldResult> shape = tensor::getMixedSizes(b, loc, operand);
      shape[*position] = requests;
      rows = tensor::EmptyOp::create(b, loc, shape,
                                     getElementTypeOrSelf(operand.getType()));
    }
    operands.push_back(rows);
    maps.push_back(getMap(op.getWrittenMap(index)));
  }
  ValueRange all(operands), inits = all.drop_front(output);
  auto single = GenericOp::create(
      b, loc, inits.getTypes(), all[0], all[1], all[2],
      all.slice(3, weighting - 3), all.slice(weighting, output - weighting),
      /*query_starts=*/Value(), op.getKeyStarts(), op.getIndptr(),
      op.getIndices(), inits[0], inits.size() > 1 ? inits[1] : Value(),
      /*weights=*/Value(), b.getAffineMapArrayAttr(maps), op.getWeighting(),
      op.getScale(), TypeAttr::get(op.getAccumulationType()), getBlocks());
  cloneBody(op.getSimilarity(), single.getSimilarity());
  cloneBody(op.getMask(), single.getMask());
  cloneBody(op.getScore(), single.getScore());
  cloneBody(op.getWeight(), single.getWeight());
  cloneBounds(single, op.getRanges(), single.getRanges());
  cloneBounds(single, op.getClassify(), single.getClassify());

  b.setInsertionPointAfter(op);
  for (auto [index, result] : llvm::enumerate(op.getResults())) {
    SmallVector<OpOperand *> uses(llvm::make_pointer_range(result.getUses()));
    Value whole =
        scatter(single.getResult(index), result, *getPackedRow(output + index));
    for (OpOperand *use : uses)
      b.modifyOpInPlace(use->getOwner(), [&] { use->set(whole); });
  }
  return single;
}

GenericOp takeSingleRows(RewriterBase &b, GenericOp op) {
  OpBuilder::InsertionGuard guard(b);
  return SingleRows(b, op).run();
}

} // namespace attn
