//===- FirstError.h - A diagnostic as one line ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_SUPPORT_FIRSTERROR_H
#define ATTN_SUPPORT_FIRSTERROR_H

#include "mlir/IR/Diagnostics.h"
#include "llvm/Support/Error.h"

#include <optional>

namespace attn {

/// `file:line:column: `, or nothing if the location has none.
std::string formatLocation(mlir::Location location);

/// Keeps the first error that is reported while it lives, as one line: where,
/// the text, and after a semicolon each note. The errors that follow are often
/// consequences of the first. Warnings and remarks are dropped.
class FirstError {
public:
  explicit FirstError(mlir::MLIRContext *context);

  /// Where the error is, if there is one.
  std::optional<mlir::Location> getLocation() const { return location; }
  /// Its text, without the place and the notes.
  llvm::StringRef getText() const { return text; }
  /// The line, or `otherwise` if nothing was reported.
  llvm::Error take(const llvm::Twine &otherwise) const;

private:
  std::optional<mlir::Location> location;
  std::string text, notes;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace attn

#endif // ATTN_SUPPORT_FIRSTERROR_H
