//===- AttnInterfaces.td - Interfaces of the dialect -------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_ATTNINTERFACES_TD
#define ATTN_IR_ATTNINTERFACES_TD

include "attn/IR/LayoutInterface.td"
include "attn/IR/WeightingInterfaces.td"
include "mlir/IR/OpBase.td"

//===----------------------------------------------------------------------===//
// ExtentRelationsOpInterface
//===----------------------------------------------------------------------===//

def ExtentRelationsOpInterface : OpInterface<"ExtentRelationsOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    An op that takes for granted that extents of its operands are equal, or
    multiples. They are compared where only a run can: at the call, or in the
    compiled code.
  }];
  let methods = [
    InterfaceMethod<[{
        Adds what the op relies on. By default, of an op with indexing maps:
        operands agree on the extent of each dimension.
      }], "void", "getExtentRelations",
      (ins "::attn::OperandRelations &":$relations), "",
      "::attn::detail::relateMappedExtents($_op, relations);">
  ];
}

//===----------------------------------------------------------------------===//
// NamedAttentionOpInterface
//===----------------------------------------------------------------------===//

def NamedAttentionOpInterface
    : OpInterface<"NamedAttentionOpInterface", [ExtentRelationsOpInterface]> {
  let cppNamespace = "::attn";
  let description = [{
    An op that is a name for a choice of the core ops: no pass knows it by
    another name than this interface's.
  }];
  let methods = [
    InterfaceMethod<[{
        Replaces the op by an equivalent made of core ops and ops of upstream
        dialects. On failure an error has been reported, and the op stays.
      }], "::llvm::LogicalResult", "expand",
      (ins "::mlir::RewriterBase &":$rewriter)>,
    InterfaceMethod<[{
        What the op computes, in plain double precision and from its own
        definition: the reference calls it, and compares what the expansion
        became. One result per init. Extents have not been compared.
      }], "::llvm::Expected<::llvm::SmallVector<::attn::PlainResult>>",
      "evaluate", (ins "::attn::Evaluation &":$evaluation)>,
    InterfaceMethod<[{
        The operands that decide which pairs are visible, and so are needed
        where only these are counted. What regions capture is needed anyway.
      }], "::llvm::SmallVector<::mlir::Value>", "getMaskOperands", (ins), "",
      "return {};">
  ];
}

//===----------------------------------------------------------------------===//
// RaggedOpInterface
//===----------------------------------------------------------------------===//

def RaggedOpInterface : OpInterface<"RaggedOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    An op whose requests may be packed one after the other.
  }];
  let methods = [
    InterfaceMethod<[{
        Where each request begins among the packed queries, and where the last
        one ends; null where queries are not packed.
      }], "::mlir::Value", "getQueryStarts">,
    InterfaceMethod<"The same of the keys.", "::mlir::Value", "getKeyStarts">,
    InterfaceMethod<"The extents that starts have to do with.",
      "::attn::RaggedExtents", "getRaggedExtents">
  ];
}

//===----------------------------------------------------------------------===//
// BlockListOpInterface
//===----------------------------------------------------------------------===//

def BlockListOpInterface : OpInterface<"BlockListOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    An op whose keys may be given by lists of blocks: `attn::BlockList` reads
    them.
  }];
  let methods = [
    InterfaceMethod<"Where each list begins; null without lists.",
      "::mlir::Value", "getIndptr">,
    InterfaceMethod<"The entries of all lists.", "::mlir::Value", "getIndices">,
    InterfaceMethod<"How lists are read.", "::attn::BlockListAttr",
      "getBlocksAttr">
  ];
}

//===----------------------------------------------------------------------===//
// AttentionOpInterface
//===----------------------------------------------------------------------===//

