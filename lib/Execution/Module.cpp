//===- Module.cpp - Reading modules and their entry points ------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Module.h"
#include "attn/Support/FirstError.h"
#include "attn/Support/Input.h"
#include "attn/Support/Nesting.h"

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Parser/Parser.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace attn;
using namespace mlir;
using llvm::createStringError;
using llvm::Expected;

//===----------------------------------------------------------------------===//
// Parsing
//===----------------------------------------------------------------------===//

/// Parses a buffer, which need not end in a null character.
static Expected<OwningOpRef<ModuleOp>>
parseBuffer(llvm::MemoryBufferRef buffer, llvm::StringRef name,
            MLIRContext &context) {
  if (!isBytecode(buffer))
    if (llvm::Error error = checkNesting(buffer.getBuffer(), name))
      return error;
  FirstError error(&context);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr sources;
  // The lexer wants a null character at the end.
  sources.AddNewSourceBuffer(
      llvm::MemoryBuffer::getMemBufferCopy(buffer.getBuffer(),
                                           buffer.getBufferIdentifier()),
      llvm::SMLoc());
  OwningOpRef<ModuleOp> module =
      parseSourceFile<ModuleOp>(sources, ParserConfig(&context));
  if (module)
    return module;
  return error.take("'" + name.str() + "': expected a module");
}

Expected<OwningOpRef<ModuleOp>> attn::parseModule(llvm::StringRef path,
                                                  MLIRContext &context) {
  auto buffer = readInput(path);
  if (!buffer)
    return buffer.takeError();
  std::string name = path == "-" ? "<stdin>" : path.str();
  return parseBuffer((*buffer)->getMemBufferRef(), name, context);
}

Expected<OwningOpRef<ModuleOp>> attn::parseModule(llvm::StringRef source,
                                                  llvm::StringRef name,
                                                  MLIRContext &context) {
  return parseBuffer(llvm::MemoryBufferRef(source, name), name, context);
}

//===----------------------------------------------------------------------===//
// The entry point
//===----------------------------------------------------------------------===//

Expected<func::FuncOp> attn::findEntry(ModuleOp module, llvm::StringRef name) {
  llvm::SmallVector<func::FuncOp> functions;
  std::string names;
  for (auto function : module.getOps<func::FuncOp>()) {
    if (name.empty() ? !function.isPublic() || function.isDeclaration()
                     : function.getName() != name)
      continue;
    names += (functions.empty() ? "@" : ", @") + function.getName().str();
    functions.push_back(function);
  }
  if (functions.size() == 1 && !functions.front().isDeclaration())
    return functions.front();
  if (functions.size() == 1)
    return createStringError("expected @" + name.str() +
                             " to have a body to run, but it is a declaration");
  if (!functions.empty())
    return createStringError("expected one public function, but got " + names +
                             "; choose with --entry=NAME");
  if (name.empty())
    return createStringError("expected a public function with a body, but the "
                             "module has none");
  for (auto function : module.getOps<func::FuncOp>())
    names += (names.empty() ? "@" : ", @") + function.getName().str();
  return createStringError("expected a function @" + name.str() +
                           ", but the module has " +
                           (names.empty() ? "no function" : "only " + names));
}
