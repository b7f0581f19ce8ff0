//===- ContractionNest.cpp - Loops over tiles of a product ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of rows and of columns are the items of a parallel loop. A block has
// all of the sum: partial sums meet in one place only, and what follows, if the
// sum is over one dimension, is computed where they end. Blocks of columns are
// narrow, so that there are enough of them for several workers and the packed
// part of rhs stays in the second level of cache; rows are split late, since
// each block of them packs rhs again.
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Utils.h"
#include "attn/IR/Verify.h"
#include "attn/Tiling/Contractions.h"
#include "attn/Tiling/IterationBox.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace attn {
namespace {

/// With one row the limit is the reading of rhs, which wants long pieces.
constexpr int64_t kColumnsOfVector = 1024;
/// Blocks begin at multiples of these, which are as many as a micro-kernel has,
/// or more.
constexpr int64_t kRowMultiple = 8, kColumnMultiple = 32;

/// An operand of elementwise ops: a tensor with a map over the loops of the
/// contraction, or a scalar.
struct Input {
  Value value;
  AffineMap map;
};

class ContractionNest {
public:
  ContractionNest(RewriterBase &rewriter, const Contraction &contraction,
                  bool whole)
      : b(rewriter), c(contraction), whole(whole), loc(c.op.getLoc()),
        last(c.consumers.empty() ? c.op : c.consumers.back().op) {}

  void run();

private:
  Value toValue(OpFoldResult size) {
    return getValueOrCreateConstantIndexOp(b, loc, size);
  }
  template <typename OpTy>
  OpFoldResult compute(OpFoldResult lhs, OpFoldResult rhs) {
    return getAsOpFoldResult(
        b.createOrFold<OpTy>(loc, toValue(lhs), toValue(rhs)));
  }
  OpFoldResult ceilDiv(OpFoldResult lhs, OpFoldResult rhs) {
    OpFoldResult more = compute<arith::AddIOp>(
        lhs, compute<arith::SubIOp>(rhs, OpFoldResult(b.getIndexAttr(1))));
    return compute<arith::DivUIOp>(more, rhs);
  }
  /// Blocks of `extent` of about equal size, `most` at most: how many, and how
  /// large all but the last are.
  std::pair<OpFoldResult, OpFoldResult> split(OpFoldResult extent, int64_t most,
                                              int64_t multiple);
  /// Sets box and extent along `dim` to the block at `position`.
  void moveTo(unsigned dim, OpFoldResult position, OpFoldResult size);
  void takeInputs();
  SmallVector<Input>
  takeFactorInputs(ArrayRef<Contraction::Elementwise> producers);
  void buildElement(ContractOp contract);
  void buildFactor(Region &region, Type element,
                   ArrayRef<Contraction::Elementwise> producers,
                   ArrayRef<Input> others);
  SmallVector<unsigned> getTileDims(AffineMap map);
  /// The part of `tensor` in the box, without the dimensions along which the
  /// box is one position; and where it lies.
  Value slice(Value tensor, AffineMap map);
  void locate(AffineMap map, SmallVectorImpl<OpFoldResult> &from,
              SmallVectorImpl<OpFoldResult> &sizes);
  AffineMap toTileMap(AffineMap map);
  Value createDestination();
  Value emitTile(Value init);
  /// A tensor of `type` like the tile `init`, in a buffer of its own.
  Value createSums(Value init, Type type);
  Value emitContract(Value init, bool accumulate);
  Value emitBlocks();

  RewriterBase &b;
  Contraction c;
  /// Whether a block has all rows and columns.
  bool whole;
  Location loc;
  linalg::LinalgOp last;
  SmallVector<OpFoldResult> wholeExtents, offsets, extents;
  /// Of a block, at most.
  OpFoldResult rowSize, columnSize;
  SmallVector<Input> inputs, lhsInputs, rhsInputs;
};

} // namespace

std::pair<OpFoldResult, OpFoldResult>
ContractionNest::split(OpFoldResult extent, int64_t most, int64_t multiple) {
  OpFoldResult count = ceilDiv(extent, b.getIndexAttr(most));
  OpFoldResult divisor =
      compute<arith::MaxSIOp>(count, OpFoldResult(b.getIndexAttr(1)));
  OpFoldResult whole = b.getIndexAttr(multiple);
  OpFoldResult size = ceilDiv(ceilDiv(extent, divisor), whole);
  return {count, compute<arith::MulIOp>(size, whole)};
}

