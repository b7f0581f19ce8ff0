//===- Retarget.cpp - From a GPU's LLVM IR to the host's --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Retarget.h"
#include "Intrinsics.h"

#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/ReplaceConstant.h"

using llvm::StringRef;

namespace attn {

static constexpr unsigned kSharedSpace = 3;

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

namespace {

/// Rewrites a module.
class Retargeter {
public:
  Retargeter(llvm::Module &module, RetargetedModule &result)
      : module(module), context(module.getContext()), result(result),
        i32(llvm::Type::getInt32Ty(context)),
        i64(llvm::Type::getInt64Ty(context)),
        pointer(llvm::PointerType::get(context, 0)) {}

  llvm::Error run();

private:
  llvm::Error replaceAssembly();
  void replaceProducts(llvm::CallInst *call, Assembly assembly);
  llvm::Error replaceIntrinsic(llvm::Function &function);
  void replaceDirect(llvm::Function &function, const Intrinsic &intrinsic);
  void replaceBySlots(llvm::Function &function, const Intrinsic &intrinsic);
  llvm::Function *createWrapper(llvm::FunctionType *type,
                                const Intrinsic &intrinsic);
  llvm::Error placeShared();
  void createEntry(llvm::Function &kernel);
  void cleanAttributes(llvm::Function &function);

  llvm::Module &module;
  llvm::LLVMContext &context;
  RetargetedModule &result;
  llvm::Type *i32, *i64;
  llvm::PointerType *pointer;
  int32_t numSites = 0;
};

} // namespace

//===----------------------------------------------------------------------===//
// Intrinsics
//===----------------------------------------------------------------------===//

static const Intrinsic *findIntrinsic(StringRef name) {
  static const llvm::StringMap<const Intrinsic *> all = [] {
    llvm::StringMap<const Intrinsic *> map;
    for (auto table : {getThreadIntrinsics(), getWarpIntrinsics(),
                       getMatrixIntrinsics(), getUnitIntrinsics(),
                       getWaveIntrinsics()})
      for (const Intrinsic &intrinsic : table)
        map[intrinsic.name] = &intrinsic;
    return map;
  }();
  // The address space of a pointer matters not.
  for (StringRef space : {".p0", ".p1", ".p3"})
    if (name.consume_back(space))
      break;
  return all.lookup(name);
}

/// The few instructions that LLVM has no intrinsic for.
llvm::Error Retargeter::replaceAssembly() {
  llvm::SmallVector<llvm::CallInst *> calls;
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = llvm::dyn_cast<llvm::CallInst>(&instruction))
        if (call->isInlineAsm())
          calls.push_back(call);
  for (llvm::CallInst *call : calls) {
    auto *assembly = llvm::cast<llvm::InlineAsm>(call->getCalledOperand());
    StringRef text = StringRef(assembly->getAsmString()).trim();
    auto *type = call->getFunctionType();
    if (text.take_until([](char c) { return c == ' '; }) == "tanh.approx.f32" &&
        type->getReturnType()->isFloatTy() && type->getNumParams() == 1) {
      call->setCalledFunction(
          module.getOrInsertFunction("llvm.nvvm.tanh.approx.f32", type));
      continue;
    }
    if (text == "mov.b32 $0, $1;" && type->getNumParams() == 1 &&
        type->getReturnType() == type->getParamType(0)) {
      call->replaceAllUsesWith(call->getArgOperand(0));
      call->eraseFromParent();
      continue;
    }
    llvm::Expected<Assembly> parsed = Assembly::parse(*assembly);
    if (!parsed)
      return parsed.takeError();
    replaceProducts(call, std::move(*parsed));
  }
  return llvm::Error::success();
}

/// Slots hold the address of what is to be done, then the operands.
static void executeAssembly(const Slot *arguments, Slot *results,
                            int32_t site) {
  auto *assembly = getArgument<const Assembly *>(arguments, 0);
  Block &block = Block::current();
  block.meet("wgmma", /*aligned=*/true, ~0u, site, arguments, results,
             [&](Meeting &meeting) {
               block.getProducts().execute(*assembly, meeting);
             });
}

