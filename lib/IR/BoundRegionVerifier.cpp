//===- BoundRegionVerifier.cpp - Regions of a bounded mask ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Verify.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

using namespace mlir;

namespace attn {
namespace detail {

/// The names of the arguments of `ranges`, or of `classify`, in order.
static SmallVector<std::string>
getBoundArgumentNames(const DimensionClasses &classes, bool isClassifier) {
  SmallVector<std::string> names;
  auto number = [](StringRef stem, size_t index, size_t count,
                   StringRef suffix = "") {
    return (stem + (count == 1 ? "" : std::to_string(index)) + suffix).str();
  };
  for (size_t i = 0; i < classes.batch.size(); ++i)
    names.push_back("b" + std::to_string(i));
  size_t numRows = classes.queryRows.size();
  for (size_t i = 0; i < numRows; ++i)
    for (StringRef suffix : {"_lo", "_hi"})
      names.push_back(number("m", i, numRows, suffix));
  for (size_t i = 0; i + 1 < classes.keyRows.size(); ++i)
    names.push_back("n" + std::to_string(i));
  if (isClassifier)
    names.append({"n_lo", "n_hi"});
  return names;
}

void nameBoundArguments(GenericOp op, Region &region,
                        OpAsmSetValueNameFn setName) {
  // The op may be invalid: it is printed for errors too.
  ArrayAttr maps = op.getIndexingMapsAttr();
  unsigned output = op.getOutputIndex();
  if (!maps || maps.size() <= output ||
      !llvm::all_of(maps, llvm::IsaPred<AffineMapAttr>))
    return;
  for (unsigned i : {1u, 2u, output})
    if (op.getIndexingMap(i).getNumDims() != op.getNumDims())
      return;
  FailureOr<DimensionClasses> classes =
      DimensionClasses::infer(op.getWrittenMap(0), op.getWrittenMap(1),
                              op.getWrittenMap(2), op.getWrittenMap(output));
  if (failed(classes) || classes->keyRows.empty())
    return;
  SmallVector<std::string> names =
      getBoundArgumentNames(*classes, &region == &op.getClassify());
  for (auto [argument, name] : llvm::zip(region.getArguments(), names))
    setName(argument, name);
}

static LogicalResult verifyBoundRegion(GenericOp op, Region &region,
                                       StringRef name,
                                       const DimensionClasses &classes) {
  if (region.empty())
    return success();
  if (op.getMask().empty())
    return op.emitOpError("(C14) expected ") << name << " beside a mask";
  bool isClassifier = &region == &op.getClassify();
  Type indexType = IndexType::get(op.getContext());
  SmallVector<Type> expected(
      getBoundArgumentNames(classes, isClassifier).size(), indexType);
  Block &body = region.front();
  if (TypeRange(expected) != TypeRange(body.getArgumentTypes()))
    return op.emitOpError("(C14) expected ")
           << name << " to have arguments " << printTypes(expected)
           << ", but got " << printTypes(body.getArgumentTypes());
  auto yield = body.empty() ? YieldOp() : dyn_cast<YieldOp>(&body.back());
  if (!yield)
    return op.emitOpError("(C14) expected ")
           << name << " to end with attn.yield";
  TypeRange yielded = yield.getValues().getTypes();
  if (isClassifier) {
    Type boolType = IntegerType::get(op.getContext(), 1);
    if (yielded != TypeRange{boolType, boolType})
      return op.emitOpError("(C14) expected classify to yield ")
             << printTypes({boolType, boolType}) << ", but got "
             << printTypes(yielded);
  } else if (yielded.empty() || yielded.size() % 2 != 0 ||
             llvm::any_of(yielded, [](Type type) { return !type.isIndex(); })) {
    return op.emitOpError(
               "(C14) expected ranges to yield pairs of index, but got ")
           << printTypes(yielded);
  }
  // Loops over the box read what lies in it.
  WalkResult walked = region.walk([&](Operation *inner) {
    return isa<scf::ForOp, scf::YieldOp>(inner)
               ? WalkResult::advance()
               : WalkResult(verifyElementwiseOp(op, inner, name, "C14"));
  });
  if (walked.wasInterrupted())
    return failure();
  for (IndexOp index : region.getOps<IndexOp>()) {
    InFlightDiagnostic diag = op.emitOpError("(C14) expected ")
                              << name
                              << " to take positions as arguments, but it "
                                 "holds attn.index";
    diag.attachNote(index.getLoc()) << "used here";
    return diag;
  }
  return success();
}

LogicalResult verifyBoundRegions(GenericOp op) {
  DimensionClasses classes = op.getDimensionClasses();
  if (failed(verifyBoundRegion(op, op.getRanges(), "ranges", classes)))
    return failure();
  return verifyBoundRegion(op, op.getClassify(), "classify", classes);
}

} // namespace detail
} // namespace attn
