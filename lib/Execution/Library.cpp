//===- Library.cpp - Functions compiled ahead of time -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Library.h"
#include "Codegen.h"
#include "LibraryCode.h"
#include "attn/Analysis/ExtentRelations.h"
#include "attn/Runtime/attn_rt_code.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/Path.h"
#include "llvm/TargetParser/Host.h"

using namespace mlir;

namespace attn {

/// Keywords of C99 and C++17 that are spelt like names.
static constexpr StringRef keywords[] = {"alignas",
                                         "alignof",
                                         "and",
                                         "and_eq",
                                         "asm",
                                         "auto",
                                         "bitand",
                                         "bitor",
                                         "bool",
                                         "break",
                                         "case",
                                         "catch",
                                         "char",
                                         "char16_t",
                                         "char32_t",
                                         "class",
                                         "compl",
                                         "const",
                                         "const_cast",
                                         "constexpr",
                                         "continue",
                                         "decltype",
                                         "default",
                                         "delete",
                                         "do",
                                         "double",
                                         "dynamic_cast",
                                         "else",
                                         "enum",
                                         "explicit",
                                         "export",
                                         "extern",
                                         "false",
                                         "float",
                                         "for",
                                         "friend",
                                         "goto",
                                         "if",
                                         "inline",
                                         "int",
                                         "long",
                                         "main",
                                         "mutable",
                                         "namespace",
                                         "new",
                                         "noexcept",
                                         "not",
                                         "not_eq",
                                         "nullptr",
                                         "operator",
                                         "or",
                                         "or_eq",
                                         "private",
                                         "protected",
                                         "public",
                                         "register",
                                         "reinterpret_cast",
                                         "restrict",
                                         "return",
                                         "short",
                                         "signed",
                                         "sizeof",
                                         "static",
                                         "static_assert",
                                         "static_cast",
                                         "struct",
                                         "switch",
                                         "template",
                                         "this",
                                         "thread_local",
                                         "throw",
                                         "true",
                                         "try",
                                         "typedef",
                                         "typeid",
                                         "typename",
                                         "union",
                                         "unsigned",
                                         "using",
                                         "virtual",
                                         "void",
                                         "volatile",
                                         "wchar_t",
                                         "while",
                                         "xor",
                                         "xor_eq"};

/// An error unless `symbol` can be the name of a function in C.
static llvm::Error checkSymbol(StringRef name, StringRef symbol,
                               const llvm::Triple &triple) {
  auto isLetter = [](char c) { return llvm::isAlpha(c) || c == '_'; };
  std::string reason;
  llvm::LibFunc known;
  if (symbol.empty() || !isLetter(symbol.front()) ||
      !llvm::all_of(symbol,
                    [&](char c) { return isLetter(c) || llvm::isDigit(c); }) ||
      llvm::is_contained(keywords, symbol))
    reason = "is no name of a function in C";
  else if (symbol.starts_with("_") || symbol.starts_with("attn_"))
    reason = "is a name that the system or the runtime has for itself";
  else if (llvm::TargetLibraryInfoImpl(triple).getLibFunc(symbol, known))
    reason = "is a function of the C library";
  if (reason.empty())
    return llvm::Error::success();
  return llvm::createStringError(
      "expected public functions that C can call by their names, but '" +
      symbol + "' (@" + name + ") " + reason +
      "; rename it, make it private, or choose a --prefix");
}

/// The extents of results that are extents of arguments.
static std::vector<LibraryFunction::ResultExtent>
traceResults(func::FuncOp function) {
  std::vector<LibraryFunction::ResultExtent> extents;
  if (!function.getBody().hasOneBlock())
    return extents;
  Operation *terminator = function.getBody().front().getTerminator();
  for (auto [result, value] : llvm::enumerate(terminator->getOperands())) {
    auto type = dyn_cast<RankedTensorType>(value.getType());
    for (int64_t dim = 0, rank = type ? type.getRank() : 0; dim < rank; ++dim) {
      TracedExtent extent = TracedExtent::of(value, dim);
      if (type.isDynamicDim(dim) && extent.isOfArgument(function))
        extents.push_back({static_cast<unsigned>(result),
                           static_cast<unsigned>(dim),
                           cast<BlockArgument>(extent.source).getArgNumber(),
                           static_cast<unsigned>(extent.dim)});
    }
  }
  return extents;
}

static llvm::Expected<LibraryFunction>
describeFunction(func::FuncOp function, const LibraryOptions &options,
                 const llvm::Triple &triple) {
  LibraryFunction result;
  result.name = function.getName().str();
  result.symbol = options.prefix + result.name;
  if (llvm::Error error = checkSymbol(result.name, result.symbol, triple))
    return std::move(error);
  auto inFunction = [&](llvm::Error error) {
    return llvm::createStringError("@" + result.name + ": " +
                                   llvm::toString(std::move(error)));
  };
  llvm::Expected<Signature> signature = readSignature(function);
  if (!signature)
    return inFunction(signature.takeError());
  result.signature = std::move(*signature);
  for (const auto *specs :
       {&result.signature.arguments, &result.signature.results})
    for (const TensorSpec &spec : *specs)
      if (spec.shape.size() > ATTN_MAX_RANK)
        return inFunction(llvm::createStringError(
            "expected tensors of at most " + Twine(ATTN_MAX_RANK) +
            " dimensions, but got one of " + Twine(spec.shape.size())));
  result.resultExtents = traceResults(function);
  return result;
}

/// What strided code takes as it lies: all that has rows.
static Lending getStridedLending(const Signature &signature) {
  Lending lent(signature.arguments.size(), signature.results.size());
  for (auto [index, spec] : llvm::enumerate(signature.arguments))
    lent.arguments[index] = spec.shape.size() > 1;
  for (auto [index, spec] : llvm::enumerate(signature.results))
    lent.results[index] = spec.shape.size() > 1;
  return lent;
}

namespace {

/// A CPU that is compiled for.
struct LibraryTarget {
  CompileOptions options;
  std::unique_ptr<llvm::TargetMachine> machine;
  /// The CPU as hosts call it.
  std::string name;
  uint64_t features = 0;
};

} // namespace

/// Fills in a target whose CPU is chosen.
static llvm::Error resolve(LibraryTarget &target) {
  target.options.pic = true;
  target.options.jit = false;
  if (llvm::Error error = resolveTarget(target.options))
    return error;
  llvm::Expected<uint64_t> features = restrictToTestable(target.options);
  if (!features)
    return features.takeError();
  target.features = *features;
  auto machine = createTargetMachine(target.options);
  if (!machine)
    return machine.takeError();
  target.machine = std::move(*machine);
  target.name = target.options.cpu.empty() ? "generic" : target.options.cpu;
  const llvm::Triple &triple = target.machine->getTargetTriple();
  if (!triple.isOSBinFormatELF() || !triple.isArch64Bit() ||
      !triple.isLittleEndian())
    return llvm::createStringError(
        "expected a target of 64 bits, little-endian, whose objects are ELF, "
        "but got " +
        triple.str());
  return llvm::Error::success();
}

/// The least CPU of the architecture.
static std::string getCommonCPU(const LibraryOptions &options) {
  llvm::Triple triple(options.compile.triple.empty()
                          ? llvm::sys::getProcessTriple()
                          : options.compile.triple);
  return triple.getArch() == llvm::Triple::x86_64 ? "x86-64" : "generic";
}

/// The targets that `options` ask for.
static llvm::Expected<std::vector<LibraryTarget>>
createTargets(const LibraryOptions &options) {
  std::vector<LibraryTarget> targets;
  bool gpu = options.compile.stages.device == Device::GPU;
  std::vector<std::string> names = gpu ? options.chips : options.cpus;
  if (names.empty())
    names.push_back(gpu ? getDefaultChip().str() : "native");
  for (const std::string &name : names) {
    LibraryTarget target;
    target.options = options.compile;
    target.options.cpu = gpu ? getCommonCPU(options) : name;
    if (llvm::Error error = resolve(target))
      return std::move(error);
    if (gpu) {
      std::optional<GPUTarget> chip = GPUTarget::find(name);
      if (!chip)
        return llvm::createStringError("expected chips of " +
                                       GPUTarget::listChips() + ", but got " +
                                       name);
      target.options.stages.chip = target.name = name;
      target.features =
          ATTN_RT_GPU_FEATURES(chip->getNumber(), chip->isExact());
    }
    const llvm::Triple &triple = target.machine->getTargetTriple();
    if (!gpu && names.size() > 1 && triple.getArch() != llvm::Triple::x86_64)
      return llvm::createStringError(
          "expected one --cpu for " + triple.str() +
          ", as only x86-64 is asked at run time what it is, but got " +
          Twine(names.size()));
    targets.push_back(std::move(target));
  }
  return targets;
}

namespace {

/// Compiles the functions of a module, one by one, into one of LLVM.
class LibraryBuilder {
public:
  LibraryBuilder(ModuleOp original, const LibraryOptions &options)
      : original(original), options(options) {}
  llvm::Expected<Library> build();

private:
  bool isForGPU() const { return options.compile.stages.device == Device::GPU; }
  llvm::Error addFunction(const LibraryFunction &function);
  llvm::Expected<llvm::Function *> addCode(const LibraryFunction &function,
                                           const LibraryTarget &target,
                                           Lending &lent, bool quiet);

