//===- TestDialect.h - Weightings of the suite ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_LIB_TESTDIALECT_H
#define ATTN_TEST_LIB_TESTDIALECT_H

#include "attn/IR/Evaluation.h"

#include "TestDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "TestAttributes.h.inc"
#define GET_OP_CLASSES
#include "TestOps.h.inc"

namespace attntest {

/// The dialect, and the emitter of its layout.
void registerTestDialect(mlir::DialectRegistry &registry);

} // namespace attntest

#endif // ATTN_TEST_LIB_TESTDIALECT_H
