//===- LibraryCode.cpp - What a library holds beside its code ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LibraryCode.h"
#include "attn/Runtime/attn_rt_code.h"
#include "llvm/IR/IRBuilder.h"

#include <cstddef>

using namespace llvm;

namespace attn {

namespace {

/// Writes the structs of attn_rt_code.h as constants of a module.
class Description {
public:
  explicit Description(llvm::Module &module)
      : module(module), context(module.getContext()),
        pointer(PointerType::getUnqual(context)) {}

  GlobalVariable *add(const LibraryFunction &function,
                      ArrayRef<FunctionVersion> versions, const Lending &lent,
                      bool gpu);
  GlobalVariable *add(ArrayRef<KernelImages> kernels, const GPUTarget &gpu);

private:
  Constant *number(int64_t value, unsigned bits) {
    return ConstantInt::get(IntegerType::get(context, bits), value,
                            /*IsSigned=*/true, /*ImplicitTrunc=*/true);
  }
  GlobalVariable *addGlobal(Constant *value) {
    return new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                              GlobalValue::PrivateLinkage, value, "attn_data");
  }
  Constant *text(StringRef text) {
    auto *global = addGlobal(ConstantDataArray::getString(context, text));
    global->setAlignment(Align(1));
    global->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
    return global;
  }
  Constant *record(ArrayRef<Constant *> members) {
    return ConstantStruct::getAnon(context, members);
  }
  /// A null pointer stands for an array of nothing.
  Constant *array(ArrayRef<Constant *> elements) {
    if (elements.empty())
      return ConstantPointerNull::get(pointer);
    return addGlobal(ConstantArray::get(
        ArrayType::get(elements.front()->getType(), elements.size()),
        elements));
  }
  Constant *describe(const TensorSpec &spec, bool lent, bool written);
  Constant *describe(const ShapeRules::Rule &rule);
  Constant *describe(const FunctionVersion &version);

  llvm::Module &module;
  LLVMContext &context;
  PointerType *pointer;
};

} // namespace

Constant *Description::describe(const TensorSpec &spec, bool lent,
                                bool written) {
  static_assert(sizeof(attn_rt_spec) == 32 &&
                offsetof(attn_rt_spec, rank) == 16 &&
                offsetof(attn_rt_spec, written) == 24);
  SmallVector<Constant *> extents;
  for (int64_t extent : spec.shape)
    extents.push_back(number(extent < 0 ? -1 : extent, 64));
  return record({text(getName(spec.type)), array(extents),
                 number(spec.shape.size(), 32),
                 number(getTypeCode(spec.type), 8),
                 number(8 * getByteWidth(spec.type), 8), number(spec.scalar, 8),
                 number(lent, 8), number(written, 64)});
}

Constant *Description::describe(const ShapeRules::Rule &rule) {
  static_assert(sizeof(attn_rt_rule) == 32 &&
                offsetof(attn_rt_rule, multiple) == 24);
  return record({text(rule.meaning), number(rule.left.argument, 32),
                 number(rule.left.dim, 32), number(rule.right.argument, 32),
                 number(rule.right.dim, 32), number(rule.multiple, 32),
                 number(0, 32)});
}

Constant *Description::describe(const FunctionVersion &version) {
  static_assert(sizeof(attn_rt_version) == 32 &&
                offsetof(attn_rt_version, strided) == 24);
  Constant *none = ConstantPointerNull::get(pointer);
  return record({text(version.cpu), number(version.features, 64), version.plain,
                 version.strided ? version.strided : none});
}

GlobalVariable *Description::add(const LibraryFunction &function,
                                 ArrayRef<FunctionVersion> versions,
                                 const Lending &lent, bool gpu) {
  static_assert(sizeof(attn_rt_function) == 48 &&
                offsetof(attn_rt_function, device) == 20 &&
                offsetof(attn_rt_function, specs) == 24);
  const Signature &signature = function.signature;
  SmallVector<Constant *> specs, rules, all;
  for (auto [spec, isLent, isWritten] :
       zip_equal(signature.arguments, lent.arguments, signature.written))
    specs.push_back(describe(spec, isLent, isWritten));
  for (auto [spec, isLent] : zip_equal(signature.results, lent.results))
    specs.push_back(describe(spec, isLent, /*written=*/true));
  for (const ShapeRules::Rule &rule : signature.rules.getRules())
    rules.push_back(describe(rule));
  for (const FunctionVersion &version : versions)
    all.push_back(describe(version));
  return addGlobal(record(
      {number(ATTN_RT_VERSION, 32), number(signature.arguments.size(), 32),
       number(signature.results.size(), 32), number(rules.size(), 32),
       number(all.size(), 32), number(gpu ? ATTN_CUDA : ATTN_CPU, 32),
       array(specs), array(rules), array(all)}));
}

