//===- OutlineParallel.cpp - Bodies of parallel loops -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Codegen/Passes.h"
#include "attn/IR/Attn.h"
#include "mlir/Analysis/SliceAnalysis.h"
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

/// What functions for the items of a loop are made from: what they use of what
/// is around the loop, the structure it goes through, the number of iterations
/// of each dimension.
struct Item {
  SmallVector<Value> captures;
  LLVM::LLVMStructType data;
  SmallVector<Value> extents;
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
  func::FuncOp createFunction(const ParallelLoop &loop, StringRef suffix,
                              TypeRange inputs, TypeRange results);
  IRMapping loadCaptures(func::FuncOp function, const Item &item);
  SmallVector<Value> buildPositions(const ParallelLoop &loop, const Item &item,
                                    const IRMapping &known, Value number);
  func::FuncOp buildCost(const ParallelLoop &loop, const Item &item);
  func::FuncOp buildBody(const ParallelLoop &loop, const Item &item);
  void callRuntime(Operation *before, func::FuncOp body, func::FuncOp cost,
                   const Item &item, Value count);
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

/// A function after that of the loop, for the runtime to call.
func::FuncOp Outliner::createFunction(const ParallelLoop &loop,
                                      StringRef suffix, TypeRange inputs,
                                      TypeRange results) {
  auto parent = loop.op->getParentOfType<func::FuncOp>();
  OpBuilder detached(b.getContext());
  auto function = func::FuncOp::create(detached, loop.op->getLoc(),
                                       (parent.getName() + suffix).str(),
                                       b.getFunctionType(inputs, results));
  function.setPrivate();
  function->setAttr("llvm.linkage",
                    LLVM::LinkageAttr::get(b.getContext(),
                                           LLVM::Linkage::Internal));
  symbols.insert(function, std::next(parent->getIterator()));
  b.setInsertionPointToStart(function.addEntryBlock());
  return function;
}

/// What was captured, from the structure that is the first argument.
IRMapping Outliner::loadCaptures(func::FuncOp function, const Item &item) {
  Location loc = function.getLoc();
  IRMapping known;
  for (auto [number, value] : llvm::enumerate(item.captures)) {
    Value loaded = LLVM::LoadOp::create(
        b, loc, item.data.getBody()[number],
        buildAddress(loc, function.getArgument(0), item.data, number));
    known.map(value, convert(loc, value.getType(), loaded));
  }
  return known;
}

/// The values of the induction variables for item `number`.
///
/// Unsigned, unlike affine.delinearize_index, whose divisions round down and
/// take a pass of their own to lower.
SmallVector<Value> Outliner::buildPositions(const ParallelLoop &loop,
                                            const Item &item,
                                            const IRMapping &known,
                                            Value number) {
  Location loc = loop.op->getLoc();
  auto inside = [&](OpFoldResult outside) -> Value {
    if (std::optional<int64_t> constant = getConstantIntValue(outside))
      return arith::ConstantIndexOp::create(b, loc, *constant);
    return known.lookup(cast<Value>(outside));
  };
  SmallVector<Value> positions(item.extents.size());
  Value rest = number;
  for (size_t dim = positions.size(); dim-- > 1;) {
    Value extent = inside(item.extents[dim]);
    positions[dim] = arith::RemUIOp::create(b, loc, rest, extent);
    rest = arith::DivUIOp::create(b, loc, rest, extent);
  }
  positions.front() = rest;
  for (auto [position, lower, step] :
       llvm::zip_equal(positions, loop.lower, loop.step)) {
    if (!isConstantIntValue(step, 1))
      position = arith::MulIOp::create(b, loc, position, inside(step));
    if (!isConstantIntValue(lower, 0))
      position = arith::AddIOp::create(b, loc, position, inside(lower));
  }
  return positions;
}

//===----------------------------------------------------------------------===//
// The cost of an item
//===----------------------------------------------------------------------===//

/// Whether `op` computes and reads, and no more.
static bool onlyReads(Operation *op) {
  return !op->walk([](Operation *inner) {
              if (isa<memref::LoadOp>(inner) || isMemoryEffectFree(inner) ||
                  inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
                return WalkResult::advance();
              return WalkResult::interrupt();
            }).wasInterrupted();
}

/// `@parallel.cost(%data: !llvm.ptr, %item: index) -> index`, from what
/// attn.cost in the body is computed from; null where that does more than read
/// what is there before the loop, or is the same for all items.
func::FuncOp Outliner::buildCost(const ParallelLoop &loop, const Item &item) {
  auto costs = loop.body->getOps<CostOp>();
  if (costs.empty())
    return nullptr;
  Value amount = (*costs.begin()).getAmount();
  BackwardSliceOptions options;
  options.omitBlockArguments = true;
  options.omitUsesFromAbove = false;
  options.filter = [&](Operation *op) {
    return loop.op->isProperAncestor(op);
  };
  llvm::SetVector<Operation *> slice;
  if (Operation *op = amount.getDefiningOp(); op && options.filter(op)) {
    if (failed(getBackwardSlice(op, &slice, options)))
      return nullptr;
    slice.insert(op);
  }
  bool differs = llvm::is_contained(loop.body->getArguments(), amount);
  for (Operation *op : slice) {
    if (op->getBlock() != loop.body || !onlyReads(op))
      return nullptr;
    op->walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        differs |= llvm::is_contained(loop.body->getArguments(), operand);
    });
  }
  if (!differs)
    return nullptr;
  Type index = b.getIndexType();
  func::FuncOp function =
      createFunction(loop, ".parallel.cost", {pointer, index}, index);
  IRMapping known = loadCaptures(function, item);
  SmallVector<Value> positions =
      buildPositions(loop, item, known, function.getArgument(1));
  for (auto [from, to] : llvm::zip_equal(loop.body->getArguments(), positions))
    known.map(from, to);
  SmallVector<Operation *> sorted(slice.getArrayRef());
  llvm::sort(sorted, [](Operation *left, Operation *right) {
    return left->isBeforeInBlock(right);
  });
  for (Operation *op : sorted)
    b.clone(*op, known);
  func::ReturnOp::create(b, loop.op->getLoc(),
                         known.lookupOrDefault(amount));
  return function;
}

