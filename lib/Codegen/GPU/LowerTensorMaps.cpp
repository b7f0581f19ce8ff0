//===- LowerTensorMaps.cpp - How kernels get maps of tensors ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A map is 128 bytes that the driver fills, which a kernel takes by value. A
// launch gives a word for each parameter: the first word of a map is where the
// whole is read, and the parameters behind it, for the other words, are not.
// The array itself is a parameter, so that a launch says what may be accessed.
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/NVGPU/IR/NVGPUDialect.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_LOWERTENSORMAPSPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// Of a map, in words of 8 bytes, and in bytes, which the driver asks for. By
/// that alignment `finish` knows which parameters are maps: of attributes of
/// arguments, the conversion of kernels keeps those of the LLVM dialect alone,
/// and that of all else that a kernel takes, arrays and numbers, says none.
constexpr int64_t kWords = 16, kAlignment = 64;
/// What tiles in shared memory begin at a multiple of.
constexpr int64_t kTileAlignment = 1024;

struct LowerTensorMapsPass final
    : impl::LowerTensorMapsPassBase<LowerTensorMapsPass> {
  void runOnOperation() override {
    lowered.clear();
    SmallVector<gpu::LaunchFuncOp> launches;
    getOperation().walk([&](gpu::LaunchFuncOp op) { launches.push_back(op); });
    for (gpu::LaunchFuncOp launch : launches)
      if (failed(lower(launch)))
        return signalPassFailure();
    SmallVector<nvgpu::TmaCreateDescriptorOp> maps;
    getOperation().walk(
        [&](nvgpu::TmaCreateDescriptorOp op) { maps.push_back(op); });
    for (nvgpu::TmaCreateDescriptorOp map : maps) {
      if (!map->use_empty()) {
        map.emitOpError("expected only launches of kernels to use the map");
        return signalPassFailure();
      }
      map.erase();
    }
    for (auto module : getOperation().getOps<gpu::GPUModuleOp>())
      for (auto kernel : module.getOps<LLVM::LLVMFuncOp>())
        if (!kernel.isExternal())
          finish(module, kernel);
  }

  void finish(gpu::GPUModuleOp module, LLVM::LLVMFuncOp kernel);

  LogicalResult lower(gpu::LaunchFuncOp launch);
  SmallVector<Value> build(nvgpu::TmaCreateDescriptorOp map, Value array,
                           gpu::LaunchFuncOp launch);
  func::FuncOp getRuntime(TypeRange inputs);

  /// Kernels that take maps by value by now.
  DenseSet<Operation *> lowered;
};

} // namespace

func::FuncOp LowerTensorMapsPass::getRuntime(TypeRange inputs) {
  constexpr StringRef name = "attn_rt_gpu_map";
  SymbolTable symbols(getOperation());
  if (auto known = symbols.lookup<func::FuncOp>(name))
    return known;
  OpBuilder b(&getContext());
  auto declared = func::FuncOp::create(b, getOperation().getLoc(), name,
                                       b.getFunctionType(inputs, {}));
  declared.setPrivate();
  symbols.insert(declared, getOperation().getBody()->begin());
  return declared;
}

/// The words of a map of `array`, which the runtime fills before `launch`.
SmallVector<Value> LowerTensorMapsPass::build(nvgpu::TmaCreateDescriptorOp map,
                                              Value array,
                                              gpu::LaunchFuncOp launch) {
  Location loc = map.getLoc();
  OpBuilder b(launch);
  Type i64 = b.getI64Type();
  Type pointer = LLVM::LLVMPointerType::get(&getContext());
  auto number = [&](int64_t value) -> Value {
    return arith::ConstantIntOp::create(b, loc, i64, value);
  };
  auto toWord = [&](Value value) {
    return b.createOrFold<arith::IndexCastOp>(loc, i64, value);
  };
  auto type = cast<MemRefType>(array.getType());
  int64_t rank = type.getRank(), bytes = type.getElementTypeBitWidth() / 8;
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, array);
  Value base =
      toWord(memref::ExtractAlignedPointerAsIndexOp::create(b, loc, array));
  Value offset = arith::MulIOp::create(b, loc, toWord(metadata.getOffset()),
                                       number(bytes));
  base = arith::AddIOp::create(b, loc, base, offset);
  // The innermost dimension first.
  SmallVector<Value> numbers;
  for (int64_t dim = rank; dim-- > 0;)
    numbers.push_back(toWord(metadata.getSizes()[dim]));
  for (int64_t dim = rank; dim-- > 0;)
    numbers.push_back(arith::MulIOp::create(
        b, loc, toWord(metadata.getStrides()[dim]), number(bytes)));
  for (int64_t dim = rank; dim-- > 0;)
    numbers.push_back(toWord(map.getBoxDimensions()[dim]));

  Value words, description;
  {
    // A launch in a loop takes no more of the stack than another.
    OpBuilder::InsertionGuard guard(b);
    auto function = launch->getParentOfType<func::FuncOp>();
    b.setInsertionPointToStart(&function.getBody().front());
    words = LLVM::AllocaOp::create(b, loc, pointer, i64, number(kWords),
                                   kAlignment);
    description =
        LLVM::AllocaOp::create(b, loc, pointer, i64, number(numbers.size()));
  }
  auto locate = [&](Value from, size_t index) -> Value {
    return LLVM::GEPOp::create(
        b, loc, pointer, i64, from,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  };
  for (auto [index, value] : llvm::enumerate(numbers))
    LLVM::StoreOp::create(b, loc, value, locate(description, index));
  SmallVector<Value> operands{words,
                              LLVM::IntToPtrOp::create(b, loc, pointer, base),
                              number(bytes), number(rank), description};
  func::CallOp::create(b, loc, getRuntime(ValueRange(operands).getTypes()),
                       operands);
  SmallVector<Value> result;
  for (int64_t i = 0; i < kWords; ++i)
    result.push_back(LLVM::LoadOp::create(b, loc, i64, locate(words, i)));
  result[0] = LLVM::IntToPtrOp::create(b, loc, pointer, result[0]);
  return result;
}

