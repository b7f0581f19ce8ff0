//===- ContractMaps.cpp - Which kernel a product becomes --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The form `wgmma` takes factors of which the host can make maps: where each
// position of a loop has blocks of its own, a map is of what all of them have.
//
//===----------------------------------------------------------------------===//

#include "ContractKernel.h"
#include "TensorMaps.h"
#include "attn/Analysis/GPUContract.h"
#include "attn/IR/Attn.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace attn {

/// Dimensions of a map, at most.
constexpr int64_t kMostDims = 5;

/// The parallel loop around `op` if each of its positions can be blocks of a
/// grid: it holds nothing else but what computes operands of the op, and its
/// extents are known before it.
static scf::ForallOp getGrid(ContractOp op) {
  auto loop = dyn_cast<scf::ForallOp>(op->getParentOp());
  if (!loop || !loop.getOutputs().empty() || !loop.isNormalized() ||
      loop->getParentOfType<scf::ForallOp>())
    return {};
  for (Operation &nested : loop.getBody()->without_terminator())
    if (&nested != op.getOperation() &&
        (nested.getNumRegions() != 0 || !isMemoryEffectFree(&nested)))
      return {};
  OpBuilder b(op);
  for (unsigned index : {0u, 1u}) {
    Value operand = op->getOperand(index);
    auto type = cast<MemRefType>(operand.getType());
    for (unsigned at = 0, e = type.getRank(); at < e; ++at) {
      if (!type.isDynamicDim(at))
        continue;
      while (auto cast = operand.getDefiningOp<memref::CastOp>())
        operand = cast.getSource();
      if (!loop.getRegion().isAncestor(operand.getParentRegion()))
        continue;
      if (!operand.getDefiningOp<memref::SubViewOp>())
        return {};
      auto size = dyn_cast<Value>(getContractSize(b, op.getLoc(), operand, at));
      if (size && loop.getRegion().isAncestor(size.getParentRegion()))
        return {};
    }
  }
  return loop;
}

/// A factor as an array of what is around `loop`, or of the op where that is
/// null; null if it is a view that only the loop can know.
static std::optional<MappedFactor> mapFactor(OpBuilder &b, ContractOp op,
                                             unsigned side,
                                             scf::ForallOp loop) {
  Location loc = op.getLoc();
  Value operand = op->getOperand(side);
  AffineMap map = op.getIndexingMap(side);
  auto type = cast<MemRefType>(operand.getType());
  if (!type.isLastDimUnitStride())
    return std::nullopt;
  auto isInLoop = [&](OpFoldResult what) {
    auto value = dyn_cast<Value>(what);
    return loop && value &&
           loop.getRegion().isAncestor(value.getParentRegion());
  };
  auto dimOf = [&](unsigned at) {
    return static_cast<ContractOp::Dim>(map.getDimPosition(at));
  };
  MappedFactor mapped;
  auto skipCasts = [&](Value value) {
    while (isInLoop(value) && value.getDefiningOp<memref::CastOp>())
      value = value.getDefiningOp<memref::CastOp>().getSource();
    return value;
  };
  operand = skipCasts(operand);
  if (!isInLoop(operand)) {
    mapped.buffer = operand;
    for (unsigned at = 0, e = map.getNumResults(); at < e; ++at)
      mapped.dims.push_back(dimOf(at));
    mapped.offsets.resize(mapped.dims.size());
    return mapped;
  }
  auto view = operand.getDefiningOp<memref::SubViewOp>();
  Value source = view ? skipCasts(view.getSource()) : Value();
  if (!source || isInLoop(source) || !view.hasUnitStride() ||
      view.getSourceType().getRank() > kMostDims)
    return std::nullopt;
  // All positions of what the loop goes along, and as much as it has of the
  // others.
  SmallVector<OpFoldResult> offsets = view.getMixedOffsets(),
                            sizes = view.getMixedSizes();
  SmallVector<OpFoldResult> strides(sizes.size(), b.getIndexAttr(1));
  llvm::SmallBitVector dropped = view.getDroppedDims();
  unsigned own = 0;
  for (unsigned dim = 0; dim < sizes.size(); ++dim) {
    if (!dropped[dim]) {
      if (isInLoop(offsets[dim]) || isInLoop(sizes[dim]))
        return std::nullopt;
      mapped.dims.push_back(dimOf(own++));
      mapped.offsets.push_back({});
      continue;
    }
    mapped.dims.push_back(std::nullopt);
    mapped.offsets.push_back(offsets[dim]);
    offsets[dim] = b.getIndexAttr(0);
    sizes[dim] = memref::getMixedSize(b, loc, source, dim);
  }
  mapped.buffer =
      memref::SubViewOp::create(b, loc, source, offsets, sizes, strides);
  return mapped;
}

