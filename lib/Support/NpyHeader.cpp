//===- NpyHeader.cpp - The header of a .npy file ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "NpyHeader.h"

#include "llvm/ADT/StringExtras.h"

using namespace attn;
using llvm::createStringError;
using llvm::Expected;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// The dictionary
//===----------------------------------------------------------------------===//

namespace {
/// Reads the few forms of Python literal that occur: strings, True and False,
/// tuples of integers.
class Parser {
public:
  explicit Parser(StringRef text) : text(text) {}
  Expected<NpyHeader> parse();

private:
  bool accept(char c) {
    text = text.ltrim();
    return text.consume_front(StringRef(&c, 1));
  }
  bool parseString(std::string &value);
  llvm::Error parseShape(NpyHeader &header);
  llvm::Error parseEntry(StringRef key, NpyHeader &header);

  StringRef text;
};
} // namespace

bool Parser::parseString(std::string &value) {
  text = text.ltrim();
  if (text.empty() || (text.front() != '\'' && text.front() != '"'))
    return false;
  size_t end = text.find(text.front(), 1);
  if (end == StringRef::npos)
    return false;
  value = text.slice(1, end).str();
  text = text.drop_front(end + 1);
  return true;
}

/// What comes next, short and printable, for a message.
static std::string quote(StringRef text) {
  text = text.rtrim();
  std::string quoted = "'";
  for (char c : text.take_front(40))
    quoted += llvm::isPrint(c) ? c : '?';
  return quoted + (text.size() > 40 ? "...'" : "'");
}

llvm::Error Parser::parseShape(NpyHeader &header) {
  if (!accept('('))
    return createStringError("expected the shape to be a tuple, but got " +
                             quote(text));
  while (!accept(')')) {
    text = text.ltrim();
    StringRef number = text.take_while(
        [](char c) { return llvm::isDigit(c) || c == '-' || c == '+'; });
    int64_t extent;
    if (number.empty() || number.getAsInteger(10, extent) || extent < 0)
      return createStringError(
          "expected extents from 0 to 2^63 - 1 in the shape, but got " +
          quote(text));
    header.shape.push_back(extent);
    text = text.drop_front(number.size());
    text.consume_front("L"); // Python 2 wrote long integers so.
    if (accept(','))
      continue;
    if (!text.ltrim().starts_with(")"))
      return createStringError("expected ',' or ')' in the shape, but got " +
                               quote(text));
  }
  return llvm::Error::success();
}

llvm::Error Parser::parseEntry(StringRef key, NpyHeader &header) {
  if (key == "shape")
    return parseShape(header);
  if (key == "descr") {
    if (!parseString(header.descr))
      return createStringError("expected one plain dtype, but got " +
                               quote(text) +
                               "; save each field of a record on its own");
    return llvm::Error::success();
  }
  text = text.ltrim();
  header.fortranOrder = text.consume_front("True");
  if (!header.fortranOrder && !text.consume_front("False"))
    return createStringError(
        "expected fortran_order to be True or False, but got " + quote(text));
  return llvm::Error::success();
}

Expected<NpyHeader> Parser::parse() {
  static constexpr StringRef keys[] = {"descr", "fortran_order", "shape"};
  NpyHeader header;
  bool seen[3] = {false, false, false};
  if (!accept('{'))
    return createStringError(
        "expected a header that starts with '{', but got " + quote(text));
  while (!accept('}')) {
    std::string key;
    if (!parseString(key) || !accept(':'))
      return createStringError(
          "expected a key and ':' in the header, but got " + quote(text));
    const StringRef *found = llvm::find(keys, key);
    if (found == std::end(keys) || seen[found - keys])
      return createStringError("expected descr, fortran_order and shape once "
                               "each in the header, but got " +
                               quote(key));
    seen[found - keys] = true;
    if (llvm::Error error = parseEntry(key, header))
      return error;
    if (!accept(',') && !text.ltrim().starts_with("}"))
      return createStringError("expected ',' or '}' in the header, but got " +
                               quote(text));
  }
  if (!text.trim().empty())
    return createStringError("expected nothing after '}' in the header, but "
                             "got " +
                             quote(text.trim()));
  for (auto [key, present] : llvm::zip(keys, seen))
    if (!present)
      return createStringError("expected '" + key.str() +
                               "' in the header, but it is missing");
  return header;
}

