//===- AttentionRows.cpp - Scores of one query row at a time ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"

#include "llvm/ADT/STLExtras.h"

#include <cmath>

using namespace mlir;

namespace attn {
namespace reference {

//===----------------------------------------------------------------------===//
// Points and operands
//===----------------------------------------------------------------------===//

Points::Points(ArrayRef<unsigned> dims, ArrayRef<int64_t> extentOfDim)
    : dims(dims) {
  for (unsigned dim : dims)
    extents.push_back(extentOfDim[dim]);
  count = getVolume(extents);
}

void Points::locate(int64_t index,
                    llvm::MutableArrayRef<int64_t> position) const {
  for (size_t i = dims.size(); i-- > 0;) {
    position[dims[i]] = index % extents[i] + (origin.empty() ? 0 : origin[i]);
    index /= extents[i];
  }
}

std::vector<int64_t> Points::getOffsets(ArrayRef<int64_t> strideOfDim) const {
  std::vector<int64_t> offsets;
  offsets.reserve(count);
  SmallVector<int64_t> index(dims.size(), 0);
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    for (size_t d = 0; d < dims.size(); ++d)
      offset += index[d] * strideOfDim[dims[d]];
    offsets.push_back(offset);
    advance(extents, index);
  }
  return offsets;
}

int64_t AttentionOperand::getOffset(ArrayRef<int64_t> position,
                                    const Points &batch,
                                    const Points &rows) const {
  int64_t offset = 0;
  for (unsigned dim : batch.dims)
    offset += position[dim] * strides[dim];
  for (unsigned dim : rows.dims)
    offset += position[dim] * strides[dim];
  return offset;
}

Expected<SmallVector<int64_t>>
mapStrides(Operation *op, AffineMap map, const Tensor &tensor,
           llvm::MutableArrayRef<int64_t> extents, bool mayExceed) {
  SmallVector<int64_t> strides(extents.size(), 0);
  SmallVector<int64_t> unit = getStrides(tensor.shape);
  if (map.getNumResults() != tensor.shape.size() ||
      map.getNumDims() != extents.size() || !map.isProjectedPermutation())
    return makeUnsupported(op, "expected maps that fit the operands");
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    int64_t extent = tensor.shape[i];
    if (extents[dim] < 0)
      extents[dim] = extent;
    else if (mayExceed ? extent < extents[dim] : extent != extents[dim])
      return makeError(op->getLoc(),
                       "'" + op->getName().getStringRef() +
                           "' operands disagree on the extent of dimension d" +
                           llvm::Twine(dim) + ": " + llvm::Twine(extents[dim]) +
                           " and " + llvm::Twine(extent));
    strides[dim] = unit[i];
  }
  return strides;
}

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

/// The most points of one dimension class.
static constexpr int64_t maxPoints = int64_t(1) << 31;

static double getSimilarityUnits(AttentionOpInterface op,
                                 const Rounding &rounding) {
  double unit = rounding.unit;
  op.getSimilarity().walk([&](Operation *nested) {
    for (Type type : nested->getResultTypes())
      if (auto floatType = dyn_cast<FloatType>(type))
        unit = std::max(unit, Rounding(floatType).unit);
  });
  return unit / rounding.unit;
}

/// Whether operand `index` is where a replay stores elements of pairs.
static bool isStoredInit(AttentionOpInterface op, unsigned index) {
  auto replay = dyn_cast<ReplayOp>(op.getOperation());
  return replay && index >= replay.getOutputIndex() &&
         replay.getTarget(index - replay.getOutputIndex()) ==
             ReplayTarget::stored;
}

