//===- GPUFit.cpp - Whether and how an op becomes a GPU kernel --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/GPUFit.h"
#include "GPUExtents.h"
#include "attn/Analysis/KernelFit.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Ragged.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

int64_t getExtent(GenericOp op, unsigned index, unsigned dim) {
  auto type = cast<ShapedType>(op.getMappedOperands()[index].getType());
  AffineMap map = op.getIndexingMap(index);
  return type.getDimSize(
      *map.getResultPosition(getAffineDimExpr(dim, op.getContext())));
}

static Type getElement(Value operand) {
  return getElementTypeOrSelf(operand.getType());
}

bool mayMeetOtherKeys(GenericOp op, unsigned dim) {
  std::optional<RaggedDims> ragged = getRaggedDims(op);
  std::optional<BlockList> blocks = BlockList::of(op);
  if ((ragged && ragged->request == dim) || (blocks && blocks->dependsOn(dim)))
    return true;
  DimensionClasses classes = op.getDimensionClasses();
  for (Region *bounds : {&op.getRanges(), &op.getClassify()}) {
    if (bounds->empty())
      continue;
    // Positions along batch dimensions, then bounds along query rows.
    unsigned number = 0;
    auto isUsed = [&](ArrayRef<unsigned> dims, unsigned each) {
      bool used = false;
      for (unsigned other : dims)
        for (unsigned i = 0; i < each; ++i)
          used |= !bounds->getArgument(number++).use_empty() && other == dim;
      return used;
    };
    bool inBatch = isUsed(classes.batch, 1);
    if (isUsed(classes.queryRows, 2) || inBatch)
      return true;
  }
  return false;
}

bool needsKeyList(GenericOp op) {
  if (op.getBlocksAttr() || op.getDimensionClasses().keyRows.size() > 1)
    return true;
  for (Region *bounds : {&op.getRanges(), &op.getClassify()}) {
    auto isMuch = [](Operation *inner) {
      return isa<scf::ForOp, scf::WhileOp, memref::LoadOp, tensor::ExtractOp>(
                 inner)
                 ? WalkResult::interrupt()
                 : WalkResult::advance();
    };
    if (bounds->walk(isMuch).wasInterrupted())
      return true;
  }
  return !op.getRanges().empty() &&
         op.getRanges().front().getTerminator()->getNumOperands() > 2;
}

bool hidesPairs(GenericOp op) { return !op.getMask().empty(); }

bool isOnline(GenericOp op) {
  return isa<AccumulateWeightingAttrInterface>(op.getWeighting()) &&
         !needsFinalWeights(op);
}

AccumulateWeightingAttrInterface getSummedWeighting(GenericOp op) {
  Attribute weighting = op.getWeighting();
  if (auto select = dyn_cast<SelectWeightingAttrInterface>(weighting))
    return select.getSelectedWeighting();
  if (auto ordered = dyn_cast<OrderedWeightingAttrInterface>(weighting))
    return ordered.getMassWeighting();
  return cast<AccumulateWeightingAttrInterface>(weighting);
}

/// What a block has in shared memory, and what its threads have sums of; of f64
/// less, as a thread has half as many registers for these.
constexpr int64_t kMostFeatures = 576, kMostChannels = 512;
constexpr int64_t kMostWideFeatures = 256, kMostWideChannels = 128;

/// The dimensions that a map of a tensor may have.
constexpr unsigned kMostMapDims = 5;

bool sharesFeatures(GenericOp op) {
  unsigned dim = op.getDimensionClasses().features[0];
  return llvm::all_of(ArrayRef<unsigned>{0, 1}, [&](unsigned index) {
    int64_t extent = getExtent(op, index, dim);
    return extent >= 1 &&
           extent <= (op.getAccumulationType().isF32() ? kMostFeatures
                                                       : kMostWideFeatures);
  });
}

bool hasAllChannels(GenericOp op) {
  int64_t extent = getExtent(op, 2, op.getDimensionClasses().channels[0]);
  return extent >= 1 &&
         extent <= (op.getAccumulationType().isF32() ? kMostChannels
                                                     : kMostWideChannels);
}

