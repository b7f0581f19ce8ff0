//===- PtxParser.cpp - The instructions of PTX ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of the grammar, what LLVM writes: one statement ends with a semicolon or, if
// it is a label, with a colon; braces around statements mean nothing here.
// Registers that inline assembly declares have names without `%`, which they
// are given here.
//
//===----------------------------------------------------------------------===//

#include "PtxParser.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Regex.h"

using llvm::StringRef;

namespace attn {

bool PtxInstruction::has(StringRef part) const {
  return llvm::is_contained(opcode, part);
}

std::string PtxInstruction::getName() const { return llvm::join(opcode, "."); }

/// `text` without comments, line by line as before.
static std::string dropComments(StringRef text) {
  std::string result;
  while (!text.empty()) {
    auto [line, rest] = text.split('\n');
    result += line.split("//").first.str() + "\n";
    text = rest;
  }
  return result;
}

/// Between commas that are in no brackets.
static llvm::SmallVector<std::string, 4> splitOperands(StringRef text) {
  llvm::SmallVector<std::string, 4> operands;
  int depth = 0;
  std::string next;
  auto finish = [&] {
    StringRef trimmed = StringRef(next).trim();
    if (!trimmed.empty())
      operands.push_back(trimmed.str());
    next.clear();
  };
  for (char c : text) {
    depth += c == '{' || c == '[' || c == '(';
    depth -= c == '}' || c == ']' || c == ')';
    if (c == ',' && depth == 0)
      finish();
    else
      next += c;
  }
  finish();
  return operands;
}

static PtxInstruction parseInstruction(StringRef text, unsigned line) {
  PtxInstruction instruction;
  instruction.line = line;
  if (text.consume_front("@")) {
    StringRef guard = text.take_until([](char c) { return llvm::isSpace(c); });
    instruction.guard = guard.str();
    text = text.drop_front(guard.size()).ltrim();
  }
  StringRef name = text.take_until([](char c) { return llvm::isSpace(c); });
  for (StringRef part : llvm::split(name, '.'))
    instruction.opcode.push_back(part.str());
  instruction.operands = splitOperands(text.drop_front(name.size()));
  return instruction;
}

/// The names that `.reg .b64 lhs, rhs` declares, but for those that have `%`.
static void parseLocal(StringRef text, llvm::StringSet<> &local) {
  if (!text.consume_front(".reg "))
    return;
  auto [type, names] = text.trim().split(' ');
  for (StringRef name : llvm::split(names, ','))
    if (!name.trim().starts_with("%"))
      local.insert(name.trim());
}

/// The statements between the braces of a kernel.
static llvm::Error parseBody(StringRef body, unsigned line, PtxKernel &kernel) {
  llvm::Regex label("^[$_[:alnum:]]+$");
  std::string statement;
  llvm::StringSet<> local;
  int depth = 0;
  unsigned begin = line;
  for (char c : body) {
    line += c == '\n';
    bool empty = StringRef(statement).trim().empty();
    if (empty) {
      begin = line;
      if (c == '{' || c == '}')
        continue;
    }
    depth += c == '{';
    depth -= c == '}';
    if (c == ':' && label.match(StringRef(statement).trim())) {
      kernel.labels[StringRef(statement).trim()] = kernel.instructions.size();
      statement.clear();
    } else if (c == ';' && depth == 0) {
      StringRef text = StringRef(statement).trim();
      // What else is declared has been read.
      parseLocal(text, local);
      if (!text.empty() && !text.starts_with(".")) {
        kernel.instructions.push_back(parseInstruction(text, begin));
        for (std::string &operand : kernel.instructions.back().operands)
          if (local.contains(operand))
            operand.insert(0, "%");
      }
      statement.clear();
    } else {
      statement += llvm::isSpace(c) ? ' ' : c;
    }
  }
  if (StringRef(statement).trim().empty())
    return llvm::Error::success();
  return llvm::createStringError("line " + llvm::Twine(begin) +
                                 ": expected a statement that ends");
}

/// Every array in shared memory that `text` declares.
static void parseShared(StringRef text, std::vector<PtxShared> &shared) {
  llvm::Regex pattern("\\.shared +\\.align +([0-9]+) +\\.b8 "
                      "+([$_[:alnum:]]+)(\\[([0-9]*)\\])?;");
  llvm::SmallVector<StringRef> groups;
  while (pattern.match(text, &groups)) {
    PtxShared array;
    groups[1].getAsInteger(10, array.alignment);
    array.name = groups[2].str();
    array.bytes = 1;
    if (!groups[3].empty() && groups[4].getAsInteger(10, array.bytes))
      array.bytes = 0;
    array.dynamic = array.bytes == 0 ||
                    StringRef(array.name).starts_with("__dynamic_shmem");
    shared.push_back(array);
    text = text.drop_front(groups[0].end() - text.begin());
  }
}

llvm::Expected<std::vector<PtxKernel>> parsePtx(StringRef original) {
  std::string plain = dropComments(original);
  StringRef text = plain;
  std::vector<PtxKernel> kernels;
  std::vector<PtxShared> shared;
  parseShared(text, shared);
  llvm::Regex threads("\\.maxntid +([0-9]+)(, *([0-9]+))?(, *([0-9]+))?");
  for (size_t at = text.find(".entry"); at != StringRef::npos;
       at = text.find(".entry", at)) {
    unsigned line = 1 + text.take_front(at).count('\n');
    size_t open = text.find('{', at);
    if (open == StringRef::npos)
      break;
    StringRef header = text.slice(at, open);
    PtxKernel kernel;
    kernel.name = header.drop_front(6)
                      .take_until([](char c) { return c == '('; })
                      .trim()
                      .str();
    llvm::SmallVector<StringRef> groups;
    if (threads.match(header, &groups)) {
      kernel.threads = 1;
      for (unsigned i : {1, 3, 5}) {
        int64_t extent = 1;
        if (!groups[i].empty())
          groups[i].getAsInteger(10, extent);
        kernel.threads *= extent;
      }
    }
    size_t close = open;
    int depth = 0;
    do {
      depth += text[close] == '{';
      depth -= text[close] == '}';
      ++close;
    } while (depth && close < text.size());
    if (depth)
      return llvm::createStringError(
          "line " + llvm::Twine(line) +
          ": expected a kernel that ends, but got none");
    if (llvm::Error error =
            parseBody(text.slice(open + 1, close - 1),
                      1 + text.take_front(open).count('\n'), kernel))
      return std::move(error);
    kernel.shared = shared;
    kernels.push_back(std::move(kernel));
    at = close;
  }
  return kernels;
}

} // namespace attn
