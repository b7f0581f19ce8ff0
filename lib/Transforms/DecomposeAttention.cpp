//===- DecomposeAttention.cpp - Attention as linalg, unfused ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/GPUKernel.h"
#include "attn/IR/Utils.h"
#include "attn/Transforms/Passes.h"
#include "attn/Transforms/Transforms.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_DECOMPOSEATTENTIONPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// Expands one op, step by step, each a `linalg.generic` over the dimensions of
/// the classes it needs: similarity, score and visibility, score statistics,
/// weights, weight statistics, finished weights, output, log-sum-exp. An online
/// step starts from its state, and its weights stay unfinished.
class AttentionDecomposer {
public:
  AttentionDecomposer(OpBuilder &builder, AttentionOpInterface op)
      : b(builder), loc(op.getLoc()), op(op), classes(op.getDimensionClasses()),
        accType(op.getAccumulationType()),
        weighting(cast<AccumulateWeightingAttrInterface>(op.getWeighting())),
        masked(!op.getMask().empty()) {}

  /// The results of the op.
  SmallVector<Value> run();

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
  Value inlineInBody(Region &region, ValueRange arguments);
  Value select(Value condition, Value then, Value otherwise) {
    return arith::SelectOp::create(b, loc, condition, then, otherwise);
  }
  /// `region(element, inputs)` where `visible`, `element` elsewhere; reads in
  /// the region happen for visible pairs only.
  Value inlineVisible(Region &region, Value visible, Value element,
                      ValueRange inputs);
  Value zero() { return createFloatConstant(b, loc, accType, 0.0); }
  /// The pair operand, the visibility if there is a mask, and `extra`.
  SmallVector<Mapped> withVisible(Mapped pair, ArrayRef<Mapped> extra);
  /// Of the elements of such operands: the visibility, and how many come before
  /// the extra ones.
  Value seen(ValueRange in) { return masked ? in[1] : Value(); }
  unsigned numBeforeExtra() { return masked ? 2 : 1; }

  void emitScores();
  /// Reduces `source` into the statistics of a phase, from `starts` on.
  void reduceStatistics(StatisticPhase phase, Mapped source,
                        ArrayRef<Mapped> starts);
  void emitWeights();
  /// The weights after `finish`, if they are, and the weight region.
  void emitFinalWeights(bool finished);
  /// Adds the weighted values to `start`.
  Mapped emitOutput(Mapped start);
  /// The state carried over to the score statistics of this step.
  Mapped rescale(Mapped state, ArrayRef<Mapped> from);
  /// Rounds `source` once into a result.
  Value store(Mapped source, Value target, AffineMap map);
  SmallVector<Value> runGeneric(GenericOp generic);
  SmallVector<Value> runOnline(OnlineOp online);

  OpBuilder &b;
  Location loc;
  AttentionOpInterface op;
  DimensionClasses classes;
  FloatType accType;
  AccumulateWeightingAttrInterface weighting;
  bool masked;
  SmallVector<OpFoldResult> extents;
  /// The dimensions of the op that the current `linalg.generic` has.
  SmallVector<unsigned> currentDims;

  AffineMap pairs, rows;
  /// The inputs as regions over pairs see them.
  SmallVector<Mapped> pairInputs, weightingOperands;
  Mapped scores, visible, weights;
  SmallVector<Mapped> statistics;
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
  if (value)
    return {createFilledTensor(b, loc, shape, element, *value), map};
  return {tensor::EmptyOp::create(b, loc, shape, element), map};
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
          elements.push_back(convertFloat(b, loc, element, accType));
        linalg::YieldOp::create(
            b, loc, body(elements, arguments.drop_front(inputs.size())));
      });
  SmallVector<Mapped> results;
  for (auto [init, result] : llvm::zip_equal(inits, generic.getResults()))
    results.push_back({result, init.map});
  return results;
}

Value AttentionDecomposer::inlineInBody(Region &region, ValueRange arguments) {
  auto position = [&](IndexOp index) -> Value {
    // At the top of the body: the lowering to loops looks nowhere else.
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.getInsertionBlock();
    while (auto guarded = dyn_cast_or_null<scf::IfOp>(body->getParentOp()))
      body = guarded->getBlock();
    b.setInsertionPointToStart(body);
    auto *position = llvm::find(currentDims, index.getDim());
    return linalg::IndexOp::create(b, loc, position - currentDims.begin());
  };
  return inlineRegion(b, region, arguments, position,
                      /*guardDivisions=*/true)[0];
}

