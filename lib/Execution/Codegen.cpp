//===- Codegen.cpp - From the LLVM dialect to machine code ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codegen.h"
#include "attn/Support/FirstError.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/PassManager.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/Local.h"

#include <mutex>

using namespace mlir;

namespace attn {

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

/// Switches off what takes code generation long and gives the kernels nothing:
/// loop strength reduction (a third of its time: the offsets they need are
/// carried along their loops as it is), hoisting in machine code (what can be
/// hoisted was, in IR), and most of the search for the best region to split a
/// live range in. LLVM has no other switches for these than its command line,
/// whose word stands where an option was given there.
static void quickenCodegen() {
  const std::pair<llvm::StringRef, llvm::StringRef> settings[] = {
      {"disable-lsr", "true"},
      {"disable-machine-licm", "true"},
      {"grow-region-complexity-budget", "100"}};
  auto &options = llvm::cl::getRegisteredOptions();
  for (auto [name, value] : settings) {
    auto known = options.find(name);
    if (known != options.end() && known->second->getNumOccurrences() == 0)
      known->second->addOccurrence(/*pos=*/0, name, value);
  }
}

static void initializeTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
    quickenCodegen();
  });
}

/// The target's features as LLVM knows them, those of `cpu` changed by
/// `features`.
static llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>>
createSubtarget(StringRef cpu, StringRef features) {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError(message);
  return std::unique_ptr<llvm::MCSubtargetInfo>(
      target->createMCSubtargetInfo(triple, cpu, features));
}

/// Refuses a CPU or a feature that LLVM does not know: it would only warn, once
/// for every use, and compile for something else. And one without what code for
/// this process cannot do without: LLVM would abort.
static llvm::Error checkTarget(StringRef cpu, StringRef features) {
  llvm::Triple triple(llvm::sys::getProcessTriple());
  auto info = createSubtarget("", "");
  if (!info)
    return info.takeError();
  if (!cpu.empty() && !(*info)->isCPUStringValid(cpu))
    return makeError("expected a CPU that LLVM knows for " + triple.str() +
                     ", but got '" + cpu + "'; try " +
                     llvm::sys::getHostCPUName().str());
  llvm::SmallVector<StringRef> parts;
  features.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    StringRef name = part.trim();
    bool sign = name.consume_front("+") || name.consume_front("-");
    bool known = llvm::any_of((*info)->getAllProcessorFeatures(),
                              [&](const llvm::SubtargetFeatureKV &known) {
                                return name == known.Key;
                              });
    if (!sign || !known)
      return makeError("expected --features of +NAME and -NAME that "
                       "LLVM knows for " +
                       triple.str() + ", but got '" + part.str() + "'");
  }
  if (triple.getArch() != llvm::Triple::x86_64)
    return llvm::Error::success();
  auto chosen = createSubtarget(cpu, features);
  if (!chosen)
    return chosen.takeError();
  for (StringRef needed : {"+64bit", "+64bit-mode", "+sse2", "-16bit-mode",
                           "-32bit-mode", "-soft-float"})
    if (!(*chosen)->checkFeatures(needed)) {
      std::string given = cpu.empty() ? "" : "--cpu=" + cpu.str();
      if (!features.empty())
        given += (cpu.empty() ? "" : " ") + ("--features=" + features).str();
      return makeError("expected a target with" +
                       StringRef(needed.front() == '+' ? " " : "out ") +
                       needed.drop_front() + ", as " + triple.str() +
                       " demands, but got " + given + "; try --cpu=x86-64");
    }
  return llvm::Error::success();
}

llvm::Error checkHostRuns(const CompileOptions &options) {
  auto info = createSubtarget(options.cpu, options.features);
  if (!info)
    return info.takeError();
  llvm::StringMap<bool> host = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<StringRef> lacking;
  for (const auto &known : (*info)->getAllProcessorFeatures()) {
    auto found = host.find(known.Key);
    if (found != host.end() && !found->second &&
        (*info)->getFeatureBits().test(known.Value))
      lacking.push_back(known.Key);
  }
  if (lacking.empty())
    return llvm::Error::success();
  constexpr size_t shown = 3;
  std::string names = llvm::join(ArrayRef(lacking).take_front(shown), ", ");
  if (lacking.size() > shown)
    names += " and " + std::to_string(lacking.size() - shown) + " more";
  return makeError("expected a target that this machine can execute, but "
                   "--cpu and --features ask for " +
                   names +
                   ", which it lacks; leave them out, or only show the code "
                   "with --emit");
}

