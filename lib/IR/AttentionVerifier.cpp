//===- AttentionVerifier.cpp - Operands of attention ops --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
#include "attn/IR/Verify.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

namespace attn {
namespace detail {

ArrayRef<int64_t> getShapeOrScalar(Type type) {
  if (auto shaped = dyn_cast<ShapedType>(type); shaped && shaped.hasRank())
    return shaped.getShape();
  return {};
}

std::string printTypes(TypeRange types) {
  std::string text;
  llvm::raw_string_ostream os(text);
  os << "(";
  llvm::interleaveComma(types, os);
  os << ")";
  return text;
}

std::string getOperandName(AttentionOpInterface op, unsigned index) {
  if (auto replay = dyn_cast<ReplayOp>(op.getOperation()))
    return replay.getOperandName(index);
  static constexpr StringLiteral kFirst[] = {"query", "key", "value"};
  if (index < 3)
    return kFirst[index].str();
  index -= 3;
  if (index < op.getInputs().size())
    return "input " + std::to_string(index);
  index -= op.getInputs().size();
  if (index < op.getWeightingOperands().size())
    return "weighting operand " + std::to_string(index);
  index -= op.getWeightingOperands().size();
  if (isa<GenericOp>(op.getOperation())) {
    if (index == 0)
      return "output";
    return index == 1 && cast<GenericOp>(op.getOperation()).getLse()
               ? "lse"
               : "weights";
  }
  return index == 0 ? "accumulator" : "statistic " + std::to_string(index - 1);
}

FloatType getWidestFloat(TypeRange types) {
  FloatType widest = Float32Type::get(types.front().getContext());
  for (Type operand : types) {
    auto type = dyn_cast<FloatType>(getElementTypeOrSelf(operand));
    if (type && type.getWidth() > widest.getWidth())
      widest = type;
  }
  return widest;
}

FloatType getAccumulationType(AttentionOpInterface op) {
  if (auto attr = op->getAttrOfType<TypeAttr>("acc_type"))
    return cast<FloatType>(attr.getValue());
  return getWidestFloat({op.getQuery().getType(), op.getKey().getType(),
                         op.getValue().getType(),
                         op.getAccumulatorInit().getType()});
}

SmallVector<Value> getMappedOperands(AttentionOpInterface op) {
  OperandRange operands = op->getOperands();
  unsigned numInits =
      cast<DestinationStyleOpInterface>(op.getOperation()).getNumDpsInits();
  SmallVector<Value> mapped(operands.take_front(op.getOutputIndex()));
  llvm::append_range(mapped, operands.take_back(numInits));
  return mapped;
}

DimensionClasses getDimensionClasses(AttentionOpInterface op) {
  unsigned output = op.getOutputIndex();
  FailureOr<DimensionClasses> classes =
      DimensionClasses::infer(op.getWrittenMap(0), op.getWrittenMap(1),
                              op.getWrittenMap(2), op.getWrittenMap(output));
  return succeeded(classes) ? *classes : DimensionClasses();
}

/// Zero is linear too, so that what folds to it stays linear.
bool isLinearInWeight(Region &weight) {
  if (weight.empty())
    return true;
  llvm::DenseSet<Value> scaled;
  scaled.insert(weight.getArgument(0));
  auto isScaled = [&](Value value) { return scaled.contains(value); };
  auto isLinear = [&](Value value) {
    return isScaled(value) || matchPattern(value, m_AnyZeroFloat());
  };
  for (Operation &nested : weight.front().without_terminator()) {
    if (llvm::none_of(nested.getOperands(), isScaled))
      continue;
    bool ok = false;
    if (isa<arith::AddFOp, arith::SubFOp, arith::NegFOp>(nested))
      ok = llvm::all_of(nested.getOperands(), isLinear);
    else if (isa<arith::MulFOp>(nested))
      ok = isScaled(nested.getOperand(0)) != isScaled(nested.getOperand(1));
    else if (isa<arith::DivFOp>(nested))
      ok = !isScaled(nested.getOperand(1));
    else if (auto select = dyn_cast<arith::SelectOp>(nested))
      ok = isLinear(select.getTrueValue()) && isLinear(select.getFalseValue());
    if (!ok)
      return false;
    scaled.insert(nested.getResult(0));
  }
  return isLinear(weight.front().getTerminator()->getOperand(0));
}

/// (C1), (C2)
static LogicalResult verifyMaps(AttentionOpInterface op,
                                ArrayRef<Value> operands) {
  ArrayAttr maps = op.getIndexingMaps();
  if (maps.size() != operands.size())
    return op.emitOpError("(C1) expected one indexing map per operand, ")
           << operands.size() << " in all, but got " << maps.size();
  unsigned numDims = cast<AffineMapAttr>(maps[0]).getValue().getNumDims();
  auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
  bool mayPack = ragged && isRagged(ragged);
  for (auto [index, operand] : llvm::enumerate(operands)) {
    AffineMap map =
        mayPack ? op.getIndexingMap(index) : op.getWrittenMap(index);
    if (map.getNumDims() != numDims || !map.isProjectedPermutation())
      return op.emitOpError("(C2) expected the map of ")
             << getOperandName(op, index)
             << " to be a projected permutation of " << numDims
             << " dimensions, but got "
             << AffineMapAttr::get(op.getWrittenMap(index));
    size_t rank = getShapeOrScalar(operand.getType()).size();
    unsigned numLeading = op.getNumLeadingDims(index);
    if (op.getStoredMap(index).getNumResults() + numLeading != rank)
      return op.emitOpError("(C2) expected the map of ")
             << getOperandName(op, index)
             << " to have one result per dimension of the operand"
             << (numLeading ? " but the first, " : ", ") << rank
             << " in all, but got " << map.getNumResults();
  }
  return success();
}

LogicalResult verifyExtents(AttentionOpInterface op, ArrayRef<Value> operands,
                            function_ref<bool(unsigned)> isFree) {
  // The extent and the operand that fixed it first, per dimension.
  SmallVector<std::pair<int64_t, unsigned>> known(op.getNumDims(),
                                                  {ShapedType::kDynamic, 0});
  for (auto [index, operand] : llvm::enumerate(operands)) {
    AffineMap map = op.getStoredMap(index);
    ArrayRef<int64_t> shape = getShapeOrScalar(operand.getType())
                                  .drop_front(op.getNumLeadingDims(index));
    for (auto [position, extent] : llvm::enumerate(shape)) {
      unsigned dim = map.getDimPosition(position);
      if (ShapedType::isDynamic(extent) ||
          (dim == 0 && isFree && isFree(index)) ||
          isWithinRequest(op, index, position) ||
          isByPosition(op, index, position))
        continue;
      if (ShapedType::isDynamic(known[dim].first))
        known[dim] = {extent, index};
      else if (known[dim].first != extent)
        return op.emitOpError("(C4) expected ")
               << getOperandName(op, index) << " extent of dimension d" << dim
               << " to be " << known[dim].first << " (as in "
               << getOperandName(op, known[dim].second) << "), but got "
               << extent;
    }
  }
  return success();
}

/// Whether the map uses dimensions of the given classes only.
static bool spansOnly(AffineMap map, const DimensionClasses &classes,
                      ArrayRef<DimensionClass> allowed) {
  for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
    if (!llvm::is_contained(allowed, classes.classes[map.getDimPosition(i)]))
      return false;
  return true;
}

LogicalResult verifyAttentionOperands(AttentionOpInterface op) {
  SmallVector<Value> operands = getMappedOperands(op);
  if (failed(verifyMaps(op, operands)))
    return failure();

  unsigned numInputs = op.getInputs().size();
  unsigned culprit = 0;
  FailureOr<DimensionClasses> classes = DimensionClasses::infer(
      op.getWrittenMap(0), op.getWrittenMap(1), op.getWrittenMap(2),
      op.getWrittenMap(op.getOutputIndex()), &culprit);
  if (failed(classes))
    return op.emitOpError("(C3) dimension d")
           << culprit
           << " has no class: expected it in output and key (batch), query and "
              "output (query row), key and value (key row), query and key "
              "(feature), or value and output (channel)";
  if (classes->keyRows.empty())
    return op.emitOpError(
        "(C3) expected a key row dimension, in key and value only");
  // A tile that counts its rows may have fewer than its layout has room for, of
  // inputs that lie as they are.
  auto online = dyn_cast<OnlineOp>(op.getOperation());
  auto mayLackRows = [&](unsigned index) {
    return online && online.getLayoutAttr() && online.getRows() &&
           online.getOperandRole(index) == OperandRole::input &&
           !online.getLayoutAttr().getStoredExtent(OperandRole::input, 0);
  };
  if (failed(verifyRagged(op)) ||
      failed(verifyExtents(op, operands, mayLackRows)))
    return failure();

  using Class = DimensionClass;
  for (unsigned i = 0; i < numInputs; ++i)
    if (!spansOnly(
            op.getIndexingMap(op.getFirstInputIndex() + i), *classes,
            {Class::Batch, Class::QueryRow, Class::KeyRow, Class::Feature}))
      return op.emitOpError("(C5) expected input ")
             << i << " to have no value channel";

  // (C9)
  using Kind = WeightingKind;
  SmallVector<Kind> kinds{Kind::Accumulate, Kind::Select};
  if (!isa<OnlineOp>(*op))
    kinds.push_back(Kind::Ordered);
  if (failed(verifyWeighting(op, "C9", op.getWeighting(), kinds)))
    return failure();
  unsigned expected = op.getWeighting().getNumWeightingOperands();
  if (op.getWeightingOperands().size() != expected)
    return op.emitOpError(
               "(C9) expected the number of weighting operands to be ")
           << expected << " (for " << op.getWeighting() << "), but got "
           << op.getWeightingOperands().size();
  for (unsigned i = 0; i < expected; ++i) {
    if (!spansOnly(op.getIndexingMap(op.getWeightingIndex() + i), *classes,
                   {Class::Batch, Class::QueryRow}))
      return op.emitOpError("(C9) expected weighting operand ")
             << i << " to span batch and query rows only";
    Type type = op.getWeightingOperands()[i].getType();
    if (!isa<FloatType>(getElementTypeOrSelf(type)))
      return op.emitOpError("(C9) expected weighting operand ")
             << i << " to hold floats, but got " << type;
  }

  // (C12)
  FloatType accType = op.getAccumulationType();
  if (!accType.isF32() && !accType.isF64())
    return op.emitOpError("(C12) expected the accumulation type to be f32 or "
                          "f64, but got ")
           << accType;
  for (unsigned i = 0; i < 3; ++i) {
    Type type = getElementTypeOrSelf(operands[i].getType());
    if (cast<FloatType>(type).getWidth() > accType.getWidth())
      return op.emitOpError("(C12) expected the accumulation type to be no "
                            "narrower than the ")
             << getOperandName(op, i) << "'s element type " << type
             << ", but got " << accType;
  }
  return verifyDestinationStyle(
      cast<DestinationStyleOpInterface>(op.getOperation()), "C13");
}

LogicalResult verifyDestinationStyle(DestinationStyleOpInterface op,
                                     StringRef label) {
  Type tensor, buffer;
  for (Type type : op->getOperandTypes()) {
    if (isa<TensorType>(type))
      tensor = type;
    else if (isa<BaseMemRefType>(type))
      buffer = type;
  }
  if (tensor && buffer)
    return op.emitOpError("(")
           << label
           << ") expected operands to be all tensors or all memrefs, but got "
           << tensor << " and " << buffer;
  unsigned numResults = tensor ? op.getNumDpsInits() : 0;
  if (op->getNumResults() != numResults)
    return op.emitOpError("(")
           << label << ") expected the number of results to be " << numResults
           << " (one per tensor init), but got " << op->getNumResults();
  for (unsigned i = 0; i < numResults; ++i) {
    Type init = op.getDpsInitOperand(i)->get().getType();
    if (op->getResult(i).getType() != init)
      return op.emitOpError("(") << label << ") expected result " << i
                                 << " to have the type of its init, " << init
                                 << ", but got " << op->getResult(i).getType();
  }
  return success();
}

void getDestinationStyleEffects(
    DestinationStyleOpInterface op, bool readsInits,
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>>
        &effects) {
  for (OpOperand &operand : op->getOpOperands()) {
    if (!isa<BaseMemRefType>(operand.get().getType()))
      continue;
    bool isInit = op.isDpsInit(&operand);
    if (!isInit || readsInits)
      effects.emplace_back(MemoryEffects::Read::get(), &operand);
    if (isInit)
      effects.emplace_back(MemoryEffects::Write::get(), &operand);
  }
}

} // namespace detail
} // namespace attn
