//===- Requests.cpp - Requests of different lengths -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Requests.h"

using namespace mlir;

namespace attn {
namespace reference {

static const Tensor &getTensor(const Environment &env, Value value) {
  return *env.find(value)->second.tensor;
}

int64_t countRequests(RaggedOpInterface op, const Environment &env) {
  Value starts = op.getQueryStarts() ? op.getQueryStarts() : op.getKeyStarts();
  return getTensor(env, starts).size() - 1;
}

int64_t countRequestKeys(RaggedOpInterface op, const Environment &env,
                         int64_t request) {
  const Tensor &starts = getTensor(env, op.getKeyStarts());
  return starts.cells[request + 1].i - starts.cells[request].i;
}

static unsigned getOperandNumber(RaggedOpInterface op, Value operand) {
  return llvm::find(op->getOperands(), operand) - op->operand_begin();
}

static Error makeExtentError(RaggedOpInterface op, OperandExtent extent,
                             const llvm::Twine &expected, int64_t got) {
  return makeError(op->getLoc(),
                   "'" + op->getName().getStringRef() +
                       "' op expected extent " + llvm::Twine(extent.dim) +
                       " of operand " +
                       llvm::Twine(getOperandNumber(op, extent.operand)) +
                       " to be " + expected + ", but got " + llvm::Twine(got));
}

/// Checks the starts of queries or keys, and what goes with them.
static Error checkStarts(RaggedOpInterface op, const Environment &env,
                         StringRef name, Value value,
                         ArrayRef<OperandExtent> packed,
                         ArrayRef<OperandExtent> within) {
  auto fail = [&](const llvm::Twine &what) {
    return makeError(op->getLoc(), "'" + op->getName().getStringRef() +
                                       "' op expected " + name + " to " + what);
  };
  const Tensor &starts = getTensor(env, value);
  if (starts.cells.empty())
    return fail("have an element more than there are requests, but got none");
  if (int64_t first = starts.cells.front().i)
    return fail("begin with 0, but got " + llvm::Twine(first));
  int64_t longest = 0;
  for (size_t i = 1; i < starts.cells.size(); ++i) {
    int64_t from = starts.cells[i - 1].i, to = starts.cells[i].i;
    if (to < from)
      return fail("ascend, but " + llvm::Twine(from) + " is followed by " +
                  llvm::Twine(to));
    longest = std::max(longest, to - from);
  }
  // Of keys in pages, lists say how many there are.
  if (!packed.empty()) {
    int64_t total =
        getTensor(env, packed.front().operand).shape[packed.front().dim];
    if (starts.cells.back().i != total)
      return fail("end with " + llvm::Twine(total) +
                  " (the number of packed rows), but got " +
                  llvm::Twine(starts.cells.back().i));
  }
  for (OperandExtent extent : within) {
    int64_t got = getTensor(env, extent.operand).shape[extent.dim];
    if (got < longest)
      return makeExtentError(
          op, extent,
          llvm::Twine(longest) + " or more (rows of the longest request)", got);
  }
  return Error::success();
}

Error checkRequests(RaggedOpInterface op, const Environment &env) {
  RaggedExtents extents = op.getRaggedExtents();
  if (Value starts = op.getQueryStarts())
    if (Error error = checkStarts(op, env, "query_starts", starts,
                                  extents.queries, extents.queryRows))
      return error;
  if (Value starts = op.getKeyStarts())
    if (Error error = checkStarts(op, env, "key_starts", starts, extents.keys,
                                  extents.keyRows))
      return error;
  int64_t requests = countRequests(op, env);
  if (op.getQueryStarts() && op.getKeyStarts() &&
      getTensor(env, op.getKeyStarts()).size() != requests + 1)
    return makeExtentError(op, {op.getKeyStarts(), 0},
                           llvm::Twine(requests + 1) + " (as query_starts has)",
                           getTensor(env, op.getKeyStarts()).size());
  for (OperandExtent extent : extents.requests) {
    int64_t got = getTensor(env, extent.operand).shape[extent.dim];
    if (got != requests)
      return makeExtentError(op, extent,
                             llvm::Twine(requests) + " (the requests)", got);
  }
  return Error::success();
}

/// First and number of the rows of a request, by dimension of the op; nothing
/// for others than packed rows.
static std::optional<std::pair<int64_t, int64_t>>
getRows(GenericOp op, const Environment &env, int64_t number, unsigned dim) {
  std::optional<RaggedDims> dims = getRaggedDims(op);
  Value starts = dims->queryRow == dim ? op.getQueryStarts()
                 : dims->keyRow == dim ? op.getKeyStarts()
                                       : Value();
  if (!starts)
    return std::nullopt;
  const Tensor &tensor = getTensor(env, starts);
  int64_t from = tensor.cells[number].i;
  return std::pair(from, tensor.cells[number + 1].i - from);
}

/// Where the request lies in mapped operand `index`, of `shape`: at one
/// position where that has requests as a dimension.
static std::pair<SmallVector<int64_t>, SmallVector<int64_t>>
locate(GenericOp op, unsigned index, const Environment &env, int64_t number,
       ArrayRef<int64_t> shape) {
  SmallVector<int64_t> from(shape.size(), 0), extents(shape);
  AffineMap map = op.getIndexingMap(index);
  unsigned request = getRaggedDims(op)->request;
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i) {
    unsigned dim = map.getDimPosition(i);
    if (dim == request) {
      from[i] = number;
      extents[i] = 1;
    } else if (auto rows = getRows(op, env, number, dim)) {
      from[i] = isPacked(op, index, i) ? rows->first : 0;
      extents[i] = rows->second;
    }
  }
  return {from, extents};
}

/// Visits the elements of a box: their offsets in the box, and in the whole.
static void visit(ArrayRef<int64_t> from, ArrayRef<int64_t> extents,
                  ArrayRef<int64_t> shape,
                  llvm::function_ref<void(int64_t, int64_t)> body) {
  SmallVector<int64_t> strides = getStrides(shape), index(extents.size(), 0);
  int64_t count = getVolume(extents);
  for (int64_t i = 0; i < count; ++i) {
    int64_t offset = 0;
    for (auto [start, position, stride] : llvm::zip_equal(from, index, strides))
      offset += (start + position) * stride;
    body(i, offset);
    advance(extents, index);
  }
}

Expected<SmallVector<RuntimeValue>> takeRequest(GenericOp op,
                                                ArrayRef<RuntimeValue> mapped,
                                                const Environment &env,
                                                int64_t number) {
  SmallVector<RuntimeValue> taken(mapped);
  for (auto [index, value] : llvm::enumerate(taken)) {
    if (!value.tensor)
      continue;
    const Tensor &whole = *value.tensor;
    auto [from, extents] = locate(op, index, env, number, whole.shape);
    // Pages are those of all requests.
    if (ArrayRef<int64_t>(extents) == ArrayRef<int64_t>(whole.shape))
      continue;
    auto part = createTensor(op.getLoc(), extents, whole.elementType);
    if (!part)
      return part.takeError();
    (*part)->exact = whole.exact;
    visit(from, extents, whole.shape, [&](int64_t to, int64_t offset) {
      (*part)->cells[to] = whole.cells[offset];
    });
    value.tensor = std::move(*part);
  }
  return taken;
}

void putRequest(GenericOp op, unsigned index, const Environment &env,
                int64_t number, const Tensor &part, Tensor &whole) {
  auto [from, extents] =
      locate(op, op.getOutputIndex() + index, env, number, whole.shape);
  if (!part.alternatives.empty() && whole.alternatives.empty())
    whole.alternatives.assign(whole.size(), -1);
  visit(from, extents, whole.shape, [&](int64_t at, int64_t offset) {
    whole.cells[offset] = part.cells[at];
    if (!part.alternatives.empty())
      whole.alternatives[offset] = part.alternatives[at];
    if (part.hasBounds()) {
      whole.magnitude[offset] = part.magnitude[at];
      whole.error[offset] = part.error[at];
    }
  });
}

} // namespace reference
} // namespace attn
