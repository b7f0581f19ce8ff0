//===- DecomposeAttention.cpp - Attention as linalg, unfused --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "attn/Transforms/Transforms.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_DECOMPOSEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// Expands one op, step by step, each a `linalg.generic` over the dimensions of
/// the classes it needs: similarity, score and visibility, score statistics,
/// weights, weight statistics, finished weights, output, log-sum-exp.
class AttentionDecomposer {
public:
  AttentionDecomposer(RewriterBase &rewriter, GenericOp op)
      : b(rewriter), loc(op.getLoc()), op(op),
        classes(op.getDimensionClasses()), accType(op.getAccumulationType()),
        weighting(op.getWeighting()) {}

  void run();

private:
  using Class = DimensionClass;
  using BodyBuilder = function_ref<SmallVector<Value>(ValueRange, ValueRange)>;
  /// A tensor with its map over all dimensions of the op.
  struct Mapped {
    Value value;
    AffineMap map;
  };

  /// The map of all dimensions of the given classes, ascending.
  AffineMap span(ArrayRef<Class> wanted);
  /// An init over `map`, filled with `value` if given.
  Mapped init(AffineMap map, Type element, std::optional<double> value = {});
  /// One `linalg.generic` over the dimensions that occur in its operands;
  /// those that no init has are reduced. `body` gets the elements of inputs and
  /// of inits, floats among the inputs in the accumulation type.
  SmallVector<Mapped> emit(ArrayRef<Mapped> inputs, ArrayRef<Mapped> inits,
                           BodyBuilder body);
  /// Inlines a region into the body of the op being built.
  Value inlineRegion(Region &region, ValueRange arguments);
  Value toAccType(Value element);
  Value select(Value condition, Value then, Value otherwise) {
    return arith::SelectOp::create(b, loc, condition, then, otherwise);
  }
  /// `region(element, inputs)` where `visible`, `element` elsewhere; reads in
  /// the region happen for visible pairs only.
  Value inlineVisible(Region &region, Value visible, Value element,
                      ValueRange inputs);
  Value zero() { return createFloatConstant(b, loc, accType, 0.0); }

  RewriterBase &b;
  Location loc;
  GenericOp op;
  DimensionClasses classes;
  FloatType accType;
  WeightingAttrInterface weighting;
  SmallVector<OpFoldResult> extents;
  /// The dimensions of the op that the current `linalg.generic` has.
  SmallVector<unsigned> currentDims;
};

} // namespace

AffineMap AttentionDecomposer::span(ArrayRef<Class> wanted) {
  SmallVector<AffineExpr> results;
  for (unsigned dim = 0; dim < op.getNumDims(); ++dim)
    if (llvm::is_contained(wanted, classes.classes[dim]))
      results.push_back(b.getAffineDimExpr(dim));
  return AffineMap::get(op.getNumDims(), 0, results, b.getContext());
}

AttentionDecomposer::Mapped
AttentionDecomposer::init(AffineMap map, Type element,
                          std::optional<double> value) {
  SmallVector<OpFoldResult> shape;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    shape.push_back(extents[map.getDimPosition(i)]);
  Value tensor = tensor::EmptyOp::create(b, loc, shape, element);
  if (value)
    tensor = linalg::FillOp::create(
                 b, loc, createFloatConstant(b, loc, element, *value), tensor)
                 .getResult(0);
  return {tensor, map};
}

Value AttentionDecomposer::toAccType(Value element) {
  auto type = dyn_cast<FloatType>(element.getType());
  if (!type || type == accType)
    return element;
  if (type.getWidth() < accType.getWidth())
    return arith::ExtFOp::create(b, loc, accType, element);
  return arith::TruncFOp::create(b, loc, accType, element);
}