LogicalResult LowerTensorMapsPass::lower(gpu::LaunchFuncOp launch) {
  auto kernel = SymbolTable::lookupNearestSymbolFrom<gpu::GPUFuncOp>(
      launch, launch.getKernel());
  SmallVector<Value> operands;
  bool changed = false;
  for (Value operand : launch.getKernelOperands()) {
    auto map = operand.getDefiningOp<nvgpu::TmaCreateDescriptorOp>();
    if (!map) {
      operands.push_back(operand);
      continue;
    }
    auto whole = map.getTensor().getDefiningOp<memref::CastOp>();
    if (!kernel || !whole || !isa<MemRefType>(whole.getSource().getType()))
      return map.emitOpError("expected the map of an array of known rank, for "
                             "a kernel of the module");
    if (!launch->getParentOfType<func::FuncOp>())
      return launch.emitOpError("expected a launch in a function");
    int64_t rank = cast<MemRefType>(whole.getSource().getType()).getRank();
    if (auto box = static_cast<int64_t>(map.getBoxDimensions().size());
        box != rank)
      return map.emitOpError("expected a box of ")
             << rank << " dimensions, as the array has, but it has " << box;
    // Of a kernel that takes maps by value another launch would take them so.
    if (!changed && !lowered.insert(kernel).second)
      return launch.emitOpError("expected one launch of each kernel that takes "
                                "maps of tensors, but there is another of ")
             << launch.getKernel();
    changed = true;
    auto number = static_cast<unsigned>(operands.size());
    Value array = whole.getSource();
    operands.push_back(array);
    llvm::append_range(operands, build(map, array, launch));

    OpBuilder b(&getContext());
    Location loc = kernel.getLoc();
    DictionaryAttr aligned = b.getDictionaryAttr(
        b.getNamedAttr(LLVM::LLVMDialect::getAlignAttrName(),
                       b.getI64IntegerAttr(kAlignment)));
    BlockArgument taken = kernel.getArgument(number);
    SmallVector<UnrealizedConversionCastOp> uses;
    for (Operation *user : taken.getUsers()) {
      auto use = dyn_cast<UnrealizedConversionCastOp>(user);
      if (!use)
        return user->emitOpError("expected kernels to have the addresses of "
                                 "maps taken");
      uses.push_back(use);
    }
    auto insert = [&](unsigned at, Type type, DictionaryAttr attributes) {
      return kernel.insertArgument(at, type, attributes, loc);
    };
    if (failed(insert(number + 1, array.getType(), {})) ||
        failed(insert(number + 2, LLVM::LLVMPointerType::get(&getContext()),
                      aligned)))
      return failure();
    for (int64_t i = 1; i < kWords; ++i)
      if (failed(insert(number + 2 + i, b.getI64Type(), {})))
        return failure();
    for (UnrealizedConversionCastOp use : uses) {
      use.getResult(0).replaceAllUsesWith(kernel.getArgument(number + 2));
      use.erase();
    }
    if (failed(kernel.eraseArgument(number)))
      return failure();
  }
  if (changed)
    launch.getKernelOperandsMutable().assign(operands);
  return success();
}

/// Conversions of functions drop what they do not know.
void LowerTensorMapsPass::finish(gpu::GPUModuleOp module,
                                 LLVM::LLVMFuncOp kernel) {
  OpBuilder b(&getContext());
  auto bytes = LLVM::LLVMArrayType::get(b.getI8Type(), 8 * kWords);
  bool hasMaps = false;
  for (unsigned i = 0, e = kernel.getNumArguments(); i < e; ++i) {
    auto alignment = kernel.getArgAttrOfType<IntegerAttr>(
        i, LLVM::LLVMDialect::getAlignAttrName());
    if (!isa<LLVM::LLVMPointerType>(kernel.getArgument(i).getType()) ||
        !alignment || alignment.getInt() != kAlignment)
      continue;
    hasMaps = true;
    kernel.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(),
                      TypeAttr::get(bytes));
    kernel.setArgAttr(i, NVVM::NVVMDialect::getGridConstantAttrName(),
                      b.getUnitAttr());
  }
  if (!hasMaps)
    return;
  for (auto global : module.getOps<LLVM::GlobalOp>())
    if (global.getAddrSpace() ==
        static_cast<unsigned>(NVVM::NVVMMemorySpace::Shared))
      global.setAlignment(kTileAlignment);
}

} // namespace attn
