//===- Signature.cpp - What a function takes and returns --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Signature.h"
#include "attn/Runtime/attn_rt.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"

using namespace mlir;

namespace attn {

uint8_t getTypeCode(ElementType type) {
  if (type == ElementType::BF16)
    return ATTN_BFLOAT;
  if (type == ElementType::I1)
    return ATTN_BOOL;
  return isFloat(type) ? ATTN_FLOAT : ATTN_INT;
}

llvm::Expected<TensorSpec> getTensorSpec(Type type, bool scalars,
                                         bool memrefs) {
  TensorSpec spec;
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto memref = dyn_cast<MemRefType>(type);
  if (memrefs && memref && memref.getLayout().isIdentity() &&
      !memref.getMemorySpace())
    tensor = RankedTensorType::get(memref.getShape(), memref.getElementType());
  spec.scalar = !tensor;
  std::string text, elementText;
  llvm::raw_string_ostream(text) << type;
  llvm::raw_string_ostream(elementText)
      << (tensor ? tensor.getElementType() : type);
  std::optional<ElementType> element = parseElementType(elementText);
  if (!element || (tensor && tensor.getEncoding()) || (!tensor && !scalars))
    return llvm::createStringError(
        "expected a ranked tensor" + Twine(scalars ? " or a scalar" : "") +
        " of f16, bf16, f32, f64, i1, i8, i16, i32, i64 or index, but got " +
        text +
        (element && !tensor ? "; return a tensor<" + text + "> instead" : ""));
  spec.type = *element;
  if (tensor)
    spec.shape.assign(tensor.getShape().begin(), tensor.getShape().end());
  return spec;
}

/// Where arrays lie is for the call to say.
static llvm::Error checkNoLayouts(func::FuncOp function) {
  StringRef name = bufferization::BufferizationDialect::kBufferLayoutAttrName;
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i)
    if (function.getArgAttr(i, name))
      return llvm::createStringError(
          "argument " + Twine(i) + ": expected no " + name +
          ", since each call says how its arrays lie; leave it out");
  for (unsigned i = 0, e = function.getNumResults(); i < e; ++i)
    if (function.getResultAttr(i, name))
      return llvm::createStringError(
          "result " + Twine(i) + ": expected no " + name +
          ", since each call says how its arrays lie; leave it out");
  return llvm::Error::success();
}

/// What the values of `types` take; an error names the first that cannot be
/// passed as an array.
static llvm::Error getSpecs(TypeRange types, StringRef what, bool scalars,
                            bool memrefs, SmallVectorImpl<TensorSpec> &specs) {
  for (auto [index, type] : llvm::enumerate(types)) {
    llvm::Expected<TensorSpec> spec = getTensorSpec(type, scalars, memrefs);
    if (!spec)
      return llvm::createStringError(what + " " + Twine(index) + ": " +
                                     llvm::toString(spec.takeError()));
    specs.push_back(*spec);
  }
  return llvm::Error::success();
}

llvm::Expected<Signature> readSignature(func::FuncOp function, bool memrefs) {
  Signature signature;
  if (llvm::Error error =
          getSpecs(function.getArgumentTypes(), "argument",
                   /*scalars=*/true, memrefs, signature.arguments))
    return std::move(error);
  if (llvm::Error error =
          getSpecs(function.getResultTypes(), "result",
                   /*scalars=*/false, memrefs, signature.results))
    return std::move(error);
  if (llvm::Error error = checkNoLayouts(function))
    return std::move(error);
  for (unsigned i = 0, e = function.getNumArguments(); i < e; ++i) {
    auto writable = function.getArgAttrOfType<BoolAttr>(
        i, bufferization::BufferizationDialect::kWritableAttrName);
    signature.written.push_back(writable && writable.getValue());
  }
  signature.rules = ShapeRules::derive(function);
  return signature;
}

} // namespace attn
