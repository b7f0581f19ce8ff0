//===- FragmentContract.h - Products of 16-bit elements ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Factors lie in shared memory as they do outside, line by line, and are copied
// 16 bytes at a time where lines begin at multiples of 16 bytes, as a run finds
// out, and where a word is all there or not at all. Others are copied element
// by element. Lines are an odd number of words apart, so that eight of them,
// which are read at once, lie in different banks.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_CODEGEN_GPU_FRAGMENTCONTRACT_H
#define ATTN_LIB_CODEGEN_GPU_FRAGMENTCONTRACT_H

#include "ContractKernel.h"
#include "Fragments.h"

namespace attn {

/// What forms have in common that multiply fragments, whatever these are.
class FragmentContract : public HalvesContract {
protected:
  FragmentContract(mlir::RewriterBase &rewriter, ContractOp op,
                   GPUContractAttr choice)
      : HalvesContract(rewriter, op, choice),
        element(mlir::getElementTypeOrSelf(op.getLhs())) {}

  void placeFactor(Factor &factor) override;
  void copyFactor(unsigned side, mlir::Value first, mlir::Value count,
                  mlir::Value half) override;
  void waitForCopies() override {
    hardware.commitCopies();
    hardware.waitForCopies();
  }
  FragmentSource getSource(unsigned side) const {
    return {side == 0, factors[side].featuresInner, factors[side].stride};
  }
  /// Sets what follows for warp `number` of the block, an i32, whose thread
  /// begins its part of a factor at `own` bytes from that of the warp.
  void locateWarp(mlir::Value number,
                  llvm::function_ref<mlir::Value(unsigned)> own);

  mlir::Type element;
  /// The warp's numbers along rows and columns.
  mlir::Value warpRow, warpColumn;
  /// Where the thread's part of a factor begins, in bytes.
  mlir::Value lanes[2];

private:
  void copyElements(unsigned side, mlir::Value first, mlir::Value count,
                    mlir::Value line, mlir::Value word, mlir::Value to);
};

} // namespace attn

#endif // ATTN_LIB_CODEGEN_GPU_FRAGMENTCONTRACT_H