SmallVector<AttentionDecomposer::Mapped>
AttentionDecomposer::emit(ArrayRef<Mapped> inputs, ArrayRef<Mapped> inits,
                          BodyBuilder body) {
  SmallVector<bool> used(op.getNumDims(), false), kept(used);
  auto mark = [](SmallVector<bool> &dims, AffineMap map) {
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
      dims[map.getDimPosition(i)] = true;
  };
  for (const Mapped &input : inputs)
    mark(used, input.map);
  for (const Mapped &init : inits) {
    mark(used, init.map);
    mark(kept, init.map);
  }
  currentDims.clear();
  SmallVector<AffineExpr> replacements(op.getNumDims(),
                                       b.getAffineConstantExpr(0));
  SmallVector<utils::IteratorType> iterators;
  for (unsigned dim = 0; dim < op.getNumDims(); ++dim) {
    if (!used[dim])
      continue;
    replacements[dim] = b.getAffineDimExpr(currentDims.size());
    currentDims.push_back(dim);
    iterators.push_back(kept[dim] ? utils::IteratorType::parallel
                                  : utils::IteratorType::reduction);
  }
  SmallVector<Value> inputValues, initValues;
  SmallVector<AffineMap> maps;
  SmallVector<Type> types;
  auto add = [&](const Mapped &mapped, SmallVector<Value> &values) {
    values.push_back(mapped.value);
    maps.push_back(mapped.map.replaceDimsAndSymbols(replacements, {},
                                                    currentDims.size(), 0));
  };
  for (const Mapped &input : inputs)
    add(input, inputValues);
  for (const Mapped &init : inits) {
    add(init, initValues);
    types.push_back(init.value.getType());
  }
  auto generic = linalg::GenericOp::create(
      b, loc, types, inputValues, initValues, maps, iterators,
      [&](OpBuilder &, Location, ValueRange arguments) {
        SmallVector<Value> elements;
        for (Value element : arguments.take_front(inputs.size()))
          elements.push_back(toAccType(element));
        linalg::YieldOp::create(
            b, loc, body(elements, arguments.drop_front(inputs.size())));
      });
  SmallVector<Mapped> results;
  for (auto [init, result] : llvm::zip_equal(inits, generic.getResults()))
    results.push_back({result, init.map});
  return results;
}

Value AttentionDecomposer::inlineRegion(Region &region, ValueRange arguments) {
  IRMapping mapping;
  mapping.map(region.getArguments(), arguments);
  for (Operation &nested : region.front().without_terminator()) {
    auto index = dyn_cast<IndexOp>(nested);
    if (!index) {
      b.clone(nested, mapping);
      continue;
    }
    auto *position = llvm::find(currentDims, index.getDim());
    mapping.map(index.getResult(),
                linalg::IndexOp::create(b, loc, position - currentDims.begin())
                    .getResult());
  }
  return mapping.lookupOrDefault(
      region.front().getTerminator()->getOperand(0));
}

