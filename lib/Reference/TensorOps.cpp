//===- TensorOps.cpp - The tensor dialect -----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Interpreter.h"

#include "ScalarProgram.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;

namespace attn {
namespace reference {
namespace {

using Result = Expected<RuntimeValues>;

/// One op at a time.
class TensorOps {
public:
  TensorOps(Operation *op, const Environment &env)
      : op(op), loc(op->getLoc()), env(env) {}

  Result empty(tensor::EmptyOp);
  Result reshape(ArrayRef<int64_t> shape);
  Result expand(tensor::ExpandShapeOp);
  Result collapse(tensor::CollapseShapeOp);
  Result extractSlice(tensor::ExtractSliceOp);
  Result insertSlice(tensor::InsertSliceOp);
  Result insert(tensor::InsertOp);
  Result fromElements();
  Result splat(tensor::SplatOp);
  Result concat(tensor::ConcatOp);
  Result pad(tensor::PadOp);

private:
  const RuntimeValue &get(Value value) const {
    static const RuntimeValue none;
    auto found = env.find(value);
    return found == env.end() ? none : found->second;
  }
  TensorRef source(unsigned operand = 0) const {
    return get(op->getOperand(operand)).tensor;
  }
  SmallVector<int64_t> getIndices(ArrayRef<OpFoldResult> values) const {
    SmallVector<int64_t> indices;
    for (OpFoldResult value : values) {
      if (std::optional<int64_t> constant = getConstantIntValue(value))
        indices.push_back(*constant);
      else
        indices.push_back(get(dyn_cast<Value>(value)).scalar.i);
    }
    return indices;
  }
  SmallVector<int64_t> getIndices(ValueRange values) const {
    SmallVector<int64_t> indices;
    for (Value value : values)
      indices.push_back(get(value).scalar.i);
    return indices;
  }
  Expected<std::shared_ptr<Tensor>> create(ArrayRef<int64_t> shape) const {
    return createTensor(loc, shape,
                        getElementTypeOrSelf(op->getResult(0).getType()), true);
  }
  static Result wrap(TensorRef tensor) {
    RuntimeValue value;
    value.tensor = std::move(tensor);
    return RuntimeValues{value};
  }
  Error checkSlice(const Tensor &tensor, ArrayRef<int64_t> offsets,
                   ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides) const;

