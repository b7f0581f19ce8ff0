//===- LendResults.cpp - Results where callers want them --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/DestinationStyleOpInterface.h"
#include "mlir/Interfaces/LoopLikeInterface.h"

using namespace mlir;
using bufferization::BufferizationDialect;

namespace attn {

#define GEN_PASS_DEF_LENDRESULTSPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// Directs one result of a function to a memref of its caller's.
class Lender {
public:
  Lender(OpBuilder &b, func::FuncOp function, unsigned number, Value memref)
      : b(b), function(function), number(number), memref(memref),
        dims(llvm::to_vector(llvm::seq<int64_t>(
            0, cast<MemRefType>(memref.getType()).getRank()))) {}

  /// Writes operand `number` of `op` into the memref, before `op`. Returns
  /// whether it is computed there, so that nothing is copied.
  bool lend(func::ReturnOp op);

private:
  Value stripViews(Value result);
  bool place(OpOperand &use);
  void checkExtent(Location loc, int64_t dim, Value computed);

  OpBuilder &b;
  func::FuncOp function;
  unsigned number;
  /// What is lent, or a view of it, and the dimension of what is lent that each
  /// of its own is, or is part of.
  Value memref;
  SmallVector<int64_t> dims;
};

} // namespace

void Lender::checkExtent(Location loc, int64_t dim, Value computed) {
  Value lent = memref::DimOp::create(b, loc, memref, dim);
  Value same = b.createOrFold<arith::CmpIOp>(loc, arith::CmpIPredicate::eq,
                                             computed, lent);
  CheckOp::create(b, loc, same,
                  ("output " + Twine(number) + " expected extent " +
                   Twine(dims[dim]) +
                   " to be {0}, which was computed, but got {1}")
                      .str(),
                  ValueRange{computed, lent});
}

/// What `result` is a view of, as far as `memref` can be viewed alike, the
/// other way round: casts, and dimensions that were collapsed (heads in
/// groups).
Value Lender::stripViews(Value result) {
  for (;;) {
    auto lent = cast<MemRefType>(memref.getType());
    Location loc = result.getLoc();
    if (auto widened = result.getDefiningOp<tensor::CastOp>()) {
      auto type = dyn_cast<RankedTensorType>(widened.getSource().getType());
      if (!type)
        return result;
      // The cast would take them for granted.
      for (int64_t dim = 0; dim < lent.getRank(); ++dim)
        if (lent.isDynamicDim(dim) && !type.isDynamicDim(dim))
          checkExtent(
              loc, dim,
              arith::ConstantIndexOp::create(b, loc, type.getDimSize(dim)));
      auto known = MemRefType::get(type.getShape(), type.getElementType(),
                                   lent.getLayout());
      memref = memref::CastOp::create(b, loc, known, memref);
      result = widened.getSource();
      continue;
    }
    auto collapse = result.getDefiningOp<tensor::CollapseShapeOp>();
    if (!collapse)
      return result;
    RankedTensorType type = collapse.getSrcType();
    SmallVector<ReassociationIndices> groups =
        collapse.getReassociationIndices();
    SmallVector<OpFoldResult> shape;
    SmallVector<int64_t> expandedDims;
    for (auto [at, group] : llvm::enumerate(groups))
      for (int64_t dim : group) {
        expandedDims.push_back(dims[at]);
        if (!type.isDynamicDim(dim))
          shape.push_back(b.getIndexAttr(type.getDimSize(dim)));
        else if (group.size() == 1)
          shape.push_back(
              memref::DimOp::create(b, loc, memref, at).getResult());
        else
          return result;
      }
    FailureOr<MemRefType> expanded = memref::ExpandShapeOp::computeExpandedType(
        lent, type.getShape(), groups);
    if (failed(expanded))
      return result;
    memref =
        memref::ExpandShapeOp::create(b, loc, *expanded, memref, groups, shape);
    dims = std::move(expandedDims);
    result = collapse.getSrc();
  }
}

/// Whether `value` has no elements worth a thought.
static bool isEmptyTensor(Value value) {
  while (Operation *op = value.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::ExpandShapeOp, tensor::CollapseShapeOp>(
            op))
      return isa<tensor::EmptyOp>(op);
    value = op->getOperand(0);
  }
  return false;
}

