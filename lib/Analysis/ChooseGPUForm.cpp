//===- ChooseGPUForm.cpp - Form and tiles of a GPU kernel -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GPUExtents.h"
#include "attn/Analysis/GPUFit.h"
#include "attn/IR/BlockList.h"
#include "attn/IR/Ragged.h"
#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

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
/// blocks, or the one that it has room for, where these are few and known, but
/// 4 tiles of keys or more to each.
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
  int64_t each = choice.getForm() == GPUForm::wgmma ? 1 : 2;
  int64_t wanted = each * target.processors / blocks;
  return std::clamp<int64_t>(std::min(wanted, numKeys / (4 * choice.getKeys())),
                             1, 32);
}

/// The tiles of query rows of all positions; none if it is not known.
static std::optional<int64_t> countTiles(GenericOp op, GPUKernelAttr choice) {
  DimensionClasses classes = op.getDimensionClasses();
  if (op.getQueryStarts())
    return std::nullopt;
  uint64_t tiles = 1;
  for (unsigned dim :
       llvm::concat<unsigned>(classes.batch, classes.queryRows)) {
    bool isRow = llvm::is_contained(classes.queryRows, dim);
    int64_t extent = getAnyExtent(op, dim);
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
    if (isRow && (choice.getFolded() || dim == classes.queryRows.back()))
      extent =
          choice.getFolded() ? 1 : llvm::divideCeil(extent, choice.getRows());
    tiles = llvm::SaturatingMultiply<uint64_t>(tiles, extent);
  }
  return static_cast<int64_t>(
      std::min<uint64_t>(tiles, std::numeric_limits<int32_t>::max()));
}

/// Whether a region reads a tensor that it captures.
static bool readsTensors(Region &region,
                         function_ref<bool(Operation *)> counts) {
  return region
      .walk([&](Operation *inner) {
        return isa<tensor::ExtractOp, memref::LoadOp>(inner) && counts(inner)
                   ? WalkResult::interrupt()
                   : WalkResult::advance();
      })
      .wasInterrupted();
}

/// Whether a score is made of something that is read for its pair.
static bool readsByPair(GenericOp op) {
  unsigned key = op.getDimensionClasses().keyRows.back();
  for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i)
    if (op.getIndexingMap(op.getFirstInputIndex() + i).isFunctionOfDim(key))
      return true;
  return readsTensors(op.getScore(), [&](Operation *read) {
    SetVector<Operation *> slice;
    (void)getBackwardSlice(read, &slice);
    return llvm::any_of(slice, [&](Operation *from) {
      auto position = dyn_cast<IndexOp>(from);
      return position && position.getDim() == key;
    });
  });
}

/// Whether only data tells which keys a query tile meets: so it is where a mask
/// reads, before its ranges are known.
static bool hasDataLists(GenericOp op) {
  Region &mask = op.getMask();
  return needsKeyList(op) ||
         readsTensors(mask, [](Operation *) { return true; }) ||
         llvm::any_of(mask.getArguments(), [](BlockArgument argument) {
           return !argument.use_empty();
         });
}

/// The keys of a tile of the form `wgmma`. A thread has half a row of scores, a
/// quarter of one of weights, those of the tile before, and half a row of sums,
/// in 240 registers; what regions need besides, and ends of tiles, is theirs,
/// too. Few rows wait for keys rather than for products: more stages are worth
/// more to them.
static int64_t chooseWgmmaKeys(GenericOp op, bool hasFewRows) {
  DimensionClasses classes = op.getDimensionClasses();
  int64_t channels = getExtent(op, 2, classes.channels[0]);
  int64_t known = getAnyExtent(op, classes.keyRows.back());
  std::optional<BlockList> blocks = BlockList::of(op);
  // What scores read, and where, takes registers, and so do lists.
  bool reads = readsByPair(op);
  bool isPlain = op.getMask().empty() && op.getWeight().empty() && !reads &&
                 !blocks && !op.getKeyStarts() && !hasFewRows;
  // Of long tiles the last may be much longer than what is left.
  constexpr int64_t kLongKeys = 176;
  bool fills = ShapedType::isDynamic(known) ||
               llvm::alignTo(known, kLongKeys) * 16 <= known * 17;
  int64_t keys = 128;
  if (channels > 192)
    keys = reads || hasDataLists(op) ? 64 : 80;
  else if (channels > 128)
    keys = reads ? 96 : 112;
  else if (channels > 64)
    keys = reads ? 112 : isPlain && fills ? kLongKeys : 128;
  else if (reads)
    keys = 112;
  if (known > 0 && !blocks)
    keys = std::min<int64_t>(keys, llvm::alignTo(known, 16));
  while (blocks && !fitBlocks(blocks->getKeys(), keys))
    keys -= 16;
  return keys;
}

/// The warps of a warpgroup.
constexpr int64_t kGroupWarps = 4;

