//===- LowerKernelChecks.cpp - Errors that kernels find ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_LOWERKERNELCHECKSPASS
#include "attn/Codegen/Passes.h.inc"

/// Where an `attn_rt_gpu_error` has its parts, in bytes.
constexpr int64_t kMessageAt = 4, kNumbersAt = 8;

namespace {

/// Rewrites the checks in the kernels of a module.
class KernelChecks {
public:
  explicit KernelChecks(ModuleOp module)
      : module(module), symbols(module), b(module),
        wordType(MemRefType::get({3}, b.getI64Type())) {}

  LogicalResult run();

private:
  void lower(gpu::GPUFuncOp kernel);
  void lower(CheckOp check, Value word);
  void addWord(gpu::LaunchFuncOp launch);
  LLVM::GlobalOp getTable();

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder b;
  MemRefType wordType;
  /// The messages of all kernels, and their numbers.
  llvm::MapVector<StringAttr, int64_t> messages;
  DenseSet<Operation *> kernels;
};

} // namespace

/// attn.check %holds, "text" (%x)
/// ->
///   cf.cond_br %holds, ^rest, ^fail
/// ^fail:
///   the first one to exchange 0 for 1 writes down message and numbers
///   gpu.return
void KernelChecks::lower(CheckOp check, Value word) {
  Location loc = check.getLoc();
  auto number = [&](Type type, int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  };
  Type i8 = b.getI8Type(), i32 = b.getI32Type(), i64 = b.getI64Type();
  Block *block = check->getBlock();
  Block *rest = block->splitBlock(check);
  Block *fail = b.createBlock(rest), *first = b.createBlock(rest),
        *end = b.createBlock(rest);
  b.setInsertionPointToEnd(block);
  cf::CondBranchOp::create(b, loc, check.getCondition(), rest, ValueRange(),
                           fail, ValueRange());
  b.setInsertionPointToEnd(fail);
  Value address = memref::ExtractAlignedPointerAsIndexOp::create(b, loc, word);
  address = arith::IndexCastOp::create(b, loc, i64, address);
  Type global = LLVM::LLVMPointerType::get(b.getContext(), /*addressSpace=*/1);
  Value pointer = LLVM::IntToPtrOp::create(b, loc, global, address);
  auto exchanged = LLVM::AtomicCmpXchgOp::create(
      b, loc, pointer, number(i32, 0), number(i32, 1),
      LLVM::AtomicOrdering::monotonic, LLVM::AtomicOrdering::monotonic);
  Value isFirst =
      LLVM::ExtractValueOp::create(b, loc, exchanged, ArrayRef<int64_t>{1});
  cf::CondBranchOp::create(b, loc, isFirst, first, ValueRange(), end,
                           ValueRange());
  b.setInsertionPointToEnd(first);
  auto store = [&](Value value, int64_t at) {
    Value to =
        LLVM::GEPOp::create(b, loc, global, i8, pointer,
                            ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(at)});
    LLVM::StoreOp::create(b, loc, value, to);
  };
  int64_t message =
      messages.insert({check.getMessageAttr(), messages.size()}).first->second;
  store(number(i32, message), kMessageAt);
  for (auto [i, value] : llvm::enumerate(check.getNumbers()))
    store(arith::IndexCastOp::create(b, loc, i64, value), kNumbersAt + 8 * i);
  cf::BranchOp::create(b, loc, end);
  b.setInsertionPointToEnd(end);
  gpu::ReturnOp::create(b, loc);
  check.erase();
}

void KernelChecks::lower(gpu::GPUFuncOp kernel) {
  SmallVector<CheckOp> checks;
  kernel.walk([&](CheckOp check) { checks.push_back(check); });
  if (checks.empty())
    return;
  // Behind the parameters, before what is in shared memory.
  unsigned number = kernel.getFunctionType().getNumInputs();
  auto type = b.getFunctionType(
      llvm::to_vector(llvm::concat<const Type>(
          kernel.getFunctionType().getInputs(), ArrayRef<Type>(wordType))),
      kernel.getFunctionType().getResults());
  Value word = kernel.getBody().front().insertArgument(number, wordType,
                                                       kernel.getLoc());
  kernel.setFunctionType(type);
  for (CheckOp check : checks)
    lower(check, word);
  kernels.insert(kernel);
}