llvm::Error resolveTarget(CompileOptions &options) {
  initializeTarget();
  if (llvm::Error error = checkTarget(options.cpu, options.features))
    return error;
  if (options.cpu.empty()) {
    options.cpu = llvm::sys::getHostCPUName().str();
    llvm::SubtargetFeatures features;
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      features.AddFeature(feature.getKey(), feature.getValue());
    if (!options.features.empty())
      features.addFeaturesVector(
          llvm::SubtargetFeatures(options.features).getFeatures());
    options.features = features.getString();
  }
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  const llvm::MCSubtargetInfo *info = (*machine)->getMCSubtargetInfo();
  // What the CPU implies, as a list of features.
  llvm::SubtargetFeatures features;
  for (StringRef name :
       {"avx2", "fma", "avx512f", "avx512vl", "avx512dq", "avx512bw"})
    features.AddFeature(name, info->checkFeatures("+" + name.str()));
  options.stages.target = TargetInfo::fromFeatures(features.getString());
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const CompileOptions &options) {
  initializeTarget();
  llvm::Triple triple(llvm::sys::getProcessTriple());
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError("expected a target that LLVM supports, but got " +
                     triple.str() + ": " + message);
  llvm::TargetOptions targetOptions;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, options.cpu, options.features, targetOptions, llvm::Reloc::PIC_,
      std::nullopt, llvm::CodeGenOptLevel::Default, /*JIT=*/true));
  if (!machine)
    return makeError("expected a CPU that LLVM knows, but got " + options.cpu);
  return machine;
}

namespace {
/// Prints what the passes found and chose, a line each.
struct RemarkPrinter final : remark::detail::MLIRRemarkStreamerBase {
  explicit RemarkPrinter(llvm::raw_ostream &os) : os(os) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    os << formatLocation(remark.getLocation()) << remark.getRemarkName()
       << ": ";
    for (const auto &part : remark.getArgs())
      os << part.val;
    os << "\n";
  }

  llvm::raw_ostream &os;
};
} // namespace

/// The error of what came to nothing: the op that `isUnknown` finds or, without
/// one, what was reported.
static llvm::Error
explainFailure(ModuleOp module, const FirstError &error,
               llvm::function_ref<bool(Operation *)> isUnknown,
               const char *otherwise) {
  Operation *unknown = nullptr;
  module.walk([&](Operation *op) {
    if (!isUnknown(op))
      return WalkResult::advance();
    unknown = op;
    return WalkResult::interrupt();
  });
  if (!unknown)
    return error.take(otherwise);
  return makeError(formatLocation(unknown->getLoc()) + "'" +
                   unknown->getName().getStringRef() +
                   "' op cannot be compiled; write what it computes as "
                   "linalg.generic");
}

/// Whether it is this op that bufferization does not know: its error does not
/// say.
static bool isNotBufferized(Operation *op, const FirstError &error) {
  auto isTensor = [](Type type) { return isa<TensorType>(type); };
  return error.getText() == "op was not bufferized" &&
         op->getLoc() == *error.getLocation() &&
         !isa<bufferization::BufferizableOpInterface>(op) &&
         (llvm::any_of(op->getOperandTypes(), isTensor) ||
          llvm::any_of(op->getResultTypes(), isTensor));
}

