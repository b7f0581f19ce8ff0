//===- AttentionKeyLoop.cpp - The loop over key tiles -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Utils.h"
#include "AttentionTiler.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attn {

static bool isMultiple(OpFoldResult extent, int64_t size) {
  std::optional<int64_t> known = getConstantIntValue(extent);
  return known && *known % size == 0;
}

SmallVector<Value> AttentionTiler::inlineBound(Region &region,
                                               ValueRange keyBounds) {
  SmallVector<Value> arguments;
  for (unsigned dim : classes.batch)
    arguments.push_back(toValue(offsets[dim]));
  for (unsigned dim : classes.queryRows) {
    Value low = toValue(offsets[dim]);
    arguments.push_back(low);
    if (dim != lane) {
      arguments.push_back(low);
      continue;
    }
    AffineExpr first = rewriter.getAffineDimExpr(0);
    AffineExpr extent = rewriter.getAffineSymbolExpr(0);
    arguments.push_back(toValue(affine::makeComposedFoldedAffineApply(
        rewriter, loc, first + extent - 1, {offsets[lane], extents[lane]})));
  }
  llvm::append_range(arguments, keyBounds);
  return inlineRegion(rewriter, region, arguments);
}

SmallVector<Value> AttentionTiler::emitKeyLoop(ValueRange inits) {
  OpBuilder::InsertionGuard guard(rewriter);
  Value from = index(0), end = toValue(wholeExtents[key]);
  if (shared)
    std::tie(from, end) = std::pair(shared->first, shared->limit);
  SmallVector<Value> ranges{from, end};
  bool whole = isMultiple(wholeExtents[key], sizes.keyRows);
  Value taken;
  if (!op.getMask().empty() && !op.getRanges().empty()) {
    ranges = inlineBound(op.getRanges(), {});
    if (ranges.size() != 2)
      return emitKeyCursor(from, end, ranges, inits);
    whole = !shared && matchPattern(ranges[0], m_Zero()) &&
            isMultiple(ranges[1], sizes.keyRows);
    if (shared) {
      ranges[0] = arith::MaxSIOp::create(rewriter, loc, ranges[0], from);
      ranges[1] = arith::MinSIOp::create(rewriter, loc, ranges[1], end);
    }
  } else if (shared) {
    return emitKeyTile(from, end, inits, whole, taken);
  }

  auto loop = scf::ForOp::create(rewriter, loc, ranges[0], ranges[1],
                                 index(sizes.keyRows), inits);
  rewriter.setInsertionPointToStart(loop.getBody());
  SmallVector<Value> state =
      emitKeyTile(loop.getInductionVar(), ranges[1], loop.getRegionIterArgs(),
                  whole, taken);
  scf::YieldOp::create(rewriter, loc, state);
  return SmallVector<Value>(loop.getResults());
}

/// The next key is the least of max(lo, cursor) over the ranges with hi >
/// max(lo, cursor), so each key is visited once, in ascending order, whatever
/// the overlap.
SmallVector<Value> AttentionTiler::emitKeyCursor(Value from, Value end,
                                                 ValueRange ranges,
                                                 ValueRange inits) {
  auto max = [&](Value a, Value b) -> Value {
    return arith::MaxSIOp::create(rewriter, loc, a, b);
  };
  auto min = [&](Value a, Value b) -> Value {
    return arith::MinSIOp::create(rewriter, loc, a, b);
  };
  auto less = [&](Value a, Value b) -> Value {
    return arith::CmpIOp::create(rewriter, loc, arith::CmpIPredicate::slt, a,
                                 b);
  };
  SmallVector<Value> whileInits{from};
  llvm::append_range(whileInits, inits);
  SmallVector<Type> types = llvm::to_vector(ValueRange(whileInits).getTypes());
  auto loop = scf::WhileOp::create(
      rewriter, loc, types, whileInits,
      [&](OpBuilder &, Location, ValueRange args) {
        Value next = end;
        for (size_t i = 0; i < ranges.size(); i += 2) {
          Value start = max(ranges[i], args[0]);
          Value candidate = arith::SelectOp::create(
              rewriter, loc, less(start, ranges[i + 1]), start, end);
          next = min(next, candidate);
        }
        SmallVector<Value> forwarded{next};
        llvm::append_range(forwarded, args.drop_front());
        scf::ConditionOp::create(rewriter, loc, less(next, end), forwarded);
      },
      [&](OpBuilder &, Location, ValueRange args) {
        Value limit = index(0);
        for (size_t i = 0; i < ranges.size(); i += 2) {
          Value ahead = less(args[0], ranges[i]);
          Value stop = arith::SelectOp::create(rewriter, loc, ahead, limit,
                                               ranges[i + 1]);
          limit = max(limit, stop);
        }
        if (shared)
          limit = min(limit, end);
        Value taken;
        SmallVector<Value> state = emitKeyTile(
            args[0], limit, args.drop_front(), /*whole=*/false, taken);
        SmallVector<Value> yielded{
            arith::AddIOp::create(rewriter, loc, args[0], taken)};
        llvm::append_range(yielded, state);
        scf::YieldOp::create(rewriter, loc, yielded);
      });
  return SmallVector<Value>(loop.getResults().drop_front());
}

