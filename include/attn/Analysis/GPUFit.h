//===- GPUFit.h - Whether and how an op becomes a GPU kernel ----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_GPUFIT_H
#define ATTN_ANALYSIS_GPUFIT_H

#include "attn/Analysis/GPUTarget.h"
#include "attn/IR/GPUKernel.h"

#include <string>

namespace attn {

/// Where the parts of a tile lie in the shared memory of a block, in bytes.
/// Rows are padded to an odd number of 16-byte words, so that eight of them lie
/// in different banks.
struct GPUShared {
  /// The elements in a row of queries and keys, 0 if these are read where they
  /// are, and in one of values, of all channels or of some at once, with what
  /// they are filled up to, and the bytes of an element.
  int64_t features, channels, elementBytes;
  /// The bytes from one row to the next.
  int64_t queryStride, valueStride;
  /// Where each part begins, keys and values in the first of several stages,
  /// which follow each other in `stageBytes`. `weights` are rows of a key tile,
  /// 16 to a warp in words of an accumulated number, where weights are
  /// multiplied one by one; where warps divide keys, 16 to all that have the
  /// same rows, and else as factors of products, in the elements of values.
  int64_t keys, values, stageBytes, weights;
  /// Where the keys that rows keep are, if these are selected: k scores, such
  /// numbers too, and k keys in 4-byte words for each row of a warp.
  int64_t kept;
  /// Where warps that divide keys tell each other statistics, a number each for
  /// each row.
  int64_t statistics;
  /// Where mbarriers are: of the queries, then of each stage, then of the
  /// queries again. The queries' memory is the output's, too.
  int64_t barriers;
  /// The words of a row of weights, and the bytes of one that is a factor.
  int64_t weightStride, weightRowBytes;
  int64_t size;

  /// For an op on tensors or buffers, which fits.
  static GPUShared of(GenericOp op, GPUKernelAttr choice);
};

/// Why `op` cannot be a GPU kernel of any form; empty if it can.
std::string explainNoGPUKernel(GenericOp op);

/// Whether the features of a tile lie in shared memory: they are known, some,
/// and not too many.
bool sharesFeatures(GenericOp op);

/// Whether a block has all channels, not some of them at once.
bool hasAllChannels(GenericOp op);

/// Whether warps that share rows have the scores of some keys each, and not all
/// of them those of all: what is carried from key to key can be combined.
bool dividesKeys(GenericOp op, GPUKernelAttr choice);

/// Why it cannot be one of the form `mma_sync`; empty if it can. `op` can be a
/// kernel.
std::string explainNoMma(GenericOp op);

/// Why it cannot be one of the form `wgmma`; empty if it can. `op` can be a
/// kernel. With a `choice` also what its tiles have to be.
std::string explainNoWgmma(GenericOp op, GPUKernelAttr choice = {});

/// The keys of a tile that are copied at once in the form `wgmma`: all or, if
/// they are in blocks, those of one that are in the tile.
int64_t countCopiedKeys(GenericOp op, GPUKernelAttr choice);

/// The rows that a warpgroup has of those of the innermost row dimension or,
/// where rows are folded, of the outermost: of the tile of the output that
/// leaves shared memory as a tensor. 0 where none does.
int64_t countStoredRows(GenericOp op, GPUKernelAttr choice);

/// Whether one walk over the keys is all, no weight of which has to be final.
bool isOnline(GenericOp op);

/// The weighting that sums up: that of the keys that are selected, or what
/// tells the mass of keys that are ordered.
AccumulateWeightingAttrInterface getSummedWeighting(GenericOp op);

/// Whether which key tiles a query tile meets, of an op whose mask is bounded,
/// is known by reading only, or is more than a range: keys are given by lists,
/// in pages or along several dimensions, or the mask reads.
bool needsKeyList(GenericOp op);

/// Whether query tiles at two positions along `dim`, a batch or query row
/// dimension, may meet others.
bool mayMeetOtherKeys(GenericOp op, unsigned dim);

/// Whether some pairs may be hidden by the mask.
bool hidesPairs(GenericOp op);

/// A kernel, and why it is that one, a sentence for remarks.
struct GPUChoice {
  GPUKernelAttr kernel;
  std::string reason;
  /// What calls have whose arrays the kernel is not for, if any may.
  GPUKernelAttr fallback = {};
};

/// The kernel for an op that can be one. Tiles are as large as registers and
/// the shared memory of `target` allow; none if not even the smallest fits.
GPUChoice chooseGPUKernel(GenericOp op, const GPUTarget &target,
                          WgmmaPolicy policy = WgmmaPolicy::Never);

} // namespace attn

#endif // ATTN_ANALYSIS_GPUFIT_H