void ContractionNest::moveTo(unsigned dim, OpFoldResult position,
                             OpFoldResult size) {
  std::optional<int64_t> known = getConstantIntValue(wholeExtents[dim]);
  std::optional<int64_t> block = getConstantIntValue(size);
  if (known && block && *known <= *block) {
    offsets[dim] = b.getIndexAttr(0);
    extents[dim] = wholeExtents[dim];
    return;
  }
  offsets[dim] = compute<arith::MulIOp>(position, size);
  extents[dim] = size;
  if (known && block && *known % *block == 0)
    return;
  extents[dim] = compute<arith::MinSIOp>(
      size, compute<arith::SubIOp>(wholeExtents[dim], offsets[dim]));
}

//===----------------------------------------------------------------------===//
// What follows the sum
//===----------------------------------------------------------------------===//

/// Gathers what the elementwise ops read, other than each other.
void ContractionNest::takeInputs() {
  Value before = c.op->getResult(0);
  if (c.init && !c.consumers.empty())
    inputs.push_back({c.init, c.resultMap});
  for (auto [op, loops] : c.consumers) {
    for (OpOperand *operand : op.getDpsInputOperands())
      if (operand->get() != before)
        inputs.push_back({operand->get(),
                          op.getMatchingIndexingMap(operand).compose(loops)});
    before = op->getResult(0);
  }
  lhsInputs = takeFactorInputs(c.lhsProducers);
  rhsInputs = takeFactorInputs(c.rhsProducers);
}

/// The same of what is before a factor; the farthest op comes first, as it is
/// computed first.
SmallVector<Input> ContractionNest::takeFactorInputs(
    ArrayRef<Contraction::Elementwise> producers) {
  SmallVector<Input> others;
  for (auto [op, loops] : llvm::reverse(producers))
    for (OpOperand *operand : op.getDpsInputOperands())
      if (operand != getWholeInput(op))
        others.push_back({operand->get(),
                          op.getMatchingIndexingMap(operand).compose(loops)});
  return others;
}

/// Clones the body of `op` and returns what it yields; `argument` gives what
/// each input is.
static Value inlineBody(OpBuilder &b, linalg::LinalgOp op,
                        function_ref<Value(OpOperand &)> argument) {
  IRMapping mapping;
  for (OpOperand *operand : op.getDpsInputOperands())
    mapping.map(op.getMatchingBlockArgument(operand), argument(*operand));
  for (Operation &nested : op.getBlock()->without_terminator())
    b.clone(nested, mapping);
  return mapping.lookupOrDefault(op.getBlock()->getTerminator()->getOperand(0));
}

void ContractionNest::buildFactor(Region &region, Type element,
                                  ArrayRef<Contraction::Elementwise> producers,
                                  ArrayRef<Input> others) {
  if (producers.empty())
    return;
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types{element};
  for (const Input &input : others)
    types.push_back(getElementTypeOrSelf(input.value.getType()));
  SmallVector<Location> locs(types.size(), loc);
  Block *body = b.createBlock(&region, {}, types, locs);
  Value value = body->getArgument(0);
  unsigned next = 1;
  for (auto [op, loops] : llvm::reverse(producers)) {
    OpOperand *whole = getWholeInput(op);
    value = inlineBody(b, op, [&](OpOperand &operand) -> Value {
      return &operand == whole ? value : body->getArgument(next++);
    });
  }
  YieldOp::create(b, loc, value);
}

void ContractionNest::buildElement(ContractOp contract) {
  if (c.consumers.empty())
    return;
  OpBuilder::InsertionGuard guard(b);
  SmallVector<Type> types{contract.getAccumulationType()};
  for (const Input &input : inputs)
    types.push_back(getElementTypeOrSelf(input.value.getType()));
  SmallVector<Location> locs(types.size(), loc);
  Block *body = b.createBlock(&contract.getElement(), {}, types, locs);
  Value value = body->getArgument(0);
  unsigned next = 1;
  Type product = getElementTypeOrSelf(c.op->getResult(0));
  if (c.init) {
    Value added =
        convertFloat(b, loc, body->getArgument(next++), value.getType());
    value = arith::AddFOp::create(b, loc, value, added);
  }
  value = convertFloat(b, loc, value, product);
  Value before = c.op->getResult(0);
  for (auto [op, loops] : c.consumers) {
    value = inlineBody(b, op, [&](OpOperand &operand) -> Value {
      return operand.get() == before ? value : body->getArgument(next++);
    });
    before = op->getResult(0);
  }
  YieldOp::create(b, loc, value);
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// The loops of `map` that a tile has more than one position of.
SmallVector<unsigned> ContractionNest::getTileDims(AffineMap map) {
  SmallVector<unsigned> dims;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    if (dim == c.columns || dim == c.features || c.rows == dim)
      dims.push_back(dim);
  }
  return dims;
}

