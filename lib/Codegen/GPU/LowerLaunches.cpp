//===- LowerLaunches.cpp - Launches as calls of the runtime -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/KernelNames.h"
#include "attn/Codegen/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_LOWERLAUNCHESPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// Rewrites the launches of a module.
class LaunchLowering {
public:
  explicit LaunchLowering(ModuleOp module)
      : module(module), symbols(module), b(module),
        pointer(LLVM::LLVMPointerType::get(module.getContext())) {}

  LogicalResult lower(gpu::LaunchFuncOp launch);
  void copyConstant(memref::GetGlobalOp constant);

private:
  LogicalResult addParameter(Location loc, Value operand,
                             SmallVectorImpl<Value> &parameters,
                             SmallVectorImpl<Value> &arrays);
  LLVM::GlobalOp getText(Location loc, StringRef text);
  Value buildArray(gpu::LaunchFuncOp launch, ArrayRef<Value> values);
  Value getNumber(Location loc, int64_t value) {
    return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value);
  }
  Value toWord(Location loc, Value value) {
    return b.createOrFold<arith::IndexCastOp>(loc, b.getI64Type(), value);
  }
  Value getAddress(Location loc, Value memref);
  func::FuncOp getRuntime(StringRef name, TypeRange inputs);
  LLVM::GlobalOp getCode();

  ModuleOp module;
  SymbolTable symbols;
  OpBuilder b;
  Type pointer;
  llvm::StringMap<LLVM::GlobalOp> texts;
};

} // namespace

/// A constant that holds `text`, and a zero.
LLVM::GlobalOp LaunchLowering::getText(Location loc, StringRef text) {
  LLVM::GlobalOp &global = texts[text];
  if (global)
    return global;
  std::string terminated = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size());
  OpBuilder detached(b.getContext());
  global =
      LLVM::GlobalOp::create(detached, module.getLoc(), type,
                             /*isConstant=*/true, LLVM::Linkage::Internal,
                             "attn_kernel_name", b.getStringAttr(terminated));
  symbols.insert(global, module.getBody()->begin());
  return global;
}

/// What stands for the kernels of the module, wherever they are.
LLVM::GlobalOp LaunchLowering::getCode() {
  static constexpr StringRef name = "attn_rt_gpu_code";
  if (auto known = symbols.lookup<LLVM::GlobalOp>(name))
    return known;
  OpBuilder detached(b.getContext());
  auto global = LLVM::GlobalOp::create(
      detached, module.getLoc(), LLVM::LLVMArrayType::get(b.getI8Type(), 0),
      /*isConstant=*/true, LLVM::Linkage::External, name, Attribute());
  symbols.insert(global, module.getBody()->begin());
  return global;
}

func::FuncOp LaunchLowering::getRuntime(StringRef name, TypeRange inputs) {
  if (auto known = symbols.lookup<func::FuncOp>(name))
    return known;
  OpBuilder detached(b.getContext());
  auto declared = func::FuncOp::create(detached, module.getLoc(), name,
                                       b.getFunctionType(inputs, {}));
  declared.setPrivate();
  symbols.insert(declared, module.getBody()->begin());
  return declared;
}

/// An array on the stack that holds `values`, a word each.
Value LaunchLowering::buildArray(gpu::LaunchFuncOp launch,
                                 ArrayRef<Value> values) {
  Location loc = launch.getLoc();
  Type i64 = b.getI64Type();
  Value array;
  {
    // A launch in a loop takes no more of the stack than another.
    OpBuilder::InsertionGuard guard(b);
    auto function = launch->getParentOfType<func::FuncOp>();
    b.setInsertionPointToStart(&function.getBody().front());
    array = LLVM::AllocaOp::create(
        b, loc, pointer, i64,
        getNumber(loc, std::max<size_t>(values.size(), 1)));
  }
  for (auto [index, value] : llvm::enumerate(values)) {
    Value slot = LLVM::GEPOp::create(
        b, loc, pointer, i64, array,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
    LLVM::StoreOp::create(b, loc, value, slot);
  }
  return array;
}

/// The words that a kernel takes an operand by: of a memref those of its
/// descriptor. What it may access of it is added to `arrays`.
LogicalResult LaunchLowering::addParameter(Location loc, Value operand,
                                           SmallVectorImpl<Value> &parameters,
                                           SmallVectorImpl<Value> &arrays) {
  Type type = operand.getType();
  if (type.isIndex()) {
    parameters.push_back(toWord(loc, operand));
    return success();
  }
  auto memref = dyn_cast<MemRefType>(type);
  if (!memref) {
    if (!type.isIntOrFloat() && !isa<LLVM::LLVMPointerType>(type))
      return emitError(loc) << "expected kernels to take memrefs, numbers and "
                               "pointers, but got "
                            << type;
    parameters.push_back(operand);
    return success();
  }
  Type element = memref.getElementType();
  if (!element.isIntOrIndexOrFloat())
    return emitError(loc) << "expected kernels to take memrefs of numbers, but "
                             "got "
                          << type;
  int64_t width = element.isIndex()
                      ? 8
                      : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  auto metadata = memref::ExtractStridedMetadataOp::create(b, loc, operand);
  Value address = toWord(
      loc, memref::ExtractAlignedPointerAsIndexOp::create(b, loc, operand));
  Value offset = toWord(loc, metadata.getOffset());
  SmallVector<Value> sizes, strides;
  for (Value size : metadata.getSizes())
    sizes.push_back(toWord(loc, size));
  for (Value stride : metadata.getStrides())
    strides.push_back(toWord(loc, stride));
  llvm::append_values(parameters, address, address, offset);
  llvm::append_range(parameters, sizes);
  llvm::append_range(parameters, strides);
  // From the first element to behind the last one, or nothing.
  Value zero = getNumber(loc, 0), one = getNumber(loc, 1);
  Value count = one, empty;
  for (auto [size, stride] : llvm::zip(sizes, strides)) {
    Value last = arith::SubIOp::create(b, loc, size, one);
    count = arith::AddIOp::create(b, loc, count,
                                  arith::MulIOp::create(b, loc, last, stride));
    Value none =
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, size, zero);
    empty =
        empty ? arith::OrIOp::create(b, loc, empty, none).getResult() : none;
  }
  if (empty)
    count = arith::SelectOp::create(b, loc, empty, zero, count);
  Value bytes = getNumber(loc, width);
  arrays.push_back(arith::AddIOp::create(
      b, loc, address, arith::MulIOp::create(b, loc, offset, bytes)));
  arrays.push_back(arith::MulIOp::create(b, loc, count, bytes));
  return success();
}