Expected<AttentionRows> AttentionRows::create(AttentionOpInterface op,
                                              ArrayRef<RuntimeValue> mapped,
                                              const Environment &env,
                                              std::optional<int64_t> request) {
  AttentionRows result(op);
  result.numInputs = op.getInputs().size();
  result.firstInput = op.getFirstInputIndex();
  result.firstInit = op.getOutputIndex();
  result.scale = op.getScale().convertToDouble();
  result.similarityUnits = getSimilarityUnits(op, result.rounding);
  result.inPairs = op.getSimilarity().empty() &&
                   mayMultiplyPairs(op.getQuery(), op.getKey(), op.getValue(),
                                    op.getAccumulationType());
  result.roundsWeights =
      op.getSimilarity().empty() &&
      mayRoundWeights(op.getQuery(), op.getKey(), op.getValue(),
                      op.getAccumulationType());
  unsigned numDims = op.getNumDims();
  if (mapped.size() != op.getIndexingMaps().size() ||
      mapped.size() <= result.firstInit)
    return makeUnsupported(op, "expected one map per operand");

  SmallVector<int64_t> extents(numDims, -1);
  for (auto [index, value] : llvm::enumerate(mapped)) {
    AttentionOperand operand;
    operand.tensor = value.tensor;
    operand.scalar = value.scalar;
    operand.strides.assign(numDims, 0);
    bool isData = index < result.firstInput || index >= result.firstInit;
    if (isData && !value.tensor)
      return makeUnsupported(op, "expected tensors");
    if (value.tensor) {
      // What is stored of a tile has the rows that there are, not room for all.
      SmallVector<int64_t> expected(extents);
      bool isStored = isStoredInit(op, index);
      if (isStored)
        expected[0] = -1;
      // Nor does what goes by the position in a list have a page's rows.
      std::optional<unsigned> listDim;
      for (unsigned i = 0, e = value.tensor->shape.size(); i < e; ++i)
        if (isByPosition(op, index, i)) {
          listDim = op.getIndexingMap(index).getDimPosition(i);
          result.numPlaces =
              std::min(result.numPlaces.value_or(value.tensor->shape[i]),
                       value.tensor->shape[i]);
          expected[*listDim] = -1;
        }
      auto strides =
          mapStrides(op, op.getStoredMap(index), *value.tensor, expected);
      if (!strides)
        return strides.takeError();
      if (isStored)
        expected[0] = extents[0];
      if (listDim)
        expected[*listDim] = extents[*listDim];
      extents = expected;
      operand.strides = std::move(*strides);
      if (request)
        operand.strides[getRaggedDims(op)->request] = 0;
    }
    result.operands.push_back(std::move(operand));
  }
  if (request)
    extents[getRaggedDims(op)->request] = 1;
  // A tile that contracts nothing has no channels.
  if (!op.getValue())
    for (unsigned dim : op.getDimensionClasses().channels)
      extents[dim] = 0;
  if (llvm::is_contained(extents, -1))
    return makeUnsupported(op, "a dimension has no extent");
  DimensionClasses classes = op.getDimensionClasses();
  if (classes.classes.size() != numDims)
    return makeUnsupported(op, "a dimension has no class");
  result.batch = Points(classes.batch, extents);
  result.rows = Points(classes.queryRows, extents);
  for (Points *points : {&result.batch, &result.rows})
    for (unsigned dim : points->dims)
      points->origin.push_back(
          request && dim == getRaggedDims(op)->request ? *request : 0);
  result.keys = Points(classes.keyRows, extents);
  result.features = Points(classes.features, extents);
  result.channels = Points(classes.channels, extents);
  result.position.assign(numDims, 0);
  // Extents without elements can be anything; tables are kept per point.
  for (const Points *points : {&result.batch, &result.rows, &result.keys,
                               &result.features, &result.channels})
    if (points->count < 0 || points->count > maxPoints)
      return makeUnsupported(op, "more than 2^31 points in a class");

  SmallVector<int64_t> index(result.keys.dims.size(), 0);
  for (int64_t j = 0; j < result.keys.count; ++j) {
    llvm::append_range(result.keyPositions, index);
    advance(result.keys.extents, index);
  }
  if (Error error = result.takeLists(env, request))
    return error;
  struct Entry {
    Region &region;
    unsigned numLeading;
    std::optional<RegionProgram> &program;
  };
  Entry entries[] = {{op.getSimilarity(), 2, result.similarity},
                     {op.getMask(), 0, result.mask},
                     {op.getScore(), 1, result.score},
                     {op.getWeight(), 1, result.weight}};
  for (Entry &entry : entries) {
    auto program = result.compile(entry.region, entry.numLeading, env);
    if (!program)
      return program.takeError();
    entry.program = std::move(*program);
  }
  if (auto replay = dyn_cast<ReplayOp>(*op); replay) {
    unsigned numLeading = 2 + replay.getPairs().size() / 2;
    for (unsigned i = 0, e = replay.getInits().size(); i < e; ++i)
      numLeading += replay.getTarget(i) == ReplayTarget::row_state;
    auto program = result.compile(replay.getElement(), numLeading, env,
                                  replay.getInits().size());
    if (!program)
      return program.takeError();
    result.element = std::move(*program);
  }
  return result;
}

