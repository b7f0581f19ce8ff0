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
  tensor.device.device_type = ATTN_CPU;
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

FunctionDescription::FunctionDescription(const Signature &signature) {
  for (const auto *all : {&signature.arguments, &signature.results})
    for (const TensorSpec &spec : *all)
      specs.push_back({getName(spec.type).data(), spec.shape.data(),
                       static_cast<int32_t>(spec.shape.size()),
                       getTypeCode(spec.type),
                       static_cast<uint8_t>(8 * getByteWidth(spec.type)),
                       spec.scalar, /*lent=*/0});
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
    for (const ArrayView &view : views)
      tensors.push_back(getTensor(view));
    for (auto [index, view] : llvm::enumerate(views))
      arrays.push_back(function.specs[index].scalar
                           ? view.data
                           : static_cast<void *>(&tensors[index]));
  }
  ~Call() {
    if (context)
      pool.giveBack(std::move(context));
  }
  Call(const Call &) = delete;

  llvm::Error check() {
    if (!context)
      return llvm::createStringError("there is no memory for a call");
    return takeError(
        attn_rt_check(context.get(), &function, arrays.size(), arrays.data()));
  }
  bool isPlain(size_t index) const {
    return function.specs[index].scalar || attn_rt_is_plain(&tensors[index]);
  }
  llvm::Error run(const Code &code);
  /// The results as arrays: memory of the call where it can be, else copies.
  llvm::Expected<std::vector<Array>> take(ArrayRef<TensorSpec> results);
  /// The results into the outputs, unless they are there.
  llvm::Error store() {
    return takeError(attn_rt_store(context.get(), &function, lent.data(),
                                   arrays.data(), words.data()));
  }

private:
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
  SmallVector<attn_tensor> tensors;
  SmallVector<void *> arrays;
  SmallVector<uint8_t> lent;
  /// Where compiled code puts the results that it returns.
  SmallVector<int64_t> words;
};

} // namespace

llvm::Error Call::run(const Code &code) {
  for (const auto *all : {&code.lent.arguments, &code.lent.results})
    lent.append(all->begin(), all->end());
  int64_t numWords = 0;
  for (int32_t i = 0; i < function.num_results; ++i)
    numWords += ATTN_RT_WORDS(function.specs[function.num_arguments + i].rank);
  words.resize(numWords);
  return takeError(attn_rt_run(context.get(), &function, code.function,
                               lent.data(), arrays.size(), arrays.data(),
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
    void *owned = again || !result.isRowMajor()
                      ? nullptr
                      : attn_rt_take(context.get(), result.allocation);
    auto array =
        owned ? Array::adopt(result.type, result.shape, owned, result.data)
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
  if (llvm::Error error = call.run(*impl->code))
    return std::move(error);
  return call.take(signature.results);
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
  return call.store();
}

} // namespace attn
