//===- GPUContract.h - How a product becomes a GPU kernel -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_ANALYSIS_GPUCONTRACT_H
#define ATTN_ANALYSIS_GPUCONTRACT_H

#include "attn/Analysis/GPUTarget.h"
#include "attn/IR/ContractOp.h"
#include "attn/IR/GPUKernel.h"

#include <string>

namespace attn {

/// Why `op` cannot be a kernel of `form`; empty if it can.
std::string explainNoForm(ContractOp op, GPUForm form);

/// A kernel, and why it is that one, a sentence for remarks.
struct GPUContractChoice {
  GPUContractAttr kernel;
  std::string reason;
  /// What calls have whose arrays the kernel is not for, if any may.
  GPUContractAttr fallback = {};
};

/// The kernel for `op`, by extents, types and `target` alone.
GPUContractChoice chooseGPUContract(ContractOp op, const GPUTarget &target,
                                    WgmmaPolicy policy = WgmmaPolicy::Never);

/// The one that runs on any GPU and takes any arrays.
GPUContractAttr chooseOtherContract(ContractOp op);

/// The bytes of shared memory where stages of a form `wgmma` lie.
int64_t countStageBytes(GPUContractAttr kernel);

} // namespace attn

#endif // ATTN_ANALYSIS_GPUCONTRACT_H