//===----------------------------------------------------------------------===//
// The body
//===----------------------------------------------------------------------===//

/// Scratch of an item becomes scratch of all that a call runs, if it was given
/// back at the end of the item or is never.
static void hoistScratch(scf::ForOp items) {
  // The stack is given back when the call ends.
  for (auto local : llvm::make_early_inc_range(
           items.getBody()->getOps<memref::AllocaOp>()))
    if (local->getNumOperands() == 0)
      local->moveBefore(items);
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

/// `@parallel(%data: !llvm.ptr, %begin: index, %end: index)`: loads what was
/// captured, and runs the items from %begin up to %end.
func::FuncOp Outliner::buildBody(const ParallelLoop &loop, const Item &item) {
  for (CostOp cost : llvm::make_early_inc_range(loop.body->getOps<CostOp>()))
    cost.erase();
  Location loc = loop.op->getLoc();
  Type index = b.getIndexType();
  func::FuncOp function =
      createFunction(loop, ".parallel", {pointer, index, index}, {});
  IRMapping known = loadCaptures(function, item);
  Value one = arith::ConstantIndexOp::create(b, loc, 1);
  auto items = scf::ForOp::create(b, loc, function.getArgument(1),
                                  function.getArgument(2), one);
  func::ReturnOp::create(b, loc);

  b.setInsertionPointToStart(items.getBody());
  SmallVector<Value> positions =
      buildPositions(loop, item, known, items.getInductionVar());
  for (auto [from, to] : llvm::zip_equal(loop.body->getArguments(), positions))
    from.replaceAllUsesWith(to);
  loop.body->getTerminator()->erase();
  Block::iterator end = items.getBody()->getTerminator()->getIterator();
  items.getBody()->getOperations().splice(end, loop.body->getOperations());
  for (Value value : item.captures)
    value.replaceUsesWithIf(known.lookup(value), [&](OpOperand &use) {
      return items->isProperAncestor(use.getOwner());
    });
  hoistScratch(items);
  return function;
}

/// Stores what the body captures on the stack and hands both to the runtime.
/// Items along the innermost dimension are those that read the same: query
/// blocks of one head.
void Outliner::callRuntime(Operation *before, func::FuncOp body,
                           func::FuncOp cost, const Item &item, Value count) {
  Location loc = before->getLoc();
  auto parent = before->getParentOfType<func::FuncOp>();
  // Not in a loop, where it would grow the stack.
  b.setInsertionPointToStart(&parent.front());
  Value one = LLVM::ConstantOp::create(b, loc, b.getI64IntegerAttr(1));
  Value captured = LLVM::AllocaOp::create(b, loc, pointer, item.data, one);
  b.setInsertionPoint(before);
  for (auto [number, value] : llvm::enumerate(item.captures)) {
    Type type = item.data.getBody()[number];
    LLVM::StoreOp::create(b, loc, convert(loc, type, value),
                          buildAddress(loc, captured, item.data, number));
  }
  auto address = [&](func::FuncOp function) -> Value {
    if (!function)
      return LLVM::ZeroOp::create(b, loc, pointer);
    Value constant = func::ConstantOp::create(
        b, loc, function.getFunctionType(), function.getName());
    return convert(loc, pointer, constant);
  };
  Type index = b.getIndexType();
  auto runtime = symbols.lookup<func::FuncOp>(kParallelFor);
  if (!runtime) {
    OpBuilder detached(b.getContext());
    runtime = func::FuncOp::create(
        detached, loc, kParallelFor,
        b.getFunctionType({pointer, pointer, pointer, index, index}, {}));
    runtime.setPrivate();
    symbols.insert(runtime, symbols.getOp()->getRegion(0).front().begin());
  }
  func::CallOp::create(
      b, loc, runtime,
      ValueRange{address(body), address(cost), captured, count,
                 item.extents.back()});
}

void Outliner::outline(const ParallelLoop &loop) {
  Item item;
  item.captures = findCaptures(loop);
  Value count = buildExtents(loop.op->getLoc(), loop, item.extents);
  // The functions find positions from extents, too.
  auto capture = [&](OpFoldResult value) {
    if (!getConstantIntValue(value) &&
        !llvm::is_contained(item.captures, cast<Value>(value)))
      item.captures.push_back(cast<Value>(value));
  };
  for (Value extent : item.extents)
    capture(extent);
  for (OpFoldResult bound : llvm::concat<const OpFoldResult>(loop.lower,
                                                             loop.step))
    capture(bound);
  SmallVector<Type> types;
  for (Value value : item.captures)
    types.push_back(converter.convertType(value.getType()));
  item.data = LLVM::LLVMStructType::getLiteral(b.getContext(), types);
  func::FuncOp cost = buildCost(loop, item);
  func::FuncOp body = buildBody(loop, item);
  callRuntime(loop.op, body, cost, item, count);
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
    // Of loops that are none any more.
    getOperation()->walk([](CostOp cost) { cost.erase(); });
  }
};
} // namespace

} // namespace attn
