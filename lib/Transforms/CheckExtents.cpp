//===- CheckExtents.cpp - Extents that only a run can compare ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/ExtentRelations.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/LLVMIR/FunctionCallUtils.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_CHECKEXTENTSPASS
#include "attn/Transforms/Passes.h.inc"

static bool isCalled(func::FuncOp function) {
  return !SymbolTable::symbolKnownUseEmpty(function, function->getParentOp());
}

/// The line that a failure prints: a format for what was expected and came.
static std::string getFormat(const ExtentRelation &relation, StringRef prefix) {
  std::string text = prefix.str();
  Operation *op = relation.op;
  if (auto file = op->getLoc()->findInstanceOf<FileLineColLoc>())
    text += (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
             Twine(file.getColumn()) + ": ")
                .str();
  text += ("'" + op->getName().getStringRef() + "' op expected extent " +
           Twine(relation.leftDim) + " of operand " +
           Twine(relation.leftOperand) + " to be ")
              .str();
  std::string format;
  for (char c : text)
    format += c == '%' ? "%%" : std::string(1, c);
  format += relation.multiple ? "a multiple of %lld" : "%lld";
  format += (" (as extent " + Twine(relation.rightDim) + " of operand " +
             Twine(relation.rightOperand) + ": " + relation.meaning +
             "), but got %lld\n")
                .str();
  return format;
}

namespace {

/// Writes the checks of a module.
class CheckBuilder {
public:
  CheckBuilder(ModuleOp module, StringRef prefix)
      : module(module), prefix(prefix), b(module.getContext()) {}

  /// Checks `relation` before its op.
  LogicalResult add(const ExtentRelation &relation);

private:
  Value materialize(Location loc, const TracedExtent &extent);
  Value buildText(Location loc, StringRef text);

  ModuleOp module;
  StringRef prefix;
  OpBuilder b;
  unsigned numTexts = 0;
};

} // namespace

Value CheckBuilder::materialize(Location loc, const TracedExtent &extent) {
  if (extent.number)
    return arith::ConstantIndexOp::create(b, loc, *extent.number);
  if (extent.size)
    return extent.size;
  return linalg::createOrFoldDimOp(b, loc, extent.source, extent.dim);
}

/// The address of a constant that holds `text`.
Value CheckBuilder::buildText(Location loc, StringRef text) {
  std::string name;
  do
    name = "attn_extents_differ" + std::to_string(numTexts++);
  while (module.lookupSymbol(name));
  std::string terminated = text.str() + '\0';
  auto type = LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size());
  OpBuilder top = OpBuilder::atBlockBegin(module.getBody());
  auto global = LLVM::GlobalOp::create(top, loc, type, /*isConstant=*/true,
                                       LLVM::Linkage::Internal, name,
                                       b.getStringAttr(terminated));
  return LLVM::AddressOfOp::create(b, loc, global);
}

/// Whether `left` is no multiple of `right`: of 0, 0 alone is one.
static Value buildNoMultiple(OpBuilder &b, Location loc, Value left,
                             Value right) {
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  Value isZero =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, right, zero);
  Value divisor = arith::SelectOp::create(b, loc, isZero, one, right);
  Value rest = arith::RemUIOp::create(b, loc, left, divisor);
  Value wrong = arith::SelectOp::create(b, loc, isZero, left, rest);
  return arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, wrong, zero);
}

LogicalResult CheckBuilder::add(const ExtentRelation &relation) {
  Location loc = relation.op->getLoc();
  b.setInsertionPoint(relation.op);
  Value left = materialize(loc, relation.left);
  Value right = materialize(loc, relation.right);
  Value differ = relation.multiple
                     ? buildNoMultiple(b, loc, left, right)
                     : arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                             left, right);
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  auto print = LLVM::lookupOrCreateFn(b, module, "dprintf", {i32, pointer}, i32,
                                      /*isVarArg=*/true);
  auto leave = LLVM::lookupOrCreateFn(b, module, "_exit", {i32},
                                      LLVM::LLVMVoidType::get(b.getContext()));
  if (failed(print) || failed(leave))
    return failure();
  auto branch = scf::IfOp::create(b, loc, differ, /*withElseRegion=*/false);
  b.setInsertionPointToStart(branch.thenBlock());
  Value error = LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(2));
  Value status = LLVM::ConstantOp::create(b, loc, i32, b.getI32IntegerAttr(1));
  Value text = buildText(loc, getFormat(relation, prefix));
  Value wanted = arith::IndexCastOp::create(b, loc, i64, right);
  Value got = arith::IndexCastOp::create(b, loc, i64, left);
  LLVM::CallOp::create(b, loc, *print, ValueRange{error, text, wanted, got});
  LLVM::CallOp::create(b, loc, *leave, status);
  return success();
}

namespace {
struct CheckExtentsPass final : impl::CheckExtentsPassBase<CheckExtentsPass> {
  using CheckExtentsPassBase::CheckExtentsPassBase;

  void runOnOperation() override {
    CheckBuilder builder(getOperation(), errorPrefix);
    for (auto function :
         llvm::make_early_inc_range(getOperation().getOps<func::FuncOp>())) {
      if (function.isDeclaration())
        continue;
      bool called = isCalled(function);
      for (const ExtentRelation &relation : getExtentRelations(function)) {
        if (relation.left == relation.right ||
            (!called && relation.isCheckedAtCall(function)))
          continue;
        if (failed(builder.add(relation)))
          return signalPassFailure();
        ++numChecks;
      }
    }
  }
};
} // namespace

} // namespace attn