/// A constant that points to the messages, each of which ends with a zero.
LLVM::GlobalOp KernelChecks::getTable() {
  static constexpr StringRef name = "attn_kernel_messages";
  if (auto known = symbols.lookup<LLVM::GlobalOp>(name))
    return known;
  Location loc = module.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  OpBuilder detached(b.getContext());
  SmallVector<LLVM::GlobalOp> texts;
  for (auto &[message, number] : messages) {
    std::string text = message.str() + '\0';
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), text.size());
    texts.push_back(LLVM::GlobalOp::create(
        detached, loc, type, /*isConstant=*/true, LLVM::Linkage::Internal,
        "attn_kernel_message", b.getStringAttr(text)));
    symbols.insert(texts.back(), module.getBody()->begin());
  }
  auto type = LLVM::LLVMArrayType::get(pointer, texts.size());
  auto table =
      LLVM::GlobalOp::create(detached, loc, type, /*isConstant=*/true,
                             LLVM::Linkage::Internal, name, Attribute());
  symbols.insert(table, module.getBody()->begin());
  OpBuilder inside =
      OpBuilder::atBlockBegin(&table.getInitializerRegion().emplaceBlock());
  Value all = LLVM::UndefOp::create(inside, loc, type);
  for (auto [i, text] : llvm::enumerate(texts))
    all = LLVM::InsertValueOp::create(
        inside, loc, all, LLVM::AddressOfOp::create(inside, loc, text),
        ArrayRef<int64_t>{static_cast<int64_t>(i)});
  LLVM::ReturnOp::create(inside, loc, all);
  return table;
}

void KernelChecks::addWord(gpu::LaunchFuncOp launch) {
  static constexpr StringRef name = "attn_rt_gpu_get_error_word";
  Location loc = launch.getLoc();
  auto pointer = LLVM::LLVMPointerType::get(b.getContext());
  if (!symbols.lookup(name)) {
    OpBuilder detached(b.getContext());
    auto declared = func::FuncOp::create(
        detached, module.getLoc(), name,
        b.getFunctionType({pointer, b.getI64Type()}, pointer));
    declared.setPrivate();
    symbols.insert(declared, module.getBody()->begin());
  }
  LLVM::GlobalOp table = getTable();
  b.setInsertionPoint(launch);
  Value operands[] = {
      LLVM::AddressOfOp::create(b, loc, table),
      arith::ConstantIntOp::create(b, loc, b.getI64Type(), messages.size())};
  Value word =
      func::CallOp::create(b, loc, name, pointer, operands).getResult(0);
  // The descriptor of a memref that begins there.
  auto sizes = LLVM::LLVMArrayType::get(b.getI64Type(), 1);
  auto type = LLVM::LLVMStructType::getLiteral(
      b.getContext(), {pointer, pointer, b.getI64Type(), sizes, sizes});
  Value descriptor = LLVM::UndefOp::create(b, loc, type);
  auto set = [&](Value value, ArrayRef<int64_t> at) {
    descriptor = LLVM::InsertValueOp::create(b, loc, descriptor, value, at);
  };
  auto number = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  };
  set(word, {0});
  set(word, {1});
  set(number(0), {2});
  set(number(3), {3, 0});
  set(number(1), {4, 0});
  Value memref =
      UnrealizedConversionCastOp::create(b, loc, wordType, descriptor)
          .getResult(0);
  launch.getKernelOperandsMutable().append(memref);
}

LogicalResult KernelChecks::run() {
  for (auto device : module.getOps<gpu::GPUModuleOp>())
    for (auto kernel : device.getOps<gpu::GPUFuncOp>()) {
      auto result = kernel.walk([&](CheckOp check) {
        return check->getParentOp() == kernel.getOperation()
                   ? WalkResult::advance()
                   : WalkResult(
                         check.emitOpError(
                             "expected checks in kernels whose control flow is "
                             "flat, but it is in an '")
                         << check->getParentOp()->getName() << "' op");
      });
      if (result.wasInterrupted())
        return failure();
      lower(kernel);
    }
  SmallVector<gpu::LaunchFuncOp> launches;
  module.walk([&](gpu::LaunchFuncOp launch) {
    Operation *kernel =
        SymbolTable::lookupNearestSymbolFrom(launch, launch.getKernel());
    if (kernels.contains(kernel))
      launches.push_back(launch);
  });
  for (gpu::LaunchFuncOp launch : launches)
    addWord(launch);
  return success();
}

namespace {
struct LowerKernelChecksPass final
    : impl::LowerKernelChecksPassBase<LowerKernelChecksPass> {
  void runOnOperation() override {
    if (failed(KernelChecks(getOperation()).run()))
      signalPassFailure();
  }
};
} // namespace

} // namespace attn
