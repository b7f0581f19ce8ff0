//===- Call.cpp - The checked call of a kernel ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelImpl.h"

#include <algorithm>
#include <cstring>

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

ArrayView ArrayView::of(Array &array) {
  ArrayView view;
  view.type = array.getType();
  view.data = array.getData();
  view.shape.assign(array.getShape().begin(), array.getShape().end());
  view.strides = array.getStrides();
  return view;
}

ArrayView ArrayView::of(const Array &array) {
  return of(const_cast<Array &>(array));
}

static bool isEmpty(const ArrayView &view) {
  return llvm::is_contained(view.shape, 0);
}

/// Whether the elements lie one after the other, the last dimension innermost.
static bool isRowMajor(ArrayRef<int64_t> shape, ArrayRef<int64_t> strides) {
  int64_t expected = 1;
  for (size_t dim = shape.size(); dim-- > 0;) {
    if (shape[dim] != 1 && strides[dim] != expected)
      return false;
    expected *= shape[dim];
  }
  return true;
}

/// Where the elements of a view begin and end in memory.
static std::pair<uintptr_t, uintptr_t> getBounds(const ArrayView &view) {
  auto begin = reinterpret_cast<uintptr_t>(view.data);
  if (isEmpty(view))
    return {begin, begin};
  int64_t last = 0;
  for (auto [extent, stride] : llvm::zip_equal(view.shape, view.strides))
    last += (extent - 1) * stride;
  return {begin, begin + (last + 1) * getByteWidth(view.type)};
}

static bool overlap(const ArrayView &left, const ArrayView &right) {
  auto [leftBegin, leftEnd] = getBounds(left);
  auto [rightBegin, rightEnd] = getBounds(right);
  return leftBegin < rightEnd && rightBegin < leftEnd;
}

