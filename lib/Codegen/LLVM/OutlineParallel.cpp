//===- OutlineParallel.cpp - Bodies of parallel loops -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/RegionUtils.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_OUTLINEPARALLELPASS
#include "attn/Codegen/Passes.h.inc"

namespace {

constexpr StringRef kParallelFor = "attn_rt_parallel_for";

/// A loop of either kind, whose iterations are independent.
struct ParallelLoop {
  Operation *op;
  Block *body;
  SmallVector<OpFoldResult> lower, upper, step;

  /// None if `op` is no such loop: it reduces, or has results.
  static std::optional<ParallelLoop> match(Operation *op) {
    if (auto forall = dyn_cast<scf::ForallOp>(op)) {
      if (!forall.getOutputs().empty() || forall.getRank() == 0)
        return std::nullopt;
      return ParallelLoop{op, forall.getBody(), forall.getMixedLowerBound(),
                          forall.getMixedUpperBound(), forall.getMixedStep()};
    }
    auto parallel = dyn_cast<scf::ParallelOp>(op);
    if (!parallel || parallel.getNumResults() != 0)
      return std::nullopt;
    return ParallelLoop{op, parallel.getBody(),
                        getAsOpFoldResult(parallel.getLowerBound()),
                        getAsOpFoldResult(parallel.getUpperBound()),
                        getAsOpFoldResult(parallel.getStep())};
  }
};

/// Outlines one loop after the other.
class Outliner {
public:
  explicit Outliner(ModuleOp module)
      : symbols(module), converter(module.getContext()), b(module) {
    pointer = LLVM::LLVMPointerType::get(module.getContext());
  }

  void outline(const ParallelLoop &loop);

private:
  SmallVector<Value> findCaptures(const ParallelLoop &loop);
  Value buildExtents(Location loc, const ParallelLoop &loop,
                     SmallVectorImpl<Value> &extents);
  func::FuncOp createBody(const ParallelLoop &loop,
                          ArrayRef<Value> captures, Type data);
  void fillBody(func::FuncOp function, const ParallelLoop &loop,
                ArrayRef<Value> captures, ArrayRef<Value> extents, Type data);
  void callRuntime(Operation *before, func::FuncOp body,
                   ArrayRef<Value> captures, Type data, Value count);
  Value buildAddress(Location loc, Value base, Type data, int64_t index) {
    return LLVM::GEPOp::create(b, loc, pointer, data, base,
                               ArrayRef<LLVM::GEPArg>{0, int32_t(index)});
  }
  /// `value` as a value of `type`, which it is once all is in the LLVM dialect.
  Value convert(Location loc, Type type, Value value) {
    if (value.getType() == type)
      return value;
    return UnrealizedConversionCastOp::create(b, loc, type, value).getResult(0);
  }

  SymbolTable symbols;
  LLVMTypeConverter converter;
  OpBuilder b;
  Type pointer;
};

} // namespace

/// What the body uses of what is around it. Constants move in.
SmallVector<Value> Outliner::findCaptures(const ParallelLoop &loop) {
  llvm::SetVector<Value> used;
  getUsedValuesDefinedAbove(loop.op->getRegions(), used);
  SmallVector<Value> captures;
  b.setInsertionPointToStart(loop.body);
  for (Value value : used) {
    Operation *op = value.getDefiningOp();
    if (!op || !matchPattern(op, m_Constant())) {
      captures.push_back(value);
      continue;
    }
    Value inside = b.clone(*op)->getResult(0);
    value.replaceUsesWithIf(inside, [&](OpOperand &use) {
      return loop.op->isProperAncestor(use.getOwner());
    });
  }
  return captures;
}