bool dividesKeys(GenericOp op, GPUKernelAttr choice) {
  return choice.getSharers() > 1 &&
         isa<AccumulateWeightingAttrInterface>(op.getWeighting());
}

/// The channels that a block has at once where it has not all.
constexpr int64_t kSomeChannels = 64;

std::string explainNoGPUKernel(GenericOp op) {
  DimensionClasses classes = op.getDimensionClasses();
  auto count = [](StringRef name, ArrayRef<unsigned> dims) {
    return llvm::formatv("expected one {0} dimension, but there are {1}", name,
                         dims.size())
        .str();
  };
  if (classes.keyRows.empty())
    return count("key row", classes.keyRows);
  if (classes.features.size() != 1)
    return count("feature", classes.features);
  if (classes.channels.size() != 1)
    return count("channel", classes.channels);
  return "";
}

std::string explainNoMma(GenericOp op) {
  Type element = getElement(op.getQuery());
  if (!element.isF16() && !element.isBF16())
    return "queries are neither f16 nor bf16";
  if (!op.getAccumulationType().isF32())
    return "arithmetic is not in f32";
  if (getElement(op.getKey()) != element ||
      getElement(op.getValue()) != element)
    return "queries, keys and values differ in type";
  if (!op.getSimilarity().empty())
    return "there is a similarity region";
  auto weighting =
      dyn_cast<AccumulateWeightingAttrInterface>(op.getWeighting());
  if (!weighting)
    return "the weighting selects keys or takes them in order";
  // Weights are rounded to the type of the values: those that are measured
  // against a maximum are at most 1.
  bool bounded = op.getWeight().empty() &&
                 llvm::any_of(weighting.getStatistics(), [](Statistic s) {
                   return s.phase == StatisticPhase::Score;
                 });
  if (element.isF16() && !bounded)
    return "weights may be larger than f16 holds";
  DimensionClasses classes = op.getDimensionClasses();
  for (unsigned index : {0u, 1u, 2u}) {
    AffineMap map = op.getIndexingMap(index);
    unsigned dim = index == 2 ? classes.channels[0] : classes.features[0];
    int64_t extent = getExtent(op, index, dim);
    int64_t most = index == 2 ? kMostChannels : kMostFeatures;
    if (extent < 1 || extent > most)
      return llvm::formatv("expected 1 to {0} {1}, but {2}", most,
                           index == 2 ? "channels" : "features",
                           ShapedType::isDynamic(extent)
                               ? "it is not known how many there are"
                               : "there are " + std::to_string(extent));
    if (extent % 8 != 0)
      return "features or channels are no multiple of 8";
    if (map.getDimPosition(map.getNumResults() - 1) != dim)
      return "features or channels do not lie next to each other";
  }
  return "";
}

int64_t getAnyExtent(GenericOp op, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    auto position = op.getIndexingMap(index).getResultPosition(expr);
    if (type && position && !type.isDynamicDim(*position))
      return type.getDimSize(*position);
  }
  return ShapedType::kDynamic;
}

int64_t countFoldedRows(GenericOp op) {
  constexpr int64_t kMostRows = 128;
  SmallVector<unsigned> dims = op.getDimensionClasses().queryRows;
  if (dims.size() < 2 || op.getQueryStarts())
    return 0;
  // All rows of a tile have one list.
  std::optional<BlockList> blocks = BlockList::of(op);
  if (blocks && (!blocks->isPhysical() || llvm::any_of(dims, [&](unsigned dim) {
        return blocks->dependsOn(dim);
      })))
    return 0;
  int64_t rows = 1, others = 1;
  for (unsigned dim : dims) {
    int64_t extent = getAnyExtent(op, dim);
    if (ShapedType::isDynamic(extent) || extent > kMostRows)
      return 0;
    rows *= extent;
    others *= dim == dims.back() ? 1 : extent;
  }
  return others > 1 && rows <= kMostRows ? rows : 0;
}