Expected<std::optional<RegionProgram>>
AttentionRows::compile(Region &region, unsigned numLeading,
                       const Environment &env, unsigned numYielded) const {
  if (region.empty())
    return std::nullopt;
  Block &body = region.front();
  if (body.getNumArguments() != numLeading + numInputs)
    return makeUnsupported(op, "a region has the wrong number of arguments");
  Expected<ScalarProgram> program = ScalarProgram::compile(body, env);
  if (!program)
    return program.takeError();
  if (program->getNumResults() != numYielded)
    return makeUnsupported(op, "a region yields the wrong number of values");
  RegionProgram result{std::move(*program), {}};
  auto spans = [](const Points &points, const AttentionOperand &operand) {
    return llvm::any_of(
        points.dims, [&](unsigned dim) { return operand.strides[dim] != 0; });
  };
  for (unsigned i = 0; i < numInputs; ++i) {
    if (body.getArgument(numLeading + i).use_empty())
      continue;
    unsigned index = firstInput + i;
    const AttentionOperand &operand = operands[index];
    RegionProgram::Input input{numLeading + i, index, 0, {}, {}};
    if (isByPosition(op, index))
      input.placeStride = operand.strides[keys.dims.back()];
    else if (spans(keys, operand))
      input.keyOffsets = keys.getOffsets(operand.strides);
    if (spans(features, operand))
      input.featureOffsets = features.getOffsets(operand.strides);
    result.inputs.push_back(std::move(input));
  }
  return std::optional<RegionProgram>(std::move(result));
}

bool AttentionRows::maskDependsOn(unsigned dim) const {
  if (lists && lists->blocks.dependsOn(dim))
    return true;
  if (!mask)
    return false;
  AttentionOpInterface attention = op;
  for (const RegionProgram::Input &input : mask->inputs)
    if (attention.getIndexingMap(input.operand).isFunctionOfDim(dim))
      return true;
  bool reads = false;
  attention.getMask().walk(
      [&](IndexOp index) { reads |= index.getDim() == dim; });
  return reads;
}

//===----------------------------------------------------------------------===//
// Walking
//===----------------------------------------------------------------------===//

void AttentionRows::beginBatch(int64_t index) {
  batch.locate(index, position);
  auto gather = [&](const AttentionOperand &operand, const Points &inner,
                    std::vector<double> &out) {
    std::vector<int64_t> outerOffsets = keys.getOffsets(operand.strides);
    std::vector<int64_t> innerOffsets = inner.getOffsets(operand.strides);
    int64_t base = operand.getOffset(position, batch, Points());
    out.resize(keys.count * inner.count);
    double *next = out.data();
    const Cell *cells = operand.tensor->cells.data();
    for (int64_t outer : outerOffsets)
      for (int64_t offset : innerOffsets)
        *next++ = cells[base + outer + offset].f;
  };
  gather(operands[1], features, keyRows);
  if (op.getValue())
    gather(operands[2], channels, valueRows);
}

void AttentionRows::beginRow(int64_t index) {
  rows.locate(index, position);
  const AttentionOperand &query = operands[0];
  int64_t base = query.getOffset(position, batch, rows);
  queryRow.clear();
  if (keys.count > 0)
    for (int64_t offset : features.getOffsets(query.strides))
      queryRow.push_back(query.tensor->cells[base + offset].f);
  weightingOperands.clear();
  unsigned first = op.getWeightingIndex();
  for (unsigned i = 0, e = op.getWeightingOperands().size(); i < e; ++i) {
    const AttentionOperand &operand = operands[first + i];
    int64_t offset = operand.getOffset(position, batch, rows);
    weightingOperands.push_back(
        (operand.tensor ? operand.tensor->cells[offset] : operand.scalar).f);
  }
  for (auto *region : {&similarity, &mask, &score, &weight, &element})
    beginRow(*region);
}

/// Inputs that do not depend on the key are loaded once per row.
void AttentionRows::beginRow(std::optional<RegionProgram> &region) {
  if (!region)
    return;
  for (RegionProgram::Input &input : region->inputs) {
    const AttentionOperand &operand = operands[input.operand];
    input.base = operand.getOffset(position, batch, rows);
    if (!operand.tensor)
      region->program.argument(input.argument) = operand.scalar;
    else if (operand.tensor->size() != 0 && input.keyOffsets.empty() &&
             !input.placeStride && input.featureOffsets.empty())
      region->program.argument(input.argument) =
          operand.tensor->cells[input.base];
  }
}

