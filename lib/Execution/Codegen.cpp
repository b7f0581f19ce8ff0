//===- Codegen.cpp - From the LLVM dialect to machine code ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codegen.h"
#include "attn/Support/FirstError.h"
#include "attn/Support/RunPasses.h"
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
#include "llvm/PassInfo.h"
#include "llvm/PassRegistry.h"
#include "llvm/Support/SmallVectorMemoryBuffer.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/Local.h"

#include <map>
#include <mutex>

using namespace mlir;

namespace attn {

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

namespace {
/// What the passes found and chose. Functions are worked on at the same time:
/// remarks come from several threads, in an order that differs from run to run.
struct CollectedRemarks {
  /// By line and column of what they are about, then as they came.
  using Key = std::tuple<unsigned, unsigned, size_t>;
  std::mutex mutex;
  std::map<Key, StageRemark> remarks;

  /// In the order of the source.
  void handOn(const std::function<void(const StageRemark &)> &onRemark) {
    for (const auto &[key, remark] : remarks)
      onRemark(remark);
  }
};

struct RemarkCollector final : remark::detail::MLIRRemarkStreamerBase {
  explicit RemarkCollector(CollectedRemarks &collected)
      : collected(collected) {}

  void streamOptimizationRemark(const remark::detail::Remark &remark) override {
    StageRemark forwarded;
    forwarded.location = formatLocation(remark.getLocation());
    forwarded.name = remark.getRemarkName().str();
    for (const auto &part : remark.getArgs())
      forwarded.text += part.val;
    forwarded.missed = remark.getRemarkType() == llvm::remarks::Type::Missed;
    auto place = remark.getLocation()->findInstanceOf<FileLineColLoc>();
    std::lock_guard<std::mutex> lock(collected.mutex);
    CollectedRemarks::Key key(place ? place.getLine() : 0,
                              place ? place.getColumn() : 0,
                              collected.remarks.size());
    collected.remarks.emplace(key, std::move(forwarded));
  }

  CollectedRemarks &collected;
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

llvm::Error lowerModule(ModuleOp module, const CompileOptions &options) {
  MLIRContext *context = module.getContext();
  FirstError error(context);
  CollectedRemarks remarks;
  llvm::scope_exit finish([&] {
    if (!options.onRemark)
      return;
    context->setRemarkEngine(nullptr);
    remarks.handOn(options.onRemark);
  });
  if (options.onRemark) {
    remark::RemarkCategories all;
    all.all = all.passed = all.missed = all.analysis = all.failed = ".*";
    if (failed(remark::enableOptimizationRemarks(
            *context, std::make_unique<RemarkCollector>(remarks),
            std::make_unique<remark::RemarkEmittingPolicyAll>(), all)))
      return makeError("remarks cannot be collected");
  }
  PassManager pm(context);
  pm.enableVerifier(options.verifyEach);
  buildPipeline(pm, options.stages);
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

namespace {
/// Leaves out what takes code generation long and gives the kernels nothing:
/// loop strength reduction (a third of its time: the offsets they need are
/// carried along their loops as it is) and what prepares it, and hoisting in
/// machine code (what can be hoisted was, in IR). LLVM's switches for these are
/// the process's.
class LeanPassManager final : public llvm::legacy::PassManagerBase {
public:
  void add(llvm::Pass *pass) override {
    const llvm::PassInfo *info =
        llvm::PassRegistry::getPassRegistry()->getPassInfo(pass->getPassID());
    StringRef name = info ? info->getPassArgument() : StringRef();
    if (name == "loop-reduce" || name == "canon-freeze" ||
        name == "machinelicm" || name == "early-machinelicm")
      delete pass;
    else
      passes.add(pass);
  }
  void run(llvm::Module &module) { passes.run(module); }

private:
  llvm::legacy::PassManager passes;
};
} // namespace

/// The few passes that matter here: the vectors, loops and register tiles are
/// already what they shall be, so nothing is vectorized or unrolled again, and
/// compilation stays a matter of milliseconds.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  runPasses(module, machine, [](llvm::PassBuilder &) {
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
    return modulePm;
  });
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
  LeanPassManager pm;
  if ((*machine)->addPassesToEmitFile(pm, stream, nullptr,
                                      llvm::CodeGenFileType::AssemblyFile))
    return makeError("the target cannot emit assembly");
  pm.run(**translated);
  os << StringRef(text.data(), text.size());
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>>
compileToObject(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::SmallVector<char, 0> object;
  llvm::raw_svector_ostream stream(object);
  LeanPassManager pm;
  llvm::MCContext *context = nullptr;
  if (machine.addPassesToEmitMC(pm, context, stream))
    return makeError("the target cannot emit an object");
  pm.run(module);
  return std::make_unique<llvm::SmallVectorMemoryBuffer>(
      std::move(object), /*RequiresNullTerminator=*/false);
}

} // namespace attn
