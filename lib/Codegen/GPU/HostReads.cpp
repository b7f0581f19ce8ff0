//===- HostReads.cpp - Elements that only kernels take ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
//   %x = memref.load %lengths[%i]        // on the host, which may not
//   %n = arith.index_cast %x
//   gpu.launch { ... %n ... }
// ->
//   gpu.launch {
//     %x = memref.load %lengths[%i]
//     %n = arith.index_cast %x
//     ... %n ...
//   }
//
//===----------------------------------------------------------------------===//

#include "HostReads.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace attn {

namespace {
/// What the host computes of an element: the read first, and the kernels that
/// take any of it.
struct HostSlice {
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<Operation *> launches;
};
} // namespace

/// False if anything but kernels takes the results of an op of the slice.
static bool collectUses(HostSlice &slice) {
  for (size_t i = 0; i < slice.ops.size(); ++i)
    for (Operation *user : slice.ops[i]->getUsers()) {
      if (auto launch = user->getParentOfType<gpu::LaunchOp>())
        slice.launches.insert(launch);
      else if (isPure(user) && user->getNumRegions() == 0 &&
               !user->hasTrait<OpTrait::IsTerminator>())
        slice.ops.insert(user);
      else
        return false;
    }
  return true;
}

bool isTakenByKernels(memref::LoadOp load) {
  HostSlice slice;
  slice.ops.insert(load);
  return collectUses(slice);
}

/// Whether an op that is no view may give memory that it takes another name.
static bool passesOn(Operation *op) {
  return llvm::any_of(op->getResultTypes(), llvm::IsaPred<BaseMemRefType>) ||
         (op->hasTrait<OpTrait::IsTerminator>() && !isa<func::ReturnOp>(op));
}

/// Memory, and all views of it; none of memory whose other names are not known.
static llvm::SetVector<Value> findViews(Value view) {
  while (auto op = view.getDefiningOp<ViewLikeOpInterface>())
    view = op.getViewSource();
  auto argument = dyn_cast<BlockArgument>(view);
  bool isKnown = argument ? isa<FunctionOpInterface>(
                                argument.getOwner()->getParentOp())
                          : isa<memref::AllocOp>(view.getDefiningOp());
  llvm::SetVector<Value> views;
  if (isKnown)
    views.insert(view);
  for (size_t i = 0; i < views.size(); ++i)
    for (Operation *user : views[i].getUsers()) {
      auto op = dyn_cast<ViewLikeOpInterface>(user);
      if (op && op.getViewSource() == views[i])
        views.insert(op.getViewDest());
      else if (passesOn(user))
        return {};
    }
  return views;
}

/// Whether an op may write one of `views`. Of an address nobody knows in a
/// kernel what it is for; the host only looks at it.
static bool mayWrite(Operation *op, const llvm::SetVector<Value> &views) {
  if (llvm::none_of(op->getOperands(),
                    [&](Value value) { return views.contains(value); }))
    return false;
  if (isa<memref::ExtractAlignedPointerAsIndexOp>(op))
    return op->getParentOfType<gpu::LaunchOp>() != nullptr;
  return !isPure(op) && !isa<memref::LoadOp>(op);
}

/// Whether the element may be written between the read and the end of the
/// kernel.
static bool mayBeWritten(memref::LoadOp load, Operation *launch) {
  llvm::SetVector<Value> views = findViews(load.getMemRef());
  if (views.empty())
    return true;
  Operation *last = load->getBlock()->findAncestorOpInBlock(*launch);
  if (!last)
    return true;
  for (Operation *op = load->getNextNode(); op; op = op->getNextNode()) {
    auto result = op->walk([&](Operation *inner) {
      return mayWrite(inner, views) ? WalkResult::interrupt()
                                    : WalkResult::advance();
    });
    if (result.wasInterrupted())
      return true;
    if (op == last)
      break;
  }
  return false;
}

/// `value` inside of a kernel that has `copies`, before its first op.
static Value copyInto(OpBuilder &b, Value value, IRMapping &copies,
                      const llvm::SetVector<Operation *> &moved) {
  Operation *op = value.getDefiningOp();
  if (!op || !moved.contains(op))
    return value;
  if (!copies.contains(value)) {
    for (Value operand : op->getOperands())
      if (Value copy = copyInto(b, operand, copies, moved); copy != operand)
        copies.map(operand, copy);
    b.clone(*op, copies);
  }
  return copies.lookup(value);
}

static void copyInto(gpu::LaunchOp launch,
                     const llvm::SetVector<Operation *> &moved) {
  SmallVector<OpOperand *> operands;
  launch.getBody().walk([&](Operation *op) {
    for (OpOperand &operand : op->getOpOperands())
      if (Operation *source = operand.get().getDefiningOp();
          source && moved.contains(source))
        operands.push_back(&operand);
  });
  OpBuilder b = OpBuilder::atBlockBegin(&launch.getBody().front());
  IRMapping copies;
  for (OpOperand *operand : operands)
    operand->set(copyInto(b, operand->get(), copies, moved));
}

void moveReadsIntoKernels(Operation *root) {
  llvm::SetVector<Operation *> moved, launches;
  root->walk([&](memref::LoadOp load) {
    if (load->getParentOfType<gpu::LaunchOp>())
      return;
    HostSlice slice;
    slice.ops.insert(load);
    if (!collectUses(slice) ||
        llvm::any_of(slice.launches, [&](Operation *launch) {
          return mayBeWritten(load, launch);
        }))
      return;
    moved.insert_range(slice.ops);
    launches.insert_range(slice.launches);
  });
  for (Operation *launch : launches)
    copyInto(cast<gpu::LaunchOp>(launch), moved);
  // What is computed of two elements, of which one stays, stays for it.
  bool changed = true;
  while (changed) {
    changed = false;
    moved.remove_if([&](Operation *op) {
      if (!op->use_empty())
        return false;
      op->erase();
      return changed = true;
    });
  }
}

} // namespace attn
