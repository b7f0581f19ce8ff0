//===- FirstError.cpp - A diagnostic as one line ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/FirstError.h"

#include "llvm/ADT/StringExtras.h"

using namespace attn;
using namespace mlir;

std::string attn::formatLocation(Location location) {
  if (auto file = location->findInstanceOf<FileLineColLoc>())
    return file.getFilename().str() + ":" + std::to_string(file.getLine()) +
           ":" + std::to_string(file.getColumn()) + ": ";
  return "";
}

/// The text of a diagnostic on one line.
static std::string flatten(Diagnostic &diagnostic) {
  std::string text = diagnostic.str();
  llvm::SmallVector<llvm::StringRef> lines;
  llvm::StringRef(text).split(lines, '\n', -1, /*KeepEmpty=*/false);
  for (llvm::StringRef &line : lines)
    line = line.trim();
  return llvm::join(lines, " ");
}

FirstError::FirstError(MLIRContext *context)
    : handler(context, [this](Diagnostic &diagnostic) {
        if (diagnostic.getSeverity() != DiagnosticSeverity::Error || location)
          return success();
        location = diagnostic.getLocation();
        text = flatten(diagnostic);
        for (Diagnostic &note : diagnostic.getNotes())
          notes += "; " + formatLocation(note.getLocation()) +
                   "note: " + flatten(note);
        return success();
      }) {}

llvm::Error FirstError::take(const llvm::Twine &otherwise) const {
  return llvm::createStringError(
      location ? formatLocation(*location) + text + notes : otherwise.str());
}