Value AttentionDecomposer::inlineVisible(Region &region, Value visible,
                                         Value element, ValueRange inputs) {
  if (region.empty())
    return element;
  auto inlined = [&] {
    SmallVector<Value> arguments{element};
    llvm::append_range(arguments, inputs);
    return inlineRegion(region, arguments);
  };
  if (!visible)
    return inlined();
  auto guarded =
      scf::IfOp::create(b, loc, TypeRange(accType), visible,
                        /*addThenBlock=*/true, /*addElseBlock=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(guarded.thenBlock());
  scf::YieldOp::create(b, loc, inlined());
  b.setInsertionPointToStart(guarded.elseBlock());
  scf::YieldOp::create(b, loc, element);
  return guarded.getResult(0);
}

void AttentionDecomposer::run() {
  b.setInsertionPoint(op);
  extents.resize(op.getNumDims());
  for (unsigned i = 0, e = op.getIndexingMaps().size(); i < e; ++i) {
    AffineMap map = op.getIndexingMap(i);
    for (unsigned position = 0; position < map.getNumResults(); ++position) {
      OpFoldResult &extent = extents[map.getDimPosition(position)];
      if (!extent)
        extent = tensor::getMixedSize(b, loc, op->getOperand(i), position);
    }
  }
  AffineMap pairs = span({Class::Batch, Class::QueryRow, Class::KeyRow});
  AffineMap rows = span({Class::Batch, Class::QueryRow});
  SmallVector<Mapped> inputs, pairInputs;
  for (auto [i, input] : llvm::enumerate(op.getInputs())) {
    AffineMap map = op.getIndexingMap(3 + i);
    inputs.push_back({input, map});
    bool features = llvm::any_of(classes.features, [&](unsigned dim) {
      return map.isFunctionOfDim(dim);
    });
    // What spans features is read in the similarity only; a scalar stands in.
    pairInputs.push_back(
        features ? Mapped{createFloatConstant(b, loc, accType, 0.0),
                          AffineMap::get(op.getNumDims(), 0, b.getContext())}
                 : inputs.back());
  }

  // Similarity, summed over features.
  SmallVector<Mapped> operands{{op.getQuery(), op.getIndexingMap(0)},
                               {op.getKey(), op.getIndexingMap(1)}};
  if (!op.getSimilarity().empty())
    llvm::append_range(operands, inputs);
  Mapped scores =
      emit(operands, init(pairs, accType, 0.0),
           [&](ValueRange in, ValueRange out) {
             Value term = op.getSimilarity().empty()
                              ? arith::MulFOp::create(b, loc, in[0], in[1])
                                    .getResult()
                              : inlineRegion(op.getSimilarity(), in);
             return SmallVector<Value>{
                 arith::AddFOp::create(b, loc, out[0], term)};
           })[0];

  // Score and visibility.
  Mapped visible;
  bool masked = !op.getMask().empty();
  operands = {scores};
  llvm::append_range(operands, pairInputs);
  SmallVector<Mapped> inits{init(pairs, accType)};
  if (masked)
    inits.push_back(init(pairs, b.getI1Type()));
  SmallVector<Mapped> scored =
      emit(operands, inits, [&](ValueRange in, ValueRange) {
        Value seen;
        if (masked)
          seen = inlineRegion(op.getMask(), in.drop_front());
        Value score = in[0];
        if (double scale = op.getScale().convertToDouble(); scale != 1.0)
          score = arith::MulFOp::create(
              b, loc, score, createFloatConstant(b, loc, accType, scale));
        score = inlineVisible(op.getScore(), seen, score, in.drop_front());
        SmallVector<Value> results{score};
        if (masked)
          results.push_back(seen);
        return results;
      });
  scores = scored[0];
  if (masked)
    visible = scored[1];
  // The operands `extra`, the scores, and the visibility if there is a mask.
  auto withVisible = [&](Mapped pair, ArrayRef<Mapped> extra) {
    SmallVector<Mapped> list{pair};
    if (masked)
      list.push_back(visible);
    llvm::append_range(list, extra);
    return list;
  };
  unsigned first = masked ? 2 : 1;
  auto seen = [&](ValueRange in) { return masked ? in[1] : Value(); };

  // Statistics, of the scores and then of the weights.
  SmallVector<Mapped> statistics, weightingOperands;
  unsigned firstWeighting = 3 + op.getInputs().size();
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    weightingOperands.push_back(
        {operand, op.getIndexingMap(firstWeighting + i)});
  SmallVector<Statistic> described = weighting.getStatistics();
  auto reduce = [&](StatisticPhase phase, Mapped source) {
    for (auto [position, statistic] : llvm::enumerate(described)) {
      unsigned i = position;
      if (statistic.phase != phase)
        continue;
      Mapped start = init(rows, accType, statistic.neutral);
      statistics.push_back(
          emit(withVisible(source, {}), start, [&](ValueRange in,
                                                   ValueRange out) {
            Value combined = weighting.combine(b, loc, i, out[0], in[0]);
            if (masked)
              combined = select(seen(in), combined, out[0]);
            return SmallVector<Value>{combined};
          })[0]);
    }
  };
  reduce(StatisticPhase::Score, scores);
  SmallVector<Mapped> rowOperands(statistics);
  unsigned numScoreStatistics = statistics.size();
  llvm::append_range(rowOperands, weightingOperands);
  Mapped weights =
      emit(withVisible(scores, rowOperands), init(pairs, accType),
           [&](ValueRange in, ValueRange) {
             Value weight = weighting.weight(
                 b, loc, in[0], in.slice(first, numScoreStatistics),
                 in.drop_front(first + numScoreStatistics));
             if (masked)
               weight = select(seen(in), weight, zero());
             return SmallVector<Value>{weight};
           })[0];
  reduce(StatisticPhase::Weight, weights);

  // Finished weights, through the weight region.
  Value numKeys = arith::ConstantIndexOp::create(b, loc, 1);
  for (unsigned dim : classes.keyRows)
    numKeys = arith::MulIOp::create(
        b, loc, numKeys,
        getValueOrCreateConstantIndexOp(b, loc, extents[dim]));
  numKeys = arith::IndexCastOp::create(b, loc, b.getI64Type(), numKeys);
  numKeys = arith::SIToFPOp::create(b, loc, accType, numKeys);
  rowOperands = statistics;
  llvm::append_range(rowOperands, weightingOperands);
  operands = rowOperands;
  llvm::append_range(operands, pairInputs);
  weights = emit(
      withVisible(weights, operands), init(pairs, accType),
      [&](ValueRange in, ValueRange) {
        ValueRange rest = in.drop_front(first);
        Value weight = in[0];
        if (Value factor = weighting.finish(
                b, loc, rest.take_front(statistics.size()),
                rest.slice(statistics.size(), weightingOperands.size()),
                numKeys)) {
          weight = arith::MulFOp::create(b, loc, weight, factor);
          if (masked)
            weight = select(seen(in), weight, zero());
        }
        return SmallVector<Value>{inlineVisible(
            op.getWeight(), seen(in), weight,
            rest.drop_front(rowOperands.size()))};
      })[0];

  // Results, each rounded once.
  SmallVector<Value> results;
  auto store = [&](Mapped source, Value target, AffineMap map) {
    Type element = getElementTypeOrSelf(target.getType());
    results.push_back(
        emit(source, Mapped{target, map}, [&](ValueRange in, ValueRange) {
          Value value = in[0];
          auto type = cast<FloatType>(element);
          if (type.getWidth() < accType.getWidth())
            value = arith::TruncFOp::create(b, loc, type, value);
          else if (type.getWidth() > accType.getWidth())
            value = arith::ExtFOp::create(b, loc, type, value);
          return SmallVector<Value>{value};
        })[0].value);
  };
  Mapped value{op.getValue(), op.getIndexingMap(2)};
  unsigned next = firstWeighting + weightingOperands.size();
  AffineMap outputMap = op.getIndexingMap(next++);
  Mapped output = emit(withVisible(weights, value),
                       init(outputMap, accType, 0.0),
                       [&](ValueRange in, ValueRange out) {
                         Value term =
                             arith::MulFOp::create(b, loc, in[0], in[first]);
                         if (masked)
                           term = select(seen(in), term, zero());
                         return SmallVector<Value>{
                             arith::AddFOp::create(b, loc, out[0], term)};
                       })[0];
  store(output, op.getOutput(), outputMap);
  if (op.getLse()) {
    Mapped lse = emit(rowOperands, init(rows, accType),
                      [&](ValueRange in, ValueRange) {
                        return SmallVector<Value>{weighting.logSumExp(
                            b, loc, in.take_front(statistics.size()),
                            in.drop_front(statistics.size()))};
                      })[0];
    store(lse, op.getLse(), op.getIndexingMap(next++));
  }
  if (op.getWeights())
    store(weights, op.getWeights(), op.getIndexingMap(next));
  b.replaceOp(op, results);
}

LogicalResult decomposeAttention(RewriterBase &rewriter, GenericOp op) {
  if (!op.hasPureTensorSemantics())
    return op.emitOpError("cannot be lowered on memrefs: use tensors");
  if (op.getWeighting().getWeightingKind() != WeightingKind::Accumulate)
    return op.emitOpError("cannot be lowered: the weighting is not of kind "
                          "accumulate");
  OpBuilder::InsertionGuard guard(rewriter);
  AttentionDecomposer(rewriter, op).run();
  return success();
}

namespace {

struct DecomposeAttentionPass final
    : impl::DecomposeAttentionPassBase<DecomposeAttentionPass> {
  void runOnOperation() override {
    SmallVector<GenericOp> ops;
    getOperation()->walk([&](GenericOp op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (GenericOp op : ops)
      if (failed(decomposeAttention(rewriter, op)))
        return signalPassFailure();
    SmallVector<MergeOp> merges;
    getOperation()->walk([&](MergeOp op) { merges.push_back(op); });
    for (MergeOp op : merges)
      if (failed(decomposeMerge(rewriter, op)))
        return signalPassFailure();
  }
};

} // namespace
} // namespace attn
