//===- TileEmitter.cpp - Layouts and their emitters -------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TileEmitter.h"
#include "attn/IR/GPUKernel.h"

using namespace mlir;

#include "attn/Codegen/TileEmitter.cpp.inc"

namespace attn {

/// Those of the attributes that are layouts.
template <typename... Attrs>
static void attachTileEmitters(MLIRContext &context) {
  auto attach = [&](auto *attr) {
    using AttrT = std::remove_pointer_t<decltype(attr)>;
    if constexpr (std::is_base_of_v<LayoutAttrInterface::Trait<AttrT>, AttrT>)
      attachTileEmitter<AttrT>(context);
  };
  (attach(static_cast<Attrs *>(nullptr)), ...);
}

void registerTileEmitters(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, AttnDialect *) {
    attachTileEmitters<
#define GET_ATTRDEF_LIST
#include "attn/IR/AttnAttributes.cpp.inc"
        >(*context);
  });
}

} // namespace attn
