//===- Module.h - Reading modules and their entry points --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_EXECUTION_MODULE_H
#define ATTN_EXECUTION_MODULE_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/Error.h"

namespace attn {

/// Reads (`readInput`), parses and verifies a module, text or bytecode; `-` is
/// stdin. Text that nests too deep (`checkNesting`) is refused before the
/// parser, which recurses, sees it. An error says where: `file:line:column:
/// ...`; notes follow after semicolons.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(llvm::StringRef path, mlir::MLIRContext &context);

/// The same of `source`, text or bytecode, which errors call `name`.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
parseModule(llvm::StringRef source, llvm::StringRef name,
            mlir::MLIRContext &context);

/// The function called `name` or, if that is empty, the only public one. An
/// error if there is none, or no body to run.
llvm::Expected<mlir::func::FuncOp> findEntry(mlir::ModuleOp module,
                                             llvm::StringRef name);

} // namespace attn

#endif // ATTN_EXECUTION_MODULE_H
