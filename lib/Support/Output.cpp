//===- Output.cpp - Files written whole or not at all -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Support/Output.h"
#include "FileError.h"

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

Error attn::writeBytes(int file, const char *data, size_t size) {
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
    if (code) {
      file.name.clear();
      return llvm::errorCodeToError(code);
    }
    llvm::sys::RemoveFileOnSignal(file.name);
    return file;
  }
  PartialFile(PartialFile &&other)
      : name(std::exchange(other.name, {})),
        descriptor(std::exchange(other.descriptor, -1)) {}
  ~PartialFile() {
    if (descriptor != -1)
      ::close(descriptor);
    if (name.empty())
      return;
    fs::remove(name);
    llvm::sys::DontRemoveFileOnSignal(name);
  }

  int getDescriptor() const { return descriptor; }
  /// What a file system writes at the end only may fail then.
  std::error_code finish() {
    return ::close(std::exchange(descriptor, -1)) == 0
               ? std::error_code()
               : std::error_code(errno, std::generic_category());
  }
  std::error_code moveTo(StringRef path) {
    std::error_code code = fs::rename(name, path);
    if (!code) {
      llvm::sys::DontRemoveFileOnSignal(name);
      name.clear();
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
    return makeFileError(path,
                         "cannot be written: it is a directory; name a file "
                         "in it");
  Expected<PartialFile> file = PartialFile::create(resolveLinks(path));
  if (!file) {
    std::error_code code = llvm::errorToErrorCode(file.takeError());
    return makeFileError(path,
                         "cannot be written: " + code.message() +
                             "; name a file in a folder that exists and can "
                             "be written to");
  }
  return file;
}

static Error writeInPlace(const OutputFile &output) {
  StringRef path = output.path;
  int file;
  if (std::error_code code =
          fs::openFileForWrite(path, file, fs::CD_OpenExisting, fs::OF_None))
    return makeFileError(path, "cannot be written: " + code.message());
  Error error = output.write(file);
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

Error attn::writeFiles(llvm::ArrayRef<OutputFile> outputs) {
  std::vector<std::pair<std::string, PartialFile>> complete;
  for (const OutputFile &output : outputs) {
    if (isSpecialFile(output.path) && !fs::is_directory(output.path))
      continue;
    Expected<PartialFile> file = createBeside(output.path);
    if (!file)
      return file.takeError();
    if (Error error = output.write(file->getDescriptor()))
      return addPath(output.path, std::move(error));
    if (std::error_code code = file->finish())
      return makeFileError(output.path, "cannot be written: " + code.message());
    complete.emplace_back(output.path, std::move(*file));
  }
  // Devices and pipes first: they may fail for want of space, a rename hardly.
  for (const OutputFile &output : outputs)
    if (isSpecialFile(output.path))
      if (Error error = writeInPlace(output))
        return error;
  for (auto &[path, file] : complete)
    if (std::error_code code = file.moveTo(resolveLinks(path)))
      return makeFileError(path, "cannot be written: " + code.message());
  return Error::success();
}
