//===- OutlineContractions.cpp - One kernel for all shapes ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "attn/IR/ContractOp.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/OperationSupport.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_OUTLINECONTRACTIONSPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// The type that a kernel takes an operand in: any extents and strides, but
/// neighbours that are known to be neighbours in memory stay so.
Type getKindType(Type type) {
  auto buffer = dyn_cast<MemRefType>(type);
  if (!buffer || buffer.getRank() == 0)
    return type;
  SmallVector<int64_t> strides;
  int64_t offset;
  if (failed(buffer.getStridesAndOffset(strides, offset)))
    return type;
  for (int64_t &stride : strides)
    if (stride != 1)
      stride = ShapedType::kDynamic;
  // Where an extent of 1 makes two strides 1, the last is the one.
  bool seen = false;
  for (int64_t &stride : llvm::reverse(strides)) {
    if (stride == 1 && seen)
      stride = ShapedType::kDynamic;
    seen |= stride == 1;
  }
  SmallVector<int64_t> shape(strides.size(), ShapedType::kDynamic);
  return MemRefType::get(shape, buffer.getElementType(),
                         StridedLayoutAttr::get(type.getContext(),
                                                ShapedType::kDynamic, strides),
                         buffer.getMemorySpace());
}

class ContractionOutliner {
public:
  explicit ContractionOutliner(ModuleOp module)
      : symbols(module), b(module.getContext()) {}

  void outline(ContractOp op);
  unsigned getNumKernels() const { return kernels.size(); }

private:
  /// A kernel of this op, not in the module, with `arguments` of its own.
  func::FuncOp build(ContractOp op, ArrayRef<Value> arguments);

  SymbolTable symbols;
  OpBuilder b;
  SmallVector<func::FuncOp> kernels;
};

} // namespace

func::FuncOp ContractionOutliner::build(ContractOp op,
                                        ArrayRef<Value> arguments) {
  SmallVector<Type> types;
  for (Value argument : arguments)
    types.push_back(getKindType(argument.getType()));
  b.clearInsertionPoint();
  auto kernel = func::FuncOp::create(b, op.getLoc(), "attn_contract",
                                     b.getFunctionType(types, {}));
  kernel.setPrivate();
  kernel->setAttr("llvm.linkage",
                  LLVM::LinkageAttr::get(b.getContext(),
                                         LLVM::Linkage::Internal));
  Block *body = kernel.addEntryBlock();
  b.setInsertionPointToStart(body);
  IRMapping mapping;
  mapping.map(arguments, body->getArguments());
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(op->getRegions(), used);
  for (Value value : used)
    if (!mapping.contains(value))
      b.clone(*value.getDefiningOp(), mapping);
  b.clone(*op, mapping);
  func::ReturnOp::create(b, op.getLoc());
  return kernel;
}

void ContractionOutliner::outline(ContractOp op) {
  // What the region reads from outside is an argument, too, but for constants.
  llvm::SetVector<Value> arguments(op->operand_begin(), op->operand_end());
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(op->getRegions(), used);
  for (Value value : used)
    if (!value.getDefiningOp() || !matchPattern(value, m_Constant()))
      arguments.insert(value);
  func::FuncOp kernel = build(op, arguments.getArrayRef());
  auto same = llvm::find_if(kernels, [&](func::FuncOp known) {
    return known.getFunctionType() == kernel.getFunctionType() &&
           OperationEquivalence::isRegionEquivalentTo(
               &known.getBody(), &kernel.getBody(),
               OperationEquivalence::IgnoreLocations);
  });
  if (same != kernels.end()) {
    kernel->erase();
    kernel = *same;
  } else {
    symbols.insert(kernel);
    kernels.push_back(kernel);
  }
  b.setInsertionPoint(op);
  SmallVector<Value> given;
  for (auto [argument, type] :
       llvm::zip_equal(arguments, kernel.getArgumentTypes())) {
    Value value = argument;
    if (value.getType() != type)
      value = memref::CastOp::create(b, op.getLoc(), type, value);
    given.push_back(value);
  }
  func::CallOp::create(b, op.getLoc(), kernel, given);
  op->erase();
}

namespace {
struct OutlineContractionsPass final
    : impl::OutlineContractionsPassBase<OutlineContractionsPass> {
  using OutlineContractionsPassBase::OutlineContractionsPassBase;

  void runOnOperation() override {
    SmallVector<ContractOp> ops;
    getOperation()->walk([&](ContractOp op) {
      if (op.hasPureBufferSemantics() && op->getParentOfType<func::FuncOp>())
        ops.push_back(op);
    });
    ContractionOutliner outliner(getOperation());
    for (ContractOp op : ops)
      outliner.outline(op);
    numKernels += outliner.getNumKernels();
  }
};
} // namespace

} // namespace attn
