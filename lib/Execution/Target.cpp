//===- Target.cpp - What code is generated for ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Codegen.h"
#include "attn/Runtime/attn_rt_code.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <mutex>

using namespace mlir;

namespace attn {

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

static void initializeTarget(const TargetDescription &description) {
  static std::once_flag native, all;
  std::call_once(native, [] {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser();
  });
  if (!description.triple.empty())
    std::call_once(all, [] {
      llvm::InitializeAllTargetInfos();
      llvm::InitializeAllTargets();
      llvm::InitializeAllTargetMCs();
      llvm::InitializeAllAsmPrinters();
    });
}

static llvm::Triple getTriple(const TargetDescription &description) {
  return llvm::Triple(description.triple.empty()
                          ? llvm::sys::getProcessTriple()
                          : llvm::Triple::normalize(description.triple));
}

/// The target's features as LLVM knows them, those of the CPU changed by the
/// list.
static llvm::Expected<std::unique_ptr<llvm::MCSubtargetInfo>>
createSubtarget(const TargetDescription &description) {
  llvm::Triple triple = getTriple(description);
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError("expected a target that LLVM supports, but got " +
                     triple.str() + ": " + message);
  return std::unique_ptr<llvm::MCSubtargetInfo>(target->createMCSubtargetInfo(
      triple, description.cpu, description.features));
}

/// Refuses a CPU or a feature that LLVM does not know: it would only warn, once
/// for every use, and compile for something else. And one without what code for
/// this process cannot do without: LLVM would abort.
static llvm::Error checkTarget(const TargetDescription &description) {
  StringRef cpu = description.cpu, features = description.features;
  llvm::Triple triple = getTriple(description);
  TargetDescription plain;
  plain.triple = description.triple;
  auto info = createSubtarget(plain);
  if (!info)
    return info.takeError();
  if (!cpu.empty() && !(*info)->isCPUStringValid(cpu)) {
    llvm::Triple host(llvm::sys::getProcessTriple());
    StringRef hint = triple.getArch() == host.getArch()
                         ? llvm::sys::getHostCPUName()
                         : "generic";
    return makeError("expected a CPU that LLVM knows for " + triple.str() +
                     ", but got '" + cpu + "'; try " + hint);
  }
  llvm::SmallVector<StringRef> parts;
  features.split(parts, ',', -1, /*KeepEmpty=*/false);
  for (StringRef part : parts) {
    StringRef name = part.trim();
    bool sign = name.consume_front("+") || name.consume_front("-");
    bool known = llvm::any_of((*info)->getAllProcessorFeatures(),
                              [&](const llvm::SubtargetFeatureKV &known) {
                                return name == known.Key;
                              });
    if (!sign || !known)
      return makeError("expected --features of +NAME and -NAME that "
                       "LLVM knows for " +
                       triple.str() + ", but got '" + part.str() + "'");
  }
  if (triple.getArch() != llvm::Triple::x86_64)
    return llvm::Error::success();
  auto chosen = createSubtarget(description);
  if (!chosen)
    return chosen.takeError();
  for (StringRef needed : {"+64bit", "+64bit-mode", "+sse2", "-16bit-mode",
                           "-32bit-mode", "-soft-float"})
    if (!(*chosen)->checkFeatures(needed)) {
      std::string given = cpu.empty() ? "" : "--cpu=" + cpu.str();
      if (!features.empty())
        given += (cpu.empty() ? "" : " ") + ("--features=" + features).str();
      return makeError("expected a target with" +
                       StringRef(needed.front() == '+' ? " " : "out ") +
                       needed.drop_front() + ", as " + triple.str() +
                       " demands, but got " + given + "; try --cpu=x86-64");
    }
  return llvm::Error::success();
}

/// Whether code that nobody wrote by hand may hold instructions of an x86
/// feature. Those of the others (keys of pages, random numbers, transactions)
/// take an intrinsic or the system to ask for.
static bool isUsedByCode(StringRef feature) {
  static constexpr StringRef prefixes[] = {"sse", "ssse", "avx",
                                           "fma", "bmi",  "cx"};
  static constexpr StringRef names[] = {
      "64bit",  "ccmp",      "cf",    "cmov", "egpr", "f16c",   "gfni",
      "lzcnt",  "mmx",       "movbe", "ndd",  "nf",   "popcnt", "ppx",
      "prfchw", "push2pop2", "sahf",  "tbm",  "x87",  "xop",    "zu"};
  return llvm::is_contained(names, feature) ||
         llvm::any_of(prefixes, [&](StringRef prefix) {
           return feature.starts_with(prefix);
         });
}

llvm::Error checkHostRuns(const CompileOptions &options) {
  llvm::Triple triple = getTriple(options), host(llvm::sys::getProcessTriple());
  if (triple.getArch() != host.getArch() || triple.getOS() != host.getOS())
    return makeError("expected a target that this machine can execute, which "
                     "is " +
                     host.str() + ", but got " + triple.str());
  auto info = createSubtarget(options);
  if (!info)
    return info.takeError();
  llvm::StringMap<bool> features = llvm::sys::getHostCPUFeatures();
  llvm::SmallVector<StringRef> lacking;
  for (const auto &known : (*info)->getAllProcessorFeatures()) {
    auto found = features.find(known.Key);
    if (found != features.end() && !found->second &&
        (!triple.isX86() || isUsedByCode(known.Key)) &&
        (*info)->getFeatureBits().test(known.Value))
      lacking.push_back(known.Key);
  }
  if (lacking.empty())
    return llvm::Error::success();
  constexpr size_t shown = 3;
  std::string names = llvm::join(ArrayRef(lacking).take_front(shown), ", ");
  if (lacking.size() > shown)
    names += " and " + std::to_string(lacking.size() - shown) + " more";
  return makeError("expected a target that this machine can execute, but "
                   "--cpu and --features ask for " +
                   names +
                   ", which it lacks; leave them out, or only show the code "
                   "with --emit");
}

llvm::Expected<uint64_t> restrictToTestable(TargetDescription &description) {
  if (getTriple(description).getArch() != llvm::Triple::x86_64)
    return 0;
  auto info = createSubtarget(description);
  if (!info)
    return info.takeError();
#define ATTN_FEATURE_NAME(name) name,
  static constexpr StringRef testable[] = {
      ATTN_RT_X86_FEATURES(ATTN_FEATURE_NAME)};
#undef ATTN_FEATURE_NAME
  // All that have 64 bits.
  static constexpr StringRef common[] = {"64bit",  "64bit-mode", "cmov", "cx8",
                                         "cx16",   "mmx",        "sse",  "sse2",
                                         "prfchw", "sahf",       "x87"};
  // What no machine has is not a feature, but says how code is tuned.
  llvm::StringMap<bool> known = llvm::sys::getHostCPUFeatures();
  uint64_t features = 0;
  for (const auto &feature : (*info)->getAllProcessorFeatures()) {
    StringRef name = feature.Key;
    if (!(*info)->getFeatureBits().test(feature.Value) || !isUsedByCode(name) ||
        llvm::is_contained(common, name))
      continue;
    const auto *found = llvm::find(testable, name);
    if (found != std::end(testable))
      features |= uint64_t(1) << (found - std::begin(testable));
    else if (known.contains(name))
      description.features +=
          (description.features.empty() ? "-" : ",-") + name.str();
  }
  return features;
}

llvm::Error resolveTarget(CompileOptions &options) {
  initializeTarget(options);
  bool native = options.cpu.empty() || options.cpu == "native";
  if (native)
    options.cpu.clear();
  if (llvm::Error error = checkTarget(options))
    return error;
  if (native && getTriple(options).getArch() ==
                    llvm::Triple(llvm::sys::getProcessTriple()).getArch()) {
    options.cpu = llvm::sys::getHostCPUName().str();
    llvm::SubtargetFeatures features;
    for (const auto &feature : llvm::sys::getHostCPUFeatures())
      features.AddFeature(feature.getKey(), feature.getValue());
    if (!options.features.empty())
      features.addFeaturesVector(
          llvm::SubtargetFeatures(options.features).getFeatures());
    options.features = features.getString();
  }
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> machine =
      createTargetMachine(options);
  if (!machine)
    return machine.takeError();
  const llvm::MCSubtargetInfo *info = (*machine)->getMCSubtargetInfo();
  llvm::Triple triple = (*machine)->getTargetTriple();
  options.stages.target = TargetInfo();
  if (triple.isAArch64()) {
    options.stages.target.numRegisters = 32;
    options.stages.target.hasFma = true;
  }
  if (!triple.isX86())
    return llvm::Error::success();
  // What the CPU implies, as a list of features.
  llvm::SubtargetFeatures features;
  for (StringRef name : {"avx2", "fma", "avx512f", "avx512vl", "avx512dq",
                         "avx512bw", "avx512bf16"})
    features.AddFeature(name, info->checkFeatures("+" + name.str()));
  options.stages.target = TargetInfo::fromFeatures(features.getString());
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
createTargetMachine(const TargetDescription &description) {
  initializeTarget(description);
  llvm::Triple triple = getTriple(description);
  std::string message;
  const llvm::Target *target =
      llvm::TargetRegistry::lookupTarget(triple, message);
  if (!target)
    return makeError("expected a target that LLVM supports, but got " +
                     triple.str() + ": " + message);
  llvm::TargetOptions targetOptions;
  std::unique_ptr<llvm::TargetMachine> machine(target->createTargetMachine(
      triple, description.cpu, description.features, targetOptions,
      description.pic ? llvm::Reloc::PIC_ : llvm::Reloc::Static, std::nullopt,
      llvm::CodeGenOptLevel::Default, description.jit));
  if (!machine)
    return makeError("expected a CPU that LLVM knows, but got " +
                     description.cpu);
  return machine;
}

} // namespace attn
