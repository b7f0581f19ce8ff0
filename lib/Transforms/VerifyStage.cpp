//===- VerifyStage.cpp - The sentence that holds after a stage --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/ContractOp.h"
#include "attn/Transforms/Passes.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/LLVMIR/ROCDLDialect.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_VERIFYSTAGEPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// Reports `op` as the one that breaks `sentence`.
WalkResult breach(Operation *op, StringRef stage, const Twine &sentence) {
  op->emitOpError("breaks stage ") << stage << ": " << sentence;
  return WalkResult::interrupt();
}

WalkResult checkGeneralize(Operation *op) {
  if (isa_and_nonnull<AttnDialect>(op->getDialect()) &&
      !isa<GenericOp, OnlineOp, ReplayOp, MergeOp, FinishOp, PackOp, IndexOp,
           YieldOp, ContractOp, CheckOp, CostOp>(op))
    return breach(op, "generalize", "only core ops remain of the dialect");
  return WalkResult::advance();
}

/// The ops that are a tile of a kernel by carrying a layout, and only so.
/// Whether operands are stored as it says, the verifier tells at all times.
WalkResult checkLayout(Operation *op, StringRef stage) {
  if (isa<OnlineOp, FinishOp>(op) && !op->hasAttr("layout"))
    return breach(op, stage, "tile ops carry a layout");
  return WalkResult::advance();
}

WalkResult checkBound(Operation *op) {
  auto generic = dyn_cast<GenericOp>(op);
  if (generic && !generic.getMask().empty() &&
      (generic.getRanges().empty() || generic.getClassify().empty()))
    return breach(op, "bound", "every mask has its ranges and its classifier");
  return checkGeneralize(op);
}

//===----------------------------------------------------------------------===//
// tile
//===----------------------------------------------------------------------===//

/// An extent that is compared as a number or as a dimension of a tensor.
struct Extent {
  std::optional<int64_t> number;
  Value source, size;
  int64_t dim = 0;

  static Extent of(OpFoldResult size) {
    Extent extent;
    extent.number = getConstantIntValue(size);
    extent.size = dyn_cast<Value>(size);
    if (!extent.size)
      return extent;
    if (auto dimOp = extent.size.getDefiningOp<tensor::DimOp>()) {
      extent.source = dimOp.getSource();
      extent.dim = dimOp.getConstantIndex().value_or(0);
    }
    return extent;
  }
  static Extent of(Value tensor, int64_t dim) {
    Extent extent;
    auto type = cast<RankedTensorType>(tensor.getType());
    if (!type.isDynamicDim(dim))
      extent.number = type.getDimSize(dim);
    extent.source = tensor;
    extent.dim = dim;
    return extent;
  }
  bool operator==(const Extent &other) const {
    if (number || other.number)
      return number && other.number && *number == *other.number;
    if (size && size == other.size)
      return true;
    return source && source == other.source && dim == other.dim;
  }
};

/// The position of kept dimension `at` among all dimensions.
int64_t getFullPosition(const llvm::SmallBitVector &dropped, int64_t at) {
  int64_t position = 0;
  for (;; ++position)
    if (!dropped[position] && at-- == 0)
      return position;
}

/// The tile that a loop inserts into `buffer`, if `buffer` is its result.
Value getInsertedTile(Value buffer) {
  auto loop = buffer.getDefiningOp<scf::ForOp>();
  if (!loop)
    return {};
  unsigned number = cast<OpResult>(buffer).getResultNumber();
  auto insert =
      loop.getYieldedValues()[number].getDefiningOp<tensor::InsertSliceOp>();
  return insert ? insert.getSource() : Value();
}

/// The dimension of what is collapsed that dimension `at` comes from: the one
/// of its group that is not of extent 1.
int64_t getCollapsedPosition(tensor::CollapseShapeOp collapse, int64_t at) {
  ReassociationIndices group = collapse.getReassociationIndices()[at];
  for (int64_t dim : group)
    if (collapse.getSrcType().getDimSize(dim) != 1)
      return dim;
  return group.front();
}

