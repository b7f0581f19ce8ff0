//===- ThreadContext.cpp - Errors and memory of a call ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "attn/IR/Attn.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlowOps.h"
#include "mlir/Dialect/UB/IR/UBOps.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_THREADCONTEXTPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

/// What the runtime aligns memory to, in bytes.
constexpr uint64_t maxAlignment = 64;

/// Rewrites the functions of a module whose control flow is flat.
class Threader {
public:
  Threader(ModuleOp module, bool deviceMemory)
      : module(module), symbols(module), converter(module.getContext()),
        b(module), deviceMemory(deviceMemory) {
    pointer = LLVM::LLVMPointerType::get(module.getContext());
  }

  LogicalResult run();

private:
  void addContext();
  LogicalResult rewrite(func::FuncOp toRewrite);
  LogicalResult rewrite(Operation *op);
  LogicalResult rewriteAlloc(memref::AllocOp op);
  void rewriteDealloc(memref::DeallocOp op);
  void rewriteCheck(Operation *op, Value holds, StringRef message,
                    ValueRange numbers);
  void rewriteCall(Operation *op);

  /// Leaves the function before `op` where `fails` holds.
  void leave(Operation *op, Value fails);
  void testContext(Operation *before);
  Block *getExit();
  Value buildBytes(memref::AllocOp op);
  Value buildText(Location loc, StringRef text);
  func::FuncOp getRuntime(StringRef name, TypeRange inputs, TypeRange results);

  ModuleOp module;
  SymbolTable symbols;
  LLVMTypeConverter converter;
  OpBuilder b;
  Type pointer;
  bool deviceMemory;
  llvm::StringMap<LLVM::GlobalOp> texts;
  /// Of the function that is being rewritten.
  func::FuncOp function;
  /// What is returned to the host, which may offer memory for it.
  llvm::DenseMap<Operation *, unsigned> results;
  Block *exit = nullptr;
};

/// Whether the context is handed to `function`: declarations other than the
/// runtime's are of libraries that know of none.
bool hasContext(func::FuncOp function) {
  return !function.isDeclaration() ||
         function.getName().starts_with("attn_rt_");
}

} // namespace

//===----------------------------------------------------------------------===//
// The context
//===----------------------------------------------------------------------===//

/// Every function type gains a first argument, wherever it occurs: functions as
/// values, too.
void Threader::addContext() {
  llvm::SmallPtrSet<Operation *, 8> foreign;
  for (auto declared : module.getOps<func::FuncOp>())
    if (!hasContext(declared))
      foreign.insert(declared);
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](FunctionType type) {
    SmallVector<Type> inputs{pointer}, results;
    for (Type input : type.getInputs())
      inputs.push_back(replacer.replace(input));
    for (Type result : type.getResults())
      results.push_back(replacer.replace(result));
    return std::pair<Type, WalkResult>(
        FunctionType::get(type.getContext(), inputs, results),
        WalkResult::skip());
  });
  module->walk([&](Operation *op) {
    if (foreign.contains(op))
      return;
    replacer.replaceElementsIn(op, /*replaceAttrs=*/true, /*replaceLocs=*/false,
                               /*replaceTypes=*/true);
    auto defined = dyn_cast<func::FuncOp>(op);
    if (!defined)
      return;
    if (ArrayAttr attributes = defined.getArgAttrsAttr()) {
      SmallVector<Attribute> all{DictionaryAttr::get(op->getContext())};
      llvm::append_range(all, attributes);
      defined.setArgAttrsAttr(ArrayAttr::get(op->getContext(), all));
    }
    if (!defined.isDeclaration())
      defined.front().insertArgument(0u, pointer, defined.getLoc());
  });
}

func::FuncOp Threader::getRuntime(StringRef name, TypeRange inputs,
                                  TypeRange results) {
  if (auto known = symbols.lookup<func::FuncOp>(name))
    return known;
  SmallVector<Type> all{pointer};
  llvm::append_range(all, inputs);
  OpBuilder detached(b.getContext());
  auto declared = func::FuncOp::create(detached, module.getLoc(), name,
                                       b.getFunctionType(all, results));
  declared.setPrivate();
  // What is allocated is nothing that was there.
  if (!results.empty())
    declared.setResultAttr(0, LLVM::LLVMDialect::getNoAliasAttrName(),
                           b.getUnitAttr());
  symbols.insert(declared, module.getBody()->begin());
  return declared;
}