/// Text and code of the kernels, as an attn_rt_gpu_code.
GlobalVariable *Description::add(ArrayRef<KernelImages> kernels,
                                 const GPUTarget &gpu) {
  static_assert(sizeof(attn_rt_gpu_image) == 24 &&
                offsetof(attn_rt_gpu_image, data) == 8 &&
                sizeof(attn_rt_gpu_module) == 24 &&
                sizeof(attn_rt_gpu_code) == 24 &&
                offsetof(attn_rt_gpu_code, modules) == 8);
  auto bytes = [&](StringRef content, bool isText) {
    auto *global = addGlobal(
        ConstantDataArray::getString(context, content, /*AddNull=*/isText));
    // As assemblers leave code.
    global->setAlignment(Align(64));
    return global;
  };
  SmallVector<Constant *> modules;
  for (const KernelImages &kernel : kernels) {
    SmallVector<Constant *> images;
    for (bool binary : {false, true}) {
      StringRef content = binary ? kernel.binary : kernel.ptx;
      if (!content.empty())
        images.push_back(record(
            {number(getImageKind(gpu, binary), 32), number(gpu.getNumber(), 32),
             bytes(content, !binary), number(content.size() + !binary, 64)}));
    }
    modules.push_back(
        record({text(kernel.name), array(images), number(images.size(), 64)}));
  }
  return addGlobal(record({number(ATTN_RT_VERSION, 32), number(0, 32),
                           array(modules), number(modules.size(), 64)}));
}

void defineKernels(llvm::Module &module, ArrayRef<KernelImages> kernels,
                   const GPUTarget &gpu) {
  GlobalVariable *declared = module.getGlobalVariable("attn_rt_gpu_code");
  if (!declared)
    return;
  declared->replaceAllUsesWith(Description(module).add(kernels, gpu));
  declared->eraseFromParent();
}

/// What C passes a scalar as: what has no type there is passed as its bits.
static Type *getScalarType(LLVMContext &context, ElementType type) {
  if (type == ElementType::F32)
    return Type::getFloatTy(context);
  if (type == ElementType::F64)
    return Type::getDoubleTy(context);
  return IntegerType::get(context, 8 * getByteWidth(type));
}

void addLibraryFunction(llvm::Module &module, const LibraryFunction &function,
                        ArrayRef<FunctionVersion> versions, const Lending &lent,
                        bool gpu) {
  GlobalVariable *description =
      Description(module).add(function, versions, lent, gpu);
  LLVMContext &context = module.getContext();
  auto *pointer = PointerType::getUnqual(context);
  auto *status = Type::getInt32Ty(context);
  SmallVector<Type *> types{pointer};
  for (const TensorSpec &spec : function.signature.arguments)
    types.push_back(spec.scalar ? getScalarType(context, spec.type) : pointer);
  types.append(function.signature.results.size(), pointer);
  auto *wrapper = llvm::Function::Create(
      FunctionType::get(status, types, false), GlobalValue::ExternalLinkage,
      function.symbol, module);
  wrapper->addFnAttr(Attribute::NoUnwind);

  IRBuilder<> builder(BasicBlock::Create(context, "entry", wrapper));
  auto *arrays = builder.CreateAlloca(
      ArrayType::get(pointer, std::max<size_t>(types.size() - 1, 1)));
  for (auto [index, argument] : enumerate(drop_begin(wrapper->args()))) {
    Value *address = &argument;
    if (!argument.getType()->isPointerTy()) {
      address = builder.CreateAlloca(argument.getType());
      builder.CreateStore(&argument, address);
    }
    builder.CreateStore(address,
                        builder.CreateConstGEP1_64(pointer, arrays, index));
  }
  FunctionCallee call = module.getOrInsertFunction(
      gpu ? "attn_rt_gpu_call" : "attn_rt_call",
      FunctionType::get(status, {pointer, pointer, pointer}, false));
  builder.CreateRet(
      builder.CreateCall(call, {wrapper->getArg(0), description, arrays}));
}

} // namespace attn