bool fitBlocks(int64_t blockKeys, int64_t keys) {
  return blockKeys % 8 == 0 && (keys % blockKeys == 0 || blockKeys % keys == 0);
}

/// What a tile of the form `wgmma` has to be.
static std::string explainNoTile(GenericOp op, GPUKernelAttr choice) {
  std::optional<BlockList> blocks = BlockList::of(op);
  if (blocks && !fitBlocks(blocks->getKeys(), choice.getKeys()))
    return llvm::formatv("expected tiles of whole blocks of {0} keys, or of "
                         "parts of one, but they have {1}",
                         blocks->getKeys(), choice.getKeys());
  int64_t folded = countFoldedRows(op);
  if (choice.getFolded() && (folded == 0 || folded > choice.getRows()))
    return "rows of several dimensions have to be known, and be one tile";
  return "";
}

std::string explainNoWgmma(GenericOp op, GPUKernelAttr choice) {
  std::string reason = explainNoMma(op);
  if (!reason.empty())
    return reason;
  if (!isOnline(op))
    return "weights have to be final";
  DimensionClasses classes = op.getDimensionClasses();
  if (classes.queryRows.empty())
    return "there is no dimension of query rows";
  constexpr int64_t kGroupRows = 64;
  if (countRowsOfList(op, classes.queryRows.back()) % kGroupRows != 0)
    return "rows that share a list of blocks are no multiple of 64";
  if (std::optional<BlockList> blocks = BlockList::of(op);
      blocks && blocks->getKeys() % 8 != 0)
    return "blocks of keys are no multiple of 8";
  for (unsigned index : {0u, 1u, 2u}) {
    unsigned dim = index == 2 ? classes.channels[0] : classes.features[0];
    StringRef operand = index == 0 ? "query" : index == 1 ? "key" : "value";
    if (int64_t extent = getExtent(op, index, dim); extent > 256)
      return llvm::formatv("expected at most 256 {0}, but there are {1}",
                           index == 2 ? "channels" : "features", extent);
    if (unsigned rank = op.getIndexingMap(index).getNumResults();
        rank > kMostMapDims)
      return llvm::formatv("expected a {0} of at most {1} dimensions, but it "
                           "has {2}",
                           operand, kMostMapDims, rank);
  }
  return choice ? explainNoTile(op, choice) : "";
}

int64_t countCopiedKeys(GenericOp op, GPUKernelAttr choice) {
  std::optional<BlockList> blocks = BlockList::of(op);
  return blocks ? std::min(blocks->getKeys(), choice.getKeys())
                : choice.getKeys();
}

int64_t countStoredRows(GenericOp op, GPUKernelAttr choice) {
  constexpr int64_t kGroupRows = 64;
  AffineMap map = op.getIndexingMap(op.getOutputIndex());
  DimensionClasses classes = op.getDimensionClasses();
  Type element = getElement(op.getOutput());
  auto buffer = dyn_cast<MemRefType>(op.getOutput().getType());
  if (choice.getSplits() > 1 || op.getQueryStarts() ||
      countRowsOfList(op, classes.queryRows.back()) != 0 ||
      map.getNumResults() > kMostMapDims ||
      map.getDimPosition(map.getNumResults() - 1) != classes.channels[0] ||
      (!element.isF16() && !element.isBF16()) ||
      (buffer && !buffer.isLastDimUnitStride()))
    return 0;
  if (!choice.getFolded())
    return kGroupRows;
  int64_t others = 1;
  for (unsigned dim : ArrayRef(classes.queryRows).drop_back())
    others *= getAnyExtent(op, dim);
  int64_t rows = countFoldedRows(op);
  if (rows <= kGroupRows)
    return rows / others;
  return kGroupRows % others == 0 ? kGroupRows / others : 0;
}