/// The extent, in the tensor it is a slice of, of dimension `at` of a tile:
/// past its packing, past the buffer in which a loop gathers packed tiles, and
/// past the slices of other dimensions.
Extent getWholeExtent(Value tile, int64_t at) {
  if (auto pack = tile.getDefiningOp<PackOp>())
    return getWholeExtent(pack.getSource(), pack.getPermutation()[at]);
  if (auto collapse = tile.getDefiningOp<tensor::CollapseShapeOp>())
    return getWholeExtent(collapse.getSrc(),
                          getCollapsedPosition(collapse, at));
  auto slice = tile.getDefiningOp<tensor::ExtractSliceOp>();
  if (!slice)
    return Extent::of(tile, at);
  if (Value inserted = getInsertedTile(slice.getSource()))
    return getWholeExtent(inserted, at);
  at = getFullPosition(slice.getDroppedDims(), at);
  if (slice.getSource().getDefiningOp<PackOp>() ||
      slice.getSource().getDefiningOp<tensor::CollapseShapeOp>())
    return getWholeExtent(slice.getSource(), at);
  return Extent::of(slice.getSource(), at);
}

/// The same, of the dimension of `operand` that `map` sends to iteration
/// dimension `dim`.
std::optional<Extent> getWholeExtent(Value operand, AffineMap map,
                                     unsigned dim) {
  std::optional<unsigned> position =
      map.getResultPosition(getAffineDimExpr(dim, map.getContext()));
  if (!position)
    return std::nullopt;
  return getWholeExtent(operand, *position);
}

/// The sizes of the tensor that `op` makes from nothing; empty if it does not.
SmallVector<OpFoldResult> getCreatedSizes(Operation *op) {
  auto mixed = [&](ValueRange dynamic) {
    Builder b(op->getContext());
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    return getMixedValues(type.getShape(), dynamic, b);
  };
  if (auto empty = dyn_cast<tensor::EmptyOp>(op))
    return empty.getMixedSizes();
  if (auto generate = dyn_cast<tensor::GenerateOp>(op))
    return mixed(generate.getDynamicExtents());
  if (auto splat = dyn_cast<tensor::SplatOp>(op))
    return mixed(splat.getDynamicSizes());
  if (auto alloc = dyn_cast<bufferization::AllocTensorOp>(op))
    return mixed(alloc.getDynamicSizes());
  return {};
}

/// Whether a parallel loop writes its results into what `op` makes, or into
/// another shape of it.
bool isInitOfLoop(Operation *op) {
  return llvm::any_of(op->getUsers(), [](Operation *user) {
    return isa<scf::ForallOp>(user) ||
           (isa<tensor::ExpandShapeOp, tensor::CollapseShapeOp, tensor::CastOp>(
                user) &&
            isInitOfLoop(user));
  });
}