AffineMap ContractionNest::toTileMap(AffineMap map) {
  SmallVector<AffineExpr> results;
  for (unsigned dim : getTileDims(map))
    results.push_back(b.getAffineDimExpr(dim == c.columns ? ContractOp::Columns
                                         : dim == c.features
                                             ? ContractOp::Features
                                             : ContractOp::Rows));
  return AffineMap::get(3, 0, results, b.getContext());
}

void ContractionNest::locate(AffineMap map, SmallVectorImpl<OpFoldResult> &from,
                             SmallVectorImpl<OpFoldResult> &sizes) {
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    from.push_back(offsets[map.getDimPosition(i)]);
    sizes.push_back(extents[map.getDimPosition(i)]);
  }
  from = getSliceOffsets(b, loc, from, sizes);
}

Value ContractionNest::slice(Value tensor, AffineMap map) {
  auto type = dyn_cast<RankedTensorType>(tensor.getType());
  if (!type)
    return tensor;
  SmallVector<OpFoldResult> from, sizes;
  locate(map, from, sizes);
  SmallVector<int64_t> shape;
  for (unsigned dim : getTileDims(map))
    shape.push_back(
        getConstantIntValue(extents[dim]).value_or(ShapedType::kDynamic));
  SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
  return tensor::ExtractSliceOp::create(
      b, loc, RankedTensorType::get(shape, type.getElementType()), tensor, from,
      sizes, strides);
}

Value ContractionNest::createDestination() {
  if (!c.consumers.empty())
    return last.getDpsInits()[0];
  if (c.init)
    return c.init;
  Value zeros = c.op.getDpsInits()[0];
  if (auto fill = zeros.getDefiningOp<linalg::FillOp>())
    return fill.output();
  return tensor::EmptyOp::create(b, loc, tensor::getMixedSizes(b, loc, zeros),
                                 getElementTypeOrSelf(zeros));
}

Value ContractionNest::emitContract(Value init, bool accumulate) {
  SmallVector<AffineMap> maps{toTileMap(c.lhsMap), toTileMap(c.rhsMap)};
  auto take = [&](ArrayRef<Input> taken) {
    SmallVector<Value> values;
    for (const Input &input : taken) {
      maps.push_back(toTileMap(input.map));
      values.push_back(slice(input.value, input.map));
    }
    return values;
  };
  SmallVector<Value> ofLhs = take(lhsInputs), ofRhs = take(rhsInputs),
                     values = take(inputs);
  maps.push_back(toTileMap(c.finalMap));
  Value lhs = slice(c.lhs, c.lhsMap), rhs = slice(c.rhs, c.rhsMap);
  auto contract =
      ContractOp::create(b, loc, init.getType(), lhs, rhs, ofLhs, ofRhs, values,
                         init, b.getAffineMapArrayAttr(maps), accumulate);
  buildFactor(contract.getLhsElement(), getElementTypeOrSelf(lhs),
              c.lhsProducers, lhsInputs);
  buildFactor(contract.getRhsElement(), getElementTypeOrSelf(rhs),
              c.rhsProducers, rhsInputs);
  buildElement(contract);
  return contract.getResult(0);
}

Value ContractionNest::createSums(Value init, Type type) {
  SmallVector<OpFoldResult> most, sizes;
  for (unsigned dim : getTileDims(c.finalMap)) {
    most.push_back(dim == c.columns ? columnSize : rowSize);
    sizes.push_back(extents[dim]);
  }
  // The parallel loop's buffers are as large for every worker.
  Value whole = tensor::EmptyOp::create(b, loc, most, type);
  SmallVector<OpFoldResult> from(sizes.size(), b.getIndexAttr(0));
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  auto sliced = cast<RankedTensorType>(init.getType()).clone(type);
  return tensor::ExtractSliceOp::create(b, loc, cast<RankedTensorType>(sliced),
                                        whole, from, sizes, strides);
}

