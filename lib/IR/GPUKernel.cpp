//===- GPUKernel.cpp - What a GPU kernel is to be ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/GPUKernel.h"

#include "attn/IR/GPUKernelEnums.cpp.inc"

using namespace mlir;

namespace attn {

LogicalResult GPUKernelAttr::verify(function_ref<InFlightDiagnostic()> report,
                                    GPUForm form, int64_t rows, int64_t keys,
                                    int64_t warps, int64_t stages,
                                    int64_t splits, bool, int64_t blocks) {
  if (warps < 1 || warps > 16)
    return report() << "'attn.gpu_kernel' (C1) expected 1 to 16 warps, but got "
                    << warps;
  if (rows != 16 * warps && 2 * rows != 16 * warps && 4 * rows != 16 * warps)
    return report() << "'attn.gpu_kernel' (C2) expected 16 rows to a warp, "
                    << 16 * warps << ", or to each 2 or 4, but got " << rows;
  if (keys < 16 || keys > 256 || keys % 16 != 0)
    return report() << "'attn.gpu_kernel' (C3) expected a multiple of 16 keys, "
                       "from 16 to 256, but got "
                    << keys;
  if (4 * rows == 16 * warps && keys % 32 != 0)
    return report() << "'attn.gpu_kernel' (C3) expected a multiple of 32 keys "
                       "where 4 warps have the same rows, but got "
                    << keys;
  if (stages < 1 || stages > 4)
    return report() << "'attn.gpu_kernel' (C4) expected 1 to 4 stages, but got "
                    << stages;
  if (splits < 1)
    return report() << "'attn.gpu_kernel' (C4) expected 1 split or more, but "
                       "got "
                    << splits;
  if (form == GPUForm::wgmma &&
      ((warps != 4 && warps != 8) || rows != 16 * warps))
    return report() << "'attn.gpu_kernel' (C5) expected wgmma to have 4 or 8 "
                       "warps and 16 rows to each, but got "
                    << warps << " and " << rows << " rows";
  if (blocks < 0 || (blocks != 0 && form != GPUForm::wgmma))
    return report() << "'attn.gpu_kernel' (C6) expected 0 blocks or, of wgmma, "
                       "more, but got "
                    << blocks;
  return success();
}

LogicalResult
GPUContractAttr::verify(function_ref<InFlightDiagnostic()> report, GPUForm form,
                        int64_t rows, int64_t columns, int64_t stages) {
  bool isWgmma = form == GPUForm::wgmma;
  if (rows != 64 && rows != (isWgmma ? 128 : 16))
    return report() << "'attn.gpu_contract' (C1) expected "
                    << (isWgmma ? "64 or 128" : "16 or 64") << " rows, but got "
                    << rows;
  if (columns != 64 && !(isWgmma && (columns == 128 || columns == 256)))
    return report() << "'attn.gpu_contract' (C2) expected "
                    << (isWgmma ? "64, 128 or 256" : "64")
                    << " columns, but got " << columns;
  if (stages < 2 || stages > (isWgmma ? 4 : 2))
    return report() << "'attn.gpu_contract' (C3) expected "
                    << (isWgmma ? "2 to 4" : "2") << " stages, but got "
                    << stages;
  return success();
}

} // namespace attn