/// No buffer that the compiler created has one dimension of all query rows and
/// another of all key rows. Inits of the loops are the results of the op.
LogicalResult checkTile(Operation *root) {
  SmallVector<std::pair<Extent, Extent>> sequences;
  root->walk([&](AttentionOpInterface op) {
    if (isa<GenericOp>(op) || !isa<RankedTensorType>(op.getQuery().getType()))
      return;
    std::optional<Extent> rows =
        getWholeExtent(op.getQuery(), op.getStoredMap(0), 0);
    std::optional<Extent> keys =
        getWholeExtent(op.getKey(), op.getStoredMap(1), 1);
    if (rows && keys)
      sequences.push_back({*rows, *keys});
  });
  auto result = root->walk([&](Operation *op) {
    if (isa<GenericOp>(op))
      return breach(op, "tile", "no attn.generic remains");
    if (checkLayout(op, "tile").wasInterrupted())
      return WalkResult::interrupt();
    if (isInitOfLoop(op))
      return checkGeneralize(op);
    SmallVector<OpFoldResult> sizes = getCreatedSizes(op);
    for (auto &[rows, keys] : sequences)
      for (auto [i, size] : llvm::enumerate(sizes))
        for (auto [j, other] : llvm::enumerate(sizes))
          if (i != j && Extent::of(size) == rows && Extent::of(other) == keys)
            return breach(op, "tile",
                          "nothing that the compiler created spans all query "
                          "rows and all key rows");
    return checkGeneralize(op);
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// bufferize, vectorize, llvm
//===----------------------------------------------------------------------===//

/// Extents that only the run knows are those of arguments, which workers share.
WalkResult checkScratch(Operation *op) {
  auto loop = op->getParentOfType<scf::ForallOp>();
  if (!loop || !isa<memref::AllocOp, memref::AllocaOp>(op))
    return WalkResult::advance();
  if (op->getParentOp() != loop)
    return breach(op, "bufferize", "scratch is allocated once per worker");
  auto inWorker = [&](Value size) {
    return loop.getRegion().isAncestor(size.getParentRegion());
  };
  if (llvm::any_of(op->getOperands(), inWorker))
    return breach(op, "bufferize", "scratch is of one size for all workers");
  return WalkResult::advance();
}

WalkResult checkBufferize(Operation *op) {
  auto isTensor = llvm::IsaPred<TensorType>;
  if (llvm::any_of(op->getOperandTypes(), isTensor) ||
      llvm::any_of(op->getResultTypes(), isTensor))
    return breach(op, "bufferize", "no tensors");
  if (checkScratch(op).wasInterrupted())
    return WalkResult::interrupt();
  return checkLayout(op, "bufferize");
}

WalkResult checkVectorize(Operation *op) {
  if (isa_and_nonnull<AttnDialect, linalg::LinalgDialect>(op->getDialect()) &&
      !isa<CheckOp, CostOp>(op))
    return breach(op, "vectorize", "tile bodies are vectors and loops");
  return WalkResult::advance();
}

//===----------------------------------------------------------------------===//
// gpu, nvvm
//===----------------------------------------------------------------------===//

WalkResult checkGPU(Operation *op) {
  if (isa_and_nonnull<AttnDialect>(op->getDialect()) &&
      !isa<CheckOp, CostOp>(op))
    return breach(op, "gpu", "attention is launches of kernels");
  if (isa<gpu::GPUModuleOp>(op))
    return WalkResult::skip();
  auto memory = dyn_cast<MemoryEffectOpInterface>(op);
  if (memory && !isa<CheckOp, CostOp>(op) &&
      (memory.hasEffect<MemoryEffects::Read>() ||
       memory.hasEffect<MemoryEffects::Write>()))
    return breach(op, "gpu",
                  "nothing outside of a kernel reads or writes memory");
  return WalkResult::advance();
}

WalkResult checkNVVM(Operation *op) {
  if (op->getParentOfType<gpu::GPUModuleOp>() &&
      !isa_and_nonnull<LLVM::LLVMDialect, NVVM::NVVMDialect,
                       ROCDL::ROCDLDialect>(op->getDialect()))
    return breach(op, "nvvm",
                  "kernels are in the dialect llvm and that of the GPU");
  return WalkResult::advance();
}

WalkResult checkLLVM(Operation *op) {
  if (isa<ModuleOp>(op) || isa_and_nonnull<LLVM::LLVMDialect>(op->getDialect()))
    return WalkResult::advance();
  return breach(op, "llvm", "the LLVM dialect only");
}

struct VerifyStagePass final : impl::VerifyStagePassBase<VerifyStagePass> {
  using VerifyStagePassBase::VerifyStagePassBase;

  void runOnOperation() override {
    using Check = WalkResult (*)(Operation *);
    Operation *root = getOperation();
    if (stage == "import" || stage == "tile") {
      if (failed(stage == "import" ? verify(root) : checkTile(root)))
        signalPassFailure();
      return;
    }
    auto check = llvm::StringSwitch<Check>(stage)
                     .Case("generalize", checkGeneralize)
                     .Case("bound", checkBound)
                     .Case("bufferize", checkBufferize)
                     .Case("vectorize", checkVectorize)
                     .Case("gpu", checkGPU)
                     .Case("nvvm", checkNVVM)
                     .Case("llvm", checkLLVM)
                     .Default(nullptr);
    if (!check) {
      root->emitError("attn-verify-stage expected import, generalize, bound, "
                      "tile, bufferize, vectorize, gpu, nvvm or llvm, but got ")
          << stage;
      return signalPassFailure();
    }
    if (root->walk<WalkOrder::PreOrder>(check).wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace attn
