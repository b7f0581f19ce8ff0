//===- Npy.cpp - Reading and writing .npy files -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Npy.h"
#include "FileError.h"
#include "NpyHeader.h"
#include "attn/Support/Output.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/Errc.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

#include <cerrno>
#include <climits>
#include <cstring>
#include <unistd.h>
#include <utility>

using namespace attn;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace fs = llvm::sys::fs;

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// Reads up to `size` bytes; fewer only at the end of the file.
static Expected<size_t> readBytes(int file, char *buffer, size_t size) {
  size_t done = 0;
  while (done < size) {
    // The kernel reads at most 2 GiB at once.
    ssize_t now =
        ::read(file, buffer + done, std::min<size_t>(size - done, 1 << 30));
    if (now < 0 && errno == EINTR)
      continue;
    if (now < 0)
      return createStringError("cannot be read: " +
                               std::string(std::strerror(errno)));
    if (now == 0)
      break;
    done += now;
  }
  return done;
}

/// Reads magic, version and dictionary; `offset` is where the elements start.
static Expected<NpyHeader> readHeader(int file, uint64_t &offset) {
  constexpr size_t maxHeaderSize = 1 << 20;
  char start[12];
  Expected<size_t> size = readBytes(file, start, 10);
  if (!size)
    return size.takeError();
  if (*size == 0)
    return createStringError(
        "expected a .npy file, but the file is empty; write it with "
        "numpy.save");
  if (StringRef(start, std::min<size_t>(*size, 6)) != "\x93NUMPY")
    return createStringError(
        StringRef(start, std::min<size_t>(*size, 4)) == "PK\3\4"
            ? "expected a .npy file, but got a zip archive (.npz); save each "
              "array with numpy.save"
            : "expected a .npy file, but it does not start with '\\x93NUMPY'; "
              "write it with numpy.save");
  if (*size < 10)
    return createStringError("expected a header of at least 10 bytes, but the "
                             "file is truncated after " +
                             std::to_string(*size) + "; write it again");
  auto byte = [&](int position) { return uint8_t(start[position]); };
  if (byte(6) < 1 || byte(6) > 3 || byte(7) != 0)
    return createStringError("expected .npy version 1.0, 2.0 or 3.0, but got " +
                             std::to_string(byte(6)) + "." +
                             std::to_string(byte(7)) +
                             "; write it with numpy.save");
  size_t length = byte(8) | byte(9) << 8;
  offset = 10;
  if (byte(6) > 1) {
    size = readBytes(file, start + 10, 2);
    if (!size)
      return size.takeError();
    length |= *size == 2 ? size_t(byte(10)) << 16 | size_t(byte(11)) << 24 : 0;
    offset = 12;
  }
  if (length > maxHeaderSize)
    return createStringError("expected a header of at most " +
                             std::to_string(maxHeaderSize) +
                             " bytes, but got " + std::to_string(length) +
                             "; write it with numpy.save");
  std::string text(length, 0);
  size = readBytes(file, text.data(), length);
  if (!size)
    return size.takeError();
  if (*size != length)
    return createStringError("expected a header of " + std::to_string(length) +
                             " bytes, but the file is truncated after " +
                             std::to_string(*size) +
                             " of them; write it again");
  offset += length;
  return parseNpyHeader(text);
}

static Error makeSizeError(const Array &array, const std::string &got) {
  return createStringError("expected " + std::to_string(array.getNumBytes()) +
                           " bytes of elements for " + array.toString() +
                           ", but got " + got +
                           "; the file is damaged, write it again");
}

static Expected<Array> readOpenFile(int file,
                                    std::optional<ElementType> expected) {
  uint64_t offset = 0;
  Expected<NpyHeader> header = readHeader(file, offset);
  if (!header)
    return header.takeError();
  Expected<ElementType> type = parseNpyDescr(header->descr, expected);
  if (!type)
    return type.takeError();
  llvm::SmallVector<int64_t> &shape = header->shape;
  if (header->fortranOrder && shape.size() > 1)
    return createStringError("expected C order, but got Fortran order; convert "
                             "it with numpy.ascontiguousarray(a)");
  Expected<int64_t> bytes = countBytes(*type, shape);
  if (!bytes)
    return bytes.takeError();
  fs::file_status status;
  if (!fs::status(file, status) &&
      status.type() == fs::file_type::regular_file) {
    uint64_t got = status.getSize() - std::min(status.getSize(), offset);
    if (got < uint64_t(*bytes))
      return createStringError(
          "expected " + std::to_string(*bytes) + " bytes of elements for " +
          toString(shape, *type) + ", but got " + std::to_string(got) +
          "; the file is truncated, write it again");
  }
  Expected<Array> array = Array::create(*type, shape);
  if (!array)
    return array.takeError();
  Expected<size_t> got =
      readBytes(file, static_cast<char *>(array->getData()), *bytes);
  if (!got)
    return got.takeError();
  if (*got != size_t(*bytes))
    return makeSizeError(*array, std::to_string(*got));
  char more;
  got = readBytes(file, &more, 1);
  if (!got)
    return got.takeError();
  if (*got)
    return makeSizeError(*array, "more");
  if (*type == ElementType::I1) {
    const auto *data = static_cast<const uint8_t *>(array->getData());
    for (int64_t position = 0; position < *bytes; ++position)
      if (data[position] > 1)
        return createStringError("expected booleans to be 0 or 1, but got " +
                                 std::to_string(data[position]) + " at " +
                                 array->formatIndex(position) +
                                 "; convert it with a != 0");
  }
  return array;
}

Expected<Array> attn::readNpy(StringRef path,
                              std::optional<ElementType> expected) {
  Expected<fs::file_t> file = fs::openNativeFileForRead(path);
  if (!file) {
    std::error_code code = llvm::errorToErrorCode(file.takeError());
    return makeFileError(path, "cannot be opened: " + code.message());
  }
  llvm::scope_exit close([&] { fs::closeFile(*file); });
  Expected<Array> array = readOpenFile(*file, expected);
  if (!array)
    return addPath(path, array.takeError());
  return array;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static Error writeArray(int file, const Array &array) {
  std::string header = formatNpyHeader(array);
  if (Error error = writeBytes(file, header.data(), header.size()))
    return error;
  return writeBytes(file, static_cast<const char *>(array.getData()),
                    array.getNumBytes());
}

Error attn::writeNpyFiles(
    llvm::ArrayRef<std::pair<std::string, const Array *>> files) {
  std::vector<OutputFile> outputs;
  for (const auto &[path, array] : files)
    outputs.push_back(
        {path, [array = array](int file) { return writeArray(file, *array); }});
  return writeFiles(outputs);
}

Error attn::writeNpy(StringRef path, const Array &array) {
  return writeNpyFiles({{path.str(), &array}});
}