//===----------------------------------------------------------------------===//
// Leaving
//===----------------------------------------------------------------------===//

/// The block from which a call that has failed returns: nobody looks at what.
Block *Threader::getExit() {
  if (exit)
    return exit;
  OpBuilder::InsertionGuard guard(b);
  Location loc = function.getLoc();
  exit = b.createBlock(&function.getBody(), function.getBody().end());
  SmallVector<Value> results;
  for (Type type : function.getResultTypes())
    results.push_back(ub::PoisonOp::create(b, loc, type, nullptr));
  func::ReturnOp::create(b, loc, results);
  return exit;
}

void Threader::leave(Operation *op, Value fails) {
  Block *block = op->getBlock();
  Block *rest = block->splitBlock(op);
  b.setInsertionPointToEnd(block);
  auto branch = cf::CondBranchOp::create(b, op->getLoc(), fails, getExit(),
                                         ValueRange(), rest, ValueRange());
  branch->setAttr("branch_weights", b.getDenseI32ArrayAttr({1, 2000}));
  b.setInsertionPoint(op);
}

void Threader::testContext(Operation *before) {
  Location loc = before->getLoc();
  b.setInsertionPoint(before);
  Value failed =
      LLVM::LoadOp::create(b, loc, b.getI32Type(), function.getArgument(0));
  Value zero = arith::ConstantIntOp::create(b, loc, b.getI32Type(), 0);
  leave(before,
        arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne, failed, zero));
}

/// call @f(%x) -> call @f(%context, %x), and out if that has failed.
void Threader::rewriteCall(Operation *op) {
  unsigned first = isa<func::CallIndirectOp>(op) ? 1 : 0;
  op->insertOperands(first, function.getArgument(0));
  testContext(op->getNextNode());
}

/// The address of a constant that holds `text`.
Value Threader::buildText(Location loc, StringRef text) {
  LLVM::GlobalOp &global = texts[text];
  if (!global) {
    std::string terminated = text.str() + '\0';
    auto type = LLVM::LLVMArrayType::get(b.getI8Type(), terminated.size());
    OpBuilder detached(b.getContext());
    global =
        LLVM::GlobalOp::create(detached, module.getLoc(), type,
                               /*isConstant=*/true, LLVM::Linkage::Internal,
                               "attn_message", b.getStringAttr(terminated));
    symbols.insert(global, module.getBody()->begin());
  }
  return LLVM::AddressOfOp::create(b, loc, global);
}