/// Copies elements, a row of the innermost dimension at a time where both lie
/// together.
static void copyElements(int64_t width, ArrayRef<int64_t> shape,
                         const char *from, ArrayRef<int64_t> fromStrides,
                         char *to, ArrayRef<int64_t> toStrides) {
  if (shape.empty()) {
    std::memcpy(to, from, width);
    return;
  }
  if (shape.size() == 1 && fromStrides[0] == 1 && toStrides[0] == 1) {
    if (shape[0] > 0)
      std::memcpy(to, from, shape[0] * width);
    return;
  }
  for (int64_t i = 0; i < shape[0]; ++i)
    copyElements(width, shape.drop_front(), from + i * fromStrides[0] * width,
                 fromStrides.drop_front(), to + i * toStrides[0] * width,
                 toStrides.drop_front());
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// An error unless `view` is what `spec` takes.
static llvm::Error checkView(const Twine &what, const TensorSpec &spec,
                             const ArrayView &view) {
  auto mismatch = [&](const Twine &got) {
    return llvm::createStringError(what + " expected " +
                                   toString(spec.shape, spec.type) + got);
  };
  bool fits = view.type == spec.type && view.shape.size() == spec.shape.size();
  for (size_t dim = 0; fits && dim < spec.shape.size(); ++dim)
    fits = spec.shape[dim] < 0 || spec.shape[dim] == view.shape[dim];
  if (!fits)
    return mismatch(", but got " + toString(view.shape, view.type));
  llvm::Expected<int64_t> bytes = countBytes(view.type, view.shape);
  if (!bytes)
    return mismatch(", but got " + toString(view.shape, view.type) + ": " +
                    llvm::toString(bytes.takeError()));
  if (view.strides.size() != view.shape.size())
    return mismatch(" with a stride for each dimension, but got " +
                    Twine(view.strides.size()));
  int64_t last = 0;
  for (size_t dim = 0; dim < view.shape.size(); ++dim) {
    int64_t stride = view.strides[dim], extent = view.shape[dim], reach;
    if (stride < 0)
      return mismatch(" with strides that are not negative, but got " +
                      Twine(stride) + " in dimension " + Twine(dim));
    if (dim + 1 == view.shape.size() && extent > 1 && stride != 1)
      return mismatch(" with an innermost stride of 1, but got " +
                      Twine(stride));
    if (extent > 1 && (llvm::MulOverflow(extent - 1, stride, reach) ||
                       llvm::AddOverflow(last, reach, last) ||
                       last > (int64_t(1) << 60)))
      return mismatch(" within memory, but got a stride of " + Twine(stride) +
                      " in dimension " + Twine(dim));
  }
  if (!view.data && !isEmpty(view))
    return mismatch(", but got nothing");
  if (reinterpret_cast<uintptr_t>(view.data) % getByteWidth(view.type) != 0)
    return mismatch(", but got data that are not aligned to elements");
  return llvm::Error::success();
}

static llvm::Error checkNumber(const char *what, size_t expected, size_t got) {
  if (expected == got)
    return llvm::Error::success();
  return llvm::createStringError("expected " + Twine(expected) + " " + what +
                                 ", but got " + Twine(got));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

namespace {

/// A result as compiled code returns it: a ranked memref, in words.
struct Returned {
  Returned(const TensorSpec &spec, ArrayRef<int64_t> words)
      : type(spec.type), allocation(reinterpret_cast<void *>(words[0])),
        data(reinterpret_cast<char *>(words[1]) +
             words[2] * getByteWidth(spec.type)),
        shape(words.slice(3, spec.shape.size())),
        strides(words.slice(3 + spec.shape.size(), spec.shape.size())) {}

  static size_t getNumWords(const TensorSpec &spec) {
    return 3 + 2 * spec.shape.size();
  }

  ElementType type;
  void *allocation;
  char *data;
  ArrayRef<int64_t> shape, strides;
};

/// One call: its context, and what it has returned.
class Call {
public:
  Call(ContextPool &pool, const CallOptions &options)
      : pool(pool), context(pool.take()) {
    if (context)
      attn_rt_set_threads(context.get(), options.threads);
  }
  ~Call() {
    if (context)
      pool.giveBack(std::move(context));
  }
  Call(const Call &) = delete;

  llvm::Error run(void (*function)(attn_rt_context *, void **),
                  ArrayRef<TensorSpec> arguments, ArrayRef<ArrayView> views,
                  ArrayRef<TensorSpec> results, ArrayRef<ArrayView> outputs);
  /// The results as arrays: memory of the call where it can be, else copies.
  llvm::Expected<std::vector<Array>> take();
  /// The results into `outputs`, unless they are there.
  llvm::Error store(ArrayRef<ArrayView> outputs);

private:
  ContextPool &pool;
  ContextPtr context;
  SmallVector<int64_t> words;
  SmallVector<Returned> returned;
};

} // namespace

llvm::Error Call::run(void (*function)(attn_rt_context *, void **),
                      ArrayRef<TensorSpec> arguments, ArrayRef<ArrayView> views,
                      ArrayRef<TensorSpec> results,
                      ArrayRef<ArrayView> outputs) {
  if (!context)
    return llvm::createStringError("there is no memory for a call");
  for (auto [number, output] : llvm::enumerate(outputs))
    if (!isEmpty(output) && isRowMajor(output.shape, output.strides)) {
      auto [begin, end] = getBounds(output);
      attn_rt_offer(context.get(), number, output.data, end - begin);
    }
  size_t numWords = 0;
  for (const TensorSpec &spec : results)
    numWords += Returned::getNumWords(spec);
  words.resize(numWords);

  // A ranked memref is passed as: allocated and aligned pointer, offset,
  // extents, strides, each a word.
  std::vector<int64_t> passed;
  numWords = 0;
  for (const ArrayView &view : views)
    numWords += 3 + 2 * view.shape.size();
  passed.reserve(numWords);
  SmallVector<void *> slots{words.data()};
  auto push = [&](int64_t word) {
    passed.push_back(word);
    slots.push_back(&passed.back());
  };
  for (auto [view, spec] : llvm::zip_equal(views, arguments)) {
    if (spec.scalar) {
      slots.push_back(view.data);
      continue;
    }
    int64_t data = reinterpret_cast<int64_t>(view.data);
    push(data);
    push(data);
    push(0);
    for (int64_t extent : view.shape)
      push(extent);
    for (int64_t stride : view.strides)
      push(stride);
  }
  function(context.get(), slots.data());
  if (const char *message = attn_rt_get_error(context.get()))
    return llvm::make_error<CheckError>(message);
  ArrayRef<int64_t> rest = words;
  for (const TensorSpec &spec : results) {
    returned.push_back({spec, rest});
    rest = rest.drop_front(Returned::getNumWords(spec));
  }
  return llvm::Error::success();
}

static llvm::Expected<Array> copyResult(const Returned &result) {
  llvm::Expected<Array> array = Array::create(result.type, result.shape);
  if (array)
    copyElements(getByteWidth(result.type), result.shape, result.data,
                 result.strides, static_cast<char *>(array->getData()),
                 array->getStrides());
  return array;
}

llvm::Expected<std::vector<Array>> Call::take() {
  std::vector<Array> arrays;
  llvm::Error errors = llvm::Error::success();
  // From the last on: of what is returned twice the first takes the memory
  // over, when the others are copied.
  for (size_t index = returned.size(); index-- > 0;) {
    const Returned &result = returned[index];
    bool again = llvm::any_of(
        ArrayRef(returned).take_front(index), [&](const Returned &other) {
          return other.allocation == result.allocation;
        });
    void *owned = again || !isRowMajor(result.shape, result.strides)
                      ? nullptr
                      : attn_rt_take(context.get(), result.allocation);
    auto array =
        owned ? Array::adopt(result.type, result.shape, owned, result.data)
              : copyResult(result);
    if (array)
      arrays.push_back(std::move(*array));
    else
      errors = llvm::joinErrors(array.takeError(), std::move(errors));
  }
  if (errors)
    return std::move(errors);
  std::reverse(arrays.begin(), arrays.end());
  return arrays;
}

llvm::Error Call::store(ArrayRef<ArrayView> outputs) {
  for (auto [number, result] : llvm::enumerate(returned))
    if (result.shape != ArrayRef<int64_t>(outputs[number].shape))
      return llvm::createStringError(
          "output " + Twine(number) + " expected " +
          toString(result.shape, result.type) +
          ", which was computed, but got " +
          toString(outputs[number].shape, result.type));
  // A result may lie in the memory of another one's output: what is to be
  // copied is copied before anything is overwritten.
  SmallVector<std::pair<unsigned, Array>> copies;
  for (auto [number, result] : llvm::enumerate(returned)) {
    if (result.data == outputs[number].data)
      continue;
    llvm::Expected<Array> copy = copyResult(result);
    if (!copy)
      return copy.takeError();
    copies.push_back({static_cast<unsigned>(number), std::move(*copy)});
  }
  for (auto &[number, copy] : copies)
    copyElements(getByteWidth(copy.getType()), copy.getShape(),
                 static_cast<const char *>(copy.getData()), copy.getStrides(),
                 static_cast<char *>(outputs[number].data),
                 outputs[number].strides);
  return llvm::Error::success();
}

/// An error unless the kernel takes `views`.
static llvm::Error checkArguments(ArrayRef<TensorSpec> specs,
                                  const ShapeRules &rules,
                                  ArrayRef<ArrayView> views) {
  if (llvm::Error error = checkNumber("arguments", specs.size(), views.size()))
    return error;
  SmallVector<ArrayRef<int64_t>> shapes;
  for (auto [index, view] : llvm::enumerate(views)) {
    if (llvm::Error error =
            checkView("argument " + Twine(index), specs[index], view))
      return error;
    shapes.push_back(view.shape);
  }
  return rules.check(shapes);
}

llvm::Expected<std::vector<Array>>
Kernel::call(ArrayRef<const Array *> arguments,
             const CallOptions &options) const {
  SmallVector<ArrayView> views;
  for (auto [index, array] : llvm::enumerate(arguments)) {
    if (!array)
      return llvm::createStringError("argument " + Twine(index) +
                                     " expected an array, but got nothing");
    views.push_back(ArrayView::of(*array));
  }
  if (llvm::Error error = checkArguments(impl->arguments, impl->rules, views))
    return std::move(error);
  Call call(impl->contexts, options);
  if (llvm::Error error = call.run(impl->function, impl->arguments, views,
                                   impl->results, {}))
    return std::move(error);
  return call.take();
}

llvm::Error Kernel::call(ArrayRef<ArrayView> arguments,
                         ArrayRef<ArrayView> outputs,
                         const CallOptions &options) const {
  if (llvm::Error error =
          checkArguments(impl->arguments, impl->rules, arguments))
    return error;
  if (llvm::Error error =
          checkNumber("outputs", impl->results.size(), outputs.size()))
    return error;
  for (auto [index, output] : llvm::enumerate(outputs)) {
    if (llvm::Error error = checkView("output " + Twine(index),
                                      impl->results[index], output))
      return error;
    for (auto [number, argument] : llvm::enumerate(arguments))
      if (overlap(output, argument))
        return llvm::createStringError(
            "output " + Twine(index) +
            " expected memory of its own, but it overlaps argument " +
            Twine(number));
    for (auto [number, other] : llvm::enumerate(outputs.take_front(index)))
      if (overlap(output, other))
        return llvm::createStringError(
            "output " + Twine(index) +
            " expected memory of its own, but it overlaps output " +
            Twine(number));
  }
  // Compiled code reads arrays that lie row by row.
  std::vector<Array> copies;
  SmallVector<ArrayView> views(arguments);
  for (ArrayView &view : views) {
    if (isRowMajor(view.shape, view.strides))
      continue;
    llvm::Expected<Array> copy = Array::create(view.type, view.shape);
    if (!copy)
      return copy.takeError();
    copyElements(getByteWidth(view.type), view.shape,
                 static_cast<const char *>(view.data), view.strides,
                 static_cast<char *>(copy->getData()), copy->getStrides());
    view = ArrayView::of(*copy);
    copies.push_back(std::move(*copy));
  }
  Call call(impl->contexts, options);
  if (llvm::Error error = call.run(impl->function, impl->arguments, views,
                                   impl->results, outputs))
    return error;
  return call.store(outputs);
}

} // namespace attn
