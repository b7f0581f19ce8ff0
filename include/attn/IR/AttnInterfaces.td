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
// AttentionOpInterface
//===----------------------------------------------------------------------===//

def AttentionOpInterface : OpInterface<"AttentionOpInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    What `attn.generic` and `attn.online` share: the operands that regions read,
    the maps and the dimension classes inferred from them, the regions.
  }];
  let methods = [
    InterfaceMethod<"", "::mlir::Value", "getQuery">,
    InterfaceMethod<"", "::mlir::Value", "getKey">,
    InterfaceMethod<"", "::mlir::Value", "getValue">,
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
    InterfaceMethod<"The init that the weighted values are summed into.",
      "::mlir::Value", "getAccumulatorInit">,
    InterfaceMethod<[{
        The type of all arithmetic: `acc_type`, or the widest of f32 and the
        element types of query, key, value and output.
      }], "::mlir::FloatType", "getAccumulationType", (ins), "",
      "return ::attn::detail::getAccumulationType($_op);">,
    InterfaceMethod<"The operands that have a map, in the order of the maps.",
      "::llvm::SmallVector<::mlir::Value>", "getMappedOperands", (ins), "",
      "return ::attn::detail::getMappedOperands($_op);">,
    InterfaceMethod<"The map of operand `index`, in operand order.",
      "::mlir::AffineMap", "getIndexingMap", (ins "unsigned":$index), "", [{
        return ::llvm::cast<::mlir::AffineMapAttr>(
            $_op.getIndexingMaps()[index]).getValue();
      }]>,
    InterfaceMethod<[{
        Where operand `index` stores an element: the map of the operand, unless
        a layout says otherwise.
      }], "::mlir::AffineMap", "getStoredMap", (ins "unsigned":$index), "",
      "return $_op.getIndexingMap(index);">,
    InterfaceMethod<[{
        The position of the first weighting operand among the mapped operands,
        if there is one: after query, key, value and inputs.
      }], "unsigned", "getWeightingIndex", (ins), "",
      "return 3 + $_op.getInputs().size();">,
    InterfaceMethod<[{
        The position of the output, or the accumulator, among the mapped
        operands: the first of the inits.
      }], "unsigned", "getOutputIndex", (ins), "", [{
        return 3 + $_op.getInputs().size() +
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