/// attn.check %holds, "text" (%x)
/// ->
///   cf.cond_br %holds, ^rest, ^fail
/// ^fail:
///   call @attn_rt_fail(%context, "text", 1, %x, 0)
///   cf.br ^exit
void Threader::rewriteCheck(Operation *op, Value holds, StringRef message,
                            ValueRange numbers) {
  Location loc = op->getLoc();
  Block *block = op->getBlock();
  Block *rest = block->splitBlock(op);
  Block *fail = b.createBlock(rest);
  b.setInsertionPointToEnd(block);
  auto branch = cf::CondBranchOp::create(b, loc, holds, rest, ValueRange(),
                                         fail, ValueRange());
  branch->setAttr("branch_weights", b.getDenseI32ArrayAttr({2000, 1}));
  b.setInsertionPointToEnd(fail);
  Value count = arith::ConstantIndexOp::create(b, loc, numbers.size());
  SmallVector<Value> operands{function.getArgument(0), buildText(loc, message),
                              count};
  llvm::append_range(operands, numbers);
  while (operands.size() < 5)
    operands.push_back(arith::ConstantIndexOp::create(b, loc, 0));
  Type index = b.getIndexType();
  auto record = getRuntime("attn_rt_fail", {pointer, index, index, index}, {});
  func::CallOp::create(b, loc, record, operands);
  cf::BranchOp::create(b, loc, getExit());
  op->erase();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// The bytes of an element, if they are known here: vectors may be padded.
static std::optional<int64_t> getByteWidth(Type element) {
  if (element.isIndex())
    return 8;
  if (!element.isIntOrFloat())
    return std::nullopt;
  int64_t width = std::max<int64_t>(element.getIntOrFloatBitWidth(), 8);
  return llvm::isPowerOf2_64(width) ? std::optional(width / 8) : std::nullopt;
}

/// The size of a buffer, or -1, which is none, if it does not fit in 64 bits.
Value Threader::buildBytes(memref::AllocOp op) {
  Location loc = op.getLoc();
  MemRefType type = op.getType();
  auto number = [&](int64_t value) -> Value {
    return LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(value));
  };
  int64_t known = 1;
  bool overflows = false;
  for (int64_t extent : type.getShape())
    if (!ShapedType::isDynamic(extent))
      overflows |= llvm::MulOverflow(known, extent, known);
  std::optional<int64_t> width = getByteWidth(type.getElementType());
  overflows |= llvm::MulOverflow(known, width.value_or(1), known);
  if (overflows)
    return number(-1);
  Value bytes = number(known);
  auto multiply = [&](Value factor) {
    auto product = arith::MulUIExtendedOp::create(b, loc, bytes, factor);
    Value wraps = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::ne,
                                        product.getHigh(), number(0));
    bytes =
        arith::SelectOp::create(b, loc, wraps, number(-1), product.getLow());
  };
  for (Value size : op.getDynamicSizes())
    multiply(arith::IndexCastOp::create(b, loc, b.getI64Type(), size));
  if (!width) {
    Type element = converter.convertType(type.getElementType());
    Value null = LLVM::ZeroOp::create(b, loc, pointer);
    Value end = LLVM::GEPOp::create(b, loc, pointer, element, null,
                                    ArrayRef<LLVM::GEPArg>{1});
    multiply(LLVM::PtrToIntOp::create(b, loc, b.getI64Type(), end));
  }
  return bytes;
}

LogicalResult Threader::rewriteAlloc(memref::AllocOp op) {
  MemRefType type = op.getType();
  auto descriptor =
      dyn_cast_or_null<LLVM::LLVMStructType>(converter.convertType(type));
  // The conversion to LLVM has a sentence for these.
  if (!descriptor || !type.getLayout().isIdentity())
    return success();
  if (op.getAlignment().value_or(1) > maxAlignment)
    return op.emitOpError("expected an alignment of at most ")
           << maxAlignment << " bytes, but got " << *op.getAlignment();
  Location loc = op.getLoc();
  b.setInsertionPoint(op);
  Type i64 = b.getI64Type();
  Value bytes = buildBytes(op);
  SmallVector<Value> operands{function.getArgument(0), bytes};
  func::FuncOp allocate;
  auto number = results.find(op);
  if (number == results.end()) {
    allocate = getRuntime(deviceMemory ? "attn_rt_gpu_alloc" : "attn_rt_alloc",
                          {i64}, {pointer});
  } else {
    Type i32 = b.getI32Type();
    operands.push_back(
        arith::ConstantIntOp::create(b, loc, i32, number->second));
    allocate = getRuntime(deviceMemory ? "attn_rt_gpu_alloc_result"
                                       : "attn_rt_alloc_result",
                          {i64, i32}, {pointer});
  }
  Value memory = func::CallOp::create(b, loc, allocate, operands).getResult(0);
  Value null = LLVM::ZeroOp::create(b, loc, pointer);
  leave(op,
        LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::eq, memory, null));

  SmallVector<Value> sizes;
  unsigned next = 0;
  for (int64_t extent : type.getShape())
    sizes.push_back(
        ShapedType::isDynamic(extent)
            ? arith::IndexCastOp::create(b, loc, i64,
                                         op.getDynamicSizes()[next++])
                  .getResult()
            : LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(extent)));
  auto view = MemRefDescriptor::poison(b, loc, descriptor);
  view.setAllocatedPtr(b, loc, memory);
  view.setAlignedPtr(b, loc, memory);
  view.setConstantOffset(b, loc, 0);
  Value stride = LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
  for (int64_t dim = type.getRank(); dim-- > 0;) {
    view.setSize(b, loc, dim, sizes[dim]);
    view.setStride(b, loc, dim, stride);
    if (dim != 0)
      stride = b.createOrFold<LLVM::MulOp>(loc, stride, sizes[dim]);
  }
  Value result = UnrealizedConversionCastOp::create(b, loc, type, Value(view))
                     .getResult(0);
  op.replaceAllUsesWith(result);
  op.erase();
  return success();
}