/// Makes the empty tensor that `use` is computed in what the caller lends.
bool Lender::place(OpOperand &use) {
  if (isEmptyTensor(use.get())) {
    Value empty = use.get();
    auto type = cast<RankedTensorType>(empty.getType());
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointAfterValue(memref);
    use.set(bufferization::ToTensorOp::create(b, empty.getLoc(), type, memref,
                                              /*restrict=*/true,
                                              /*writable=*/true));
    b.setInsertionPointAfterValue(empty);
    for (int64_t dim = 0; dim < type.getRank(); ++dim)
      if (type.isDynamicDim(dim))
        checkExtent(empty.getLoc(), dim,
                    tensor::DimOp::create(b, empty.getLoc(), empty, dim));
    return true;
  }
  auto value = dyn_cast<OpResult>(use.get());
  if (!value)
    return false;
  if (auto op = dyn_cast<DestinationStyleOpInterface>(value.getOwner()))
    return place(*op.getTiedOpOperand(value));
  if (isa<scf::ForOp, scf::ForallOp>(value.getOwner()))
    return place(
        *cast<LoopLikeOpInterface>(value.getOwner()).getTiedLoopInit(value));
  return false;
}

bool Lender::lend(func::ReturnOp op) {
  Value result = op.getOperand(number);
  // Of several ways to return none is known to be taken.
  bool alone = function.getBody().hasOneBlock();
  if (alone) {
    b.setInsertionPointToStart(&function.front());
    result = stripViews(result);
  }
  b.setInsertionPoint(op);
  auto materialize = bufferization::MaterializeInDestinationOp::create(
      b, op.getLoc(), /*result=*/Type(), result, memref, /*restrict=*/true,
      /*writable=*/true);
  if (alone && place(materialize.getSourceMutable()))
    return true;
  b.setInsertionPoint(materialize);
  auto type = cast<RankedTensorType>(result.getType());
  for (int64_t dim = 0; dim < type.getRank(); ++dim)
    if (type.isDynamicDim(dim))
      checkExtent(op.getLoc(), dim,
                  tensor::DimOp::create(b, op.getLoc(), result, dim));
  return false;
}

/// Erases views that nobody reads: they would be made all the same.
static void eraseViews(Value result) {
  while (Operation *op = result.getDefiningOp()) {
    if (!isa<tensor::CastOp, tensor::CollapseShapeOp>(op) || !op->use_empty())
      return;
    result = op->getOperand(0);
    op->erase();
  }
}

/// The layout of what result `number` of `function` is written into, if it is.
static MemRefLayoutAttrInterface getLayout(func::FuncOp function,
                                           unsigned number) {
  return function.getResultAttrOfType<MemRefLayoutAttrInterface>(
      number, BufferizationDialect::kBufferLayoutAttrName);
}

namespace {

struct LendResultsPass final : impl::LendResultsPassBase<LendResultsPass> {
  using LendResultsPassBase::LendResultsPassBase;

  void runOnOperation() override {
    for (auto function : getOperation().getOps<func::FuncOp>()) {
      llvm::BitVector lent(function.getNumResults());
      for (unsigned i = 0; i < lent.size(); ++i)
        lent[i] = getLayout(function, i) != nullptr;
      if (lent.any() && failed(lend(function, lent)))
        return signalPassFailure();
    }
  }

  LogicalResult lend(func::FuncOp function, const llvm::BitVector &lent);
};

} // namespace

LogicalResult LendResultsPass::lend(func::FuncOp function,
                                    const llvm::BitVector &lent) {
  if (function.isDeclaration() ||
      !SymbolTable::symbolKnownUseEmpty(function, getOperation()))
    return function.emitOpError("expected results with a layout of a function "
                                "that has a body and is not called");
  OpBuilder b(function);
  SmallVector<Value> memrefs;
  for (unsigned number : lent.set_bits()) {
    auto type = dyn_cast<RankedTensorType>(function.getResultTypes()[number]);
    if (!type)
      return function.emitOpError("expected result ")
             << number << ", which has a layout, to be a ranked tensor";
    MemRefLayoutAttrInterface layout = getLayout(function, number);
    if (failed(layout.verifyLayout(type.getShape(), [&] {
          return function.emitOpError("result ") << number << ": ";
        })))
      return failure();
    auto memref =
        MemRefType::get(type.getShape(), type.getElementType(), layout);
    unsigned index = function.getNumArguments();
    if (failed(function.insertArgument(index, memref, {}, function.getLoc())))
      return failure();
    memrefs.push_back(function.getArgument(index));
  }
  auto returns = llvm::to_vector(function.getOps<func::ReturnOp>());
  for (func::ReturnOp op : returns) {
    for (auto [number, memref] : llvm::zip_equal(lent.set_bits(), memrefs)) {
      if (Lender(b, function, number, memref).lend(op))
        ++numInPlace;
      else
        ++numCopied;
    }
    SmallVector<Value> results(op.getOperands());
    op->eraseOperands(lent);
    for (unsigned number : lent.set_bits())
      eraseViews(results[number]);
  }
  return function.eraseResults(lent);
}

} // namespace attn