/// The warps of a block of the form `wgmma`, 16 rows to each: a warpgroup if
/// there are no more rows than it has, in the tile or, of those of lists and of
/// short requests, in each; else two.
static int64_t chooseWgmmaWarps(GenericOp op, int64_t folded) {
  constexpr int64_t kGroupRows = 64;
  unsigned rowDim = op.getDimensionClasses().queryRows.back();
  int64_t rows = folded > 0 ? folded : getAnyExtent(op, rowDim);
  if (op.getQueryStarts()) {
    auto starts = cast<ShapedType>(op.getQueryStarts().getType());
    rows = getPackedExtent(op, 0);
    if (!ShapedType::isDynamic(rows) && !starts.isDynamicDim(0))
      rows = llvm::divideCeil(
          rows, std::max<int64_t>(starts.getDimSize(0) - 1, 1));
  }
  bool isFew = !ShapedType::isDynamic(rows) && rows <= kGroupRows;
  // Rows of other lists are not of a tile.
  bool dividesLists = countRowsOfList(op, rowDim) % (2 * kGroupRows) != 0;
  return isFew || dividesLists ? kGroupWarps : 2 * kGroupWarps;
}

/// The form `wgmma`, which a call takes if it can: what there is otherwise, and
/// why, is given. Stages are 2 or 3, as shared memory has room for; blocks have
/// a multiprocessor each, and take tiles in turns.
static GPUChoice chooseWgmma(GenericOp op, const GPUTarget &target) {
  int64_t folded = countFoldedRows(op);
  int64_t warps = chooseWgmmaWarps(op, folded);
  auto create = [&](int64_t keys, int64_t stages, int64_t splits,
                    int64_t blocks) {
    return GPUKernelAttr::get(op.getContext(), GPUForm::wgmma, 16 * warps, keys,
                              warps, stages, splits, folded > 0, blocks);
  };
  auto fits = [&](int64_t keys, int64_t stages) {
    return GPUShared::of(op, create(keys, stages, 1, 0)).size <=
           target.sharedBytes;
  };
  std::optional<BlockList> blocks = BlockList::of(op);
  int64_t keys = chooseWgmmaKeys(op, /*hasFewRows=*/warps == kGroupWarps);
  while (keys > 0 &&
         (!fits(keys, 2) || (blocks && !fitBlocks(blocks->getKeys(), keys))))
    keys -= 16;
  if (keys <= 0)
    return {{},
            blocks ? "no multiple of 16 keys that shared memory has room "
                     "for is a multiple or a divisor of a block of keys"
                   : "no tile of keys fits in shared memory"};
  int64_t stages = fits(keys, 3) ? 3 : 2;
  int64_t splits = chooseSplits(op, target, create(keys, stages, 1, 0));
  std::optional<int64_t> tiles = countTiles(op, create(keys, stages, 1, 0));
  // Tiles whose lengths only data tells take unlike times: whichever
  // multiprocessor is free has the next.
  bool isPersistent = splits == 1 && !hasDataLists(op) &&
                      (!tiles || *tiles > target.processors);
  GPUKernelAttr kernel =
      create(keys, stages, splits, isPersistent ? target.processors : 0);
  std::string reason = llvm::formatv(
      "wgmma: tiles of {0} query rows by {1} keys, {2} warps and 4 that "
      "copy, {3} bytes of the {4} of shared memory of {5}; {6} stages",
      kernel.getRows(), keys, warps, GPUShared::of(op, kernel).size,
      target.sharedBytes, target.chip, stages);
  if (folded > 0)
    reason += llvm::formatv("; {0} rows of several dimensions in one", folded);
  if (isPersistent)
    reason +=
        llvm::formatv("; {0} blocks take tiles in turns", target.processors);
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

/// One of the other forms.
static GPUChoice chooseOther(GenericOp op, const GPUTarget &target) {
  std::string noMma =
      target.isAMD() ? target.chip.str() + " has no such instructions"
                     : explainNoMma(op);
  GPUForm form = noMma.empty() ? GPUForm::mma_sync : GPUForm::plain;
  bool mma = form == GPUForm::mma_sync;
  DimensionClasses classes = op.getDimensionClasses();
  int64_t channels =
      GPUShared::of(op, GPUKernelAttr::get(op.getContext(), form, 16, 16, 1, 1,
                                           1, false, 0))
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
                              warps, stages, splits, folded > 0, /*blocks=*/0);
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

GPUChoice chooseGPUKernel(GenericOp op, const GPUTarget &target,
                          WgmmaPolicy policy) {
  if (policy == WgmmaPolicy::Never || !target.hasWgmma())
    return chooseOther(op, target);
  std::string no = explainNoWgmma(op);
  GPUChoice choice;
  if (no.empty()) {
    choice = chooseWgmma(op, target);
    no = choice.kernel ? "" : choice.reason;
  }
  if (no.empty() && policy == WgmmaPolicy::Always)
    return choice;
  GPUChoice other = chooseOther(op, target);
  if (no.empty() && other.kernel) {
    choice.fallback = other.kernel;
    choice.reason += llvm::formatv("; {0} for arrays without tensor maps",
                                   stringifyGPUForm(other.kernel.getForm()));
    return choice;
  }
  if (no.empty())
    return choice;
  // Why there is none of either is one reason.
  if (other.kernel && other.kernel.getForm() == GPUForm::mma_sync)
    other.reason += "; no wgmma, as " + no;
  return other;
}

} // namespace attn