  Operation *op;
  Location loc;
  const Environment &env;
};

/// Copies element `from` of a source to element `to`, with its bounds, for
/// which the destination must have room if the source has them.
void copyElement(const Tensor &source, int64_t from, Tensor &destination,
                 int64_t to) {
  destination.cells[to] = source.cells[from];
  if (!destination.flushed.empty())
    destination.flushed[to] = source.flushed.empty() ? 0 : source.flushed[from];
  if (!destination.hasBounds())
    return;
  if (!destination.alternatives.empty())
    destination.alternatives[to] =
        source.alternatives.empty() ? -1 : source.alternatives[from];
  destination.magnitude[to] = source.hasBounds() ? source.magnitude[from] : 0;
  destination.error[to] = source.hasBounds() ? source.error[from] : 0;
}

/// Gives `destination`, all of which comes from `sources`, their bounds: none
/// unless each source has them or is exact.
void inheritBounds(Tensor &destination, ArrayRef<const Tensor *> sources) {
  destination.exact = true;
  bool anyBounds = false, allKnown = true, anyAlternatives = false;
  for (const Tensor *source : sources) {
    destination.exact &= source->exact;
    anyBounds |= source->hasBounds();
    anyAlternatives |= !source->alternatives.empty();
    if (!source->flushed.empty())
      destination.flushed.assign(destination.size(), 0);
    allKnown &= source->hasBounds() || source->exact || source->size() == 0;
  }
  if (anyBounds && allKnown) {
    destination.magnitude.assign(destination.size(), 0);
    destination.error.assign(destination.size(), 0);
    if (anyAlternatives)
      destination.alternatives.assign(destination.size(), -1);
  }
}

} // namespace

Result TensorOps::empty(tensor::EmptyOp emptyOp) {
  auto tensor = create(getIndices(emptyOp.getMixedSizes()));
  if (!tensor)
    return tensor.takeError();
  (*tensor)->exact = true;
  return wrap(std::move(*tensor));
}

/// The same elements in another shape.
Result TensorOps::reshape(ArrayRef<int64_t> shape) {
  TensorRef from = source();
  auto checked = create(shape);
  if (!checked)
    return checked.takeError();
  if ((*checked)->size() != from->size())
    return makeError(loc, "'" + op->getName().getStringRef() +
                              "' expected as many elements in " +
                              formatShape(shape) + " as in " +
                              formatShape(from->shape));
  auto result = std::make_shared<Tensor>(*from);
  result->shape.assign(shape.begin(), shape.end());
  return wrap(std::move(result));
}

Result TensorOps::expand(tensor::ExpandShapeOp expandOp) {
  SmallVector<int64_t> shape = getIndices(expandOp.getMixedOutputShape());
  TensorRef from = source();
  for (auto [dim, group] :
       llvm::enumerate(expandOp.getReassociationIndices())) {
    SmallVector<int64_t> split;
    for (int64_t position : group)
      split.push_back(shape[position]);
    if (getVolume(split) != from->shape[dim])
      return makeError(loc, "'tensor.expand_shape' cannot expand " +
                                formatShape(from->shape) + " to " +
                                formatShape(shape));
  }
  return reshape(shape);
}

Result TensorOps::collapse(tensor::CollapseShapeOp collapseOp) {
  SmallVector<int64_t> shape;
  for (const auto &group : collapseOp.getReassociationIndices()) {
    SmallVector<int64_t> joined;
    for (int64_t position : group)
      joined.push_back(source()->shape[position]);
    shape.push_back(getVolume(joined));
  }
  return reshape(shape);
}

Error TensorOps::checkSlice(const Tensor &tensor, ArrayRef<int64_t> offsets,
                            ArrayRef<int64_t> sizes,
                            ArrayRef<int64_t> strides) const {
  for (auto [offset, size, stride, extent] :
       llvm::zip_equal(offsets, sizes, strides, tensor.shape)) {
    bool fits = offset >= 0 && size >= 0 && size <= extent && offset <= extent;
    if (fits && size > 0) {
      std::optional<int64_t> span = llvm::checkedMul(size - 1, stride);
      fits = span && *span < extent && *span > -extent &&
             offset + *span >= 0 && offset + *span < extent && offset < extent;
    }
    if (!fits)
      return makeError(loc, "'" + op->getName().getStringRef() +
                                "' out of bounds: offset " +
                                llvm::Twine(offset) + ", size " +
                                llvm::Twine(size) + " and stride " +
                                llvm::Twine(stride) +
                                " of a dimension of extent " +
                                llvm::Twine(extent));
  }
  return Error::success();
}

/// Calls `visit` with the position of each element of a slice, in order.
template <typename Visit>
static void visitSlice(ArrayRef<int64_t> shape, ArrayRef<int64_t> offsets,
                       ArrayRef<int64_t> sizes, ArrayRef<int64_t> strides,
                       Visit visit) {
  if (getVolume(sizes) == 0)
    return;
  SmallVector<int64_t> index(sizes.size(), 0), unit = getStrides(shape);
  do {
    int64_t position = 0;
    for (size_t d = 0; d < index.size(); ++d)
      position += (offsets[d] + index[d] * strides[d]) * unit[d];
    visit(position);
  } while (advance(sizes, index));
}

Result TensorOps::extractSlice(tensor::ExtractSliceOp sliceOp) {
  TensorRef from = source();
  SmallVector<int64_t> offsets = getIndices(sliceOp.getMixedOffsets());
  SmallVector<int64_t> sizes = getIndices(sliceOp.getMixedSizes());
  SmallVector<int64_t> strides = getIndices(sliceOp.getMixedStrides());
  if (Error error = checkSlice(*from, offsets, sizes, strides))
    return error;
  llvm::SmallBitVector dropped = sliceOp.getDroppedDims();
  SmallVector<int64_t> shape;
  for (auto [dim, size] : llvm::enumerate(sizes))
    if (!dropped.test(dim))
      shape.push_back(size);
  auto result = create(shape);
  if (!result)
    return result.takeError();
  inheritBounds(**result, from.get());
  int64_t next = 0;
  visitSlice(from->shape, offsets, sizes, strides, [&](int64_t position) {
    copyElement(*from, position, **result, next++);
  });
  return wrap(std::move(*result));
}

Result TensorOps::insertSlice(tensor::InsertSliceOp sliceOp) {
  TensorRef from = source(), into = source(1);
  SmallVector<int64_t> offsets = getIndices(sliceOp.getMixedOffsets());
  SmallVector<int64_t> sizes = getIndices(sliceOp.getMixedSizes());
  SmallVector<int64_t> strides = getIndices(sliceOp.getMixedStrides());
  if (Error error = checkSlice(*into, offsets, sizes, strides))
    return error;
  if (getVolume(sizes) != from->size())
    return makeError(loc, "'tensor.insert_slice' expected a source of " +
                              formatShape(sizes) + ", but got " +
                              formatShape(from->shape));
  auto result = create(into->shape);
  if (!result)
    return result.takeError();
  if (from->size() == into->size())
    inheritBounds(**result, from.get());
  else
    inheritBounds(**result, {from.get(), into.get()});
  for (int64_t i = 0, e = into->size(); i < e; ++i)
    copyElement(*into, i, **result, i);
  int64_t next = 0;
  visitSlice(into->shape, offsets, sizes, strides, [&](int64_t position) {
    copyElement(*from, next++, **result, position);
  });
  return wrap(std::move(*result));
}

Result TensorOps::insert(tensor::InsertOp insertOp) {
  TensorRef into = source(1);
  SmallVector<int64_t> index = getIndices(insertOp.getIndices());
  int64_t position = 0;
  for (auto [i, extent] : llvm::zip_equal(index, into->shape)) {
    if (i < 0 || i >= extent)
      return makeError(loc, "write out of bounds: index " + llvm::Twine(i) +
                                " of a dimension of extent " +
                                llvm::Twine(extent));
    position = position * extent + i;
  }
  auto result = create(into->shape);
  if (!result)
    return result.takeError();
  (*result)->cells = into->cells;
  (*result)->cells[position] = get(insertOp.getScalar()).scalar;
  return wrap(std::move(*result));
}

Result TensorOps::fromElements() {
  auto result =
      create(cast<RankedTensorType>(op->getResult(0).getType()).getShape());
  if (!result)
    return result.takeError();
  for (auto [cell, operand] :
       llvm::zip_equal((*result)->cells, op->getOperands()))
    cell = get(operand).scalar;
  return wrap(std::move(*result));
}

Result TensorOps::splat(tensor::SplatOp splatOp) {
  SmallVector<int64_t> shape;
  unsigned next = 0;
  for (int64_t extent : splatOp.getType().getShape())
    shape.push_back(ShapedType::isDynamic(extent)
                        ? get(splatOp.getDynamicSizes()[next++]).scalar.i
                        : extent);
  auto result = create(shape);
  if (!result)
    return result.takeError();
  for (Cell &cell : (*result)->cells)
    cell = get(splatOp.getInput()).scalar;
  return wrap(std::move(*result));
}

Result TensorOps::concat(tensor::ConcatOp concatOp) {
  int64_t dim = concatOp.getDim();
  SmallVector<int64_t> shape = source()->shape;
  shape[dim] = 0;
  SmallVector<const Tensor *> sources;
  for (unsigned i = 0, e = op->getNumOperands(); i < e; ++i) {
    TensorRef part = source(i);
    sources.push_back(part.get());
    SmallVector<int64_t> others = part->shape;
    others[dim] = shape[dim];
    if (others != shape)
      return makeError(loc, "'tensor.concat' cannot join " +
                                formatShape(source()->shape) + " and " +
                                formatShape(part->shape));
    shape[dim] += part->shape[dim];
  }
  auto result = create(shape);
  if (!result)
    return result.takeError();
  inheritBounds(**result, sources);
  SmallVector<int64_t> offsets(shape.size(), 0), strides(shape.size(), 1);
  for (const Tensor *part : sources) {
    int64_t next = 0;
    visitSlice(shape, offsets, part->shape, strides, [&](int64_t position) {
      copyElement(*part, next++, **result, position);
    });
    offsets[dim] += part->shape[dim];
  }
  return wrap(std::move(*result));
}

Result TensorOps::pad(tensor::PadOp padOp) {
  TensorRef from = source();
  SmallVector<int64_t> low = getIndices(padOp.getMixedLowPad());
  SmallVector<int64_t> high = getIndices(padOp.getMixedHighPad());
  SmallVector<int64_t> shape = from->shape, strides(shape.size(), 1);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (low[d] < 0 || high[d] < 0 || low[d] > INT32_MAX || high[d] > INT32_MAX)
      return makeUnsupported(op, "expected padding of at least 0");
    shape[d] += low[d] + high[d];
  }
  auto result = create(shape);
  if (!result)
    return result.takeError();
  Expected<ScalarProgram> program =
      ScalarProgram::compile(padOp.getRegion().front(), env);
  if (!program)
    return program.takeError();
  SmallVector<int64_t> index(shape.size(), 0);
  for (Cell &cell : (*result)->cells) {
    for (auto [d, i] : llvm::enumerate(index))
      program->argument(d).i = i;
    if (!program->run(index.data()))
      return program->takeError();
    cell = program->result();
    advance(shape, index);
  }
  int64_t next = 0;
  visitSlice(shape, low, from->shape, strides, [&](int64_t position) {
    (*result)->cells[position] = from->cells[next++];
  });
  return wrap(std::move(*result));
}

Result evaluateTensorOp(Operation *op, const Environment &env) {
  for (Value operand : op->getOperands())
    if (!env.contains(operand) ||
        (isa<ShapedType>(operand.getType()) && !env.lookup(operand).tensor))
      return makeUnsupported(op, "an operand has no value");
  TensorOps ops(op, env);
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([&](tensor::EmptyOp emptyOp) { return ops.empty(emptyOp); })
      .Case([&](tensor::CastOp) -> Result {
        return RuntimeValues{env.lookup(op->getOperand(0))};
      })
      .Case([&](tensor::ExpandShapeOp expandOp) {
        return ops.expand(expandOp);
      })
      .Case([&](tensor::CollapseShapeOp collapseOp) {
        return ops.collapse(collapseOp);
      })
      .Case([&](tensor::ExtractSliceOp sliceOp) {
        return ops.extractSlice(sliceOp);
      })
      .Case([&](tensor::InsertSliceOp sliceOp) {
        return ops.insertSlice(sliceOp);
      })
      .Case([&](tensor::InsertOp insertOp) { return ops.insert(insertOp); })
      .Case([&](tensor::FromElementsOp) { return ops.fromElements(); })
      .Case([&](tensor::SplatOp splatOp) { return ops.splat(splatOp); })
      .Case([&](tensor::ConcatOp concatOp) { return ops.concat(concatOp); })
      .Case([&](tensor::PadOp padOp) { return ops.pad(padOp); })
      .Default([](Operation *) -> Result { return RuntimeValues(); });
}

} // namespace reference
} // namespace attn