llvm::Error lowerModule(ModuleOp module, const CompileOptions &options,
                        llvm::raw_ostream *remarks) {
  MLIRContext *context = module.getContext();
  FirstError error(context);
  llvm::scope_exit disable([&] {
    if (remarks)
      context->setRemarkEngine(nullptr);
  });
  if (remarks) {
    remark::RemarkCategories all;
    all.all = all.passed = all.missed = all.analysis = all.failed = ".*";
    if (failed(remark::enableOptimizationRemarks(
            *context, std::make_unique<RemarkPrinter>(*remarks),
            std::make_unique<remark::RemarkEmittingPolicyAll>(), all)))
      return makeError("remarks cannot be collected");
  }
  PassManager pm(context);
  pm.enableVerifier(options.verifyEach);
  buildCPUPipeline(pm, options.stages);
  if (failed(pm.run(module)))
    return explainFailure(
        module, error,
        [&](Operation *op) { return isNotBufferized(op, error); },
        "the module cannot be compiled");
  return llvm::Error::success();
}

/// Masked loads and stores of bf16 become ones of 16-bit integers: without
/// instructions for bf16, LLVM would call a function for each lane.
static void legalizeMaskedBF16(llvm::Module &module) {
  llvm::SmallVector<llvm::IntrinsicInst *> work;
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function)) {
      auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
      if (!call)
        continue;
      bool store = call->getIntrinsicID() == llvm::Intrinsic::masked_store;
      bool load = call->getIntrinsicID() == llvm::Intrinsic::masked_load;
      bool gather = call->getIntrinsicID() == llvm::Intrinsic::masked_gather;
      if (!store && !load && !gather)
        continue;
      llvm::Type *type =
          store ? call->getArgOperand(0)->getType() : call->getType();
      if (type->getScalarType()->isBFloatTy())
        work.push_back(call);
    }
  for (llvm::IntrinsicInst *call : work) {
    llvm::IRBuilder<> builder(call);
    auto toIntegers = [&](llvm::Type *type) {
      auto *vector = llvm::cast<llvm::FixedVectorType>(type);
      return llvm::FixedVectorType::get(builder.getInt16Ty(),
                                        vector->getNumElements());
    };
    llvm::Align align(2);
    if (call->getIntrinsicID() == llvm::Intrinsic::masked_store) {
      llvm::Value *value = call->getArgOperand(0);
      builder.CreateMaskedStore(
          builder.CreateBitCast(value, toIntegers(value->getType())),
          call->getArgOperand(1), align,
          call->getArgOperand(call->arg_size() - 1));
    } else {
      llvm::Type *type = call->getType();
      unsigned last = call->arg_size() - 1;
      llvm::Value *from = call->getArgOperand(0);
      llvm::Value *mask = call->getArgOperand(last - 1);
      llvm::Value *hidden =
          builder.CreateBitCast(call->getArgOperand(last), toIntegers(type));
      llvm::Value *loaded =
          call->getIntrinsicID() == llvm::Intrinsic::masked_gather
              ? builder.CreateMaskedGather(toIntegers(type), from, align, mask,
                                           hidden)
              : builder.CreateMaskedLoad(toIntegers(type), from, align, mask,
                                         hidden);
      call->replaceAllUsesWith(builder.CreateBitCast(loaded, type));
    }
    call->eraseFromParent();
  }
}