Value LaunchLowering::getAddress(Location loc, Value memref) {
  Value address = toWord(
      loc, memref::ExtractAlignedPointerAsIndexOp::create(b, loc, memref));
  return LLVM::IntToPtrOp::create(b, loc, pointer, address);
}

/// memref.get_global @constant
/// ->
///   %copy = memref.alloc()
///   call @attn_rt_gpu_copy_in(%copy, @constant, bytes)
void LaunchLowering::copyConstant(memref::GetGlobalOp constant) {
  Location loc = constant.getLoc();
  MemRefType type = constant.getType();
  Type element = type.getElementType();
  int64_t width = element.isIndex()
                      ? 8
                      : llvm::divideCeil(element.getIntOrFloatBitWidth(), 8);
  b.setInsertionPointAfter(constant);
  Value copy = memref::AllocOp::create(b, loc, type);
  constant.getResult().replaceAllUsesWith(copy);
  SmallVector<Value> operands{getAddress(loc, copy),
                              getAddress(loc, constant.getResult()),
                              getNumber(loc, width * type.getNumElements())};
  auto runtime =
      getRuntime("attn_rt_gpu_copy_in", ValueRange(operands).getTypes());
  func::CallOp::create(b, loc, runtime, operands);
}

LogicalResult LaunchLowering::lower(gpu::LaunchFuncOp launch) {
  Location loc = launch.getLoc();
  if (launch.getAsyncToken() || !launch.getAsyncDependencies().empty() ||
      launch.getAsyncObject())
    return launch.emitOpError("expected a launch that is waited for");
  if (launch.hasClusterSize())
    return launch.emitOpError("expected a launch without clusters");
  if (!launch->getParentOfType<func::FuncOp>())
    return launch.emitOpError("expected a launch in a function");
  b.setInsertionPoint(launch);
  auto address = [&](LLVM::GlobalOp global) -> Value {
    return LLVM::AddressOfOp::create(b, loc, global);
  };
  SmallVector<Value> operands{
      address(getCode()),
      address(getText(loc, launch.getKernelModuleName().getValue())),
      address(getText(loc, launch.getKernelName().getValue()))};
  gpu::KernelDim3 grid = launch.getGridSizeOperandValues();
  gpu::KernelDim3 block = launch.getBlockSizeOperandValues();
  for (Value extent : {grid.x, grid.y, grid.z, block.x, block.y, block.z})
    operands.push_back(
        getValueOrCreateCastToIndexLike(b, loc, b.getI64Type(), extent));
  Value shared = launch.getDynamicSharedMemorySize();
  operands.push_back(
      shared ? b.createOrFold<arith::ExtSIOp>(loc, b.getI64Type(), shared)
             : getNumber(loc, 0));
  SmallVector<Value> parameters, arrays;
  for (Value operand : launch.getKernelOperands())
    if (failed(addParameter(loc, operand, parameters, arrays)))
      return failure();
  operands.push_back(buildArray(launch, parameters));
  operands.push_back(getNumber(loc, parameters.size()));
  operands.push_back(buildArray(launch, arrays));
  operands.push_back(getNumber(loc, arrays.size() / 2));
  auto runtime =
      getRuntime("attn_rt_gpu_launch", ValueRange(operands).getTypes());
  func::CallOp::create(b, loc, runtime, operands);
  launch.erase();
  return success();
}

namespace {
struct LowerLaunchesPass final
    : impl::LowerLaunchesPassBase<LowerLaunchesPass> {
  void runOnOperation() override {
    nameKernels(getOperation());
    LaunchLowering lowering(getOperation());
    SmallVector<memref::GetGlobalOp> constants;
    for (auto function : getOperation().getOps<func::FuncOp>())
      function->walk([&](memref::GetGlobalOp op) {
        auto global = SymbolTable::lookupNearestSymbolFrom<memref::GlobalOp>(
            op, op.getNameAttr());
        if (global && global.getConstant())
          constants.push_back(op);
      });
    for (memref::GetGlobalOp constant : constants)
      lowering.copyConstant(constant);
    SmallVector<gpu::LaunchFuncOp> work;
    getOperation().walk([&](gpu::LaunchFuncOp op) { work.push_back(op); });
    for (gpu::LaunchFuncOp launch : work)
      if (failed(lowering.lower(launch)))
        return signalPassFailure();
  }
};
} // namespace

} // namespace attn
