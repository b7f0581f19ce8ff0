//===- KernelLaunch.cpp - Which rows a block has ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "attn/IR/Utils.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;

namespace attn {

using Predicate = arith::CmpIPredicate;

Value KernelEmitter::countBlocks() {
  // A query row dimension that there is not has one row.
  wholeExtents = getExtents(b, op);
  wholeExtents.push_back(b.getIndexAttr(1));
  extents = wholeExtents;
  numTiles = countTiles();
  Value count = numTiles;
  if (!hasAllChannels(op))
    count = multiply(count, countParts());
  for (unsigned dim : outerDims)
    count =
        multiply(count, getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  return count;
}

/// Copies of 16 bytes begin at multiples of 16, and channels that lie next to
/// each other are stored in pairs.
void KernelEmitter::checkAlignment() {
  std::pair<unsigned, StringRef> operands[] = {
      {0, "query"}, {1, "key"}, {2, "value"}, {op.getOutputIndex(), "output"}};
  for (auto [number, name] : operands) {
    if (number == op.getOutputIndex() && !storesPairs())
      continue;
    Value buffer = op.getMappedOperands()[number];
    auto type = cast<MemRefType>(buffer.getType());
    Value bytes = index(type.getElementTypeBitWidth() / 8);
    auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, buffer);
    Value start =
        memref::ExtractAlignedPointerAsIndexOp::create(b, loc, buffer);
    start = add(start, multiply(metadata.getOffset(), bytes));
    auto check = [&, name = name](Value distance, const Twine &what) {
      Value rest = arith::RemUIOp::create(b, loc, distance, index(16));
      CheckOp::create(b, loc, compare(Predicate::eq, rest, index(0)),
                      "expected the " + name.str() + " of an attention op " +
                          what.str() + ", but {0} bytes are left over",
                      rest);
    };
    check(start, "to begin at a multiple of 16 bytes");
    auto strides = llvm::to_vector(ValueRange(metadata.getStrides()));
    if (type.getLayout().isIdentity())
      continue;
    for (Value stride : ArrayRef(strides).drop_back())
      check(multiply(stride, bytes), "to have rows of a multiple of 16 bytes");
  }
}

Value KernelEmitter::countRows() {
  Value rows = index(1);
  for (unsigned dim : rowDims)
    rows =
        multiply(rows, getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  return rows;
}

/// One at least, which has the results of a row that have no channels.
Value KernelEmitter::countParts() {
  Value all = getValueOrCreateConstantIndexOp(b, loc, wholeExtents[channelDim]);
  Value parts =
      b.createOrFold<arith::CeilDivUIOp>(loc, all, index(layout.channels));
  return b.createOrFold<arith::MaxUIOp>(loc, parts, index(1));
}

Value KernelEmitter::getChannelRoom() {
  return hasAllChannels(op) ? index(layout.channels)
                            : multiply(countParts(), index(layout.channels));
}

gpu::LaunchOp KernelEmitter::enterKernel(Value numBlocks) {
  int64_t warps = choice.getWarps() + getNumOtherWarps();
  gpu::LaunchOp launch = enterBlocks(numBlocks, 32 * warps, layout.size);
  extents = wholeExtents;
  memory = hardware.getShared();
  return launch;
}

void KernelEmitter::locateTile(Value number, ArrayRef<unsigned> dims) {
  Value rest = number;
  auto split = [&](Value extent) -> Value {
    Value count = toI32(extent);
    Value position = arith::RemUIOp::create(b, loc, rest, count);
    rest = arith::DivUIOp::create(b, loc, rest, count);
    return toIndex(position);
  };
  box = {op, SmallVector<OpFoldResult>(extents.size(), b.getIndexAttr(0)),
         extents};
  tileNumber = split(numTiles);
  outerNumber = toIndex(rest);
  for (unsigned dim : llvm::reverse(dims)) {
    box.offsets[dim] =
        split(getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
    box.extents[dim] = b.getIndexAttr(1);
  }
  takeRows(tileNumber);
}

void KernelEmitter::locateBlock(Value number, Value threadIndex) {
  if (part) {
    Value count = i32(choice.getSplits());
    split = toIndex(arith::RemUIOp::create(b, loc, number, count));
    number = arith::DivUIOp::create(b, loc, number, count);
  }
  firstColumn = numColumns = hasFirst = Value();
  if (sharesChannels(part)) {
    Value count = toI32(countParts());
    Value own = arith::RemUIOp::create(b, loc, number, count);
    number = arith::DivUIOp::create(b, loc, number, count);
    hasFirst = compare(Predicate::eq, own, i32(0));
    firstColumn = toIndex(multiply(own, i32(layout.channels)));
    Value all = getValueOrCreateConstantIndexOp(b, loc, extents[channelDim]);
    Value left = arith::SubIOp::create(b, loc, all, firstColumn);
    numColumns =
        toI32(arith::MinSIOp::create(b, loc, left, index(layout.channels)));
  }
  locateTile(number, outerDims);

  if (threadIndex)
    identifyThread(threadIndex);
  warpRow = multiply(warp, i32(16));
  storesRows = compare(Predicate::eq, quad, i32(0));
  if (int64_t sharers = choice.getSharers(); sharers > 1) {
    sharer = arith::RemUIOp::create(b, loc, warp, i32(sharers));
    warpRow =
        multiply(arith::DivUIOp::create(b, loc, warp, i32(sharers)), i32(16));
    firstChannel = multiply(sharer, i32(getOwnChannels()));
    if (divides)
      firstKey = multiply(sharer, i32(getOwnKeys()));
    storesRows = arith::AndIOp::create(b, loc, storesRows,
                                       compare(Predicate::eq, sharer, i32(0)));
  }
  if (hasFirst)
    storesRows = arith::AndIOp::create(b, loc, storesRows, hasFirst);
  Value first = add(warpRow, group);
  Value last = arith::SubIOp::create(b, loc, numRows, i32(1));
  for (unsigned row = 0; row < kThreadRows; ++row) {
    Value own = add(first, i32(8 * row));
    hasRow[row] = compare(Predicate::slt, own, numRows);
    Value there = arith::MinSIOp::create(b, loc, own, last);
    rows[row] = add(firstRow, toIndex(there));
    rowPositions[row] = splitRow(rows[row]);
  }
}

/// What varies with neither keys nor features is read once. Rows that are not
/// there read what the last one does.
void KernelEmitter::readInputs() {
  inputs.assign(op.getOutputIndex(), RowValues());
  for (unsigned number = 3, e = op.getOutputIndex(); number < e; ++number) {
    Value operand = op.getMappedOperands()[number];
    AffineMap map = op.getIndexingMap(number);
    if (!isa<MemRefType>(operand.getType())) {
      inputs[number].fill(convertFloat(b, loc, operand, accType));
      continue;
    }
    if (map.isFunctionOfDim(featureDim) ||
        llvm::any_of(classes.keyRows,
                     [&](unsigned dim) { return map.isFunctionOfDim(dim); }))
      continue;
    for (unsigned row = 0; row < kThreadRows; ++row) {
      Values indices;
      for (unsigned i = 0, r = map.getNumResults(); i < r; ++i) {
        unsigned dim = map.getDimPosition(i);
        auto *own = llvm::find(rowDims, dim);
        Value position = own != rowDims.end()
                             ? rowPositions[row][own - rowDims.begin()]
                             : cast<Value>(box.offsets[dim]);
        indices.push_back(shiftPacked(number, i, position));
      }
      Value element = memref::LoadOp::create(b, loc, operand, indices);
      inputs[number][row] = convertFloat(b, loc, element, accType);
    }
  }
}

void KernelEmitter::emitScalars() {
  double factor = op.getScale().convertToDouble();
  if (op.getScore().empty() && factor > 0 && factor != 1)
    scale = createFloatConstant(b, loc, accType, factor);
  Value keys = isPaged() ? listKeys : createNumKeys(b, op, extents);
  keys = arith::IndexCastOp::create(b, loc, b.getI64Type(), keys);
  numKeys = arith::UIToFPOp::create(b, loc, accType, keys);
}

} // namespace attn
