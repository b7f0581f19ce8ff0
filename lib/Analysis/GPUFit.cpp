//===- GPUFit.cpp - Whether and how an op becomes a GPU kernel --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/GPUFit.h"
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

/// The extent of dimension `dim` as mapped operand `index` has it.
static int64_t getExtent(GenericOp op, unsigned index, unsigned dim) {
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

std::string explainNoWgmma(GenericOp op) {
  std::string reason = explainNoMma(op);
  if (!reason.empty())
    return reason;
  if (!isOnline(op))
    return "weights have to be final";
  if (op.getQueryStarts() || op.getKeyStarts())
    return "rows are packed";
  DimensionClasses classes = op.getDimensionClasses();
  if (classes.queryRows.empty())
    return "there is no dimension of query rows";
  if (op.getBlocksAttr() || classes.keyRows.size() > 1)
    return "keys are given by lists of blocks, or lie along several dimensions";
  for (unsigned index : {0u, 1u, 2u}) {
    unsigned dim = index == 2 ? classes.channels[0] : classes.features[0];
    StringRef operand = index == 0 ? "query" : index == 1 ? "key" : "value";
    if (int64_t extent = getExtent(op, index, dim); extent > 256)
      return llvm::formatv("expected at most 256 {0}, but there are {1}",
                           index == 2 ? "channels" : "features", extent);
    if (unsigned rank = op.getIndexingMap(index).getNumResults(); rank > 5)
      return llvm::formatv("expected a {0} of at most 5 dimensions, but it has "
                           "{1}",
                           operand, rank);
  }
  return "";
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
  shared.keys = choice.getRows() * keyBytes;
  shared.values = shared.keys + choice.getKeys() * keyBytes;
  shared.stageBytes = choice.getKeys() * (keyBytes + valueBytes);
  shared.barriers = shared.keys + choice.getStages() * shared.stageBytes;
  shared.size = shared.barriers + kBarrierBytes * (1 + 4 * choice.getStages());
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

/// The extent of `dim` in whatever operand has it.
static int64_t getAnyExtent(GenericOp op, unsigned dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    auto type = dyn_cast<ShapedType>(operand.getType());
    auto position = op.getIndexingMap(index).getResultPosition(expr);
    if (type && position && !type.isDynamicDim(*position))
      return type.getDimSize(*position);
  }
  return ShapedType::kDynamic;
}

/// All query rows of a position along other dimensions, where these are few
/// enough to be one tile: grouped heads. 0 where they are not, or are those of
/// one dimension.
static int64_t countFoldedRows(GenericOp op) {
  constexpr int64_t kMostRows = 128;
  SmallVector<unsigned> dims = op.getDimensionClasses().queryRows;
  if (dims.size() < 2 || op.getQueryStarts() || op.getBlocksAttr())
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

/// How many rows operand `index` has along the dimension that is packed, if it
/// is known.
static int64_t getPackedExtent(GenericOp op, unsigned index) {
  auto type = cast<ShapedType>(op.getMappedOperands()[index].getType());
  for (unsigned i = 0, e = type.getRank(); i < e; ++i)
    if (isPacked(op, index, i))
      return type.getDimSize(i);
  return ShapedType::kDynamic;
}

/// The blocks of query rows of packed requests, if all are known and few, a
/// block to each request.
static std::optional<int64_t> countRequestBlocks(GenericOp op) {
  constexpr int64_t kFewRows = 16;
  auto starts = cast<ShapedType>(op.getQueryStarts().getType());
  int64_t rows = getPackedExtent(op, 0);
  if (ShapedType::isDynamic(rows) || starts.isDynamicDim(0))
    return std::nullopt;
  int64_t requests = starts.getDimSize(0) - 1;
  return rows <= kFewRows * requests ? std::optional(requests) : std::nullopt;
}

/// The parts that keys are split into: as many as give each multiprocessor two
/// blocks, where these are few and known, but 4 tiles of keys or more to each.
static int64_t chooseSplits(GenericOp op, const GPUTarget &target,
                            GPUKernelAttr choice) {
  DimensionClasses classes = op.getDimensionClasses();
  int64_t blocks = 1;
  std::optional<unsigned> request;
  if (op.getQueryStarts()) {
    std::optional<int64_t> count = countRequestBlocks(op);
    if (!count)
      return 1;
    request = getRaggedDims(op)->request;
    blocks = *count;
  }
  for (unsigned dim = 0, e = op.getNumDims(); dim < e; ++dim) {
    auto kind = classes.classes[dim];
    bool isPackedRow = request && dim == classes.queryRows.back();
    if ((kind != DimensionClass::Batch && kind != DimensionClass::QueryRow) ||
        dim == request || isPackedRow)
      continue;
    int64_t extent = getAnyExtent(op, dim);
    if (ShapedType::isDynamic(extent))
      return 1;
    bool isTiled = kind == DimensionClass::QueryRow &&
                   (choice.getFolded() || dim == classes.queryRows.back());
    // The states of many rows are much to store and to read again.
    if (isTiled && extent > choice.getRows())
      return 1;
    blocks *= isTiled ? 1 : extent;
  }
  // An unknown number of keys, with rows that are few, is that of a cache.
  int64_t numKeys = 1;
  for (unsigned dim : classes.keyRows)
    numKeys = llvm::SaturatingMultiply<uint64_t>(
        numKeys, std::max<int64_t>(getAnyExtent(op, dim), 0));
  std::optional<BlockList> lists = BlockList::of(op);
  bool isKnown =
      llvm::none_of(classes.keyRows,
                    [&](unsigned dim) {
                      return ShapedType::isDynamic(getAnyExtent(op, dim));
                    }) &&
      !(lists && lists->isPhysical());
  if (!isKnown)
    numKeys = 4096;
  if (int64_t all = getPackedExtent(op, 1); !ShapedType::isDynamic(all))
    numKeys = std::min(numKeys, all);
  if (blocks == 0)
    return 1;
  int64_t wanted = 2 * target.processors / blocks;
  return std::clamp<int64_t>(std::min(wanted, numKeys / (4 * choice.getKeys())),
                             1, 32);
}

/// The form `wgmma`, where it fits. A thread has half a row of scores, a
/// quarter of one of weights, those of the tile before, and half a row of sums,
/// in 240 registers; what regions need besides, and ends of tiles, is theirs,
/// too. Stages are 2 or 3, as shared memory has room for.
static GPUChoice chooseWgmma(GenericOp op, const GPUTarget &target) {
  DimensionClasses classes = op.getDimensionClasses();
  int64_t channels = getExtent(op, 2, classes.channels[0]);
  constexpr int64_t kWarps = 8;
  auto create = [&](int64_t keys, int64_t stages, int64_t splits) {
    return GPUKernelAttr::get(op.getContext(), GPUForm::wgmma, 16 * kWarps,
                              keys, kWarps, stages, splits, /*folded=*/false);
  };
  auto fits = [&](int64_t keys, int64_t stages) {
    return GPUShared::of(op, create(keys, stages, 1)).size <=
           target.sharedBytes;
  };
  int64_t known = getAnyExtent(op, classes.keyRows.back());
  bool isPlain =
      op.getMask().empty() && op.getScore().empty() && op.getWeight().empty();
  int64_t keys = 128;
  if (channels > 192)
    keys = isPlain ? 64 : 48;
  else if (channels > 128)
    keys = isPlain ? 96 : 64;
  else if (channels > 64)
    keys = !isPlain ? 96 : known > 0 && known % 128 == 0 ? 128 : 112;
  while (!fits(keys, 2))
    keys -= 16;
  int64_t stages = fits(keys, 3) ? 3 : 2;
  GPUKernelAttr kernel =
      create(keys, stages, chooseSplits(op, target, create(keys, stages, 1)));
  std::string reason = llvm::formatv(
      "wgmma: tiles of {0} query rows by {1} keys, {2} warps and 4 that "
      "copy, {3} bytes of the {4} of shared memory of {5}; {6} stages",
      kernel.getRows(), keys, kWarps, GPUShared::of(op, kernel).size,
      target.sharedBytes, target.chip, stages);
  if (kernel.getSplits() > 1)
    reason += llvm::formatv("; keys in {0} parts", kernel.getSplits());
  return {kernel, reason};
}

/// The products of fragments that a warp of the form `mma_sync` does for each
/// key tile, if `parts` warps that share rows divide the keys.
static int64_t countProducts(GenericOp op, GPUKernelAttr kernel,
                             int64_t parts) {
  GPUShared shared = GPUShared::of(op, kernel);
  int64_t channels = shared.channels / kernel.getSharers();
  return kernel.getKeys() / 8 / parts * (shared.features / 16) +
         kernel.getKeys() / 16 * (channels / 8);
}

GPUChoice chooseGPUKernel(GenericOp op, const GPUTarget &target, bool wgmma) {
  if (wgmma && target.hasWgmma() && explainNoWgmma(op).empty())
    return chooseWgmma(op, target);
  std::string noMma = explainNoMma(op);
  GPUForm form = noMma.empty() ? GPUForm::mma_sync : GPUForm::plain;
  bool mma = form == GPUForm::mma_sync;
  DimensionClasses classes = op.getDimensionClasses();
  int64_t channels =
      GPUShared::of(
          op, GPUKernelAttr::get(op.getContext(), form, 16, 16, 1, 1, 1, false))
          .channels;
  int64_t folded = countFoldedRows(op);
  // Of the 255 registers of a thread, which has two rows and every fourth pair
  // of columns: half as many as there are channels, and as there are keys.
  int64_t sharers = channels > 256 ? 2 : 1;
  int64_t warps = mma ? (folded > 64 ? 8 : 4) : 2 * sharers;
  int64_t keys = !mma || channels > 128 ? 32 : 64;
  if (mma && sharers > 1) {
    // Wide rows leave room for one block on a multiprocessor, so that it has as
    // many warps as registers go round for. Of few rows more warps have each.
    int64_t rows = classes.queryRows.empty() ? 1
                   : folded > 0 ? folded
                                : getAnyExtent(op, classes.queryRows.back());
    bool isFew = rows >= 0 && rows <= 32;
    sharers = isFew ? 4 : 2;
    warps = isFew && rows <= 16 ? 4 : 8;
    // Of the keys a thread has as many as there is room for with half of the
    // channels, and what regions and a second output need.
    bool isPlain = op.getMask().empty() && op.getScore().empty() &&
                   op.getWeight().empty() && !op.getLse();
    keys = warps == 8 && (isFew || isPlain) ? 64 : 32;
  }
  int64_t leastKeys = std::max<int64_t>(16, 8 * sharers);
  // Rows of other lists are not of a tile, and other rows of keys neither.
  if (int64_t rows = classes.queryRows.empty()
                         ? 0
                         : countRowsOfList(op, classes.queryRows.back()))
    warps = std::min<int64_t>(warps, sharers * llvm::divideCeil(rows, 16));
  int64_t row = getAnyExtent(op, classes.keyRows.back());
  if (classes.keyRows.size() > 1 && !op.getBlocksAttr() && row > 0)
    keys = std::min<int64_t>(keys, llvm::alignTo(row, leastKeys));
  auto create = [&](int64_t stages, int64_t splits) {
    return GPUKernelAttr::get(op.getContext(), form, 16 * warps / sharers, keys,
                              warps, stages, splits, folded > 0);
  };
  auto getSize = [&](int64_t stages) {
    return GPUShared::of(op, create(stages, 1)).size;
  };
  while (getSize(1) > target.sharedBytes) {
    if (keys > leastKeys)
      keys = llvm::alignTo(keys / 2, leastKeys);
    else if (warps > sharers)
      warps /= 2;
    else
      return {{},
              llvm::formatv("the smallest tile takes {0} bytes of shared "
                            "memory, of which a block of {1} may have {2}",
                            getSize(1), target.chip, target.sharedBytes)};
  }
  // Registers leave room for two blocks: a second stage is not to take it.
  constexpr int64_t kReserved = 1024;
  bool isStaged =
      mma && 2 * (getSize(2) + kReserved) <= target.sharedBytes + kReserved;
  int64_t stages = isStaged ? 2 : 1;
  GPUKernelAttr kernel =
      create(stages, chooseSplits(op, target, create(stages, 1)));
  std::string reason = llvm::formatv(
      "{0}: tiles of {1} query rows by {2} keys, {3} warps, {4} bytes of the "
      "{5} of shared memory of {6}",
      stringifyGPUForm(form), kernel.getRows(), keys, warps, getSize(stages),
      target.sharedBytes, target.chip);
  if (stages > 1)
    reason += llvm::formatv("; {0} stages", stages);
  if (folded > 0)
    reason += llvm::formatv("; {0} rows of several dimensions in one", folded);
  if (sharers > 1)
    reason += llvm::formatv("; channels in {0} parts", sharers);
  if (mma && sharers > 1)
    reason += llvm::formatv(
        ", and keys: a warp has {0} products a key tile, and not {1}",
        countProducts(op, kernel, sharers), countProducts(op, kernel, 1));
  if (kernel.getSplits() > 1)
    reason += llvm::formatv("; keys in {0} parts", kernel.getSplits());
  if (!mma)
    reason += "; no mma_sync, as " + noMma;
  return {kernel, reason};
}

} // namespace attn