void Retargeter::replaceProducts(llvm::CallInst *call, Assembly assembly) {
  result.assemblies.push_back(std::make_unique<Assembly>(std::move(assembly)));
  result.hasProxies = true;
  llvm::FunctionType *type = call->getFunctionType();
  llvm::SmallVector<llvm::Type *> inputs{i64};
  llvm::append_range(inputs, type->params());
  Intrinsic intrinsic{"assembly", executeAssembly};
  llvm::Function *wrapper = createWrapper(
      llvm::FunctionType::get(type->getReturnType(), inputs, false), intrinsic);
  llvm::IRBuilder<> b(call);
  llvm::SmallVector<llvm::Value *> arguments{
      b.getInt64(reinterpret_cast<uintptr_t>(result.assemblies.back().get()))};
  llvm::append_range(arguments, call->args());
  arguments.push_back(b.getInt32(++numSites));
  call->replaceAllUsesWith(b.CreateCall(wrapper, arguments));
  call->eraseFromParent();
}

void Retargeter::replaceDirect(llvm::Function &function,
                               const Intrinsic &intrinsic) {
  std::string name = "attn_emulator." + intrinsic.name.str();
  auto *replacement =
      llvm::Function::Create(function.getFunctionType(),
                             llvm::GlobalValue::ExternalLinkage, name, module);
  replacement->setDoesNotThrow();
  if (intrinsic.pure) {
    replacement->setDoesNotAccessMemory();
    replacement->setWillReturn();
  }
  result.symbols.push_back({name, intrinsic.direct});
  function.replaceAllUsesWith(replacement);
  for (llvm::User *user : replacement->users())
    if (auto *call = llvm::dyn_cast<llvm::CallInst>(user))
      call->setAttributes({});
  function.eraseFromParent();
}

/// The slots that a value takes: all but vectors one.
static unsigned countSlots(llvm::Type *type) {
  auto *vector = llvm::dyn_cast<llvm::FixedVectorType>(type);
  return vector ? llvm::divideCeil(vector->getPrimitiveSizeInBits()
                                       .getFixedValue(),
                                   64)
                : 1;
}

/// @wrapper(arguments, site): stores the arguments in slots, calls the
/// emulator, and loads the results.
llvm::Function *Retargeter::createWrapper(llvm::FunctionType *type,
                                          const Intrinsic &intrinsic) {
  llvm::SmallVector<llvm::Type *> inputs(type->params());
  inputs.push_back(i32);
  auto *wrapper = llvm::Function::Create(
      llvm::FunctionType::get(type->getReturnType(), inputs, false),
      llvm::GlobalValue::InternalLinkage, "wrapper." + intrinsic.name, module);
  wrapper->addFnAttr(llvm::Attribute::NoInline);
  wrapper->addFnAttr(llvm::Attribute::Convergent);
  wrapper->setDoesNotThrow();
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "", wrapper));
  auto *output = llvm::dyn_cast<llvm::StructType>(type->getReturnType());
  unsigned numResults = output ? output->getNumElements()
                               : countSlots(type->getReturnType());
  auto createSlots = [&](unsigned count) {
    return b.CreateAlloca(llvm::ArrayType::get(i64, count));
  };
  unsigned numArguments = 0;
  for (llvm::Type *input : inputs)
    numArguments += countSlots(input);
  llvm::Value *arguments = createSlots(numArguments);
  llvm::Value *results = createSlots(numResults);
  for (unsigned i = 0, at = 0; i < type->getNumParams(); ++i) {
    llvm::Value *value = wrapper->getArg(i);
    if (value->getType()->isIntegerTy(1))
      value = b.CreateZExt(value, i64);
    // A slot is aligned as i64 is, whatever lies in it.
    b.CreateAlignedStore(value, b.CreateConstGEP1_32(i64, arguments, at),
                         llvm::Align(8));
    at += countSlots(value->getType());
  }
  std::string name = "attn_emulator." + intrinsic.name.str();
  auto callee = module.getOrInsertFunction(
      name, llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                                    {pointer, pointer, i32}, false));
  b.CreateCall(callee,
               {arguments, results, wrapper->getArg(inputs.size() - 1)});
  auto load = [&](llvm::Type *type, unsigned index) -> llvm::Value * {
    llvm::Value *slot = b.CreateConstGEP1_32(i64, results, index);
    if (!type->isIntegerTy(1))
      return b.CreateAlignedLoad(type, slot, llvm::Align(8));
    return b.CreateTrunc(b.CreateLoad(b.getInt8Ty(), slot), type);
  };
  if (type->getReturnType()->isVoidTy()) {
    b.CreateRetVoid();
  } else if (!output) {
    b.CreateRet(load(type->getReturnType(), 0));
  } else {
    llvm::Value *sum = llvm::PoisonValue::get(output);
    for (unsigned i = 0; i < numResults; ++i)
      sum = b.CreateInsertValue(sum, load(output->getElementType(i), i), i);
    b.CreateRet(sum);
  }
  result.symbols.push_back({name, reinterpret_cast<void *>(intrinsic.slots)});
  return wrapper;
}

