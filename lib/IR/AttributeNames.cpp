//===- AttributeNames.cpp - No attribute is misspelt ------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"

using namespace mlir;

/// The attribute of the op whose name is nearest to a misspelt one, or none.
static StringRef findNearest(Operation *op, StringRef misspelt) {
  StringRef nearest;
  unsigned least = misspelt.size() / 2 + 1;
  for (StringAttr name : op->getName().getAttributeNames()) {
    unsigned distance = misspelt.edit_distance(name.getValue());
    if (name.getValue() == "operandSegmentSizes" || distance >= least)
      continue;
    nearest = name.getValue();
    least = distance;
  }
  return nearest;
}

LogicalResult attn::detail::verifyAttributeNames(Operation *op) {
  for (NamedAttribute attribute : op->getDiscardableAttrs()) {
    StringRef name = attribute.getName().getValue();
    if (name.contains('.') || name.starts_with("__"))
      continue;
    StringRef nearest = findNearest(op, name);
    if (!nearest.empty())
      return op->emitOpError("has an unknown attribute '")
             << name << "'; did you mean '" << nearest << "'?";
    return op->emitOpError("has an unknown attribute '")
           << name
           << "'; expected one of its own, or a name with the prefix of a "
              "dialect";
  }
  return success();
}
