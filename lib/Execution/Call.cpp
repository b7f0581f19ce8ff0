//===- Call.cpp - The checked call of a kernel ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelImpl.h"

#include <algorithm>
#include <cstring>
#include <map>

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

static SmallVector<int64_t> getRowMajorStrides(ArrayRef<int64_t> shape) {
  SmallVector<int64_t> strides(shape.size());
  int64_t stride = 1;
  for (size_t dim = shape.size(); dim-- > 0; stride *= shape[dim])
    strides[dim] = stride;
  return strides;
}

/// Whether `view` is what code takes that was compiled for arrays row by row.
static bool isPlain(const ArrayView &view) {
  return isEmpty(view) || isRowMajor(view.shape, view.strides);
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

/// Whether no two elements of a view share memory: each dimension steps over
/// all that lies within it.
static bool isApart(const ArrayView &view) {
  SmallVector<std::pair<int64_t, int64_t>> dims;
  for (auto [extent, stride] : llvm::zip_equal(view.shape, view.strides))
    if (extent > 1)
      dims.push_back({stride, extent});
  llvm::sort(dims);
  int64_t span = 1;
  for (auto [stride, extent] : dims) {
    if (stride < span)
      return false;
    span += (extent - 1) * stride;
  }
  return true;
}

namespace {
/// By how many steps of what stride positions in two views may differ.
struct Difference {
  int64_t stride, least, most;
};
} // namespace

/// Whether positions may differ such that elements are `distance` apart;
/// strides fall.
static bool canBeApart(int64_t distance, ArrayRef<Difference> differences) {
  if (differences.empty())
    return distance == 0;
  int64_t least = 0, most = 0;
  for (const Difference &inner : differences.drop_front()) {
    least += inner.least * inner.stride;
    most += inner.most * inner.stride;
  }
  auto [stride, from, to] = differences.front();
  int64_t first = std::max(
      llvm::divideCeilSigned(distance - most, stride), from);
  int64_t last = std::min(
      llvm::divideFloorSigned(distance - least, stride), to);
  // Few steps come into question where dimensions step over one another.
  constexpr int64_t maxSteps = 8;
  if (last - first > maxSteps)
    return true;
  for (int64_t steps = first; steps <= last; ++steps)
    if (canBeApart(distance - steps * stride, differences.drop_front()))
      return true;
  return false;
}

/// Whether two views may share memory. Not where they are parts of the rows of
/// one array, as queries, keys and values are that one projection gave.
static bool overlap(const ArrayView &left, const ArrayView &right) {
  auto [leftBegin, leftEnd] = getBounds(left);
  auto [rightBegin, rightEnd] = getBounds(right);
  if (leftBegin >= rightEnd || rightBegin >= leftEnd)
    return false;
  int64_t width = getByteWidth(left.type);
  int64_t distance = static_cast<int64_t>(rightBegin - leftBegin);
  if (width != getByteWidth(right.type) || distance % width != 0)
    return true;
  // An element of the left one is `distance` and that of the right one apart.
  std::map<int64_t, std::pair<int64_t, int64_t>, std::greater<>> steps;
  for (auto [extent, stride] : llvm::zip_equal(left.shape, left.strides))
    if (stride > 0)
      steps[stride].second += extent - 1;
  for (auto [extent, stride] : llvm::zip_equal(right.shape, right.strides))
    if (stride > 0)
      steps[stride].first -= extent - 1;
  SmallVector<Difference> differences;
  for (auto [stride, range] : steps)
    differences.push_back({stride, range.first, range.second});
  return canBeApart(distance / width, differences);
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
  // Rows may be repeated: there need not be memory for all.
  int64_t elements = 1;
  for (int64_t extent : view.shape)
    if (llvm::MulOverflow(elements, extent, elements) ||
        elements > (int64_t(1) << 58))
      return mismatch(" of at most 2^58 elements, but got " +
                      toString(view.shape, view.type));
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
  Returned(size_t number, const TensorSpec &spec, ArrayRef<int64_t> words)
      : number(number), type(spec.type),
        allocation(reinterpret_cast<void *>(words[0])),
        data(reinterpret_cast<char *>(words[1]) +
             words[2] * getByteWidth(spec.type)),
        shape(words.slice(3, spec.shape.size())),
        strides(words.slice(3 + spec.shape.size(), spec.shape.size())) {}

  static size_t getNumWords(const TensorSpec &spec) {
    return 3 + 2 * spec.shape.size();
  }

  /// Which result of the function it is.
  size_t number;
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

  /// Runs code that takes `views` and, as far as they are lent to it,
  /// `outputs`; the other results are written there if they are allocated.
  llvm::Error run(const Code &code, ArrayRef<TensorSpec> arguments,
                  ArrayRef<ArrayView> views, ArrayRef<TensorSpec> results,
                  ArrayRef<ArrayView> outputs);
  /// The results as arrays: memory of the call where it can be, else copies.
  llvm::Expected<std::vector<Array>> take();
  /// The results into `outputs`, unless they are there.
  llvm::Error store(ArrayRef<ArrayView> outputs);

private:
  ContextPool &pool;
  ContextPtr context;
  /// Where compiled code puts the results that it returns: the number of each
  /// and its first word.
  SmallVector<std::pair<size_t, size_t>> offsets;
  SmallVector<int64_t> words;
  SmallVector<Returned> returned;
};

} // namespace