void Retargeter::replaceBySlots(llvm::Function &function,
                                const Intrinsic &intrinsic) {
  llvm::Function *wrapper =
      createWrapper(function.getFunctionType(), intrinsic);
  for (llvm::User *user : llvm::make_early_inc_range(function.users())) {
    auto *call = llvm::cast<llvm::CallInst>(user);
    llvm::IRBuilder<> b(call);
    llvm::SmallVector<llvm::Value *> arguments(call->args());
    arguments.push_back(b.getInt32(++numSites));
    call->replaceAllUsesWith(b.CreateCall(wrapper, arguments));
    call->eraseFromParent();
  }
  function.eraseFromParent();
}

llvm::Error Retargeter::replaceIntrinsic(llvm::Function &function) {
  StringRef name = function.getName();
  if (name.consume_front("llvm.nvvm.") || name.consume_front("llvm.amdgcn.")) {
    const Intrinsic *intrinsic = findIntrinsic(name);
    result.hasProxies |= name.starts_with("cp.async.bulk.");
    if (!intrinsic)
      return makeError(
          "expected intrinsics that the emulator knows, but got '" +
          function.getName() + "'");
    if (intrinsic->direct)
      replaceDirect(function, *intrinsic);
    else
      replaceBySlots(function, *intrinsic);
    return llvm::Error::success();
  }
  if (name.starts_with("llvm.masked."))
    return makeError("expected loads and stores without masks, but got '" +
                     name + "', which the emulator cannot check");
  if (!function.isIntrinsic() && !name.starts_with("attn_emulator."))
    return makeError("expected functions with bodies, but @" + name +
                     " has none, so the emulator cannot run what calls it");
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

/// Arrays get places in the shared memory of the block that runs. Some bytes
/// lie between them, which nobody may touch.
llvm::Error Retargeter::placeShared() {
  const llvm::DataLayout &layout = module.getDataLayout();
  llvm::SmallVector<llvm::GlobalVariable *> arrays;
  for (llvm::GlobalVariable &variable : module.globals())
    if (variable.getAddressSpace() == kSharedSpace)
      arrays.push_back(&variable);
  llvm::SmallVector<llvm::Constant *> constants(arrays.begin(), arrays.end());
  llvm::convertUsersOfConstantsToInstructions(constants);
  // Those without a size share one place, behind all others.
  llvm::DenseMap<llvm::GlobalVariable *, int64_t> offsets;
  int64_t next = 0;
  uint64_t dynamicAlignment = 16;
  for (llvm::GlobalVariable *array : arrays) {
    int64_t bytes = layout.getTypeAllocSize(array->getValueType());
    uint64_t alignment = std::max<uint64_t>(
        array->getAlign().valueOrOne().value(),
        layout.getABITypeAlign(array->getValueType()).value());
    // As upstream has it: of a byte if it is dynamic.
    bool dynamic =
        bytes == 0 || array->getName().starts_with("__dynamic_shmem");
    if (dynamic) {
      dynamicAlignment = std::max(dynamicAlignment, alignment);
      offsets[array] = -1;
      continue;
    }
    next = llvm::alignTo(next, std::max<uint64_t>(alignment, 16));
    offsets[array] = next;
    result.sharedArrays.push_back({next, bytes});
    result.staticBytes += bytes;
    next += bytes + 16;
  }
  result.dynamicOffset = llvm::alignTo(next, dynamicAlignment);

  auto getBase = module.getOrInsertFunction(
      "attn_emulator.shared",
      llvm::FunctionType::get(llvm::PointerType::get(context, kSharedSpace),
                              false));
  if (!arrays.empty()) {
    auto *declared = llvm::cast<llvm::Function>(getBase.getCallee());
    declared->setDoesNotAccessMemory();
    declared->setDoesNotThrow();
    declared->setWillReturn();
  }
  llvm::DenseMap<std::pair<llvm::Function *, llvm::GlobalVariable *>,
                 llvm::Value *>
      places;
  for (llvm::GlobalVariable *array : arrays) {
    for (llvm::Use &use : llvm::make_early_inc_range(array->uses())) {
      auto *user = llvm::dyn_cast<llvm::Instruction>(use.getUser());
      if (!user)
        continue;
      llvm::Function *function = user->getFunction();
      llvm::Value *&place = places[{function, array}];
      if (!place) {
        llvm::IRBuilder<> b(&*function->getEntryBlock().getFirstInsertionPt());
        int64_t offset = offsets[array];
        place =
            b.CreateConstGEP1_64(b.getInt8Ty(), b.CreateCall(getBase),
                                 offset < 0 ? result.dynamicOffset : offset);
      }
      use.set(place);
    }
    if (!array->use_empty())
      return makeError("expected only code to use @" + array->getName() +
                       ", which is shared memory");
    array->eraseFromParent();
  }
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

void Retargeter::cleanAttributes(llvm::Function &function) {
  for (const char *name : {"target-cpu", "target-features", "tune-cpu"})
    function.removeFnAttr(name);
  // Parameters that are structures come by their address.
  for (unsigned i = 0; i < function.arg_size(); ++i)
    function.removeParamAttr(i, llvm::Attribute::ByVal);
  function.removeFnAttr(llvm::Attribute::NoReturn);
}

/// @entry(parameters) calls the kernel with what they point to.
void Retargeter::createEntry(llvm::Function &kernel) {
  std::string name = "attn_entry." + kernel.getName().str();
  auto *entry = llvm::Function::Create(
      llvm::FunctionType::get(llvm::Type::getVoidTy(context), {pointer}, false),
      llvm::GlobalValue::ExternalLinkage, name, module);
  llvm::IRBuilder<> b(llvm::BasicBlock::Create(context, "", entry));
  llvm::SmallVector<llvm::Value *> arguments;
  for (llvm::Argument &argument : kernel.args()) {
    llvm::Value *address =
        b.CreateLoad(pointer, b.CreateConstGEP1_32(pointer, entry->getArg(0),
                                                   argument.getArgNo()));
    arguments.push_back(
        argument.hasByValAttr()
            ? address
            : b.CreateAlignedLoad(argument.getType(), address, llvm::Align(1)));
  }
  b.CreateCall(&kernel, arguments);
  b.CreateRetVoid();
  result.kernels[kernel.getName()] = {name,
                                      static_cast<unsigned>(kernel.arg_size())};
}

llvm::Error Retargeter::run() {
  if (llvm::Error error = replaceAssembly())
    return error;
  for (llvm::Function &function : llvm::make_early_inc_range(module)) {
    if (function.isDeclaration()) {
      if (function.use_empty())
        function.eraseFromParent();
      else if (llvm::Error error = replaceIntrinsic(function))
        return error;
    }
  }
  if (llvm::Error error = placeShared())
    return error;
  llvm::SmallVector<llvm::Function *> kernels;
  for (llvm::Function &function : module)
    if (function.getCallingConv() == llvm::CallingConv::PTX_Kernel ||
        function.getCallingConv() == llvm::CallingConv::AMDGPU_KERNEL)
      kernels.push_back(&function);
  for (llvm::Function *kernel : kernels) {
    kernel->setCallingConv(llvm::CallingConv::C);
    kernel->setLinkage(llvm::GlobalValue::InternalLinkage);
    createEntry(*kernel);
  }
  for (llvm::Function &function : module)
    cleanAttributes(function);
  const llvm::DataLayout &layout = module.getDataLayout();
  for (llvm::GlobalVariable &variable : module.globals()) {
    if (variable.getName().starts_with("llvm.") || variable.isDeclaration())
      continue;
    variable.setLinkage(llvm::GlobalValue::ExternalLinkage);
    if (!variable.hasName())
      variable.setName("attn_variable");
    result.variables.push_back(
        {variable.getName().str(), static_cast<int64_t>(layout.getTypeAllocSize(
                                       variable.getValueType()))});
  }
  return llvm::Error::success();
}

llvm::Expected<RetargetedModule> retarget(llvm::Module &module,
                                          llvm::TargetMachine &machine) {
  RetargetedModule result;
  module.setTargetTriple(machine.getTargetTriple());
  module.setDataLayout(machine.createDataLayout());
  if (llvm::Error error = Retargeter(module, result).run())
    return std::move(error);
  return result;
}

} // namespace attn