/// The number of iterations of each dimension and, returned, of all.
Value Outliner::buildExtents(Location loc, const ParallelLoop &loop,
                             SmallVectorImpl<Value> &extents) {
  b.setInsertionPoint(loop.op);
  Value total;
  for (auto [lower, upper, step] :
       llvm::zip_equal(loop.lower, loop.upper, loop.step)) {
    Value extent = getValueOrCreateConstantIndexOp(b, loc, upper);
    if (!isConstantIntValue(lower, 0))
      extent = b.createOrFold<arith::SubIOp>(
          loc, extent, getValueOrCreateConstantIndexOp(b, loc, lower));
    if (!isConstantIntValue(step, 1))
      extent = b.createOrFold<arith::CeilDivSIOp>(
          loc, extent, getValueOrCreateConstantIndexOp(b, loc, step));
    if (!getConstantIntValue(extent)) {
      // Two negative ones would be many.
      Value zero = arith::ConstantIndexOp::create(b, loc, 0);
      extent = arith::MaxSIOp::create(b, loc, extent, zero);
    }
    extents.push_back(extent);
    total = total ? b.createOrFold<arith::MulIOp>(loc, total, extent) : extent;
  }
  return total;
}

/// `@parallel(%data: !llvm.ptr, %begin: index, %end: index)`.
func::FuncOp Outliner::createBody(const ParallelLoop &loop,
                                  ArrayRef<Value> captures, Type data) {
  Type index = b.getIndexType();
  auto type = b.getFunctionType({pointer, index, index}, {});
  auto parent = loop.op->getParentOfType<func::FuncOp>();
  OpBuilder detached(b.getContext());
  auto function = func::FuncOp::create(
      detached, loop.op->getLoc(),
      (parent.getName() + ".parallel").str(), type);
  function.setPrivate();
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(b.getContext(),
                                           LLVM::Linkage::Internal));
  symbols.insert(function, std::next(parent->getIterator()));
  function.addEntryBlock();
  return function;
}

/// Scratch of an item becomes scratch of all that a call runs, if it was given
/// back at the end of the item or is never.
static void hoistScratch(scf::ForOp items) {
  for (auto alloc : llvm::make_early_inc_range(
           items.getBody()->getOps<memref::AllocOp>())) {
    if (!llvm::all_of(alloc->getOperands(), [&](Value size) {
          return items.isDefinedOutsideOfLoop(size);
        }))
      continue;
    memref::DeallocOp dealloc;
    for (Operation *user : alloc->getUsers())
      if (auto found = dyn_cast<memref::DeallocOp>(user))
        dealloc = found;
    if (dealloc && dealloc->getBlock() != items.getBody())
      continue;
    alloc->moveBefore(items);
    if (dealloc)
      dealloc->moveAfter(items);
  }
}

/// Loads what was captured, and runs the items from %begin up to %end.
void Outliner::fillBody(func::FuncOp function, const ParallelLoop &loop,
                        ArrayRef<Value> captures, ArrayRef<Value> extents,
                        Type data) {
  Location loc = loop.op->getLoc();
  Block &entry = function.front();
  b.setInsertionPointToStart(&entry);
  IRMapping known;
  for (auto [number, value] : llvm::enumerate(captures)) {
    Type type = cast<LLVM::LLVMStructType>(data).getBody()[number];
    Value loaded = LLVM::LoadOp::create(
        b, loc, type,
        buildAddress(loc, function.getArgument(0), data, number));
    known.map(value, convert(loc, value.getType(), loaded));
  }
  auto inside = [&](OpFoldResult outside) -> Value {
    if (std::optional<int64_t> number = getConstantIntValue(outside))
      return arith::ConstantIndexOp::create(b, loc, *number);
    return known.lookup(cast<Value>(outside));
  };
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  SmallVector<Value> sizes;
  for (Value extent : extents)
    sizes.push_back(inside(extent));
  auto items = scf::ForOp::create(b, loc, function.getArgument(1),
                                  function.getArgument(2), one);
  func::ReturnOp::create(b, loc);

  // Unsigned, unlike affine.delinearize_index, whose divisions round down and
  // take a pass of their own to lower.
  b.setInsertionPointToStart(items.getBody());
  SmallVector<Value> positions(sizes.size());
  Value rest = items.getInductionVar();
  for (size_t dim = sizes.size(); dim-- > 1;) {
    positions[dim] = arith::RemUIOp::create(b, loc, rest, sizes[dim]);
    rest = arith::DivUIOp::create(b, loc, rest, sizes[dim]);
  }
  positions.front() = rest;
  for (auto [position, lower, step] :
       llvm::zip_equal(positions, loop.lower, loop.step)) {
    if (!isConstantIntValue(step, 1))
      position = arith::MulIOp::create(b, loc, position, inside(step));
    if (!isConstantIntValue(lower, 0))
      position = arith::AddIOp::create(b, loc, position, inside(lower));
  }
  for (auto [from, to] : llvm::zip_equal(loop.body->getArguments(), positions))
    from.replaceAllUsesWith(to);
  loop.body->getTerminator()->erase();
  Block::iterator end = items.getBody()->getTerminator()->getIterator();
  items.getBody()->getOperations().splice(end, loop.body->getOperations());
  for (Value value : captures)
    value.replaceUsesWithIf(known.lookup(value), [&](OpOperand &use) {
      return items->isProperAncestor(use.getOwner());
    });
  hoistScratch(items);
}