  ModuleOp original;
  const LibraryOptions &options;
  std::vector<LibraryTarget> targets;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> module;
};

} // namespace

/// Compiles a copy of `function`, and links it into the module.
llvm::Expected<llvm::Function *>
LibraryBuilder::addCode(const LibraryFunction &function,
                        const LibraryTarget &target, Lending &lent,
                        bool quiet) {
  OwningOpRef<ModuleOp> copy = original.clone();
  CompileOptions compile = target.options;
  if (quiet)
    compile.onRemark = nullptr;
  llvm::Expected<PackedCode> packed =
      compilePacked(*copy, copy->lookupSymbol<func::FuncOp>(function.name),
                    compile, lent, context, *target.machine, options.assembler);
  if (!packed)
    return packed.takeError();
  if (isForGPU())
    defineKernels(*packed->module, packed->images,
                  *GPUTarget::find(compile.stages.chip));
  // Linking renames what is the module's own where it meets its like.
  llvm::Function *entry = packed->module->getFunction(packed->entry);
  for (llvm::GlobalObject &global : packed->module->global_objects())
    if (!global.isDeclaration() && &global != entry)
      global.setLinkage(llvm::GlobalValue::InternalLinkage);
  std::string name =
      "attn." + function.symbol + "." + target.name + (quiet ? ".more" : "");
  for (unsigned number = 0; module->getNamedValue(name); ++number)
    name += std::to_string(number);
  entry->setName(name);
  name = entry->getName().str();
  if (llvm::Linker::linkModules(*module, std::move(packed->module)))
    return llvm::createStringError("the code of @" + function.name +
                                   " cannot be linked with the others'");
  entry = module->getFunction(name);
  entry->setLinkage(llvm::GlobalValue::InternalLinkage);
  return entry;
}

llvm::Error LibraryBuilder::addFunction(const LibraryFunction &function) {
  std::vector<FunctionVersion> versions;
  const Signature &signature = function.signature;
  Lending none(signature.arguments.size(), signature.results.size());
  Lending strided = options.strided ? getStridedLending(signature) : none;
  // What is found and chosen is said once.
  bool quiet = false;
  for (const LibraryTarget &target : targets) {
    FunctionVersion version{target.name, target.features};
    auto plain = addCode(function, target, none, quiet);
    if (!plain)
      return plain.takeError();
    quiet = true;
    version.plain = *plain;
    if (!strided.none()) {
      auto code = addCode(function, target, strided, quiet);
      if (!code)
        return code.takeError();
      version.strided = *code;
    }
    versions.push_back(std::move(version));
  }
  addLibraryFunction(*module, function, versions, strided, isForGPU());
  return llvm::Error::success();
}

/// Errors of a run say where in a file, but not where that file lay: the same
/// module gives the same library.
static void dropFolders(ModuleOp module) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([](FileLineColRange location) -> Attribute {
    StringRef name = llvm::sys::path::filename(location.getFilename());
    return FileLineColRange::get(
        StringAttr::get(location.getContext(), name), location.getStartLine(),
        location.getStartColumn(), location.getEndLine(),
        location.getEndColumn());
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/false,
                                        /*replaceLocs=*/true);
}

llvm::Expected<Library> LibraryBuilder::build() {
  auto created = createTargets(options);
  if (!created)
    return created.takeError();
  targets = std::move(*created);
  llvm::TargetMachine &first = *targets.front().machine;
  Library library;
  library.triple = first.getTargetTriple().str();
  library.gpu = isForGPU();
  for (const LibraryTarget &target : targets)
    library.cpus.push_back(target.name);
  for (auto function : original.getOps<func::FuncOp>()) {
    if (!function.isPublic() || function.isDeclaration())
      continue;
    llvm::Expected<LibraryFunction> described =
        describeFunction(function, options, first.getTargetTriple());
    if (!described)
      return described.takeError();
    library.functions.push_back(std::move(*described));
  }
  if (library.functions.empty())
    return llvm::createStringError("expected a public function with a body, "
                                   "but the module has none");

  // What is common to all versions runs on the least CPU of its kind.
  TargetDescription common;
  common.triple = options.compile.triple;
  common.jit = false;
  if (first.getTargetTriple().getArch() == llvm::Triple::x86_64)
    common.cpu = getCommonCPU(options);
  auto machine = createTargetMachine(common);
  if (!machine)
    return machine.takeError();
  module = std::make_unique<llvm::Module>("attn", context);
  module->setDataLayout((*machine)->createDataLayout());
  module->setTargetTriple((*machine)->getTargetTriple());
  module->setPICLevel(llvm::PICLevel::BigPIC);
  for (const LibraryFunction &function : library.functions)
    if (llvm::Error error = addFunction(function))
      return std::move(error);
  auto object = compileToObject(*module, **machine);
  if (!object)
    return object.takeError();
  library.object = std::move(*object);
  return library;
}

llvm::Error checkLibraryTargets(const LibraryOptions &options) {
  return createTargets(options).takeError();
}

llvm::Expected<Library> compileLibrary(ModuleOp module,
                                       const LibraryOptions &options) {
  OwningOpRef<ModuleOp> copy = module.clone();
  dropFolders(*copy);
  return LibraryBuilder(*copy, options).build();
}

} // namespace attn