Expected<NpyHeader> attn::parseNpyHeader(StringRef text) {
  return Parser(text).parse();
}

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

static StringRef getDescr(ElementType type) {
  switch (type) {
  case ElementType::F16:
    return "<f2";
  case ElementType::BF16:
    return "<V2";
  case ElementType::F32:
    return "<f4";
  case ElementType::F64:
    return "<f8";
  case ElementType::I1:
    return "|b1";
  case ElementType::I8:
    return "|i1";
  case ElementType::I16:
    return "<i2";
  case ElementType::I32:
    return "<i4";
  case ElementType::I64:
  case ElementType::Index:
    return "<i8";
  }
  return "";
}

/// How to turn an array `a` into one of `type`, for a message.
static std::string getConversion(ElementType type) {
  switch (type) {
  case ElementType::BF16:
    return "a.astype(ml_dtypes.bfloat16)";
  case ElementType::F16:
    return "a.astype('float16')";
  case ElementType::F32:
    return "a.astype('float32')";
  case ElementType::F64:
    return "a.astype('float64')";
  case ElementType::I1:
    return "a.astype('bool')";
  case ElementType::Index:
    return "a.astype('int64')";
  default:
    return "a.astype('int" + std::to_string(8 * getByteWidth(type)) + "')";
  }
}

Expected<ElementType>
attn::parseNpyDescr(StringRef descr, std::optional<ElementType> expected) {
  std::string mend =
      expected ? "; convert it with " + getConversion(*expected) : "";
  if (descr.starts_with(">"))
    return createStringError(
        "expected little-endian elements, but got '" + descr.str() +
        "'; convert it with a.astype(a.dtype.newbyteorder('<'))");
  // A byte has no order, and some writers say so of two-byte words as well.
  StringRef kind = descr;
  if (descr == "|V2")
    kind = "<V2";
  else if (descr == "<i1" || descr == "=i1")
    kind = "|i1";
  else if (descr == "<b1" || descr == "|?" || descr == "?")
    kind = "|b1";
  if (expected) {
    if (kind == getDescr(*expected) ||
        (*expected == ElementType::BF16 && kind == "<u2"))
      return *expected;
  } else {
    for (ElementType type :
         {ElementType::F16, ElementType::BF16, ElementType::F32,
          ElementType::F64, ElementType::I1, ElementType::I8, ElementType::I16,
          ElementType::I32, ElementType::I64})
      if (kind == getDescr(type))
        return type;
  }
  std::string wanted =
      expected ? getName(*expected).str() + " (dtype '" +
                     getDescr(*expected).str() + "')"
               : "dtype '<f2', '<V2' (bf16), '<f4', '<f8', '|b1', '|i1', "
                 "'<i2', '<i4' or '<i8'";
  return createStringError("expected " + wanted + ", but got dtype " +
                           quote(descr) + mend);
}

std::string attn::formatNpyHeader(const Array &array) {
  std::string text = "{'descr': '" + getDescr(array.getType()).str() +
                     "', 'fortran_order': False, 'shape': (";
  for (int64_t extent : array.getShape())
    text += std::to_string(extent) + (array.getRank() == 1 ? "," : ", ");
  if (array.getRank() > 1)
    text.resize(text.size() - 2);
  text += "), }";
  bool wide = text.size() > 65000;
  size_t prefix = wide ? 12 : 10;
  text.append(63 - (prefix + text.size()) % 64, ' ');
  text += '\n';
  std::string header = "\x93NUMPY";
  header += wide ? '\2' : '\1';
  header += '\0';
  for (int byte = 0; byte < (wide ? 4 : 2); ++byte)
    header += static_cast<char>(text.size() >> (8 * byte));
  return header + text;
}
