//===- LayoutInterface.td - What a layout says -------------*- tablegen -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_IR_LAYOUTINTERFACE_TD
#define ATTN_IR_LAYOUTINTERFACE_TD

include "mlir/IR/OpBase.td"

def LayoutAttrInterface : AttrInterface<"LayoutAttrInterface"> {
  let cppNamespace = "::attn";
  let description = [{
    How the operands of a tile are stored. The maps of tile ops speak of logical
    dimensions, (query rows, key rows, features, channels), or for `attn.finish`
    (query rows, channels); the layout turns them, role by role, into stored
    positions. What it says holds of the IR at all times: the verifier holds
    operands to it, and nobody else predicts where an element lies.
  }];
  let methods = [
    InterfaceMethod<[{
        The number of query rows, dimension 0 of the maps, that a tile has room
        for.
      }], "int64_t", "getNumRows">,
    InterfaceMethod<[{
        Whether those may be the rows of several query row dimensions, one
        behind the other.
      }], "bool", "foldsRows", (ins), "", "return false;">,
    InterfaceMethod<[{
        The stored position of an element, as a map of the same dimensions as
        `map`, that of the operand's logical dimensions.
      }], "::mlir::AffineMap", "getStoredMap",
      (ins "::attn::OperandRole":$role, "::mlir::AffineMap":$map)>,
    InterfaceMethod<[{
        The extent that a dimension is stored with in that role, where it is
        the layout's and not the data's. If it is innermost, its neighbours are
        neighbours in memory.
      }], "std::optional<int64_t>", "getStoredExtent",
      (ins "::attn::OperandRole":$role, "unsigned":$dim)>,
    InterfaceMethod<[{
        The type that elements of type `element` are stored as, where arithmetic
        is in `accType`.
      }], "::mlir::Type", "getStoredElement",
      (ins "::attn::OperandRole":$role, "::mlir::AffineMap":$map,
           "::mlir::Type":$element, "::mlir::FloatType":$accType)>,
    InterfaceMethod<[{
        What all pairs of a query row and a key row take, in vector operations
        per key row and feature or channel. `attn-tile` takes the least.
      }], "double", "getCost", (ins "const ::attn::LayoutProblem &":$problem)>
  ];
}

#endif // ATTN_IR_LAYOUTINTERFACE_TD