/// A bf16 that is selected or outlives its block is kept as f32, and a function
/// called to round it back, which there need not be. Selections become ones of
/// 16-bit integers, and the others live in memory.
static void legalizeLiveBF16(llvm::Function &function) {
  auto isBF16 = [](llvm::Value *value) {
    return value->getType()->getScalarType()->isBFloatTy();
  };
  llvm::SmallVector<llvm::SelectInst *> selects;
  llvm::SmallVector<llvm::PHINode *> phis;
  for (llvm::Instruction &instruction : llvm::instructions(function)) {
    if (!isBF16(&instruction))
      continue;
    if (auto *select = llvm::dyn_cast<llvm::SelectInst>(&instruction))
      selects.push_back(select);
    else if (auto *phi = llvm::dyn_cast<llvm::PHINode>(&instruction))
      phis.push_back(phi);
  }
  for (llvm::SelectInst *select : selects) {
    llvm::IRBuilder<> builder(select);
    llvm::Type *bits = select->getType()->getWithNewType(builder.getInt16Ty());
    llvm::Value *chosen = builder.CreateSelect(
        select->getCondition(),
        builder.CreateBitCast(select->getTrueValue(), bits),
        builder.CreateBitCast(select->getFalseValue(), bits));
    select->replaceAllUsesWith(
        builder.CreateBitCast(chosen, select->getType()));
    select->eraseFromParent();
  }
  for (llvm::PHINode *phi : phis)
    llvm::DemotePHIToStack(phi);

  llvm::BasicBlock &entry = function.getEntryBlock();
  for (llvm::Argument &argument : function.args()) {
    if (!isBF16(&argument) || argument.use_empty())
      continue;
    llvm::IRBuilder<> builder(&*entry.getFirstNonPHIOrDbgOrAlloca());
    auto *slot = builder.CreateAlloca(argument.getType());
    auto *store = builder.CreateStore(&argument, slot);
    for (llvm::Use &use : llvm::make_early_inc_range(argument.uses())) {
      auto *user = llvm::cast<llvm::Instruction>(use.getUser());
      if (user == store)
        continue;
      builder.SetInsertPoint(user);
      use.set(builder.CreateLoad(argument.getType(), slot));
    }
  }
  llvm::SmallVector<llvm::Instruction *> live;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (isBF16(&instruction) &&
        instruction.isUsedOutsideOfBlock(instruction.getParent()))
      live.push_back(&instruction);
  for (llvm::Instruction *instruction : live)
    llvm::DemoteRegToStack(*instruction);
}

/// The few passes that matter here: the vectors, loops and register tiles are
/// already what they shall be, so nothing is vectorized or unrolled again, and
/// compilation stays a matter of milliseconds.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager sccs;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(sccs);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, sccs, modules);

  llvm::FunctionPassManager pm;
  pm.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
  pm.addPass(llvm::EarlyCSEPass(/*UseMemorySSA=*/true));
  pm.addPass(llvm::SimplifyCFGPass());
  pm.addPass(llvm::InstCombinePass());
  pm.addPass(llvm::createFunctionToLoopPassAdaptor(
      llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  pm.addPass(llvm::EarlyCSEPass());
  pm.addPass(llvm::SimplifyCFGPass());
  llvm::ModulePassManager modulePm;
  modulePm.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(pm)));
  modulePm.run(module, modules);
}

llvm::Expected<std::unique_ptr<llvm::Module>>
translateAndOptimize(ModuleOp module, llvm::LLVMContext &context,
                     llvm::TargetMachine &machine) {
  FirstError error(module.getContext());
  std::unique_ptr<llvm::Module> translated =
      translateModuleToLLVMIR(module, context, "attn");
  if (!translated)
    // What the stages left as it was.
    return explainFailure(
        module, error,
        [](Operation *op) {
          StringRef dialect = op->getName().getDialectNamespace();
          return dialect != "llvm" && dialect != "builtin";
        },
        "the module cannot be translated to LLVM IR");
  translated->setDataLayout(machine.createDataLayout());
  translated->setTargetTriple(machine.getTargetTriple());
  for (llvm::Function &function : *translated) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", machine.getTargetCPU());
    function.addFnAttr("target-features", machine.getTargetFeatureString());
    function.addFnAttr("prefer-vector-width", "512");
  }
  legalizeMaskedBF16(*translated);
  optimize(*translated, machine);
  for (llvm::Function &function : *translated)
    if (!function.isDeclaration())
      legalizeLiveBF16(function);
  return translated;
}

llvm::Error printLLVM(ModuleOp module, const CompileOptions &options,
                      bool assembly, llvm::raw_ostream &os) {
  auto machine = createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  llvm::LLVMContext context;
  auto translated = translateAndOptimize(module, context, **machine);
  if (!translated)
    return translated.takeError();
  if (!assembly) {
    os << **translated;
    return llvm::Error::success();
  }
  llvm::SmallVector<char> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager pm;
  if ((*machine)->addPassesToEmitFile(pm, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return makeError("the target cannot emit assembly");
  pm.run(**translated);
  os << StringRef(text.data(), text.size());
  return llvm::Error::success();
}

} // namespace attn
