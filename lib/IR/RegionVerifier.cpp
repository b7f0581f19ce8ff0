//===- RegionVerifier.cpp - Regions of attention ops ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace attn {
namespace detail {

/// Whether the op may stand in a region: it computes on elements, or reads.
static bool isAllowedInRegion(Operation *op) {
  if (isa<IndexOp, YieldOp, affine::AffineApplyOp, affine::AffineMinOp,
          affine::AffineMaxOp, tensor::ExtractOp, memref::LoadOp>(op))
    return true;
  if (isa<arith::ConstantOp>(op))
    return !isa<VectorType>(op->getResult(0).getType());
  // One extent for all pairs.
  if (isa<tensor::DimOp, memref::DimOp>(op))
    return matchPattern(op->getOperand(1), m_Constant()) ||
           op->getOperand(1).getParentRegion() != op->getParentRegion();
  // Scales are of types that no region has.
  if (isa<arith::ScalingExtFOp, arith::ScalingTruncFOp>(op))
    return false;
  return isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
             op->getDialect()) &&
         op->hasTrait<OpTrait::Elementwise>() &&
         llvm::none_of(op->getResultTypes(), llvm::IsaPred<ShapedType>);
}

/// The element types that the lowering knows, and the reference.
static bool isAllowedElement(Type type) {
  if (auto integer = dyn_cast<IntegerType>(type))
    return integer.isSignless() && integer.getWidth() <= 64;
  return type.isIndex() || type.isF16() || type.isBF16() || type.isF32() ||
         type.isF64();
}

/// The type of a value of the op, if any, that no region may compute on.
static Type findForeignType(Operation *op) {
  auto isForeign = [](Type type) {
    return !isAllowedElement(getElementTypeOrSelf(type));
  };
  for (TypeRange types :
       {TypeRange(op->getResultTypes()), TypeRange(op->getOperandTypes())}) {
    auto foreign = llvm::find_if(types, isForeign);
    if (foreign != types.end())
      return *foreign;
  }
  return {};
}

LogicalResult verifyElementwiseOp(Operation *owner, Operation *op,
                                  StringRef regionName, StringRef label) {
  bool allowed = isAllowedInRegion(op);
  Type foreign = allowed ? findForeignType(op) : Type();
  auto rounding = dyn_cast<arith::ArithRoundingModeInterface>(op);
  bool rounds = rounding && rounding.getRoundingModeAttr();
  if (allowed && !foreign && !rounds)
    return success();
  InFlightDiagnostic diag = owner->emitOpError("(")
                            << label << ") expected " << regionName;
  if (!allowed)
    diag << " to hold elementwise arith and math, affine apply, min and max, "
         << (isa<NamedAttentionOpInterface>(owner) ? "and reads"
                                                   : "reads and attn.index")
         << " only, but got '" << op->getName() << "'";
  else if (rounds)
    diag << " to round to nearest, but '" << op->getName()
         << "' has a rounding mode";
  else
    diag << " to compute on f16, bf16, f32, f64, index and integers of up to "
            "64 bits, but '"
         << op->getName() << "' has " << foreign;
  diag.attachNote(op->getLoc()) << "not allowed in a region of this op";
  return diag;
}

LogicalResult verifyElementwiseBody(Region &region, StringRef regionName,
                                    StringRef label) {
  for (Operation &op : region.front())
    if (failed(
            verifyElementwiseOp(region.getParentOp(), &op, regionName, label)))
      return failure();
  return success();
}

LogicalResult verifyBodySignature(Region &region, StringRef regionName,
                                  TypeRange arguments, TypeRange results,
                                  StringRef label) {
  Operation *op = region.getParentOp();
  Block &body = region.front();
  if (arguments != TypeRange(body.getArgumentTypes()))
    return op->emitOpError("(")
           << label << ") expected " << regionName << " to have arguments "
           << printTypes(arguments) << ", but got "
           << printTypes(body.getArgumentTypes());
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(&body.back());
  if (!yield)
    return op->emitOpError("(")
           << label << ") expected " << regionName << " to end with attn.yield";
  if (yield.getValues().getTypes() != results)
    return op->emitOpError("(")
           << label << ") expected " << regionName << " to yield "
           << printTypes(results) << ", but got "
           << printTypes(yield.getValues().getTypes());
  return success();
}

/// (C6) for one region: `leading` arguments, then one per input.
static LogicalResult verifySignature(AttentionOpInterface op, Region &region,
                                     StringRef name, TypeRange leading,
                                     Type result) {
  FloatType accType = op.getAccumulationType();
  SmallVector<Type> expected(leading);
  for (Value input : op.getInputs()) {
    Type element = getElementTypeOrSelf(input.getType());
    expected.push_back(isa<FloatType>(element) ? accType : element);
  }
  return verifyBodySignature(region, name, expected, result, "C6");
}

/// (C5), second half: features are summed over, so only `similarity` may read
/// an input over them.
static LogicalResult verifyNoFeatureReads(AttentionOpInterface op,
                                          Region &region, StringRef name,
                                          const DimensionClasses &classes) {
  unsigned leading =
      region.getNumArguments() - static_cast<unsigned>(op.getInputs().size());
  for (unsigned i = 0, e = op.getInputs().size(); i < e; ++i) {
    if (region.getArgument(leading + i).use_empty())
      continue;
    for (unsigned dim : classes.features)
      if (op.getIndexingMap(op.getFirstInputIndex() + i).isFunctionOfDim(dim))
        return op.emitOpError("(C5) expected input ")
               << i << ", which spans feature dimension d" << dim
               << ", to be read in similarity only, but " << name
               << " reads it";
  }
  return success();
}

LogicalResult verifyAttentionRegions(AttentionOpInterface op) {
  FloatType accType = op.getAccumulationType();
  Type boolType = IntegerType::get(op->getContext(), 1);
  DimensionClasses classes = op.getDimensionClasses();
  struct Entry {
    Region &region;
    StringRef name;
    SmallVector<Type> leading;
    Type result;
  };
  Entry entries[] = {
      {op.getSimilarity(), "similarity", {accType, accType}, accType},
      {op.getMask(), "mask", {}, boolType},
      {op.getScore(), "score", {accType}, accType},
      {op.getWeight(), "weight", {accType}, accType}};
  for (Entry &entry : entries) {
    if (entry.region.empty())
      continue;
    if (failed(verifySignature(op, entry.region, entry.name, entry.leading,
                               entry.result)) ||
        failed(verifyElementwiseBody(entry.region, entry.name, "C7")))
      return failure();
    if (&entry.region != &op.getSimilarity() &&
        failed(verifyNoFeatureReads(op, entry.region, entry.name, classes)))
      return failure();
    for (IndexOp index : entry.region.getOps<IndexOp>()) {
      uint64_t dim = index.getDim();
      if (dim < classes.classes.size() &&
          classes.classes[dim] != DimensionClass::Feature &&
          classes.classes[dim] != DimensionClass::Channel)
        continue;
      InFlightDiagnostic diag =
          op.emitOpError("(C8) expected attn.index to name a batch, query row "
                         "or key row dimension, but got ")
          << dim;
      diag.attachNote(index.getLoc()) << "used here";
      return diag;
    }
  }
  return success();
}

} // namespace detail
} // namespace attn