/// Stores what the body captures on the stack and hands both to the runtime.
void Outliner::callRuntime(Operation *before, func::FuncOp body,
                           ArrayRef<Value> captures, Type data, Value count) {
  Location loc = before->getLoc();
  auto parent = before->getParentOfType<func::FuncOp>();
  // Not in a loop, where it would grow the stack.
  b.setInsertionPointToStart(&parent.front());
  Value one = LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
  Value captured = LLVM::AllocaOp::create(b, loc, pointer, data, one);
  b.setInsertionPoint(before);
  for (auto [number, value] : llvm::enumerate(captures)) {
    Type type = cast<LLVM::LLVMStructType>(data).getBody()[number];
    LLVM::StoreOp::create(b, loc, convert(loc, type, value),
                          buildAddress(loc, captured, data, number));
  }
  Value function = func::ConstantOp::create(b, loc, body.getFunctionType(),
                                            body.getName());
  auto runtime = symbols.lookup<func::FuncOp>(kParallelFor);
  if (!runtime) {
    OpBuilder detached(b.getContext());
    runtime = func::FuncOp::create(
        detached, loc, kParallelFor,
        b.getFunctionType({pointer, pointer, b.getIndexType()}, {}));
    runtime.setPrivate();
    symbols.insert(runtime, symbols.getOp()->getRegion(0).front().begin());
  }
  func::CallOp::create(
      b, loc, runtime,
      ValueRange{convert(loc, pointer, function), captured, count});
}

void Outliner::outline(const ParallelLoop &loop) {
  SmallVector<Value> captures = findCaptures(loop);
  SmallVector<Value> extents;
  Value count = buildExtents(loop.op->getLoc(), loop, extents);
  // The body finds positions from extents, too.
  auto capture = [&](OpFoldResult value) {
    if (!getConstantIntValue(value) &&
        !llvm::is_contained(captures, cast<Value>(value)))
      captures.push_back(cast<Value>(value));
  };
  for (Value extent : extents)
    capture(extent);
  for (OpFoldResult bound : llvm::concat<const OpFoldResult>(loop.lower,
                                                             loop.step))
    capture(bound);
  SmallVector<Type> types;
  for (Value value : captures)
    types.push_back(converter.convertType(value.getType()));
  Type data = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  func::FuncOp body = createBody(loop, captures, data);
  fillBody(body, loop, captures, extents, data);
  callRuntime(loop.op, body, captures, data, count);
  loop.op->erase();
}

namespace {
struct OutlineParallelPass final
    : impl::OutlineParallelPassBase<OutlineParallelPass> {
  void runOnOperation() override {
    SmallVector<Operation *> loops;
    getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (op->getParentOfType<func::FuncOp>() && ParallelLoop::match(op))
        loops.push_back(op);
    });
    // From the outside in: the bounds of a loop within are then its function's.
    Outliner outliner(getOperation());
    for (Operation *op : loops)
      outliner.outline(*ParallelLoop::match(op));
  }
};
} // namespace

} // namespace attn