/// The strides that compiled code is told: of what lies row by row those that
/// its extents give, whatever stands where there is but one element.
static SmallVector<int64_t> getPassedStrides(const ArrayView &view) {
  SmallVector<int64_t> strides(view.strides);
  if (isPlain(view))
    strides = getRowMajorStrides(view.shape);
  else
    strides.back() = 1;
  return strides;
}

llvm::Error Call::run(const Code &code, ArrayRef<TensorSpec> arguments,
                      ArrayRef<ArrayView> views, ArrayRef<TensorSpec> results,
                      ArrayRef<ArrayView> outputs) {
  if (!context)
    return llvm::createStringError("there is no memory for a call");
  for (auto [number, spec] : llvm::enumerate(results)) {
    if (code.lent.results[number])
      continue;
    if (number < outputs.size() && !isEmpty(outputs[number]) &&
        isPlain(outputs[number])) {
      auto [begin, end] = getBounds(outputs[number]);
      attn_rt_offer(context.get(), offsets.size(), outputs[number].data,
                    end - begin);
    }
    offsets.push_back({number, words.size()});
    words.resize(words.size() + Returned::getNumWords(spec));
  }

  // A ranked memref is passed as: allocated and aligned pointer, offset,
  // extents, strides, each a word.
  std::vector<int64_t> passed;
  size_t numWords = 0;
  for (ArrayRef<ArrayView> all : {views, outputs})
    for (const ArrayView &view : all)
      numWords += 3 + 2 * view.shape.size();
  passed.reserve(numWords);
  SmallVector<void *> slots{words.data()};
  auto push = [&](int64_t word) {
    passed.push_back(word);
    slots.push_back(&passed.back());
  };
  auto pushView = [&](const ArrayView &view) {
    int64_t data = reinterpret_cast<int64_t>(view.data);
    push(data);
    push(data);
    push(0);
    for (int64_t extent : view.shape)
      push(extent);
    for (int64_t stride : getPassedStrides(view))
      push(stride);
  };
  for (auto [view, spec] : llvm::zip_equal(views, arguments)) {
    if (spec.scalar)
      slots.push_back(view.data);
    else
      pushView(view);
  }
  for (auto [number, output] : llvm::enumerate(outputs))
    if (code.lent.results[number])
      pushView(output);
  code.function(context.get(), slots.data());
  if (const char *message = attn_rt_get_error(context.get()))
    return llvm::make_error<CheckError>(message);
  for (auto [number, offset] : offsets)
    returned.push_back(
        {number, results[number], ArrayRef(words).drop_front(offset)});
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
  for (const Returned &result : returned)
    if (result.shape != ArrayRef<int64_t>(outputs[result.number].shape))
      return llvm::createStringError(
          "output " + Twine(result.number) + " expected " +
          toString(result.shape, result.type) +
          ", which was computed, but got " +
          toString(outputs[result.number].shape, result.type));
  // A result may lie in the memory of another one's output: what is to be
  // copied is copied before anything is overwritten.
  SmallVector<std::pair<size_t, Array>> copies;
  for (const Returned &result : returned) {
    if (result.data == outputs[result.number].data)
      continue;
    llvm::Expected<Array> copy = copyResult(result);
    if (!copy)
      return copy.takeError();
    copies.push_back({result.number, std::move(*copy)});
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
  if (llvm::Error error =
          call.run(*impl->code, impl->arguments, views, impl->results, {}))
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
    if (!isApart(output))
      return llvm::createStringError(
          "output " + Twine(index) +
          " expected strides that step over what lies within them, but some "
          "of its elements share memory");
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
  Lending lent(arguments.size(), outputs.size());
  for (auto [index, view] : llvm::enumerate(arguments))
    lent.arguments[index] = !isPlain(view);
  for (auto [index, view] : llvm::enumerate(outputs))
    lent.results[index] = !isPlain(view);
  llvm::Expected<const Code *> code = impl->getCode(lent);
  if (!code)
    return code.takeError();
  Call call(impl->contexts, options);
  if (llvm::Error error = call.run(**code, impl->arguments, arguments,
                                   impl->results, outputs))
    return error;
  return call.store(outputs);
}

} // namespace attn