/// Sums over further dimensions are added one after the other, and rounded to
/// what they become in the end.
Value ContractionNest::emitTile(Value init) {
  if (c.outerFeatures.empty())
    return emitContract(init, c.init && c.consumers.empty());
  Type type = getElementTypeOrSelf(init);
  FloatType accType = detail::getWidestFloat({c.lhsType, c.rhsType, type});
  Value sums = type == accType ? init : createSums(init, accType);
  if (!c.init) {
    Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(accType));
    sums = linalg::FillOp::create(b, loc, zero, sums).getResult(0);
  } else if (sums != init) {
    sums = linalg::CopyOp::create(b, loc, init, sums).getResult(0);
  }
  SmallVector<Value> lower, upper, step;
  for (unsigned dim : c.outerFeatures) {
    lower.push_back(toValue(b.getIndexAttr(0)));
    upper.push_back(toValue(wholeExtents[dim]));
    step.push_back(toValue(b.getIndexAttr(1)));
  }
  scf::LoopNest nest = scf::buildLoopNest(
      b, loc, lower, upper, step, sums,
      [&](OpBuilder &, Location, ValueRange positions, ValueRange carried) {
        for (auto [dim, position] :
             llvm::zip_equal(c.outerFeatures, positions)) {
          offsets[dim] = position;
          extents[dim] = b.getIndexAttr(1);
        }
        return SmallVector<Value>{emitContract(carried[0], true)};
      });
  if (sums.getType() == init.getType())
    return nest.results[0];
  return linalg::CopyOp::create(b, loc, nest.results[0], init).getResult(0);
}

/// The result, block by block.
Value ContractionNest::emitBlocks() {
  SmallVector<OpFoldResult> bounds;
  for (unsigned dim : c.outer)
    bounds.push_back(wholeExtents[dim]);
  auto splitDim = [&](unsigned dim, int64_t most, int64_t multiple) {
    auto [count, size] = split(wholeExtents[dim], most, multiple);
    bounds.push_back(count);
    return size;
  };
  if (!whole && c.rows)
    rowSize = splitDim(*c.rows, kTileRows, kRowMultiple);
  if (!whole)
    columnSize = splitDim(c.columns, c.rows ? kTileColumns : kColumnsOfVector,
                          kColumnMultiple);
  Value destination = createDestination();
  if (bounds.empty())
    return b.createOrFold<tensor::CastOp>(
        loc, destination.getType(), emitTile(slice(destination, c.finalMap)));
  auto loop = scf::ForallOp::create(b, loc, bounds, destination,
                                    /*mapping=*/std::nullopt);
  b.setInsertionPoint(loop.getTerminator());
  SmallVector<Value> positions = loop.getInductionVars();
  if (!whole)
    moveTo(c.columns, OpFoldResult(positions.pop_back_val()), columnSize);
  if (!whole && c.rows)
    moveTo(*c.rows, OpFoldResult(positions.pop_back_val()), rowSize);
  for (auto [dim, position] : llvm::zip_equal(c.outer, positions)) {
    offsets[dim] = position;
    extents[dim] = b.getIndexAttr(1);
  }
  Value target = loop.getRegionIterArgs()[0];
  Value tile = emitTile(slice(target, c.finalMap));
  SmallVector<OpFoldResult> from, sizes;
  locate(c.finalMap, from, sizes);
  SmallVector<OpFoldResult> strides(from.size(), b.getIndexAttr(1));
  b.setInsertionPointToEnd(loop.getTerminator().getBody());
  tensor::ParallelInsertSliceOp::create(b, loc, tile, target, from, sizes,
                                        strides);
  return loop.getResult(0);
}

void ContractionNest::run() {
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPoint(last);
  for (Range range : c.op.createLoopRanges(b, loc))
    wholeExtents.push_back(range.size);
  offsets.assign(wholeExtents.size(), b.getIndexAttr(0));
  extents = wholeExtents;
  takeInputs();
  b.replaceOp(last, emitBlocks());
  for (auto [op, loops] : llvm::reverse(
           ArrayRef(c.consumers).drop_back(c.consumers.empty() ? 0 : 1)))
    b.eraseOp(op);
  if (!c.consumers.empty())
    b.eraseOp(c.op);
  // Extents may have been asked of their results.
  for (ArrayRef<Contraction::Elementwise> producers :
       {ArrayRef(c.lhsProducers), ArrayRef(c.rhsProducers)})
    for (auto [op, loops] : producers)
      b.replaceOp(op, op.getDpsInits());
}

std::string describeTiles(const Contraction &contraction, bool whole) {
  std::string text = whole ? "one op" : "tiles of at most ";
  if (!whole && contraction.rows)
    text += std::to_string(kTileRows) + " rows by ";
  if (!whole)
    text += std::to_string(contraction.rows ? kTileColumns : kColumnsOfVector) +
            " columns";
  if (size_t number = contraction.consumers.size())
    text += "; " + std::to_string(number) + " elementwise op" +
            (number == 1 ? "" : "s") + " computed with them";
  if (size_t number =
          contraction.lhsProducers.size() + contraction.rhsProducers.size())
    text += "; " + std::to_string(number) + " elementwise op" +
            (number == 1 ? "" : "s") + " computed where operands are packed";
  return text;
}

void tileContraction(RewriterBase &rewriter, const Contraction &contraction,
                     bool whole) {
  ContractionNest(rewriter, contraction, whole).run();
}

} // namespace attn