void AttentionRows::loadInputs(RegionProgram &region, int64_t key) const {
  for (const RegionProgram::Input &input : region.inputs)
    if ((input.placeStride || !input.keyOffsets.empty()) &&
        input.featureOffsets.empty())
      region.program.argument(input.argument) =
          operands[input.operand]
              .tensor->cells[input.base + getKeyOffset(input, key)];
}

void AttentionRows::locateKey(int64_t key, int64_t place) {
  for (size_t d = 0, e = keys.dims.size(); d < e; ++d)
    position[keys.dims[d]] = keyPositions[key * e + d];
  if (isPaged())
    position[keys.dims.back()] = place;
}

Expected<bool> AttentionRows::isVisible(int64_t key) {
  if (!mask)
    return true;
  loadInputs(*mask, key);
  if (!mask->program.run(position.data()))
    return mask->program.takeError();
  return (mask->program.result().i & 1) != 0;
}

/// The dot product and the sum of its terms' sizes, in four partial sums so
/// that additions need not wait for each other.
static void computeDotProduct(const double *q, const double *k, int64_t count,
                              double &sum, double &magnitude) {
  double sums[4] = {0, 0, 0, 0}, sizes[4] = {0, 0, 0, 0};
  int64_t d = 0;
  for (; d + 4 <= count; d += 4)
    for (int lane = 0; lane < 4; ++lane) {
      double product = q[d + lane] * k[d + lane];
      sums[lane] += product;
      sizes[lane] += std::fabs(product);
    }
  for (; d < count; ++d) {
    sums[0] += q[d] * k[d];
    sizes[0] += std::fabs(q[d] * k[d]);
  }
  sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  magnitude = (sizes[0] + sizes[1]) + (sizes[2] + sizes[3]);
}

Expected<Estimate> AttentionRows::computeSimilarity(int64_t key) {
  const double *q = queryRow.data();
  const double *k = keyRows.data() + key * features.count;
  double sum = 0, magnitude = 0;
  if (!similarity) {
    computeDotProduct(q, k, features.count, sum, magnitude);
    Estimate result = rounding.sum(sum, magnitude, features.count);
    if (inPairs)
      result.error += rounding.boundFlushed(ArrayRef(q, features.count),
                                            ArrayRef(k, features.count), scale);
    return result;
  }
  loadInputs(*similarity, key);
  ScalarProgram &program = similarity->program;
  for (int64_t d = 0; d < features.count; ++d) {
    program.argument(0).f = q[d];
    program.argument(1).f = k[d];
    for (const RegionProgram::Input &input : similarity->inputs)
      if (!input.featureOffsets.empty())
        program.argument(input.argument) =
            operands[input.operand]
                .tensor->cells[input.base + input.featureOffsets[d] +
                               getKeyOffset(input, key)];
    if (!program.run(position.data()))
      return program.takeError();
    sum += program.result().f;
    magnitude += std::fabs(program.result().f);
  }
  // The terms' own roundings, a few each.
  Estimate result = rounding.sum(sum, magnitude, features.count);
  result.error =
      similarityUnits * (result.error + 8 * rounding.unit * magnitude);
  return result;
}

Expected<Estimate> AttentionRows::computeScore(int64_t key, Estimate scaled) {
  if (!score)
    return scaled;
  loadInputs(*score, key);
  ScalarProgram &program = score->program;
  program.argument(0).f = scaled.value;
  program.argumentError(0) = scaled.error;
  if (!program.runEstimating(position.data()))
    return program.takeError();
  return Estimate{program.result().f, program.resultError()};
}

Error AttentionRows::computeScores() {
  visible.clear();
  scores.clear();
  scoreErrors.clear();
  places.clear();
  if (Error error = readList())
    return error;
  for (int64_t place = 0, e = countPlaces(); place < e; ++place) {
    int64_t key = getKeyAt(place);
    locateKey(key, place);
    Expected<bool> isSeen = isVisible(key);
    if (!isSeen)
      return isSeen.takeError();
    if (!*isSeen)
      continue;
    Expected<Estimate> sum = computeSimilarity(key);
    if (!sum)
      return sum.takeError();
    Expected<Estimate> value =
        computeScore(key, {scale * sum->value, std::fabs(scale) * sum->error});
    if (!value)
      return value.takeError();
    visible.push_back(key);
    places.push_back(place);
    scores.push_back(value->value);
    scoreErrors.push_back(value->error);
  }
  return Error::success();
}

