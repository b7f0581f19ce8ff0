//===- CompilerHeader.cpp - The C header of a library -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompilerHeader.h"

#include "attn/Runtime/attn_rt.h"
#include "attn/Version.h"
#include "llvm/ADT/StringExtras.h"

using namespace attn;
using llvm::StringRef;

/// The text of attn_rt.h, and of attn_rt_gpu.h.
static constexpr char runtimeHeader[] = {
#include "attn_rt.inc"
};
static constexpr char gpuHeader[] = {
#include "attn_rt_gpu.inc"
};

llvm::ArrayRef<StringRef> attn::getHostFunctions(bool gpu) {
  static constexpr StringRef names[] = {
      "attn_abi_version", "attn_rt_create", "attn_rt_destroy",
      "attn_rt_get_error", "attn_rt_set_threads",
      // Of libraries for a GPU only.
      "attn_rt_gpu_set_place", "attn_rt_gpu_wait"};
  return llvm::ArrayRef(names).drop_back(gpu ? 0 : 2);
}

/// What hosts need of the runtime, in one file.
static std::string getRuntimeHeader(bool gpu) {
  if (!gpu)
    return runtimeHeader;
  auto [before, after] =
      StringRef(gpuHeader).split("#include \"attn/Runtime/attn_rt.h\"\n");
  return (runtimeHeader + llvm::Twine("\n") + before + after).str();
}

/// What C passes a scalar as.
static StringRef getScalarType(ElementType type) {
  switch (type) {
  case ElementType::F16:
  case ElementType::BF16:
    return "uint16_t";
  case ElementType::F32:
    return "float";
  case ElementType::F64:
    return "double";
  case ElementType::I1:
    return "uint8_t";
  case ElementType::I8:
    return "int8_t";
  case ElementType::I16:
    return "int16_t";
  case ElementType::I32:
    return "int32_t";
  case ElementType::I64:
  case ElementType::Index:
    return "int64_t";
  }
  return "";
}

static std::string printExtent(StringRef what, unsigned number, unsigned dim) {
  return "extent " + std::to_string(dim) + " of " + what.str() +
         std::to_string(number);
}

static void printSpec(llvm::raw_ostream &os, const std::string &name,
                      const TensorSpec &spec, bool written) {
  os << " *   " << llvm::left_justify(name, 12) << " "
     << toString(spec.shape, spec.type);
  if (spec.scalar &&
      (spec.type == ElementType::F16 || spec.type == ElementType::BF16))
    os << ", its bits";
  if (written)
    os << ", written";
  os << "\n";
}

/// The relations that the types do not show.
static std::vector<ShapeRules::Rule> getRules(const Signature &signature) {
  auto isDynamic = [&](const ShapeRules::Extent &extent) {
    return signature.arguments[extent.argument].shape[extent.dim] < 0;
  };
  std::vector<ShapeRules::Rule> rules;
  for (const ShapeRules::Rule &rule : signature.rules.getRules())
    if ((isDynamic(rule.left) || isDynamic(rule.right)) &&
        (rule.left.argument != rule.right.argument ||
         rule.left.dim != rule.right.dim))
      rules.push_back(rule);
  return rules;
}

static void printFunction(llvm::raw_ostream &os,
                          const LibraryFunction &function) {
  const Signature &signature = function.signature;
  os << "\n/** " << function.symbol << "\n *\n";
  for (auto [number, spec] : llvm::enumerate(signature.arguments))
    printSpec(os, "argument" + std::to_string(number), spec,
              signature.written[number]);
  for (auto [number, spec] : llvm::enumerate(signature.results))
    printSpec(os, "result" + std::to_string(number), spec, true);
  std::vector<ShapeRules::Rule> rules = getRules(signature);
  if (!rules.empty() || !function.resultExtents.empty())
    os << " *\n";
  for (const ShapeRules::Rule &rule : rules)
    os << " *   " << printExtent("argument", rule.left.argument, rule.left.dim)
       << (rule.multiple ? " is a multiple of " : " is ")
       << printExtent("argument", rule.right.argument, rule.right.dim) << " ("
       << rule.meaning << ")\n";
  for (const auto &extent : function.resultExtents)
    os << " *   " << printExtent("result", extent.result, extent.dim) << " is "
       << printExtent("argument", extent.argument, extent.argumentDim) << "\n";
  os << " */\nint32_t " << function.symbol << "(attn_rt_context *context";
  for (auto [number, spec] : llvm::enumerate(signature.arguments))
    os << ",\n    "
       << (spec.scalar ? getScalarType(spec.type) + " "
                       : llvm::Twine("const attn_tensor *"))
       << "argument" << number;
  for (size_t number = 0; number < signature.results.size(); ++number)
    os << ",\n    const attn_tensor *result" << number;
  os << ");\n";
}

void attn::printLibraryHeader(llvm::raw_ostream &os, const Library &library,
                              StringRef name) {
  std::string guard = "ATTN_LIBRARY_";
  for (char c : name)
    guard += llvm::isAlnum(c) ? llvm::toUpper(c) : '_';
  os << "/* Written by attn-compile " << ATTN_VERSION << " for "
     << library.triple << ": " << llvm::join(library.cpus, ", ")
     << ".\n *\n * What hosts need of the runtime comes first; the functions "
        "follow. */\n#ifndef "
     << guard << "\n#define " << guard << "\n\n"
     << getRuntimeHeader(library.gpu)
     << "\n#if ATTN_RT_VERSION != " << ATTN_RT_VERSION
     << "\n#error \"expected version " << ATTN_RT_VERSION
     << " of attn_rt.h, but another one was included before\"\n#endif\n\n"
        "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
        "/*\n"
        " * Each function reads its arguments where they are and writes its\n"
        " * results into the arrays that it is given. It takes extents as "
        "they\n"
        " * are said here, ? being any, and any strides that are not negative\n"
        " * but the innermost, which is 1. Results share memory with nothing\n"
        " * else. `context` may be null: then nothing says why a call fails.\n"
        " * It returns ATTN_OK, or what went wrong; attn_rt_get_error says "
        "it.\n"
        " * Calls with different contexts may run at once.\n"
        " */\n";
  for (const LibraryFunction &function : library.functions)
    printFunction(os, function);
  os << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif /* " << guard << " */\n";
}
