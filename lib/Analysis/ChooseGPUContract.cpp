//===- ChooseGPUContract.cpp - Form and tiles of a product ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Analysis/GPUContract.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

/// A warp has few rows where the product has.
constexpr int64_t kFewRows = 16;
/// What a warpgroup multiplies at once.
constexpr int64_t kGroupRows = 64;

/// The extent of `dim` as some operand has it.
static int64_t getStaticExtent(ContractOp op, ContractOp::Dim dim) {
  AffineExpr expr = getAffineDimExpr(dim, op.getContext());
  for (unsigned index : {0u, 1u, op.getInitIndex()}) {
    auto type = cast<ShapedType>(op->getOperand(index).getType());
    auto position = op.getIndexingMap(index).getResultPosition(expr);
    if (position && !type.isDynamicDim(*position))
      return type.getDimSize(*position);
    if (!position && dim == ContractOp::Rows && index == 0)
      return 1;
  }
  return ShapedType::kDynamic;
}

static std::string explainNoFragments(ContractOp op) {
  Type lhs = getElementTypeOrSelf(op.getLhs());
  Type rhs = getElementTypeOrSelf(op.getRhs());
  std::string text;
  llvm::raw_string_ostream os(text);
  if ((!lhs.isF16() && !lhs.isBF16()) || rhs != lhs)
    os << "it takes f16 or bf16 of both factors, but they are " << lhs
       << " and " << rhs;
  else if (!op.getLhsElement().empty() || !op.getRhsElement().empty())
    os << "a factor is computed where it is read";
  else if (!op.getAccumulationType().isF32())
    os << "it sums in f32, but sums are " << op.getAccumulationType();
  return text;
}

std::string explainNoForm(ContractOp op, GPUForm form) {
  if (form == GPUForm::plain)
    return "";
  std::string no = explainNoFragments(op);
  if (!no.empty() || form == GPUForm::mma_sync)
    return no;
  for (unsigned side : {0u, 1u})
    if (op.getIndexingMap(side).getNumResults() != 2)
      return "a factor is a vector";
  return "";
}

/// How many products there are of which the op is one.
static std::optional<int64_t> countPositions(ContractOp op) {
  int64_t count = 1;
  for (auto loop = op->getParentOfType<scf::ForallOp>(); loop;
       loop = loop->getParentOfType<scf::ForallOp>()) {
    for (OpFoldResult extent : loop.getMixedUpperBound()) {
      std::optional<int64_t> known = getConstantIntValue(extent);
      if (!known)
        return std::nullopt;
      count = llvm::SaturatingMultiply<uint64_t>(count, *known);
    }
  }
  return count;
}

/// Wide tiles read less; of narrow ones more multiprocessors have some, and
/// less of the last is nothing. What is not known is many.
static int64_t chooseColumns(ContractOp op, const GPUTarget &target,
                             int64_t tileRows) {
  int64_t rows = getStaticExtent(op, ContractOp::Rows);
  int64_t columns = getStaticExtent(op, ContractOp::Columns);
  if (ShapedType::isDynamic(columns))
    return 256;
  if (columns <= 64)
    return 64;
  std::optional<int64_t> positions = countPositions(op);
  auto getTime = [&](int64_t tileColumns) {
    int64_t tiles = llvm::divideCeil(columns, tileColumns);
    if (!ShapedType::isDynamic(rows) && positions)
      tiles = llvm::divideCeil(
          llvm::SaturatingMultiply<uint64_t>(
              llvm::divideCeil(rows, tileRows) * tiles, *positions),
          target.processors);
    return tiles * tileColumns;
  };
  return 10 * getTime(128) <= 9 * getTime(256) ? 128 : 256;
}

int64_t countStageBytes(GPUContractAttr kernel) {
  return kernel.getStages() * (kernel.getRows() + kernel.getColumns()) *
         kernel.getFeatures() * 2;
}

static GPUContractChoice chooseWgmma(ContractOp op, const GPUTarget &target) {
  int64_t rows = getStaticExtent(op, ContractOp::Rows);
  int64_t tileRows =
      !ShapedType::isDynamic(rows) && rows <= kGroupRows ? 64 : 128;
  int64_t columns = chooseColumns(op, target, tileRows);
  auto kernel = GPUContractAttr::get(op.getContext(), GPUForm::wgmma, tileRows,
                                     columns, /*stages=*/4);
  std::string reason = llvm::formatv(
      "wgmma: tiles of {0} rows by {1} columns, {2} warps and 4 that copy; {3} "
      "stages of 64 features, {4} bytes of the {5} of shared memory of {6}",
      tileRows, columns, kernel.getWarps(), kernel.getStages(),
      countStageBytes(kernel), target.sharedBytes, target.chip);
  return {kernel, reason};
}

GPUContractAttr chooseOtherContract(ContractOp op) {
  int64_t rows = getStaticExtent(op, ContractOp::Rows);
  bool isFew = !ShapedType::isDynamic(rows) && rows <= kFewRows;
  bool mma = explainNoFragments(op).empty();
  return GPUContractAttr::get(
      op.getContext(), mma ? GPUForm::mma_sync : GPUForm::plain,
      isFew ? kFewRows : 64, /*columns=*/64, /*stages=*/2);
}

GPUContractChoice chooseGPUContract(ContractOp op, const GPUTarget &target,
                                    WgmmaPolicy policy) {
  GPUContractAttr other = chooseOtherContract(op);
  std::string no = explainNoForm(op, GPUForm::wgmma);
  int64_t rows = getStaticExtent(op, ContractOp::Rows);
  if (no.empty() && !ShapedType::isDynamic(rows) && rows <= kFewRows)
    no = llvm::formatv("{0} rows are few for a tile of {1}", rows, kGroupRows);
  bool isAsked = policy != WgmmaPolicy::Never && target.hasWgmma();
  if (isAsked && no.empty()) {
    GPUContractChoice choice = chooseWgmma(op, target);
    if (policy == WgmmaPolicy::Always)
      return choice;
    choice.fallback = other;
    choice.reason += "; mma_sync for arrays without tensor maps";
    return choice;
  }
  std::string reason = llvm::formatv(
      "{0}: tiles of {1} rows by {2} columns, {3} warps",
      target.isAMD() && other.getForm() == GPUForm::mma_sync
          ? "mfma"
          : stringifyGPUForm(other.getForm()),
      other.getRows(), other.getColumns(), other.getWarps());
  if (other.getForm() == GPUForm::plain)
    reason += "; no mma_sync, as " + explainNoFragments(op);
  else if (isAsked)
    reason += "; no wgmma, as " + no;
  return {other, reason};
}

} // namespace attn
