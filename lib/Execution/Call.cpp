//===- Call.cpp - The checked call of a kernel ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What libraries do when they are called is done here by the same runtime;
// beside it there is what C has not: results that are made by the call.
//
//===----------------------------------------------------------------------===//

#include "KernelImpl.h"

#include <algorithm>

using namespace mlir;

namespace attn {

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

/// The tensor of `view`, which keeps extents and strides.
static attn_tensor getTensor(const ArrayView &view) {
  attn_tensor tensor = {};
  tensor.data = view.data;
  // DLPack's header, where it is, has an enumeration.
  tensor.device.device_type =
      static_cast<decltype(tensor.device.device_type)>(view.place.type);
  tensor.device.device_id = view.place.number;
  tensor.ndim = view.shape.size();
  tensor.dtype.code = getTypeCode(view.type);
  tensor.dtype.bits = 8 * getByteWidth(view.type);
  tensor.dtype.lanes = 1;
  tensor.shape = const_cast<int64_t *>(view.shape.data());
  tensor.strides = const_cast<int64_t *>(view.strides.data());
  return tensor;
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// An error unless `view` has what a tensor has; what it says is left to the
/// runtime, but that a number is one, and what only we tell apart.
static llvm::Error checkView(const Twine &what, const TensorSpec &spec,
                             const ArrayView &view) {
  auto mismatch = [&](const Twine &got) {
    return llvm::createStringError(what + " expected " +
                                   toString(spec.shape, spec.type) + got);
  };
  bool mistyped = view.type != spec.type &&
                  getTypeCode(view.type) == getTypeCode(spec.type) &&
                  getByteWidth(view.type) == getByteWidth(spec.type);
  if (spec.scalar)
    mistyped = view.type != spec.type || !view.shape.empty();
  if (mistyped)
    return mismatch(", but got " + toString(view.shape, view.type));
  if (view.strides.size() != view.shape.size())
    return mismatch(" with a stride for each dimension, but got " +
                    Twine(view.strides.size()));
  if (spec.scalar && !view.data)
    return mismatch(", but got nothing");
  return llvm::Error::success();
}

static llvm::Error checkViews(const char *what, const char *kind,
                              ArrayRef<TensorSpec> specs,
                              ArrayRef<ArrayView> views) {
  if (specs.size() != views.size())
    return llvm::createStringError("expected " + Twine(specs.size()) + " " +
                                   what + ", but got " + Twine(views.size()));
  for (auto [index, view] : llvm::enumerate(views))
    if (llvm::Error error =
            checkView(kind + Twine(" ") + Twine(index), specs[index], view))
      return error;
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

FunctionDescription::FunctionDescription(const Signature &signature,
                                         int32_t device) {
  for (const auto *all : {&signature.arguments, &signature.results})
    for (const TensorSpec &spec : *all)
      specs.push_back({getName(spec.type).data(),
                       spec.shape.data(),
                       static_cast<int32_t>(spec.shape.size()),
                       getTypeCode(spec.type),
                       static_cast<uint8_t>(8 * getByteWidth(spec.type)),
                       spec.scalar,
                       /*lent=*/0,
                       /*written=*/0,
                       {}});
  for (auto [number, written] : llvm::enumerate(signature.written))
    specs[number].written = written;
  for (const ShapeRules::Rule &rule : signature.rules.getRules())
    rules.push_back({rule.meaning.c_str(),
                     static_cast<int32_t>(rule.left.argument),
                     static_cast<int32_t>(rule.left.dim),
                     static_cast<int32_t>(rule.right.argument),
                     static_cast<int32_t>(rule.right.dim), rule.multiple, 0});
  function.version = ATTN_RT_VERSION;
  function.num_arguments = signature.arguments.size();
  function.num_results = signature.results.size();
  function.num_rules = rules.size();
  function.device = device;
  function.specs = specs.data();
  function.rules = rules.data();
}

namespace {

/// A result as compiled code returns it: a ranked memref, in words.
struct Returned {
  Returned(const TensorSpec &spec, const int64_t *words)
      : type(spec.type), allocation(reinterpret_cast<void *>(words[0])),
        data(reinterpret_cast<char *>(words[1]) +
             words[2] * getByteWidth(spec.type)),
        shape(words + 3, spec.shape.size()),
        strides(words + 3 + spec.shape.size(), spec.shape.size()) {}

  bool isRowMajor() const {
    ArrayView view;
    view.shape.assign(shape.begin(), shape.end());
    view.strides.assign(strides.begin(), strides.end());
    attn_tensor tensor = getTensor(view);
    return attn_rt_is_plain(&tensor);
  }

  ElementType type;
  void *allocation;
  char *data;
  ArrayRef<int64_t> shape, strides;
};

/// One call: its context, what is passed, and what it has returned.
class Call {
public:
  /// Of arguments, or of these and outputs.
  Call(ContextPool &pool, const attn_rt_function &function,
       ArrayRef<ArrayView> views, const CallOptions &options)
      : pool(pool), context(pool.take()), function(function) {
    if (context)
      attn_rt_set_threads(context.get(), options.threads);
    if (context && isOnGPU()) {
      attn_rt_gpu_place place = {ATTN_RT_VERSION, /*asynchronous=*/0,
                                 options.cudaContext, options.cudaStream};
      attn_rt_gpu_set_place(context.get(), &place);
    }
    for (const ArrayView &view : views)
      tensors.push_back(getTensor(view));
    for (auto [index, view] : llvm::enumerate(views))
      arrays.push_back(function.specs[index].scalar
                           ? view.data
                           : static_cast<void *>(&tensors[index]));
  }
  ~Call() {
    if (!context)
      return;
    if (isOnGPU())
      attn_rt_gpu_end(context.get());
    pool.giveBack(std::move(context));
  }
  Call(const Call &) = delete;

  llvm::Error check() {
    if (!context)
      return llvm::createStringError("there is no memory for a call");
    return takeError(
        attn_rt_check(context.get(), &function, arrays.size(), arrays.data()));
  }
  /// Begins the call, whose arrays have been checked: those that code runs with
  /// are where it can reach them.
  llvm::Error begin();
  bool isPlain(size_t index) const {
    return function.specs[index].scalar ||
           attn_rt_is_plain(static_cast<const attn_tensor *>(reached[index]));
  }
  llvm::Error run(const Code &code);
  /// The results as arrays: memory of the call where it can be, else copies.
  llvm::Expected<std::vector<Array>> take(ArrayRef<TensorSpec> results);
  /// The results into the outputs, unless they are there.
  llvm::Error store() {
    auto *stored = isOnGPU() ? &attn_rt_gpu_store : &attn_rt_store;
    return takeError(stored(context.get(), &function, lent.data(),
                            reached.data(), words.data()));
  }
  /// Ends what began, and says what only the end shows.
  llvm::Error end();

  /// On a GPU: runs `code` once, which takes so many milliseconds.
  llvm::Expected<double> time(const Code &code);

private:
  bool isOnGPU() const { return function.device == ATTN_CUDA; }
  llvm::Expected<Array> takeCopy(const Returned &result);

  llvm::Error takeError(int32_t status) {
    if (status == ATTN_OK)
      return llvm::Error::success();
    const char *message = attn_rt_get_error(context.get());
    if (status == ATTN_INVALID_ARGUMENT)
      return llvm::createStringError(message);
    return llvm::make_error<CheckError>(message);
  }

  ContextPool &pool;
  ContextPtr context;
  const attn_rt_function &function;
  /// What is passed, and what of it lies on a GPU.
  SmallVector<attn_tensor> tensors, moved;
  SmallVector<void *> arrays, reached;
  /// The memory that a call that is timed may not have again.
  void *kept = nullptr;
  SmallVector<uint8_t> lent;
  /// Where compiled code puts the results that it returns.
  SmallVector<int64_t> words;
};

} // namespace

llvm::Error Call::begin() {
  reached = arrays;
  if (!isOnGPU())
    return llvm::Error::success();
  moved.resize(arrays.size());
  return takeError(attn_rt_gpu_move_in(context.get(), &function, arrays.size(),
                                       arrays.data(), moved.data(),
                                       reached.data()));
}

llvm::Error Call::end() {
  if (!isOnGPU())
    return llvm::Error::success();
  if (llvm::Error error = takeError(
          attn_rt_gpu_move_out(context.get(), &function, arrays.size(),
                               arrays.data(), reached.data())))
    return error;
  return takeError(attn_rt_gpu_end(context.get()));
}

llvm::Expected<double> Call::time(const Code &code) {
  if (kept)
    attn_rt_gpu_free_since(context.get(), kept);
  else
    kept = attn_rt_gpu_alloc(context.get(), 0);
  lent.clear();
  words.clear();
  attn_rt_gpu_mark(context.get(), 0);
  if (llvm::Error error = run(code))
    return std::move(error);
  attn_rt_gpu_mark(context.get(), 1);
  float milliseconds = attn_rt_gpu_get_elapsed(context.get());
  if (llvm::Error error = takeError(attn_rt_gpu_finish(context.get())))
    return std::move(error);
  return milliseconds;
}

llvm::Error Call::run(const Code &code) {
  for (const auto *all : {&code.lent.arguments, &code.lent.results})
    lent.append(all->begin(), all->end());
  int64_t numWords = 0;
  for (int32_t i = 0; i < function.num_results; ++i)
    numWords += ATTN_RT_WORDS(function.specs[function.num_arguments + i].rank);
  words.resize(numWords);
  return takeError(attn_rt_run(context.get(), &function, code.function,
                               lent.data(), arrays.size(), reached.data(),
                               words.data()));
}

static llvm::Expected<Array> copyResult(const Returned &result) {
  llvm::Expected<Array> array = Array::create(result.type, result.shape);
  if (array)
    attn_rt_copy(getByteWidth(result.type), result.shape.size(),
                 result.shape.data(), result.data, result.strides.data(),
                 static_cast<char *>(array->getData()),
                 array->getStrides().data());
  return array;
}

/// A copy of a result that lies on a GPU.
llvm::Expected<Array> Call::takeCopy(const Returned &result) {
  llvm::Expected<Array> array = Array::create(result.type, result.shape);
  if (!array)
    return array;
  if (result.isRowMajor()) {
    attn_rt_gpu_copy_out(context.get(), array->getData(), result.data,
                         array->getNumBytes());
    return array;
  }
  int64_t span = getByteWidth(result.type);
  for (auto [extent, stride] : llvm::zip_equal(result.shape, result.strides))
    span += (extent - 1) * stride * getByteWidth(result.type);
  std::vector<char> elements(span);
  attn_rt_gpu_copy_out(context.get(), elements.data(), result.data, span);
  if (llvm::Error error = takeError(attn_rt_gpu_finish(context.get())))
    return std::move(error);
  attn_rt_copy(getByteWidth(result.type), result.shape.size(),
               result.shape.data(), elements.data(), result.strides.data(),
               static_cast<char *>(array->getData()),
               array->getStrides().data());
  return array;
}

llvm::Expected<std::vector<Array>> Call::take(ArrayRef<TensorSpec> results) {
  SmallVector<Returned> returned;
  const int64_t *next = words.data();
  for (const TensorSpec &spec : results) {
    returned.push_back({spec, next});
    next += ATTN_RT_WORDS(spec.shape.size());
  }
  std::vector<Array> taken;
  llvm::Error errors = llvm::Error::success();
  // From the last on: of what is returned twice the first takes the memory
  // over, when the others are copied.
  for (size_t index = returned.size(); index-- > 0;) {
    const Returned &result = returned[index];
    bool again = llvm::any_of(ArrayRef(returned).take_front(index),
                              [&](const Returned &other) {
                                return other.allocation == result.allocation;
                              });
    void *owned = isOnGPU() || again || !result.isRowMajor()
                      ? nullptr
                      : attn_rt_take(context.get(), result.allocation);
    auto array =
        isOnGPU() ? takeCopy(result)
        : owned   ? Array::adopt(result.type, result.shape, owned, result.data)
                  : copyResult(result);
    if (array)
      taken.push_back(std::move(*array));
    else
      errors = llvm::joinErrors(array.takeError(), std::move(errors));
  }
  if (errors)
    return std::move(errors);
  std::reverse(taken.begin(), taken.end());
  return taken;
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
  const Signature &signature = impl->signature;
  if (llvm::Error error =
          checkViews("arguments", "argument", signature.arguments, views))
    return std::move(error);
  Call call(impl->contexts, impl->description->function, views, options);
  if (llvm::Error error = call.check())
    return std::move(error);
  if (llvm::Error error = call.begin())
    return std::move(error);
  if (llvm::Error error = call.run(*impl->code))
    return std::move(error);
  llvm::Expected<std::vector<Array>> results = call.take(signature.results);
  if (!results)
    return results;
  if (llvm::Error error = call.end())
    return std::move(error);
  return results;
}

llvm::Expected<std::vector<double>>
Kernel::timeOnGPU(ArrayRef<const Array *> arguments, int64_t runs,
                  std::vector<Array> &results) const {
  constexpr double enough = 500;
  constexpr size_t minRuns = 7, maxRuns = 10000;
  SmallVector<ArrayView> views;
  for (const Array *array : arguments)
    views.push_back(ArrayView::of(*array));
  const Signature &signature = impl->signature;
  if (llvm::Error error =
          checkViews("arguments", "argument", signature.arguments, views))
    return std::move(error);
  if (impl->description->function.device != ATTN_CUDA)
    return llvm::createStringError("expected a kernel for a GPU");
  Call call(impl->contexts, impl->description->function, views, {});
  if (llvm::Error error = call.check())
    return std::move(error);
  if (llvm::Error error = call.begin())
    return std::move(error);
  // Loads the kernels; wakes the clocks.
  for (double spent = 0, run = 0; run < 2 || (run < 20 && spent < 50); ++run) {
    llvm::Expected<double> took = call.time(*impl->code);
    if (!took)
      return took.takeError();
    spent += *took;
  }
  std::vector<double> times;
  double sum = 0;
  auto isDone = [&] {
    size_t done = times.size();
    return runs ? done >= static_cast<size_t>(runs)
                : done >= maxRuns || (done >= minRuns && sum >= enough);
  };
  while (!isDone()) {
    llvm::Expected<double> took = call.time(*impl->code);
    if (!took)
      return took.takeError();
    times.push_back(*took);
    sum += *took;
  }
  llvm::Expected<std::vector<Array>> taken = call.take(signature.results);
  if (!taken)
    return taken.takeError();
  results = std::move(*taken);
  if (llvm::Error error = call.end())
    return std::move(error);
  return times;
}

llvm::Error Kernel::call(ArrayRef<ArrayView> arguments,
                         ArrayRef<ArrayView> outputs,
                         const CallOptions &options) const {
  const Signature &signature = impl->signature;
  if (llvm::Error error =
          checkViews("arguments", "argument", signature.arguments, arguments))
    return error;
  if (llvm::Error error =
          checkViews("outputs", "output", signature.results, outputs))
    return error;
  SmallVector<ArrayView> views(arguments);
  views.append(outputs.begin(), outputs.end());
  Call call(impl->contexts, impl->description->function, views, options);
  if (llvm::Error error = call.check())
    return error;
  if (llvm::Error error = call.begin())
    return error;
  Lending lent(arguments.size(), outputs.size());
  for (size_t i = 0; i < arguments.size(); ++i)
    lent.arguments[i] = !call.isPlain(i);
  for (size_t i = 0; i < outputs.size(); ++i)
    lent.results[i] = !call.isPlain(arguments.size() + i);
  llvm::Expected<const Code *> code = impl->getCode(lent);
  if (!code)
    return code.takeError();
  if (llvm::Error error = call.run(**code))
    return error;
  if (llvm::Error error = call.store())
    return error;
  return call.end();
}

} // namespace attn