/// Where there is no kernel beside it for arrays without maps. Of a product of
/// nothing none is copied.
static void checkFactors(OpBuilder &b, ContractOp op,
                         ArrayRef<MappedFactor> sources, Value fits) {
  Location loc = op.getLoc();
  Value zero = arith::ConstantIndexOp::create(b, loc, 0);
  for (const MappedFactor &source : sources) {
    int64_t rank = cast<MemRefType>(source.buffer.getType()).getRank();
    for (int64_t i = 0; i < rank; ++i) {
      Value size = getValueOrCreateConstantIndexOp(
          b, loc, getContractSize(b, loc, source.buffer, i));
      Value none = b.createOrFold<arith::CmpIOp>(
          loc, arith::CmpIPredicate::eq, size, zero);
      fits = b.createOrFold<arith::OrIOp>(loc, fits, none);
    }
  }
  CheckOp::create(b, loc, fits,
                  "expected the factors of a product on a GPU to begin at a "
                  "multiple of 16 bytes, with rows a multiple of 16 bytes "
                  "apart, or --wgmma=auto, which takes others, too",
                  ValueRange());
}

static void emitForm(RewriterBase &rewriter, ContractOp op,
                     GPUContractAttr choice, scf::ForallOp loop) {
  auto create = choice.getForm() == GPUForm::plain ? createPlainContract
                : GPUTarget::of(op).isAMD()         ? createMfmaContract
                                                    : createMmaContract;
  create(rewriter, op, choice)->run(loop);
}

/// op
/// ->
///   %fits = (both factors have tensor maps)
///   scf.if %fits { op of the form wgmma } else { op as `fallback` has it }
static void emitWithMaps(RewriterBase &rewriter, ContractOp op,
                         GPUContractAttr choice, scf::ForallOp loop) {
  auto fallback =
      op->getAttrOfType<GPUContractAttr>(GPUKernelAttr::getFallbackName());
  GPUContractAttr other = fallback ? fallback : chooseOtherContract(op);
  Operation *whole = loop ? loop.getOperation() : op.getOperation();
  rewriter.setInsertionPoint(whole);
  SmallVector<MappedFactor> sources;
  Value fits = arith::ConstantOp::create(rewriter, op.getLoc(),
                                         rewriter.getBoolAttr(true));
  for (unsigned side : {0u, 1u}) {
    std::optional<MappedFactor> mapped = mapFactor(rewriter, op, side, loop);
    if (!mapped)
      return emitForm(rewriter, op, other, loop);
    fits = rewriter.createOrFold<arith::AndIOp>(
        op.getLoc(), fits, checkMap(rewriter, op.getLoc(), mapped->buffer));
    sources.push_back(*mapped);
  }
  if (getConstantIntValue(fits) == 0)
    return emitForm(rewriter, op, other, loop);
  if (!fallback) {
    checkFactors(rewriter, op, sources, fits);
    return createWgmmaContract(rewriter, op, choice, sources)->run(loop);
  }
  auto branch = scf::IfOp::create(rewriter, op.getLoc(), fits,
                                  /*withElseRegion=*/true);
  rewriter.setInsertionPoint(branch.elseBlock()->getTerminator());
  Operation *copy = rewriter.clone(*whole);
  ContractOp second;
  copy->walk([&](ContractOp found) { second = found; });
  rewriter.moveOpBefore(whole, branch.thenBlock()->getTerminator());
  createWgmmaContract(rewriter, op, choice, sources)->run(loop);
  emitForm(rewriter, second, fallback, dyn_cast<scf::ForallOp>(copy));
}

LogicalResult emitContractKernel(RewriterBase &rewriter, ContractOp op) {
  if (!llvm::all_of(op->getOperandTypes(), llvm::IsaPred<MemRefType>))
    return op.emitOpError("cannot be emitted as a GPU kernel: expected "
                          "buffers, not tensors");
  GPUContractAttr choice = GPUContractAttr::of(op);
  if (!choice)
    choice = chooseOtherContract(op);
  std::string no = explainNoForm(op, choice.getForm());
  if (!no.empty())
    return op.emitOpError("cannot be emitted as a GPU kernel: ")
           << stringifyGPUForm(choice.getForm()) << " cannot be the form: "
           << no;
  scf::ForallOp loop = getGrid(op);
  if (choice.getForm() == GPUForm::wgmma)
    emitWithMaps(rewriter, op, choice, loop);
  else
    emitForm(rewriter, op, choice, loop);
  return success();
}

} // namespace attn
