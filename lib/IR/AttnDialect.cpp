//===- AttnDialect.cpp - Registration of ops and attributes -----*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/ContractOp.h"
#include "attn/IR/GPUKernel.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "attn/IR/AttnDialect.cpp.inc"
#include "attn/IR/AttnEnums.cpp.inc"

#include "attn/IR/LayoutInterface.cpp.inc"
#include "attn/IR/WeightingInterfaces.cpp.inc"
#include "attn/IR/AttnOpInterfaces.cpp.inc"

/// `, pairs`, or nothing.
static ParseResult parsePairs(AsmParser &parser, bool &pairs) {
  pairs = succeeded(parser.parseOptionalComma());
  return pairs ? parser.parseKeyword("pairs") : success();
}

static void printPairs(AsmPrinter &printer, bool pairs) {
  if (pairs)
    printer << ", pairs";
}

#define GET_ATTRDEF_CLASSES
#include "attn/IR/AttnAttributes.cpp.inc"

namespace attn {

/// Every layout among the attributes; the others propose nothing.
template <typename... Attrs>
static void addLayoutsOf(AttnDialect &dialect) {
  auto add = [&](auto *attr) {
    using AttrT = std::remove_pointer_t<decltype(attr)>;
    if constexpr (std::is_base_of_v<LayoutAttrInterface::Trait<AttrT>, AttrT>)
      dialect.addLayouts(&AttrT::propose);
  };
  (add(static_cast<Attrs *>(nullptr)), ...);
}

SmallVector<LayoutAttrInterface, 2>
AttnDialect::proposeLayouts(const LayoutProblem &problem) {
  SmallVector<LayoutAttrInterface, 2> proposed;
  for (ProposeLayoutsFn propose : layouts)
    llvm::append_range(proposed, propose(getContext(), problem));
  return proposed;
}

void AttnDialect::initialize() {
  addLayoutsOf<
#define GET_ATTRDEF_LIST
#include "attn/IR/AttnAttributes.cpp.inc"
      >(*this);
  addAttributes<
#define GET_ATTRDEF_LIST
#include "attn/IR/AttnAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "attn/IR/AttnOps.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "attn/IR/ContractOp.cpp.inc"
      >();
}

Value createFloatConstant(OpBuilder &builder, Location loc, Type type,
                          double value) {
  TypedAttr attr = builder.getFloatAttr(getElementTypeOrSelf(type), value);
  if (auto shaped = dyn_cast<ShapedType>(type))
    attr = DenseElementsAttr::get(shaped, attr);
  return arith::ConstantOp::create(builder, loc, attr);
}

} // namespace attn