Error AttentionRows::countVisible(int64_t &count) {
  if (Error error = readList())
    return error;
  for (int64_t place = 0, e = countPlaces(); place < e; ++place) {
    int64_t key = getKeyAt(place);
    locateKey(key, place);
    Expected<bool> isSeen = isVisible(key);
    if (!isSeen)
      return isSeen.takeError();
    count += *isSeen;
  }
  return Error::success();
}

Error AttentionRows::applyWeightRegion(llvm::MutableArrayRef<double> weights) {
  if (!weight)
    return Error::success();
  for (auto [index, key] : llvm::enumerate(visible)) {
    locateKey(key, places[index]);
    loadInputs(*weight, key);
    weight->program.argument(0).f = weights[index];
    if (!weight->program.run(position.data()))
      return weight->program.takeError();
    weights[index] = weight->program.result().f;
  }
  return Error::success();
}

Error AttentionRows::evaluateElement(int64_t key, ArrayRef<double> leading,
                                     llvm::MutableArrayRef<double> yielded) {
  locateKey(key, key);
  loadInputs(*element, key);
  for (auto [index, value] : llvm::enumerate(leading))
    element->program.argument(index).f = value;
  if (!element->program.run(position.data()))
    return element->program.takeError();
  for (auto [index, value] : llvm::enumerate(yielded))
    value = element->program.result(index).f;
  return Error::success();
}

Error AttentionRows::tracePair(int64_t place, double &sum, double &scaledScore,
                               bool &isSeen, std::optional<double> &value) {
  if (Error error = readList())
    return error;
  if (isPaged() && place >= countPlaces())
    return makeError(op.getLoc(), "position " + llvm::Twine(place) +
                                      " is outside a list of " +
                                      llvm::Twine(countPlaces()) + " keys");
  int64_t key = isPaged() ? getKeyAt(place) : place;
  locateKey(key, place);
  Expected<Estimate> similarity = computeSimilarity(key);
  if (!similarity)
    return similarity.takeError();
  sum = similarity->value;
  scaledScore = scale * sum;
  Expected<bool> seen = isVisible(key);
  if (!seen)
    return seen.takeError();
  isSeen = *seen && (!lists || isPaged() || llvm::is_contained(listed, key));
  if (!isSeen)
    return Error::success();
  Expected<Estimate> computed = computeScore(key, {scaledScore, 0});
  if (!computed)
    return computed.takeError();
  value = computed->value;
  return Error::success();
}

RowChoices AttentionRows::listChoices() {
  return RowChoices::list(op.getWeighting(), scores, scoreErrors,
                          weightingOperands, countKeys(), rounding);
}

Error AttentionRows::weigh(const RowChoices &choices, size_t number,
                           std::vector<double> &weights, double &logSumExp,
                           WeightBounds &bounds) {
  const RowChoice &choice = choices.choices[number];
  weights = scores;
  logSumExp = choice(weights);
  std::vector<double> unweighted = weights;
  if (Error error = applyWeightRegion(weights))
    return error;
  WeightedRow row;
  row.evaluate = choice;
  row.scores = scores;
  row.scoreErrors = scoreErrors;
  row.unweighted = unweighted;
  row.weights = weights;
  row.slack = choices.slack;
  row.logSumExp = logSumExp;
  auto apply = [&](llvm::MutableArrayRef<double> moved) {
    return applyWeightRegion(moved);
  };
  return bounds.compute(row, weight ? WeightRegion(apply) : WeightRegion(),
                        rounding);
}

void AttentionRows::accumulate(ArrayRef<double> weights,
                               const WeightBounds &bounds,
                               WeightedSums &sums) const {
  auto getRow = [&](size_t index) {
    return ArrayRef(valueRows).slice(visible[index] * channels.count,
                                     channels.count);
  };
  for (size_t index = 0; index < visible.size(); ++index)
    sums.add(weights[index], bounds.sizes[index], bounds.errors[index],
             getRow(index));
  if (inPairs || roundsWeights)
    sums.addWeightErrors(weights, inPairs, getRow);
}

} // namespace reference
} // namespace attn
