//===- AttnOps.cpp - Definitions and assembly of the ops --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpImplementation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace attn;

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

static std::string printAttribute(Attribute attribute) {
  std::string text;
  llvm::raw_string_ostream(text) << attribute;
  return text;
}

/// An attribute as it is meant, where another spelling is as clear: numbers of
/// another type, a list of integers in brackets. Null after an error.
static Attribute readAttribute(OpAsmParser &parser, SMLoc loc,
                               NamedAttribute given) {
  Builder builder(parser.getContext());
  StringRef name = given.getName().getValue();
  Attribute value = given.getValue();
  if (name == "scale" || name == "softcap") {
    if (auto number = dyn_cast<FloatAttr>(value))
      return builder.getF64FloatAttr(number.getValueAsDouble());
    if (auto number = dyn_cast<IntegerAttr>(value);
        number && !isa<BoolAttr>(value))
      return builder.getF64FloatAttr(
          static_cast<double>(number.getValue().getSExtValue()));
    parser.emitError(loc, "expected ")
        << name << " to be a number, as in " << name
        << " = 0.125, but got " << value;
    return {};
  }
  if (name == "window") {
    if (isa<DenseI64ArrayAttr>(value))
      return value;
    SmallVector<int64_t> bounds;
    auto list = dyn_cast<ArrayAttr>(value);
    for (Attribute bound : list ? list.getValue() : ArrayRef<Attribute>())
      if (auto number = dyn_cast<IntegerAttr>(bound))
        bounds.push_back(number.getValue().getSExtValue());
    if (list && bounds.size() == list.size())
      return builder.getDenseI64ArrayAttr(bounds);
    parser.emitError(loc, "expected window to have two integers, left and "
                          "right, as in window = [128, 0], but got ")
        << value;
    return {};
  }
  if (name == "causal" && !isa<CausalKindAttr>(value)) {
    parser.emitError(loc, "expected causal to say which key is the last: "
                          "causal = #attn.causal<top_left> for j <= i, "
                          "#attn.causal<bottom_right> for j <= i + N_k - N_q, "
                          "or #attn.causal<offset> with an offset, but got ")
        << (isa<UnitAttr>(value) ? std::string("no value")
                                 : printAttribute(value));
    return {};
  }
  return value;
}

static ParseResult parseAttributes(OpAsmParser &parser, StringRef opName,
                                   NamedAttrList &attributes) {
  SMLoc loc = parser.getCurrentLocation();
  NamedAttrList given;
  if (parser.parseOptionalAttrDict(given))
    return failure();
  for (NamedAttribute attribute : given) {
    Attribute value = readAttribute(parser, loc, attribute);
    if (!value)
      return failure();
    attributes.set(attribute.getName(), value);
  }
  return OperationName(opName, parser.getContext())
      .verifyInherentAttrs(attributes,
                           [&]() { return parser.emitError(loc); });
}

/// What the format shows elsewhere, and defaults, are left out.
static void printAttributes(OpAsmPrinter &printer, Operation *op, StringRef,
                            DictionaryAttr attributes) {
  SmallVector<StringRef> elided{"operandSegmentSizes", "weighting", "blocks"};
  if (auto causal = op->getAttrOfType<CausalKindAttr>("causal");
      causal && causal.getValue() == CausalKind::none)
    elided.push_back("causal");
  if (auto scale = op->getAttrOfType<FloatAttr>("scale");
      scale && isa<AttentionOpInterface>(op) &&
      scale.getValue().isExactlyValue(1.0))
    elided.push_back("scale");
  printer.printOptionalAttrDict(attributes.getValue(), elided);
}

//===----------------------------------------------------------------------===//
// Result types
//===----------------------------------------------------------------------===//

/// (`->` type-list)?, which is there if and only if the inits are tensors.
static ParseResult parseResultTypes(OpAsmParser &parser,
                                    SmallVectorImpl<Type> &types,
                                    Type output) {
  if (succeeded(parser.parseOptionalArrow()))
    return parser.parseTypeList(types);
  if (isa<TensorType>(output))
    return parser.emitError(parser.getCurrentLocation(),
                            "expected '->' and a type for each init, as they "
                            "are tensors: -> ")
           << output;
  return success();
}

static void printResultTypes(OpAsmPrinter &printer, Operation *,
                             TypeRange types, Type) {
  if (!types.empty())
    printer << " -> " << types;
}

//===----------------------------------------------------------------------===//
// Regions
//===----------------------------------------------------------------------===//

/// The word at a place in the text, if it is one without a dot (as the name of
/// an op would have) that `next` follows.
static StringRef findWordBefore(SMLoc loc, char next) {
  const char *begin = loc.getPointer(), *end = begin;
  while (llvm::isAlnum(*end) || *end == '_')
    ++end;
  const char *after = end;
  while (llvm::isSpace(*after))
    ++after;
  StringRef word(begin, end - begin);
  return *after == next && word != "module" ? word : StringRef();
}

/// Where neither a region nor what follows regions stands.
static ParseResult reportMisplaced(OpAsmParser &parser,
                                   ArrayRef<StringRef> names) {
  SMLoc loc = parser.getCurrentLocation();
  if (StringRef word = findWordBefore(loc, '{'); !word.empty()) {
    InFlightDiagnostic diag = parser.emitError(loc, "expected a region ");
    llvm::interleave(
        names, [&](StringRef name) { diag << "'" << name << "'"; },
        [&] { diag << " or "; });
    return diag << ", but got '" << word << "'";
  }
  if (StringRef word = findWordBefore(loc, '('); !word.empty())
    return parser.emitError(loc, "expected '")
           << word
           << "(...)' further up: operands stand before 'outs', further inits "
              "right after it, attributes and regions last";
  return success();
}

/// regions ::= (name region)*, each name once, in any order.
template <typename... Regions>
static ParseResult parseRegions(OpAsmParser &parser, ArrayRef<StringRef> names,
                                Regions &...regions) {
  SmallVector<Region *> parsed{&regions...};
  StringRef keyword;
  while (succeeded(parser.parseOptionalKeyword(&keyword, names))) {
    Region *&region = parsed[llvm::find(names, keyword) - names.begin()];
    if (!region)
      return parser.emitError(parser.getCurrentLocation(),
                              "expected one region '" + keyword +
                                  "', but got another");
    if (parser.parseRegion(*region))
      return failure();
    region = nullptr;
  }
  return reportMisplaced(parser, names);
}

/// In the order of the names, each after a space.
template <typename... Regions>
static void printRegions(OpAsmPrinter &printer, Operation *,
                         ArrayRef<StringRef> names, Regions &...regions) {
  SmallVector<Region *> printed{&regions...};
  for (auto [name, region] : llvm::zip_equal(names, printed)) {
    if (region->empty())
      continue;
    printer << ' ' << name << ' ';
    printer.printRegion(*region);
  }
}

#define GET_OP_CLASSES
#include "attn/IR/AttnOps.cpp.inc"
