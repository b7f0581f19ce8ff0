//===- Instrument.cpp - Checks before every access --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Block.h"
#include "Retarget.h"

#include "attn/Support/RunPasses.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

namespace attn {

//===----------------------------------------------------------------------===//
// What is called
//===----------------------------------------------------------------------===//

static void checkRead(const char *address, int64_t bytes, int64_t alignment,
                      int32_t site) {
  Block &block = Block::current();
  block.checkRead(block.getThread(), address, bytes, alignment);
  block.countBanks(address, bytes, site);
}

static void checkWrite(const char *address, int64_t bytes, int64_t alignment,
                       int32_t site) {
  Block &block = Block::current();
  block.checkWrite(block.getThread(), address, bytes, alignment);
  block.countBanks(address, bytes, site);
}

static void checkAtomic(const char *address, int64_t bytes, int64_t alignment,
                        int32_t) {
  Block &block = Block::current();
  block.checkAtomic(block.getThread(), address, bytes, alignment);
}

static void countIteration() { Block::current().countIteration(); }

static char *getShared() { return Block::current().getShared().getBase(); }

//===----------------------------------------------------------------------===//
// Optimization
//===----------------------------------------------------------------------===//

/// Descriptors of arrays become registers, and what is computed twice is not.
static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  runPasses(module, machine, [](llvm::PassBuilder &) {
    llvm::FunctionPassManager pm;
    pm.addPass(llvm::SROAPass(llvm::SROAOptions::ModifyCFG));
    pm.addPass(llvm::EarlyCSEPass());
    pm.addPass(llvm::SimplifyCFGPass());
    pm.addPass(llvm::InstCombinePass());
    pm.addPass(llvm::createFunctionToLoopPassAdaptor(
        llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
    llvm::ModulePassManager modulePm;
    modulePm.addPass(llvm::createModuleToFunctionPassAdaptor(std::move(pm)));
    return modulePm;
  });
}

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

namespace {

/// Adds the checks to a function.
class Instrumenter {
public:
  Instrumenter(llvm::Module &module, RetargetedModule &result)
      : module(module), result(result), layout(module.getDataLayout()) {
    read = declare("attn_emulator.read", &checkRead);
    write = declare("attn_emulator.write", &checkWrite);
    atomic = declare("attn_emulator.atomic", &checkAtomic);
    iteration = module.getOrInsertFunction(
        "attn_emulator.iteration",
        llvm::FunctionType::get(llvm::Type::getVoidTy(module.getContext()),
                                false));
    auto add = [&](const char *name, auto *function) {
      result.symbols.push_back({name, reinterpret_cast<void *>(function)});
    };
    add("attn_emulator.iteration", &countIteration);
    add("attn_emulator.shared", &getShared);
  }

  void run(llvm::Function &function);

private:
  template <typename T>
  llvm::FunctionCallee declare(const char *name, T *function) {
    result.symbols.push_back({name, reinterpret_cast<void *>(function)});
    llvm::LLVMContext &context = module.getContext();
    llvm::Type *i64 = llvm::Type::getInt64Ty(context);
    return module.getOrInsertFunction(
        name, llvm::FunctionType::get(llvm::Type::getVoidTy(context),
                                      {llvm::PointerType::get(context, 0), i64,
                                       i64, llvm::Type::getInt32Ty(context)},
                                      false));
  }
  void check(llvm::Instruction &before, llvm::FunctionCallee callee,
             llvm::Value *address, llvm::Value *bytes, uint64_t alignment);
  void checkType(llvm::Instruction &before, llvm::FunctionCallee callee,
                 llvm::Value *address, llvm::Type *type, uint64_t alignment);
  void countIterations(llvm::Function &function);

  llvm::Module &module;
  RetargetedModule &result;
  const llvm::DataLayout &layout;
  llvm::FunctionCallee read, write, atomic, iteration;
  int32_t numSites = 0;
};

} // namespace

void Instrumenter::check(llvm::Instruction &before, llvm::FunctionCallee callee,
                         llvm::Value *address, llvm::Value *bytes,
                         uint64_t alignment) {
  llvm::IRBuilder<> b(&before);
  b.CreateCall(callee,
               {b.CreatePointerBitCastOrAddrSpaceCast(address, b.getPtrTy()),
                b.CreateZExtOrTrunc(bytes, b.getInt64Ty()),
                b.getInt64(alignment), b.getInt32(++numSites)});
}

void Instrumenter::checkType(llvm::Instruction &before,
                             llvm::FunctionCallee callee, llvm::Value *address,
                             llvm::Type *type, uint64_t alignment) {
  uint64_t bytes = layout.getTypeStoreSize(type);
  // A variable of the thread, if it stays within.
  llvm::APInt offset(layout.getIndexTypeSizeInBits(address->getType()), 0);
  auto *base = llvm::dyn_cast<llvm::AllocaInst>(
      address->stripAndAccumulateConstantOffsets(layout, offset,
                                                 /*AllowNonInbounds=*/true));
  if (base)
    if (auto size = base->getAllocationSize(layout))
      if (offset.isNonNegative() &&
          offset.getZExtValue() + bytes <= size->getFixedValue())
        return;
  if (bytes == 1)
    result.cellBytes = 1;
  check(
      before, callee, address,
      llvm::ConstantInt::get(llvm::Type::getInt64Ty(type->getContext()), bytes),
      alignment);
}

/// Where control flow goes back.
void Instrumenter::countIterations(llvm::Function &function) {
  llvm::DominatorTree dominators(function);
  for (llvm::BasicBlock &block : function)
    if (llvm::any_of(llvm::successors(&block), [&](llvm::BasicBlock *next) {
          return dominators.dominates(next, &block);
        }))
      llvm::IRBuilder<>(block.getTerminator()).CreateCall(iteration);
}

void Instrumenter::run(llvm::Function &function) {
  llvm::SmallVector<llvm::Instruction *> work;
  for (llvm::Instruction &instruction : llvm::instructions(function))
    if (instruction.mayReadOrWriteMemory())
      work.push_back(&instruction);
  for (llvm::Instruction *op : work) {
    if (auto *load = llvm::dyn_cast<llvm::LoadInst>(op)) {
      checkType(*op, read, load->getPointerOperand(), load->getType(),
                load->getAlign().value());
    } else if (auto *store = llvm::dyn_cast<llvm::StoreInst>(op)) {
      checkType(*op, write, store->getPointerOperand(),
                store->getValueOperand()->getType(), store->getAlign().value());
    } else if (auto *update = llvm::dyn_cast<llvm::AtomicRMWInst>(op)) {
      checkType(*op, atomic, update->getPointerOperand(), update->getType(),
                update->getAlign().value());
    } else if (auto *exchange = llvm::dyn_cast<llvm::AtomicCmpXchgInst>(op)) {
      checkType(*op, atomic, exchange->getPointerOperand(),
                exchange->getNewValOperand()->getType(),
                exchange->getAlign().value());
    } else if (auto *transfer = llvm::dyn_cast<llvm::MemTransferInst>(op)) {
      result.cellBytes = 1;
      check(*op, read, transfer->getRawSource(), transfer->getLength(), 1);
      check(*op, write, transfer->getRawDest(), transfer->getLength(), 1);
    } else if (auto *set = llvm::dyn_cast<llvm::MemSetInst>(op)) {
      result.cellBytes = 1;
      check(*op, write, set->getRawDest(), set->getLength(), 1);
    }
  }
  countIterations(function);
}

void instrument(llvm::Module &module, llvm::TargetMachine &machine,
                RetargetedModule &result) {
  optimize(module, machine);
  Instrumenter instrumenter(module, result);
  for (llvm::Function &function : module)
    if (!function.isDeclaration() &&
        !function.getName().starts_with("wrapper.") &&
        !function.getName().starts_with("attn_entry."))
      instrumenter.run(function);
}

} // namespace attn
