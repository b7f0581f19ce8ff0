//===- CommandLine.h - Tables of options, parsed by hand --------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Options are parsed by hand: those of llvm::cl are global, and libMLIR
// registers hundreds.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_TOOLS_COMMANDLINE_H
#define ATTN_LIB_TOOLS_COMMANDLINE_H

#include "attn/Pipelines/Pipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

namespace attn {

enum class OptionValue { None, Optional, Required };

/// An option of a tool whose command line is read into an `OptionsT`, which has
/// members `file`, `help` and `version`.
template <typename OptionsT> struct CommandOption {
  llvm::StringRef name;
  OptionValue value;
  llvm::StringRef placeholder, help;
  /// Null for `None` stands for setting `flag`.
  llvm::Error (*parse)(llvm::StringRef, OptionsT &);
  bool OptionsT::*flag = nullptr;

  /// As it is written: `-o`, `--cpu`.
  std::string spell() const {
    return (name.size() == 1 ? "-" : "--") + name.str();
  }
  /// The same with its value: `-o NAME`, `--cpu=NAME`.
  std::string spellValue() const {
    return spell() + (name.size() == 1 ? " " : "=") + placeholder.str();
  }

  /// Parses a text that is taken as it is.
  template <std::string OptionsT::*member>
  static llvm::Error parseText(llvm::StringRef text, OptionsT &options) {
    options.*member = text.str();
    return llvm::Error::success();
  }
};

/// The error of a value that is not what an option takes.
inline llvm::Error makeValueError(const std::string &expected,
                                  llvm::StringRef got) {
  return llvm::createStringError("expected " + expected + ", but got '" +
                                 got.str() + "'");
}

/// Reads `auto`, `always` or `never`.
template <typename PolicyT>
llvm::Error parsePolicy(llvm::StringRef text, llvm::StringRef option,
                        PolicyT &policy) {
  if (text == "auto")
    policy = PolicyT::Auto;
  else if (text == "always")
    policy = PolicyT::Always;
  else if (text == "never")
    policy = PolicyT::Never;
  else
    return makeValueError("--" + option.str() + "=auto, always or never", text);
  return llvm::Error::success();
}

/// The options of a tool.
template <typename OptionsT> class CommandLine {
public:
  using Option = CommandOption<OptionsT>;
  explicit CommandLine(llvm::ArrayRef<Option> table) : table(table) {}

  void printHelp(llvm::raw_ostream &os) const;

  /// Reads the command line, which names one file. Stops at --help and
  /// --version. An error is one line.
  llvm::Error parse(llvm::ArrayRef<char *> argv, OptionsT &options) const;

private:
  llvm::Error parseOption(llvm::ArrayRef<char *> argv, size_t &position,
                          OptionsT &options) const;
  std::string suggest(llvm::StringRef name) const;

  llvm::ArrayRef<Option> table;
};

template <typename OptionsT>
void CommandLine<OptionsT>::printHelp(llvm::raw_ostream &os) const {
  for (const Option &option : table) {
    std::string usage = option.spell();
    if (option.value == OptionValue::Required)
      usage = option.spellValue();
    else if (option.value == OptionValue::Optional)
      usage += "[=" + option.placeholder.str() + "]";
    os << "  " << llvm::left_justify(usage, 30) << " " << option.help << "\n";
  }
}

/// The option nearest to a misspelt one, for the error.
template <typename OptionsT>
std::string CommandLine<OptionsT>::suggest(llvm::StringRef name) const {
  const Option *best = nullptr;
  unsigned bestDistance = std::min<unsigned>(4, name.size() / 2 + 1);
  for (const Option &option : table) {
    unsigned distance = name.edit_distance(option.name);
    if (distance < bestDistance) {
      best = &option;
      bestDistance = distance;
    }
  }
  return best ? "; did you mean " + best->spell() + "?" : "; --help lists them";
}

template <typename OptionsT>
llvm::Error CommandLine<OptionsT>::parseOption(llvm::ArrayRef<char *> argv,
                                               size_t &position,
                                               OptionsT &options) const {
  llvm::StringRef text = argv[position];
  text.consume_front("-");
  text.consume_front("-");
  llvm::StringRef name, value;
  std::tie(name, value) = text.split('=');
  bool hasValue = text.size() > name.size();
  const Option *option = llvm::find_if(
      table, [&](const Option &option) { return option.name == name; });
  if (option == table.end())
    return llvm::createStringError(
        "unknown option '" + std::string(argv[position]) + "'" + suggest(name));
  if (option->value == OptionValue::None) {
    if (hasValue)
      return llvm::createStringError("expected " + option->spell() +
                                     " without a value, but got '" +
                                     value.str() + "'");
    options.*option->flag = true;
    return llvm::Error::success();
  }
  if (option->value == OptionValue::Required && !hasValue) {
    if (position + 1 == argv.size())
      return llvm::createStringError("expected " + option->spellValue() +
                                     ", but the value is missing");
    value = argv[++position];
  }
  if (option->value == OptionValue::Optional && hasValue && value.empty())
    return llvm::createStringError("expected " + option->spell() + " or " +
                                   option->spellValue() +
                                   ", but the value is missing");
  return option->parse(value, options);
}

template <typename OptionsT>
llvm::Error CommandLine<OptionsT>::parse(llvm::ArrayRef<char *> argv,
                                         OptionsT &options) const {
  bool onlyFiles = false;
  for (size_t position = 1; position < argv.size(); ++position) {
    llvm::StringRef text = argv[position];
    if (text == "--" && !onlyFiles) {
      onlyFiles = true;
      continue;
    }
    if (text.size() > 1 && text.starts_with("-") && !onlyFiles) {
      if (llvm::Error error = parseOption(argv, position, options))
        return error;
      if (options.help || options.version)
        return llvm::Error::success();
      continue;
    }
    if (text.empty())
      return makeValueError("FILE.mlir (or - for stdin)", text);
    if (!options.file.empty())
      return llvm::createStringError("expected one FILE.mlir, but got '" +
                                     options.file + "' and '" + text.str() +
                                     "'");
    options.file = text.str();
  }
  if (options.file.empty())
    return llvm::createStringError("expected FILE.mlir (or - for stdin), but "
                                   "no file is named; --help lists the "
                                   "options");
  return llvm::Error::success();
}

} // namespace attn

#endif // ATTN_LIB_TOOLS_COMMANDLINE_H