def AttentionOpInterface : OpInterface<"AttentionOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    What `attn.generic`, `attn.online` and `attn.replay` share: the operands
    that regions read, the maps and the dimension classes inferred from them,
    the regions.
  }];
  let methods = [
    InterfaceMethod<"", "::mlir::Value", "getQuery">,
    InterfaceMethod<"", "::mlir::Value", "getKey">,
    InterfaceMethod<"Null where no values are weighted.", "::mlir::Value",
      "getValue">,
    InterfaceMethod<"", "::mlir::OperandRange", "getInputs">,
    InterfaceMethod<"", "::mlir::OperandRange", "getWeightingOperands">,
    InterfaceMethod<"", "::mlir::Region &", "getSimilarity">,
    InterfaceMethod<"", "::mlir::Region &", "getMask">,
    InterfaceMethod<"", "::mlir::Region &", "getScore">,
    InterfaceMethod<"", "::mlir::Region &", "getWeight">,
    InterfaceMethod<"", "::mlir::ArrayAttr", "getIndexingMaps">,
    InterfaceMethod<"", "::attn::WeightingAttrInterface", "getWeighting">,
    InterfaceMethod<"The factor on the similarity.", "::llvm::APFloat",
      "getScale">,
    InterfaceMethod<[{
        The init that the weighted values are summed into; null where there are
        none.
      }], "::mlir::Value", "getAccumulatorInit">,
    InterfaceMethod<[{
        The type of all arithmetic: `acc_type`, or the widest of f32 and the
        element types of query, key, value and output.
      }], "::mlir::FloatType", "getAccumulationType", (ins), "",
      "return ::attn::detail::getAccumulationType($_op);">,
    InterfaceMethod<"The operands that have a map, in the order of the maps.",
      "::llvm::SmallVector<::mlir::Value>", "getMappedOperands", (ins), "",
      "return ::attn::detail::getMappedOperands($_op);">,
    InterfaceMethod<[{
        The map of operand `index`, in operand order; where its rows are packed,
        that of the rows alone, without the request.
      }], "::mlir::AffineMap", "getIndexingMap", (ins "unsigned":$index), "",
      "return ::attn::dropRequests($_op.getWrittenMap(index));">,
    InterfaceMethod<[{
        The same as it is written: a sum of the request and a row stands for a
        packed row.
      }], "::mlir::AffineMap", "getWrittenMap", (ins "unsigned":$index), "", [{
        return ::llvm::cast<::mlir::AffineMapAttr>(
            $_op.getIndexingMaps()[index]).getValue();
      }]>,
    InterfaceMethod<[{
        Where operand `index` stores an element: the map of the operand, unless
        a layout says otherwise.
      }], "::mlir::AffineMap", "getStoredMap", (ins "unsigned":$index), "",
      "return $_op.getIndexingMap(index);">,
    InterfaceMethod<[{
        The leading dimensions of operand `index` that its map does not name:
        one for a statistic of several numbers.
      }], "unsigned", "getNumLeadingDims", (ins "unsigned":$index), "",
      "return 0;">,
    InterfaceMethod<[{
        The position of the first input among the mapped operands, if there is
        one: after query, key and value.
      }], "unsigned", "getFirstInputIndex", (ins), "", "return 3;">,
    InterfaceMethod<[{
        The position of the first weighting operand among the mapped operands,
        if there is one: after the inputs.
      }], "unsigned", "getWeightingIndex", (ins), "",
      "return $_op.getFirstInputIndex() + $_op.getInputs().size();">,
    InterfaceMethod<[{
        The position of the output, or the accumulator, among the mapped
        operands: the first of the inits.
      }], "unsigned", "getOutputIndex", (ins), "", [{
        return $_op.getWeightingIndex() +
               $_op.getWeightingOperands().size();
      }]>,
    InterfaceMethod<"The number of iteration dimensions.", "unsigned",
      "getNumDims", (ins), "", "return $_op.getIndexingMap(0).getNumDims();">,
    InterfaceMethod<"The classes of the dimensions. The op must be valid.",
      "::attn::DimensionClasses", "getDimensionClasses", (ins), "",
      "return ::attn::detail::getDimensionClasses($_op);">,
    InterfaceMethod<[{
        Whether the weight region is homogeneous and linear in the weight by its
        structure (scaled by, or selected against zero on, values that do not
        depend on it; sums of these), so that it commutes with rescaling and one
        pass suffices. An empty region is.
      }], "bool", "isLinearInWeight", (ins), "",
      "return ::attn::detail::isLinearInWeight($_op.getWeight());">
  ];
}

#endif // ATTN_IR_ATTNINTERFACES_TD
