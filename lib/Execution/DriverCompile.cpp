//===- DriverCompile.cpp - From a module to what was asked for --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverCompile.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::createStringError;
using llvm::Expected;

Expected<TensorSpec> attn::getTensorSpec(mlir::Type type) {
  TensorSpec spec;
  auto tensor = mlir::dyn_cast<mlir::RankedTensorType>(type);
  spec.scalar = !tensor;
  mlir::Type element = tensor ? tensor.getElementType() : type;
  std::string text;
  llvm::raw_string_ostream(text) << type;
  std::string elementText;
  llvm::raw_string_ostream(elementText) << element;
  std::optional<ElementType> elementType = parseElementType(elementText);
  if (!elementType || (tensor && tensor.getEncoding()))
    return createStringError(
        "expected a ranked tensor or a scalar of f16, bf16, f32, f64, i1, i8, "
        "i16, i32, i64 or index, but got " +
        text);
  spec.type = *elementType;
  if (tensor)
    for (int64_t extent : tensor.getShape())
      spec.shape.push_back(extent);
  return spec;
}
