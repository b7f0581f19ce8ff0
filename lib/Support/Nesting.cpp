//===- Nesting.cpp - How deep a text nests ----------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Nesting.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

#include <algorithm>

using namespace attn;
using llvm::StringRef;

namespace {
/// Goes through a text once, token by token.
class NestingScanner {
public:
  NestingScanner(StringRef text, StringRef name) : text(text), name(name) {}
  llvm::Error scan();

private:
  /// What an alias stands for.
  struct Expansion {
    int64_t depth = 0, size = 0;
  };

  void step();
  void scanComment();
  void scanString();
  void scanAlias();
  void scanOther();
  void open() { note(++depth); }
  void close() { depth = std::max<int64_t>(depth - 1, 0); }
  /// Something that nests `nested` deep begins here.
  void note(int64_t nested) {
    deepest = std::max(deepest, nested);
    if (defined)
      defined->depth = std::max(defined->depth, nested);
  }
  /// Something of `size` characters stands here.
  void expand(int64_t size) {
    expanded = std::min(expanded + size, maxExpansion + 1);
    if (defined)
      defined->size = std::min(defined->size + size, maxExpansion + 1);
  }
  llvm::Error error(const llvm::Twine &what) const;

  StringRef text, name;
  size_t at = 0, lineStart = 0;
  int64_t line = 1, depth = 0, deepest = 0, signs = 0, expanded = 0;
  llvm::StringMap<Expansion> aliases;
  /// The alias whose definition this is, until the end of the line outside
  /// brackets on which it begins.
  Expansion *defined = nullptr;
  bool begun = false;
};
} // namespace

llvm::Error NestingScanner::error(const llvm::Twine &what) const {
  return llvm::createStringError(name + ":" + llvm::Twine(line) + ":" +
                                 llvm::Twine(at - lineStart) + ": " + what);
}

void NestingScanner::scanComment() {
  at = std::min(text.find('\n', at), text.size());
  if (text.slice(lineStart, at).starts_with("// -----")) {
    // Where files are split, what was left open is closed.
    depth = 0;
    defined = nullptr;
  }
}

void NestingScanner::scanString() {
  size_t start = at;
  for (++at; at < text.size() && text[at] != '"' && text[at] != '\n'; ++at)
    at += text[at] == '\\';
  at = std::min(at, text.size());
  if (at < text.size() && text[at] == '"')
    ++at;
  expand(at - start);
}

/// `#name` or `!name`, which is defined if ` =` follows.
void NestingScanner::scanAlias() {
  size_t end = at + 1;
  while (end < text.size() &&
         (llvm::isAlnum(text[end]) || StringRef("_$-").contains(text[end])))
    ++end;
  StringRef alias = text.slice(at, end);
  StringRef rest = text.substr(end).ltrim(" \t");
  at = end;
  if (depth == 0 && rest.starts_with("=") && !rest.starts_with("==")) {
    defined = &aliases[alias];
    *defined = {};
    begun = false;
    at = text.size() - rest.size() + 1;
    return;
  }
  begun = true;
  auto known = aliases.find(alias);
  if (known == aliases.end() || &known->second == defined)
    return expand(alias.size());
  note(depth + 1 + known->second.depth);
  expand(known->second.size);
}

void NestingScanner::scanOther() {
  char c = text[at];
  char next = at + 1 < text.size() ? text[at + 1] : 0;
  if (c == '-' && next == '>') {
    signs = 0;
    expand(2);
    at += 2;
    return;
  }
  signs = c == '-' ? signs + 1 : 0;
  if (signs)
    note(depth + signs);
  if (StringRef("({[").contains(c) || (c == '<' && next != '='))
    open();
  else if (StringRef(")}]").contains(c) || (c == '>' && next != '='))
    close();
  begun = true;
  expand(1);
  ++at;
}

void NestingScanner::step() {
  char c = text[at];
  if (c == '\n') {
    ++line;
    lineStart = ++at;
    if (begun && depth == 0)
      defined = nullptr;
  } else if (c == ' ' || c == '\t' || c == '\r') {
    ++at;
  } else if (text.substr(at, 2) == "//") {
    scanComment();
  } else if (c == '"') {
    signs = 0;
    begun = true;
    scanString();
  } else if (c == '#' || c == '!') {
    signs = 0;
    scanAlias();
  } else {
    scanOther();
  }
}

llvm::Error NestingScanner::scan() {
  while (at < text.size()) {
    step();
    if (deepest > maxNesting)
      return error("expected brackets, signs and aliases nested at most " +
                   llvm::Twine(maxNesting) + " deep");
    if (expanded > maxExpansion)
      return error("expected aliases that stand for at most " +
                   llvm::Twine(maxExpansion) + " characters");
  }
  return llvm::Error::success();
}

llvm::Error attn::checkNesting(StringRef text, StringRef name) {
  return NestingScanner(text, name).scan();
}