void Threader::rewriteDealloc(memref::DeallocOp op) {
  Location loc = op.getLoc();
  auto descriptor = dyn_cast_or_null<LLVM::LLVMStructType>(
      converter.convertType(op.getMemref().getType()));
  if (!descriptor)
    return;
  b.setInsertionPoint(op);
  Value view =
      UnrealizedConversionCastOp::create(b, loc, descriptor, op.getMemref())
          .getResult(0);
  Value memory = LLVM::ExtractValueOp::create(b, loc, view, 0);
  auto release = getRuntime(deviceMemory ? "attn_rt_gpu_free" : "attn_rt_free",
                            {pointer}, {});
  func::CallOp::create(b, loc, release,
                       ValueRange{function.getArgument(0), memory});
  op.erase();
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

/// What a user's assertion says: where it is, and his words on one line.
static std::string describe(cf::AssertOp op) {
  std::string text;
  if (auto file = op.getLoc()->findInstanceOf<FileLineColLoc>())
    text = (file.getFilename().getValue() + ":" + Twine(file.getLine()) + ":" +
            Twine(file.getColumn()) + ": ")
               .str();
  text += "'cf.assert' op does not hold: ";
  for (char c : op.getMsg())
    text += llvm::isPrint(c) ? c : ' ';
  return text;
}

LogicalResult Threader::rewrite(Operation *op) {
  if (auto call = dyn_cast<func::CallOp>(op)) {
    auto callee = symbols.lookup<func::FuncOp>(call.getCallee());
    if (!hasContext(callee))
      return success();
  }
  if (op->getParentOp() != function)
    return op->emitOpError("cannot leave the function from within '")
           << op->getParentOp()->getName() << "'; control flow is to be flat";
  if (auto check = dyn_cast<CheckOp>(op))
    rewriteCheck(op, check.getCondition(), check.getMessage(),
                 check.getNumbers());
  else if (auto check = dyn_cast<cf::AssertOp>(op))
    rewriteCheck(op, check.getArg(), describe(check), {});
  else if (auto alloc = dyn_cast<memref::AllocOp>(op))
    return rewriteAlloc(alloc);
  else if (auto dealloc = dyn_cast<memref::DeallocOp>(op))
    rewriteDealloc(dealloc);
  else
    rewriteCall(op);
  return success();
}

/// The allocations that a call reaches once and that it returns, each with the
/// number of the first result that it is.
static llvm::DenseMap<Operation *, unsigned>
findResults(func::FuncOp function) {
  llvm::DenseMap<Operation *, unsigned> results;
  auto returns = llvm::to_vector(function.getOps<func::ReturnOp>());
  if (!function.isPublic() || returns.size() != 1)
    return results;
  for (auto [number, value] : llvm::enumerate(returns.front().getOperands())) {
    while (auto cast = value.getDefiningOp<memref::CastOp>())
      value = cast.getSource();
    auto alloc = value.getDefiningOp<memref::AllocOp>();
    if (alloc && alloc->getBlock() == &function.front())
      results.insert({alloc, number});
  }
  return results;
}

LogicalResult Threader::rewrite(func::FuncOp toRewrite) {
  function = toRewrite;
  exit = nullptr;
  results = findResults(function);
  SmallVector<Operation *> work;
  function->walk([&](Operation *op) {
    if (isa<CheckOp, cf::AssertOp, func::CallOp, func::CallIndirectOp,
            memref::AllocOp, memref::DeallocOp>(op))
      work.push_back(op);
  });
  for (Operation *op : work)
    if (failed(rewrite(op)))
      return failure();
  return success();
}

LogicalResult Threader::run() {
  addContext();
  for (auto defined : llvm::to_vector(module.getOps<func::FuncOp>()))
    if (!defined.isDeclaration() && failed(rewrite(defined)))
      return failure();
  return success();
}

namespace {
struct ThreadContextPass final
    : impl::ThreadContextPassBase<ThreadContextPass> {
  using ThreadContextPassBase::ThreadContextPassBase;

  void runOnOperation() override {
    if (failed(Threader(getOperation(), deviceMemory).run()))
      signalPassFailure();
  }
};
} // namespace

} // namespace attn
