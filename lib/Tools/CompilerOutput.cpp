//===- CompilerOutput.cpp - Objects, archives, shared libraries -*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CompilerOutput.h"
#include "CompilerHeader.h"

#include "attn/Support/TemporaryFile.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace attn;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

namespace path = llvm::sys::path;

using Buffer = std::unique_ptr<llvm::MemoryBuffer>;

/// The runtime that goes into libraries.
static Expected<Buffer> readRuntime(const CompilerCommand &command,
                                    StringRef tool) {
  llvm::SmallVector<std::string> places;
  if (!command.runtime.empty())
    places.push_back(command.runtime);
  else
    for (StringRef folder : {"lib", ATTN_INSTALL_LIBDIR}) {
      llvm::SmallString<256> place(path::parent_path(path::parent_path(tool)));
      path::append(place, folder, "libattn_rt.a");
      places.push_back(place.str().str());
    }
  for (const std::string &place : places)
    if (auto file = llvm::MemoryBuffer::getFile(place))
      return std::move(*file);
  return createStringError("expected the runtime at '" + places.front() +
                           "', but it cannot be read; name it by "
                           "--runtime=FILE.a");
}

/// An archive of the object and of what `runtime` has.
static Expected<Buffer> makeArchive(const Library &library,
                                    const llvm::MemoryBuffer &runtime) {
  auto archive = llvm::object::Archive::create(runtime.getMemBufferRef());
  if (!archive)
    return createStringError("the runtime is no archive: " +
                             llvm::toString(archive.takeError()));
  std::vector<llvm::NewArchiveMember> members;
  members.emplace_back(
      llvm::MemoryBufferRef(library.object->getBuffer(), "attn.o"));
  Error error = Error::success();
  for (const auto &child : (*archive)->children(error)) {
    auto member =
        llvm::NewArchiveMember::getOldMember(child, /*Deterministic=*/true);
    if (!member)
      return member.takeError();
    members.push_back(std::move(*member));
  }
  if (error)
    return std::move(error);
  return llvm::writeArchiveToBuffer(
      members, llvm::SymtabWritingMode::NormalSymtab,
      llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
}

static Expected<std::string> findLinker(const CompilerCommand &command) {
  llvm::SmallVector<StringRef> names{"cc", "gcc", "clang", "clang-22"};
  if (!command.linker.empty())
    names = {command.linker};
  for (StringRef name : names)
    if (auto found = llvm::sys::findProgramByName(name))
      return *found;
  return createStringError(
      "expected a C compiler that links the shared library, but there is no " +
      llvm::join(names, ", ") + "; name one by --cc, or write a .a");
}

static Expected<Buffer> linkShared(const CompilerCommand &command,
                                   const Library &library,
                                   const llvm::MemoryBuffer &runtime) {
  Expected<std::string> linker = findLinker(command);
  if (!linker)
    return linker.takeError();
  // Nothing is visible but what the header declares.
  std::string symbols = "{ global: ";
  for (const LibraryFunction &function : library.functions)
    symbols += function.symbol + "; ";
  for (StringRef name : getHostFunctions(library.gpu))
    symbols += name.str() + "; ";
  symbols += "local: *; };\n";
  TemporaryFile object, archive, script, output, messages;
  if (Error error = object.create("o", library.object->getBuffer()))
    return std::move(error);
  if (Error error = archive.create("a", runtime.getBuffer()))
    return std::move(error);
  if (Error error = script.create("map", symbols))
    return std::move(error);
  if (Error error = output.create("so", ""))
    return std::move(error);
  if (Error error = messages.create("txt", ""))
    return std::move(error);
  std::string name = path::filename(command.output).str();
  // One argument of the linker's each: -Wl takes a comma for their end.
  std::string versions = "--version-script=" + script.getPath().str();
  std::string soname = "-soname=" + name;
  // Calls among them stay within, whatever else the process has loaded.
  StringRef arguments[] = {*linker,
                           "-shared",
                           "-o",
                           output.getPath(),
                           object.getPath(),
                           archive.getPath(),
                           "-lm",
                           "-Xlinker",
                           versions,
                           "-Xlinker",
                           soname,
                           "-Wl,-Bsymbolic",
                           "-Wl,--no-undefined",
                           "-Wl,--build-id=none",
                           "-Wl,-s"};
  std::optional<StringRef> redirects[] = {StringRef(), messages.getPath(),
                                          messages.getPath()};
  std::string failure;
  int status = llvm::sys::ExecuteAndWait(*linker, arguments, std::nullopt,
                                         redirects, 0, 0, &failure);
  if (status != 0) {
    if (auto text = llvm::MemoryBuffer::getFile(messages.getPath()))
      failure += (*text)->getBuffer().split('\n').first;
    return createStringError("the library cannot be linked by " +
                             path::filename(*linker).str() +
                             (failure.empty() ? "" : ": " + failure));
  }
  auto linked = llvm::MemoryBuffer::getFile(output.getPath(), /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false,
                                            /*IsVolatile=*/true);
  if (!linked)
    return createStringError("the library that was linked cannot be read: " +
                             linked.getError().message());
  return std::move(*linked);
}

Expected<Buffer> attn::makeOutput(const CompilerCommand &command,
                                  Library &library, StringRef tool) {
  if (command.kind == LibraryKind::Object)
    return std::move(library.object);
  Expected<Buffer> runtime = readRuntime(command, tool);
  if (!runtime)
    return runtime.takeError();
  return command.kind == LibraryKind::Static
             ? makeArchive(library, **runtime)
             : linkShared(command, library, **runtime);
}
