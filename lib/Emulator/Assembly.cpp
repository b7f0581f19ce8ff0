//===- Assembly.cpp - Products in inline assembly ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Assembly.h"

#include "llvm/ADT/StringMap.h"

using llvm::StringRef;

namespace attn {

namespace {

/// Reads one piece.
class Parser {
public:
  explicit Parser(Assembly &result) : result(result) {}
  /// Whether there is something for the instruction.
  bool parse(StringRef text);

private:
  bool parseProduct(StringRef type, StringRef operands);
  bool parseNumber(StringRef text, unsigned &number);
  bool parseAddress(StringRef text, AssemblyAddress &address);
  bool parseList(StringRef text, std::vector<unsigned> &numbers);
  /// Whether there is an operand, and something in it at the beginning.
  bool isInput(unsigned operand) const {
    return operand < result.numOperands &&
           result.getInput(operand) >= result.numOutputs;
  }

  Assembly &result;
  llvm::StringMap<AssemblyAddress> names;
};

} // namespace

/// $12
bool Parser::parseNumber(StringRef text, unsigned &number) {
  text = text.trim();
  return text.consume_front("$") && !text.getAsInteger(10, number);
}

bool Parser::parseAddress(StringRef text, AssemblyAddress &address) {
  text = text.trim();
  auto named = names.find(text);
  if (named != names.end()) {
    address = named->second;
    return true;
  }
  address = {};
  return parseNumber(text, address.operand);
}

/// {$1, $2, $3}
bool Parser::parseList(StringRef text, std::vector<unsigned> &numbers) {
  text = text.trim();
  if (!text.consume_front("{") || !text.consume_back("}"))
    return false;
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ',');
  for (StringRef part : parts)
    if (!parseNumber(part, numbers.emplace_back()))
      return false;
  return true;
}

/// m64n128k16.f32.f16.f16 {sums}, left, right, adds, 1, 1[, left transposed],
/// right transposed
bool Parser::parseProduct(StringRef type, StringRef operands) {
  AssemblyInstruction product;
  product.kind = AssemblyInstruction::Product;
  if (!type.consume_front("m64n") || type.consumeInteger(10, product.columns) ||
      !type.consume_front("k16.f32.") || product.columns < 8 ||
      product.columns > 256 || product.columns % 8 != 0)
    return false;
  product.isBF16 = type == "bf16.bf16";
  if (!product.isBF16 && type != "f16.f16")
    return false;
  // Lists have commas of their own.
  llvm::SmallVector<StringRef> parts;
  size_t begin = 0;
  bool inList = false;
  for (size_t i = 0; i <= operands.size(); ++i) {
    if (i < operands.size() && operands[i] != ',') {
      inList = operands[i] == '{' || (inList && operands[i] != '}');
      continue;
    }
    if (i < operands.size() && inList)
      continue;
    parts.push_back(operands.slice(begin, i).trim());
    begin = i + 1;
  }
  if (parts.size() < 7 || !parseList(parts[0], product.sums) ||
      product.sums.size() != static_cast<size_t>(product.columns / 2))
    return false;
  bool inRegisters = parts[1].starts_with("{");
  if (inRegisters ? !parseList(parts[1], product.registers) ||
                        product.registers.size() != 4
                  : !parseAddress(parts[1], product.leftAddress))
    return false;
  if (!parseAddress(parts[2], product.rightAddress) ||
      (parts[3] != "0" && parts[3] != "1") || parts[4] != "1" ||
      parts[5] != "1" || parts.size() != (inRegisters ? 7 : 8) ||
      (!inRegisters && parts[6] != "0" && parts[6] != "1") ||
      (parts.back() != "0" && parts.back() != "1"))
    return false;
  product.adds = parts[3] == "1";
  product.transposed = parts.back() == "1";
  product.leftTransposed = !inRegisters && parts[6] == "1";
  auto isOutput = [&](unsigned operand) { return operand < result.numOutputs; };
  auto isRead = [&](unsigned operand) { return isInput(operand); };
  if (!llvm::all_of(product.sums, isOutput) ||
      !llvm::all_of(product.registers, isRead) ||
      (!inRegisters && !isInput(product.leftAddress.operand)) ||
      !isInput(product.rightAddress.operand))
    return false;
  result.instructions.push_back(std::move(product));
  return true;
}

bool Parser::parse(StringRef text) {
  auto [name, operands] = text.split(' ');
  operands = operands.trim();
  AssemblyInstruction instruction;
  if (name == ".reg")
    return operands.starts_with(".b64 ");
  if (name == "add.s64") {
    llvm::SmallVector<StringRef> parts;
    operands.split(parts, ',');
    AssemblyAddress address;
    int64_t more;
    if (parts.size() != 3 || !parseAddress(parts[1], address) ||
        parts[2].trim().getAsInteger(10, more))
      return false;
    address.offset += more;
    names[parts[0].trim()] = address;
    return true;
  }
  if (name.consume_front("wgmma.mma_async.sync.aligned."))
    return parseProduct(name, operands);
  if (name == "wgmma.fence.sync.aligned")
    instruction.kind = AssemblyInstruction::Fence;
  else if (name == "wgmma.commit_group.sync.aligned")
    instruction.kind = AssemblyInstruction::Commit;
  else if (name == "wgmma.wait_group.sync.aligned" &&
           !operands.getAsInteger(10, instruction.left))
    instruction.kind = AssemblyInstruction::Wait;
  else
    return false;
  result.instructions.push_back(instruction);
  return true;
}

llvm::Expected<Assembly> Assembly::parse(const llvm::InlineAsm &assembly) {
  Assembly result;
  auto constraints = assembly.ParseConstraints();
  result.numOperands = llvm::count_if(constraints, [](auto &constraint) {
    return constraint.Type != llvm::InlineAsm::isClobber;
  });
  for (auto &constraint : constraints) {
    if (constraint.Type != llvm::InlineAsm::isOutput)
      continue;
    unsigned number = result.numOutputs++;
    result.tied.push_back(
        constraint.hasMatchingInput() ? constraint.MatchingInput : number);
  }
  Parser parser(result);
  llvm::SmallVector<StringRef> texts;
  // It lives as long as `assembly`.
  StringRef(assembly.getAsmString()).split(texts, ';');
  for (StringRef text : texts) {
    text = text.trim();
    if (text.consume_front("{"))
      text = text.trim();
    if (text.empty() || text == "}")
      continue;
    if (!parser.parse(text))
      return llvm::createStringError(
          "expected intrinsics, but got the inline assembly '" +
          text.take_until([](char c) { return c == '\n'; }).str() +
          ";', which the emulator cannot read");
  }
  return result;
}

} // namespace attn