/// Tiles lie as they are copied, 64 columns of all rows after the other, in
/// rows of 128 bytes; mbarriers are behind them.
static GPUShared shareForWgmma(GenericOp op, GPUKernelAttr choice) {
  constexpr int64_t kColumns = 64, kRowBytes = 128, kBarrierBytes = 8;
  DimensionClasses classes = op.getDimensionClasses();
  GPUShared shared = {};
  shared.elementBytes = 2;
  shared.features = llvm::alignTo(getExtent(op, 0, classes.features[0]), 16);
  shared.channels = llvm::alignTo(getExtent(op, 2, classes.channels[0]), 8);
  shared.queryStride = shared.valueStride = kRowBytes;
  int64_t keyBytes = kRowBytes * llvm::divideCeil(shared.features, kColumns);
  int64_t valueBytes = kRowBytes * llvm::divideCeil(shared.channels, kColumns);
  int64_t stored = countStoredRows(op, choice) > 0 ? valueBytes : 0;
  shared.keys = choice.getRows() * std::max(keyBytes, stored);
  shared.values = shared.keys + choice.getKeys() * keyBytes;
  shared.stageBytes = choice.getKeys() * (keyBytes + valueBytes);
  shared.barriers = shared.keys + choice.getStages() * shared.stageBytes;
  shared.size = shared.barriers + kBarrierBytes * (2 + 4 * choice.getStages());
  return shared;
}

/// Rows of as many 16-byte words, and one more if these are even.
static int64_t padRow(int64_t bytes) {
  return (llvm::divideCeil(bytes, 16) | 1) * 16;
}

GPUShared GPUShared::of(GenericOp op, GPUKernelAttr choice) {
  if (choice.getForm() == GPUForm::wgmma)
    return shareForWgmma(op, choice);
  bool mma = choice.getForm() == GPUForm::mma_sync;
  DimensionClasses classes = op.getDimensionClasses();
  GPUShared shared = {};
  int64_t numberBytes = op.getAccumulationType().getWidth() / 8;
  shared.elementBytes = mma ? 2 : numberBytes;
  // Products take 16 features at once, and give 8 channels.
  shared.features =
      sharesFeatures(op)
          ? llvm::alignTo(getExtent(op, 0, classes.features[0]), mma ? 16 : 1)
          : 0;
  int64_t channels = hasAllChannels(op) ? getExtent(op, 2, classes.channels[0])
                                        : kSomeChannels;
  shared.channels = llvm::alignTo(channels, 8 * choice.getSharers());
  shared.queryStride =
      shared.features == 0 ? 0 : padRow(shared.features * shared.elementBytes);
  shared.valueStride = padRow(shared.channels * shared.elementBytes);
  int64_t rows = choice.getRows(), keys = choice.getKeys();
  shared.keys = rows * shared.queryStride;
  shared.values = shared.keys + keys * shared.queryStride;
  auto select = dyn_cast<SelectWeightingAttrInterface>(op.getWeighting());
  // Values that are selected are read from where they are.
  shared.stageBytes =
      keys * (shared.queryStride + (select ? 0 : shared.valueStride));
  shared.weights = shared.keys + choice.getStages() * shared.stageBytes;
  // Pairs of words of four rows lie in different banks, and so do those of the
  // rows that are read together.
  shared.weightStride = keys + 8;
  bool divides = dividesKeys(op, choice);
  shared.weightRowBytes = divides && mma ? padRow(2 * keys) : 0;
  int64_t ownRows = divides ? rows : 16 * choice.getWarps();
  int64_t words = !mma || hidesPairs(op) ? shared.weightStride : 0;
  shared.kept = shared.weights +
                ownRows * std::max(numberBytes * words, shared.weightRowBytes);
  shared.statistics =
      shared.kept +
      (select ? (numberBytes + 4) * ownRows * select.getNumSelected() : 0);
  int64_t numStatistics = getSummedWeighting(op).getStatistics().size();
  shared.size =
      shared.statistics +
      (divides ? numberBytes * choice.getSharers() * rows * numStatistics : 0);
  return shared;
}

} // namespace attn
