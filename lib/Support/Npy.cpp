//===- Npy.cpp - Reading and writing .npy files -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Npy.h"
#include "NpyHeader.h"

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

/// `text` as an error that names the file.
static Error makeError(StringRef path, const std::string &text) {
  return createStringError("'" + path.str() + "': " + text);
}

static Error addPath(StringRef path, Error error) {
  return makeError(path, llvm::toString(std::move(error)));
}

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
    return makeError(path, "cannot be opened: " + code.message());
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

static Error writeBytes(int file, const char *data, size_t size) {
  while (size) {
    ssize_t now = ::write(file, data, std::min<size_t>(size, 1 << 30));
    if (now < 0 && errno == EINTR)
      continue;
    if (now < 0)
      return createStringError("cannot be written: " +
                               std::string(std::strerror(errno)));
    data += now;
    size -= now;
  }
  return Error::success();
}

static Error writeArray(int file, const Array &array) {
  std::string header = formatNpyHeader(array);
  if (Error error = writeBytes(file, header.data(), header.size()))
    return error;
  return writeBytes(file, static_cast<const char *>(array.getData()),
                    array.getNumBytes());
}

/// The file that writing to `path` writes: symbolic links, which a rename would
/// replace, are followed, also to files that do not exist yet.
static std::string resolveLinks(StringRef path) {
  std::string resolved = path.str();
  // As many as the system follows.
  for (int links = 0; links < 40; ++links) {
    char link[PATH_MAX];
    ssize_t size = ::readlink(resolved.c_str(), link, sizeof(link));
    if (size < 0)
      break;
    // A relative one starts from its own folder.
    llvm::SmallString<128> target;
    if (link[0] != '/')
      target = llvm::sys::path::parent_path(resolved);
    llvm::sys::path::append(target, StringRef(link, size));
    resolved = target.str().str();
  }
  return resolved;
}

/// One spelling of each file, whatever folders and links lead to it.
static std::string canonicalize(StringRef path) {
  std::string resolved = resolveLinks(path);
  StringRef folder = llvm::sys::path::parent_path(resolved);
  llvm::SmallString<128> canonical;
  if (fs::real_path(folder.empty() ? "." : folder, canonical))
    return resolved;
  llvm::sys::path::append(canonical, llvm::sys::path::filename(resolved));
  return canonical.str().str();
}

/// Whether something lies at `path` that a rename must not replace.
static bool isSpecialFile(StringRef path) {
  fs::file_status status;
  return !fs::status(path, status) && fs::exists(status) &&
         status.type() != fs::file_type::regular_file;
}

namespace {
/// A file that takes its place when it is complete, and is gone otherwise.
/// (llvm::sys::fs::TempFile takes each % of a path for a random digit.)
class PartialFile {
public:
  static Expected<PartialFile> create(StringRef path) {
    PartialFile file;
    std::error_code code;
    do {
      file.name = path.str() + ".tmp-" +
                  llvm::utohexstr(llvm::sys::Process::GetRandomNumber());
      code = fs::openFileForWrite(file.name, file.descriptor, fs::CD_CreateNew);
    } while (code == std::errc::file_exists);
    if (code)
      return llvm::errorCodeToError(code);
    llvm::sys::RemoveFileOnSignal(file.name);
    return file;
  }
  PartialFile(PartialFile &&other)
      : name(std::move(other.name)),
        descriptor(std::exchange(other.descriptor, -1)) {}
  ~PartialFile() {
    if (descriptor == -1)
      return;
    ::close(descriptor);
    fs::remove(name);
    llvm::sys::DontRemoveFileOnSignal(name);
  }

  int getDescriptor() const { return descriptor; }
  std::error_code moveTo(StringRef path) {
    std::error_code code = fs::rename(name, path);
    if (!code) {
      ::close(std::exchange(descriptor, -1));
      llvm::sys::DontRemoveFileOnSignal(name);
    }
    return code;
  }

private:
  PartialFile() = default;

  std::string name;
  int descriptor = -1;
};
} // namespace

/// A partial file in the folder of `path`, or an error that says why there can
/// be none.
static Expected<PartialFile> createBeside(StringRef path) {
  if (path.empty())
    return createStringError("expected the name of a file to write, but got "
                             "an empty one");
  if (fs::is_directory(path))
    return makeError(path, "cannot be written: it is a directory; name a file "
                           "in it");
  Expected<PartialFile> file = PartialFile::create(resolveLinks(path));
  if (!file) {
    std::error_code code = llvm::errorToErrorCode(file.takeError());
    return makeError(path, "cannot be written: " + code.message() +
                               "; name a file in a folder that exists and can "
                               "be written to");
  }
  return file;
}

static Error writeInPlace(StringRef path, const Array &array) {
  int file;
  if (std::error_code code =
          fs::openFileForWrite(path, file, fs::CD_OpenExisting, fs::OF_None))
    return makeError(path, "cannot be written: " + code.message());
  Error error = writeArray(file, array);
  ::close(file);
  return error ? addPath(path, std::move(error)) : Error::success();
}

Error attn::checkWritable(llvm::ArrayRef<std::string> paths) {
  llvm::StringMap<StringRef> seen;
  for (StringRef path : paths) {
    auto [first, inserted] = seen.insert({canonicalize(path), path});
    if (!inserted)
      return createStringError(
          "expected each output to be another file, but '" +
          first->second.str() + "' and '" + path.str() +
          "' are one; write them to two");
    if (isSpecialFile(path) && !fs::is_directory(path))
      continue;
    if (Error error = createBeside(path).takeError())
      return error;
  }
  return Error::success();
}

Error attn::writeNpyFiles(
    llvm::ArrayRef<std::pair<std::string, const Array *>> files) {
  std::vector<std::pair<std::string, PartialFile>> complete;
  for (auto &[path, array] : files) {
    if (isSpecialFile(path) && !fs::is_directory(path))
      continue;
    Expected<PartialFile> file = createBeside(path);
    if (!file)
      return file.takeError();
    if (Error error = writeArray(file->getDescriptor(), *array))
      return addPath(path, std::move(error));
    complete.emplace_back(path, std::move(*file));
  }
  // Devices and pipes first: they may fail for want of space, a rename hardly.
  for (auto &[path, array] : files)
    if (isSpecialFile(path))
      if (Error error = writeInPlace(path, *array))
        return error;
  for (auto &[path, file] : complete)
    if (std::error_code code = file.moveTo(resolveLinks(path)))
      return makeError(path, "cannot be written: " + code.message());
  return Error::success();
}

Error attn::writeNpy(StringRef path, const Array &array) {
  return writeNpyFiles({{path.str(), &array}});
}