SmallVector<Value> AttentionTiler::emitKeyTile(Value start, Value limit,
                                               ValueRange state, bool whole,
                                               Value &taken) {
  offsets[key] = start;
  if (whole) {
    extents[key] = rewriter.getIndexAttr(sizes.keyRows);
  } else {
    AffineExpr from = rewriter.getAffineDimExpr(0);
    AffineExpr to = rewriter.getAffineDimExpr(1);
    AffineMap rest = AffineMap::get(
        2, 0, {rewriter.getAffineConstantExpr(sizes.keyRows), to - from},
        rewriter.getContext());
    extents[key] = affine::AffineMinOp::create(rewriter, loc, rest,
                                               ValueRange{start, limit})
                       .getResult();
  }
  taken = toValue(extents[key]);

  bool masked = !op.getMask().empty();
  if (!masked || op.getClassify().empty())
    return emitOnline(state, /*full=*/{});

  AffineExpr from = rewriter.getAffineDimExpr(0);
  AffineExpr size = rewriter.getAffineDimExpr(1);
  Value lastKey = affine::AffineApplyOp::create(
      rewriter, loc, AffineMap::get(2, 0, from + size - 1),
      ValueRange{start, taken});
  SmallVector<Value> truth = inlineBound(op.getClassify(), {start, lastKey});
  Value full = truth[1];
  if (matchPattern(full, m_Zero()))
    full = {};
  if (matchPattern(truth[0], m_Zero()))
    return emitOnline(state, full);
  auto branch = scf::IfOp::create(rewriter, loc, state.getTypes(), truth[0],
                                  /*addThenBlock=*/true,
                                  /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(rewriter);
  rewriter.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(rewriter, loc, state);
  rewriter.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(rewriter, loc, emitOnline(state, full));
  return SmallVector<Value>(branch.getResults());
}

void AttentionTiler::cloneBody(Region &from, Region &to, ValueRange inputs) {
  auto position = [&](IndexOp position) {
    unsigned dim = position.getDim();
    Value offset = toValue(offsets[dim]);
    if (dim == lane || dim == key) {
      Value local = IndexOp::create(rewriter, loc, dim == lane ? 0 : 1);
      offset = arith::AddIOp::create(rewriter, loc, local, offset);
    }
    return offset;
  };
  unsigned firstInput =
      from.empty() ? 0 : from.getNumArguments() - inputs.size();
  auto argument = [&](BlockArgument argument) -> Value {
    unsigned index = argument.getArgNumber();
    if (index < firstInput)
      return argument;
    Type packed = getElementTypeOrSelf(inputs[index - firstInput].getType());
    if (!argument.getType().isInteger(1) || packed.isInteger(1))
      return argument;
    argument.setType(packed);
    return arith::TruncIOp::create(rewriter, loc, rewriter.getI1Type(),
                                   argument);
  };
  cloneRegion(rewriter, from, to, position, argument);
}

SmallVector<Value> AttentionTiler::emitOnline(ValueRange state, Value full) {
  SharedKeys packed = shared.value_or(SharedKeys());
  Operand keys = keyTileOf(packed.keys, op.getKey(), OperandRole::key,
                           op.getIndexingMap(1));
  Operand values =
      keyTileOf(packed.values, op.getValue(), OperandRole::value,
                op.getIndexingMap(2));
  SmallVector<AffineMap> maps{fixed[0].map, keys.map, values.map};
  SmallVector<Value> inputs, weightingOperands;
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    Operand tile = fixed[1 + i];
    if (!tile.value)
      tile = tileOperand(input, OperandRole::input, op.getIndexingMap(3 + i));
    inputs.push_back(tile.value);
    maps.push_back(tile.map);
  }
  for (Operand &operand : weightingTiles) {
    weightingOperands.push_back(operand.value);
    maps.push_back(operand.map);
  }
  maps.push_back(tileMap({lane, channel}));
  for (size_t i = 1; i < state.size(); ++i)
    maps.push_back(tileMap({lane}));

  double scale =
      op.getSimilarity().empty() ? 1.0 : op.getScale().convertToDouble();
  auto online = OnlineOp::create(
      rewriter, loc, state.getTypes(), fixed[0].value, keys.value, values.value,
      inputs, weightingOperands, rows, full, state[0], state.drop_front(),
      rewriter.getAffineMapArrayAttr(maps), op.getWeighting(),
      sizes.layout, llvm::APFloat(scale), TypeAttr::get(accType),
      rewriter.getI64IntegerAttr(sizes.keyRows), countTiles);
  cloneBody(op.getSimilarity(), online.getSimilarity(), inputs);
  cloneBody(op.getMask(), online.getMask(), inputs);
  cloneBody(op.getScore(), online.getScore(), inputs);
  cloneBody(op.getWeight(), online.getWeight(), inputs);
  return SmallVector<Value>(online.getResults());
}

} // namespace attn