Value AttentionDecomposer::inlineVisible(Region &region, Value visible,
                                         Value element, ValueRange inputs) {
  if (region.empty())
    return element;
  auto inlined = [&] {
    SmallVector<Value> arguments{element};
    llvm::append_range(arguments, inputs);
    return inlineInBody(region, arguments);
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

SmallVector<AttentionDecomposer::Mapped>
AttentionDecomposer::withVisible(Mapped pair, ArrayRef<Mapped> extra) {
  SmallVector<Mapped> list{pair};
  if (masked)
    list.push_back(visible);
  llvm::append_range(list, extra);
  return list;
}

void AttentionDecomposer::emitScores() {
  SmallVector<Mapped> inputs;
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
  scores = emit(
      operands, init(pairs, accType, 0.0), [&](ValueRange in, ValueRange out) {
        Value term =
            op.getSimilarity().empty()
                ? arith::MulFOp::create(b, loc, in[0], in[1]).getResult()
                : inlineInBody(op.getSimilarity(), in);
        return SmallVector<Value>{arith::AddFOp::create(b, loc, out[0], term)};
      })[0];

  // Score and visibility.
  operands = {scores};
  llvm::append_range(operands, pairInputs);
  SmallVector<Mapped> inits{init(pairs, accType)};
  if (masked)
    inits.push_back(init(pairs, b.getI1Type()));
  SmallVector<Mapped> scored =
      emit(operands, inits, [&](ValueRange in, ValueRange) {
        Value seen;
        if (masked)
          seen = inlineInBody(op.getMask(), in.drop_front());
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
}

void AttentionDecomposer::reduceStatistics(StatisticPhase phase, Mapped source,
                                           ArrayRef<Mapped> starts) {
  for (auto [position, statistic] :
       llvm::enumerate(weighting.getStatistics())) {
    unsigned i = position;
    if (statistic.phase != phase)
      continue;
    statistics.push_back(emit(
        withVisible(source, {}), starts[i], [&](ValueRange in, ValueRange out) {
          Value combined = weighting.combine(b, loc, i, out[0], in[0]);
          if (masked)
            combined = select(seen(in), combined, out[0]);
          return SmallVector<Value>{combined};
        })[0]);
  }
}

/// Measured against the score statistics, which are all there are so far.
void AttentionDecomposer::emitWeights() {
  SmallVector<Mapped> rowOperands(statistics);
  unsigned numScoreStatistics = statistics.size();
  llvm::append_range(rowOperands, weightingOperands);
  weights = emit(withVisible(scores, rowOperands), init(pairs, accType),
                 [&](ValueRange in, ValueRange) {
                   ValueRange rest = in.drop_front(numBeforeExtra());
                   Value weight = weighting.weight(
                       b, loc, in[0], rest.take_front(numScoreStatistics),
                       rest.drop_front(numScoreStatistics), /*scale=*/Value());
                   if (masked)
                     weight = select(seen(in), weight, zero());
                   return SmallVector<Value>{weight};
                 })[0];
}

void AttentionDecomposer::emitFinalWeights(bool finished) {
  if (!finished && op.getWeight().empty())
    return;
  SmallVector<Mapped> rowOperands;
  Value numKeys;
  if (finished) {
    numKeys = createNumKeys(b, op, extents);
    numKeys = arith::IndexCastOp::create(b, loc, b.getI64Type(), numKeys);
    numKeys = arith::SIToFPOp::create(b, loc, accType, numKeys);
    rowOperands = statistics;
    llvm::append_range(rowOperands, weightingOperands);
  }
  SmallVector<Mapped> operands(rowOperands);
  llvm::append_range(operands, pairInputs);
  weights = emit(
      withVisible(weights, operands), init(pairs, accType),
      [&](ValueRange in, ValueRange) {
        ValueRange rest = in.drop_front(numBeforeExtra());
        Value weight = in[0];
        SmallVector<Value> factors;
        if (finished)
          factors = weighting.finish(
              b, loc, rest.take_front(statistics.size()),
              rest.slice(statistics.size(), weightingOperands.size()), numKeys,
              /*scale=*/Value());
        for (Value factor : factors)
          weight = arith::MulFOp::create(b, loc, weight, factor);
        if (!factors.empty() && masked)
          weight = select(seen(in), weight, zero());
        return SmallVector<Value>{
            inlineVisible(op.getWeight(), seen(in), weight,
                          rest.drop_front(rowOperands.size()))};
      })[0];
}

AttentionDecomposer::Mapped AttentionDecomposer::emitOutput(Mapped start) {
  Mapped value{op.getValue(), op.getIndexingMap(2)};
  return emit(
      withVisible(weights, value), start, [&](ValueRange in, ValueRange out) {
        Value term = arith::MulFOp::create(b, loc, in[0], in[numBeforeExtra()]);
        if (masked)
          term = select(seen(in), term, zero());
        return SmallVector<Value>{arith::AddFOp::create(b, loc, out[0], term)};
      })[0];
}

/// In place: the state is an init, not an input.
AttentionDecomposer::Mapped
AttentionDecomposer::rescale(Mapped state, ArrayRef<Mapped> from) {
  unsigned numScore = from.size();
  SmallVector<Mapped> operands(from);
  llvm::append_range(operands, ArrayRef(statistics).take_front(numScore));
  return emit(operands, state, [&](ValueRange in, ValueRange out) {
    Value scaled = out[0];
    if (Value factor = weighting.rescale(b, loc, in.take_front(numScore),
                                         in.drop_front(numScore),
                                         /*scale=*/Value()))
      scaled = arith::MulFOp::create(b, loc, scaled, factor);
    return SmallVector<Value>{scaled};
  })[0];
}

Value AttentionDecomposer::store(Mapped source, Value target, AffineMap map) {
  auto element = cast<FloatType>(getElementTypeOrSelf(target.getType()));
  return emit(source, Mapped{target, map},
              [&](ValueRange in, ValueRange) {
                return SmallVector<Value>{convertFloat(b, loc, in[0], element)};
              })[0]
      .value;
}

SmallVector<Value> AttentionDecomposer::runGeneric(GenericOp generic) {
  SmallVector<Mapped> neutral;
  for (const Statistic &statistic : weighting.getStatistics())
    neutral.push_back(init(rows, accType, statistic.neutral));
  emitScores();
  reduceStatistics(StatisticPhase::Score, scores, neutral);
  emitWeights();
  reduceStatistics(StatisticPhase::Weight, weights, neutral);
  emitFinalWeights(/*finished=*/true);

  unsigned next = op.getOutputIndex();
  AffineMap outputMap = op.getIndexingMap(next++);
  Mapped output = emitOutput(init(outputMap, accType, 0.0));
  SmallVector<Value> results{store(output, generic.getOutput(), outputMap)};
  if (generic.getLse()) {
    SmallVector<Mapped> rowOperands(statistics);
    llvm::append_range(rowOperands, weightingOperands);
    Mapped lse =
        emit(rowOperands, init(rows, accType), [&](ValueRange in, ValueRange) {
          return SmallVector<Value>{
              weighting.logSumExp(b, loc, in.take_front(statistics.size()),
                                  in.drop_front(statistics.size()),
                                  /*scale=*/Value())};
        })[0];
    results.push_back(store(lse, generic.getLse(), op.getIndexingMap(next++)));
  }
  if (generic.getWeights())
    results.push_back(
        store(weights, generic.getWeights(), op.getIndexingMap(next)));
  return results;
}

SmallVector<Value> AttentionDecomposer::runOnline(OnlineOp online) {
  unsigned next = op.getOutputIndex();
  Mapped accumulator{online.getAccumulator(), op.getIndexingMap(next++)};
  SmallVector<Mapped> before, scoresBefore;
  for (auto [statistic, value] :
       llvm::zip_equal(weighting.getStatistics(), online.getStatistics())) {
    before.push_back({value, op.getIndexingMap(next++)});
    if (statistic.phase == StatisticPhase::Score)
      scoresBefore.push_back(before.back());
  }
  emitScores();
  reduceStatistics(StatisticPhase::Score, scores, before);
  emitWeights();
  if (!scoresBefore.empty()) {
    for (Mapped &statistic : llvm::drop_begin(before, scoresBefore.size()))
      statistic = rescale(statistic, scoresBefore);
    accumulator = rescale(accumulator, scoresBefore);
  }
  reduceStatistics(StatisticPhase::Weight, weights, before);
  emitFinalWeights(/*finished=*/false);
  SmallVector<Value> results{emitOutput(accumulator).value};
  for (const Mapped &statistic : statistics)
    results.push_back(statistic.value);
  return results;
}

SmallVector<Value> AttentionDecomposer::run() {
  extents = getExtents(b, op);
  pairs = span({Class::Batch, Class::QueryRow, Class::KeyRow});
  rows = span({Class::Batch, Class::QueryRow});
  unsigned first = op.getWeightingIndex();
  for (auto [i, operand] : llvm::enumerate(op.getWeightingOperands()))
    weightingOperands.push_back({operand, op.getIndexingMap(first + i)});
  if (auto online = dyn_cast<OnlineOp>(op.getOperation()))
    return runOnline(online);
  return runGeneric(cast<GenericOp>(op.getOperation()));
}

FailureOr<SmallVector<Value>> decomposeAttention(OpBuilder &b,
                                                 AttentionOpInterface op) {
  if (!isa<RankedTensorType>(op.getQuery().getType()))
    return op.emitOpError("cannot be lowered on memrefs: use tensors");
  if (op.getWeighting().getWeightingKind() != WeightingKind::Accumulate)
    return op.emitOpError("cannot be lowered: ")
           << op.getWeighting() << " is not of kind accumulate";
  auto online = dyn_cast<OnlineOp>(op.getOperation());
  bool hasLists =
      cast<BlockListOpInterface>(op.getOperation()).getBlocksAttr() != nullptr;
  if (online &&
      (online.getLayout() || online.getRows() || online.getCountTiles()))
    return op.emitOpError("cannot be lowered to linalg: it is a tile of the "
                          "kernel, with a layout, rows or count_tiles");
  OpBuilder::InsertionGuard guard(b);
  if (getRaggedDims(op) && !hasLists) {
    auto [results, part] = splitRequests(b, cast<GenericOp>(op.getOperation()));
    FailureOr<SmallVector<Value>> decomposed = decomposeAttention(b, part);
    if (failed(decomposed))
      return failure();
    part->replaceAllUsesWith(*decomposed);
    part->erase();
    return results;
  }
  if (hasLists) {
    SplitList split = splitLists(b, op);
    for (AttentionOpInterface step : split.steps) {
      FailureOr<SmallVector<Value>> parts = decomposeAttention(b, step);
      if (failed(parts))
        return failure();
      step->replaceAllUsesWith(*parts);
      step->erase();
    }
    if (split.finish) {
      FailureOr<SmallVector<Value>> parts = decomposeFinish(b, split.finish);
      if (failed(parts))
        return failure();
      split.finish->replaceAllUsesWith(*parts);
      split.finish->erase();
    }
    return split.results;
  }
  b.setInsertionPoint(op);
  return AttentionDecomposer(b, op).run();
}

namespace {

struct DecomposeAttentionPass final
    : impl::DecomposeAttentionPassBase<DecomposeAttentionPass> {
  void runOnOperation() override {
    SmallVector<linalg::AggregatedOpInterface> ops;
    getOperation()->walk([&](linalg::AggregatedOpInterface op) {
      // What carries a layout is a tile of the kernel, or has one of its own.
      if (isa<AttnDialect>(op->getDialect()) && !op->hasAttr("layout") &&
          !op->hasAttr(GPUKernelAttr::getAttributeName()))
        ops.push_back(op);
    });
    IRRewriter rewriter(&getContext());
    for (linalg::AggregatedOpInterface op : ops) {
      FailureOr<SmallVector<Value>> results = op.decomposeOperation(rewriter);
      if (failed(results))
        return signalPassFailure();
      rewriter.replaceOp(op, *results);
    }
  }
};

} // namespace
} // namespace attn
