//===- CheckSizes.cpp - Types that fit into memory --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "llvm/Support/CheckedArithmetic.h"

using namespace mlir;

namespace attn {

#define GEN_PASS_DEF_CHECKSIZESPASS
#include "attn/Transforms/Passes.h.inc"

namespace {

/// What a constant may take: it is written out in the code.
constexpr int64_t kMaxConstantBytes = int64_t(1) << 30;

/// The bytes of what the static extents of `type` hold; nothing if these are
/// 2^63 or more.
std::optional<int64_t> getNumBytes(ShapedType type) {
  int64_t bits = 8;
  if (type.getElementType().isIntOrFloat())
    bits = type.getElementTypeBitWidth();
  std::optional<int64_t> bytes = (bits + 7) / 8;
  for (int64_t extent : type.getShape())
    if (extent == 0)
      return 0;
    else if (bytes && !ShapedType::isDynamic(extent))
      bytes = llvm::checkedMul(*bytes, extent);
  return bytes;
}

LogicalResult checkType(Location loc, Type type) {
  auto shaped = dyn_cast<ShapedType>(type);
  if (!shaped || !shaped.hasRank() || getNumBytes(shaped))
    return success();
  return emitError(loc, "expected types of fewer than 2^63 bytes, but got ")
         << type;
}

LogicalResult checkOp(Operation *op) {
  for (Type type : op->getResultTypes())
    if (failed(checkType(op->getLoc(), type)))
      return failure();
  for (Region &region : op->getRegions())
    for (Block &block : region)
      for (BlockArgument argument : block.getArguments())
        if (failed(checkType(argument.getLoc(), argument.getType())))
          return failure();
  ElementsAttr constant;
  if (!matchPattern(op, m_Constant(&constant)))
    return success();
  std::optional<int64_t> bytes = getNumBytes(constant.getShapedType());
  if (bytes && *bytes <= kMaxConstantBytes)
    return success();
  return op->emitOpError("expected a constant of at most ")
         << kMaxConstantBytes << " bytes, but got " << constant.getShapedType()
         << "; fill a tensor with linalg.fill instead";
}

struct CheckSizesPass final : impl::CheckSizesPassBase<CheckSizesPass> {
  void runOnOperation() override {
    WalkResult result = getOperation()->walk([](Operation *op) {
      return failed(checkOp(op)) ? WalkResult::interrupt()
                                 : WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
} // namespace attn
