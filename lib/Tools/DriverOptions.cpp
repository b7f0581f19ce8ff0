//===- DriverOptions.cpp - The command line of attn-run ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DriverOptions.h"
#include "CommandLine.h"

#include <cmath>

using namespace attn;
using llvm::createStringError;
using llvm::Error;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

static Error parseNumber(StringRef text, int64_t lo, int64_t hi,
                         StringRef option, int64_t &value) {
  if (!text.getAsInteger(10, value) && value >= lo && value <= hi)
    return Error::success();
  return makeValueError("--" + option.str() + "=N with N from " +
                            std::to_string(lo) + " to " + std::to_string(hi),
                        text);
}

static Error parseThreads(StringRef text, DriverOptions &options) {
  llvm::SmallVector<StringRef> numbers;
  text.split(numbers, ',');
  options.threads.clear();
  for (StringRef number : numbers) {
    int64_t value = 0;
    if (Error error = parseNumber(number, 1, 1024, "threads", value))
      return error;
    options.threads.push_back(value);
  }
  return Error::success();
}

/// Extents between 'x'; the empty text is rank 0.
static bool parseShape(StringRef text, llvm::SmallVector<int64_t> &shape) {
  if (text.empty())
    return true;
  llvm::SmallVector<StringRef> extents;
  text.split(extents, 'x');
  for (StringRef extent : extents)
    if (extent.getAsInteger(10, shape.emplace_back()) || shape.back() < 0)
      return false;
  return true;
}

static Error parseShapeOption(StringRef text, DriverOptions &options) {
  ShapeOption option;
  StringRef extents = text;
  if (text.contains(':')) {
    StringRef argument;
    std::tie(argument, extents) = text.split(':');
    int64_t number;
    if (argument.getAsInteger(10, number) || number < 0)
      return makeValueError("--shape=[ARG:]2x8x128x64 with ARG counted from 0",
                            text);
    if (llvm::any_of(options.shapes, [&](const ShapeOption &other) {
          return other.argument == number;
        }))
      return createStringError("expected one --shape per argument, but "
                               "argument " +
                               std::to_string(number) + " has two");
    option.argument = number;
  }
  if (!parseShape(extents, option.shape))
    return makeValueError("--shape=[ARG:]2x8x128x64 with extents of 0 or more",
                          text);
  options.shapes.push_back(std::move(option));
  return Error::success();
}

static Error parseRangeOption(StringRef text, DriverOptions &options) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ':');
  int64_t argument;
  RandomRange range;
  if (parts.size() != 3 || parts[0].getAsInteger(10, argument) ||
      argument < 0 || parts[1].getAsDouble(range.lo) ||
      parts[2].getAsDouble(range.hi) || !std::isfinite(range.lo) ||
      !std::isfinite(range.hi) || range.lo > range.hi)
    return makeValueError(
        "--random-range=ARG:LO:HI with ARG counted from 0 and LO "
        "at most HI",
        text);
  if (!options.randomRanges.insert({argument, range}).second)
    return createStringError("expected one --random-range per argument, but "
                             "argument " +
                             std::to_string(argument) + " has two");
  return Error::success();
}

static Error parseTarget(StringRef text, DriverOptions &options) {
  if (text == "cpu")
    options.target = DriverTarget::CPU;
  else if (text == "gpu")
    options.target = DriverTarget::GPU;
  else if (text == "gpu-emulator")
    options.target = DriverTarget::GPUEmulator;
  else if (text == "reference")
    options.target = DriverTarget::Reference;
  else
    return makeValueError("--target=cpu, gpu, gpu-emulator or reference", text);
  return Error::success();
}

static Error parseEmit(StringRef text, DriverOptions &options) {
  if (text == "mlir")
    options.emit = EmitKind::MLIR;
  else if (text == "llvm")
    options.emit = EmitKind::LLVM;
  else if (text == "asm")
    options.emit = EmitKind::Assembly;
  else if (text == "ptx")
    options.emit = EmitKind::PTX;
  else if (text == "sass-stats")
    options.emit = EmitKind::SassStats;
  else
    return makeValueError("--emit=mlir, llvm, asm, ptx or sass-stats", text);
  return Error::success();
}

static Error parseTracePair(StringRef text, DriverOptions &options) {
  llvm::SmallVector<StringRef> parts;
  text.split(parts, ',');
  options.tracePair.emplace();
  for (StringRef part : parts)
    if (part.trim().getAsInteger(10, options.tracePair->emplace_back()) ||
        options.tracePair->back() < 0)
      return makeValueError("--trace-pair=B,H,I,J with positions of 0 or more",
                            text);
  if (parts.size() < 2)
    return makeValueError("--trace-pair=B,H,I,J, query row and key row last",
                          text);
  return Error::success();
}

static Error parseStageOption(StringRef text, StringRef option,
                              std::optional<Stage> &stage) {
  stage = parseStage(text);
  if (stage)
    return Error::success();
  return makeValueError("--" + option.str() + " to name one of " +
                            llvm::join(getStageNames(), ", "),
                        text);
}

//===----------------------------------------------------------------------===//
// The table of options
//===----------------------------------------------------------------------===//

using Option = CommandOption<DriverOptions>;
using Value = OptionValue;

template <std::vector<std::string> DriverOptions::*member>
static Error parseFile(StringRef text, DriverOptions &options) {
  if (text.empty())
    return createStringError("expected the name of a .npy file, but got ''");
  (options.*member).push_back(text.str());
  return Error::success();
}

static const Option optionTable[] = {
    {"entry", Value::Required, "NAME",
     "the function to run (default: the only public one)",
     Option::parseText<&DriverOptions::entry>},
    {"input", Value::Required, "F.npy",
     "read an argument; once per argument, in order",
     parseFile<&DriverOptions::inputs>},
    {"random", Value::Optional, "SEED",
     "fill the arguments without a file: floats in [-1, 1], i1 at random",
     [](StringRef text, DriverOptions &options) -> Error {
       uint64_t seed = 0;
       if (!text.empty() && text.getAsInteger(10, seed))
         return makeValueError("--random=SEED with a SEED of 0 or more", text);
       options.randomSeed = seed;
       return Error::success();
     }},
    {"shape", Value::Required, "[ARG:]2x8x128x64",
     "dynamic sizes of an argument that --random fills; in order, or one for "
     "all",
     parseShapeOption},
    {"random-range", Value::Required, "ARG:LO:HI",
     "draw argument ARG (from 0) from LO to HI; integers need it, below HI",
     parseRangeOption},
    {"output", Value::Required, "F.npy",
     "write a result; once per result, in order (default: print them)",
     parseFile<&DriverOptions::outputs>},
    {"target", Value::Required, "cpu|gpu|gpu-emulator|reference",
     "the compiled kernel, that of a GPU, the same run and checked on this "
     "machine, or "
     "the double-precision evaluator",
     parseTarget},
    {"schedule", Value::Required, "SEED",
     "draw the order in which the emulator's threads run",
     [](StringRef text, DriverOptions &options) -> Error {
       if (!text.getAsInteger(10, options.schedule))
         return Error::success();
       return makeValueError("--schedule=SEED with a SEED of 0 or more", text);
     }},
    {"threads", Value::Required, "N,...",
     "threads to run on (default: all cores); of several numbers each in turn, "
     "for results of the same bits",
     parseThreads},
    {"check", Value::None, "", "compare the results with the reference",
     nullptr, &DriverOptions::check},
    {"time", Value::Optional, "N",
     "print the median of N runs, GFLOP/s and the fraction of the peak",
     [](StringRef text, DriverOptions &options) -> Error {
       options.time = true;
       if (text.empty())
         return Error::success();
       return parseNumber(text, 1, 1000000, "time", options.timedRuns);
     }},
    {"rotate", Value::Optional, "MIB",
     "time with copies of the arguments in turn, of 256 MiB together or as "
     "given",
     [](StringRef text, DriverOptions &options) -> Error {
       options.rotatedMiB = 256;
       if (text.empty())
         return Error::success();
       return parseNumber(text, 1, 1 << 20, "rotate", options.rotatedMiB);
     }},
    {"json", Value::None, "", "print the timing as one JSON object, alone",
     nullptr, &DriverOptions::json},
    {"trace-pair", Value::Required, "B,H,I,J",
     "print similarity, score, mask and weight of one pair", parseTracePair},
    {"emit", Value::Required, "mlir|llvm|asm|ptx|sass-stats",
     "print the compiled code instead of running it (of a GPU of AMD's asm), "
     "or what NVIDIA's assembler says of kernels",
     parseEmit},
    {"print-config", Value::None, "",
     "print the tile sizes and why, and run if there are arguments", nullptr,
     &DriverOptions::printConfig},
    {"count-tiles", Value::None, "",
     "print how many key tiles were looked at, computed and full", nullptr,
     &DriverOptions::countTiles},
    {"wgmma", Value::Optional, "auto|always|never",
     "which kernels take the form wgmma on sm_90a (default: those that can, "
     "beside others; without a value: without these)",
     [](StringRef text, DriverOptions &options) {
       return parsePolicy(text.empty() ? StringRef("always") : text, "wgmma",
                          options.wgmma);
     }},
    {"fusion", Value::Required, "auto|always|never",
     "which ops to fuse (default: those that are faster fused)",
     [](StringRef text, DriverOptions &options) {
       return parsePolicy(text, "fusion", options.fusion);
     }},
    {"require-fused", Value::None, "", "make the unfused fallback an error",
     nullptr, &DriverOptions::requireFused},
    {"start-after", Value::Required, "STAGE",
     "go on with what --stop-after=STAGE has printed",
     [](StringRef text, DriverOptions &options) {
       return parseStageOption(text, "start-after", options.startAfter);
     }},
    {"stop-after", Value::Required, "STAGE", "print the IR after a stage",
     [](StringRef text, DriverOptions &options) {
       return parseStageOption(text, "stop-after", options.stopAfter);
     }},
    {"attn-verify-stage", Value::Required, "STAGE",
     "check what must hold after a stage",
     [](StringRef text, DriverOptions &options) {
       return parseStageOption(text, "attn-verify-stage", options.verifyStage);
     }},
    {"verify-each", Value::Optional, "true|false",
     "verify the module after every pass (default: false)",
     [](StringRef text, DriverOptions &options) -> Error {
       if (!text.empty() && text != "true" && text != "false")
         return makeValueError("--verify-each=true or false", text);
       options.verifyEach = text != "false";
       return Error::success();
     }},
    {"cpu", Value::Required, "NAME", "the CPU to compile for (default: this)",
     Option::parseText<&DriverOptions::cpu>},
    {"features", Value::Required, "LIST",
     "changes to the features of --cpu, such as +avx2,-fma",
     Option::parseText<&DriverOptions::features>},
    {"chip", Value::Required, "NAME",
     "the GPU to compile for (default: this one to run, else sm_80)",
     [](StringRef text, DriverOptions &options) -> Error {
       if (!GPUTarget::find(text))
         return makeValueError("--chip of " + GPUTarget::listChips(), text);
       options.chip = text.str();
       return Error::success();
     }},
    {"help", Value::None, "", "print this", nullptr, &DriverOptions::help},
    {"version", Value::None, "", "print the version", nullptr,
     &DriverOptions::version}};

void attn::printDriverHelp(llvm::raw_ostream &os) {
  os << "usage: attn-run FILE.mlir [options]\n\n"
        "Compiles one function of a module (- reads stdin) and runs it.\n\n";
  CommandLine<DriverOptions>(optionTable).printHelp(os);
}

//===----------------------------------------------------------------------===//
// The command line
//===----------------------------------------------------------------------===//

static std::string getName(Stage stage) {
  return getStageNames()[static_cast<size_t>(stage)].str();
}

/// What is printed of kernels is what their GPU's vendor has. Those of AMD's
/// are not launched.
static Error checkVendor(const DriverOptions &options) {
  if (options.getDevice() != Device::GPU)
    return Error::success();
  std::optional<GPUTarget> gpu = GPUTarget::find(options.chip);
  if (!gpu || !gpu->isAMD())
    return options.emit == EmitKind::Assembly
               ? createStringError(
                     "expected --emit=ptx with --target=gpu, not asm")
               : Error::success();
  if (options.emit == EmitKind::PTX || options.emit == EmitKind::SassStats)
    return createStringError(
        "expected --emit=asm with --chip=" + options.chip + ", not " +
        (options.emit == EmitKind::PTX ? "ptx" : "sass-stats"));
  if (options.target == DriverTarget::GPUEmulator || options.showsCode() ||
      options.showsConfig())
    return Error::success();
  return createStringError("expected a --chip of NVIDIA's to run kernels on, "
                           "but got " +
                           options.chip +
                           ", for which that is not built; print them with "
                           "--emit=asm, or run them with "
                           "--target=gpu-emulator");
}

/// A stage is one of those of the target, and its code is there to print.
static Error checkTarget(const DriverOptions &options) {
  bool gpu = options.getDevice() == Device::GPU;
  if (!options.chip.empty() && !gpu)
    return createStringError("expected --chip together with --target=gpu or "
                             "gpu-emulator");
  if (options.wgmma == WgmmaPolicy::Always && options.chip != "sm_90a")
    return createStringError(
        "expected --wgmma together with --chip=sm_90a, but got " +
        (options.chip.empty() ? "none" : "--chip=" + options.chip));
  if (options.target == DriverTarget::GPU &&
      (!options.cpu.empty() || !options.features.empty()))
    return createStringError("expected --chip with --target=gpu, not --cpu and "
                             "--features");
  if (options.target == DriverTarget::GPU && options.countTiles)
    return createStringError("expected --count-tiles with --target=cpu or "
                             "gpu-emulator, whose memory is one");
  if (options.target == DriverTarget::GPU && options.rotatedMiB)
    return createStringError(
        "expected --rotate with --target=cpu, whose caches "
        "it is about");
  if (options.emit == EmitKind::PTX && !gpu)
    return createStringError("expected --emit=ptx together with --target=gpu");
  if (options.emit == EmitKind::SassStats && !gpu)
    return createStringError(
        "expected --emit=sass-stats together with --target=gpu");
  if (Error error = checkVendor(options))
    return error;
  StringRef target = options.target == DriverTarget::GPU ? "gpu"
                     : gpu                               ? "gpu-emulator"
                                                         : "cpu";
  std::pair<StringRef, std::optional<Stage>> given[] = {
      {"start-after", options.startAfter},
      {"stop-after", options.stopAfter},
      {"attn-verify-stage", options.verifyStage}};
  for (auto [name, stage] : given)
    if (stage && (!isStageOf(options.getDevice(), *stage) ||
                  *stage > options.getLastStage()))
      return createStringError("expected --" + name.str() +
                               " to name a stage of --target=" + target.str() +
                               ", but got '" + getName(*stage) + "'");
  return Error::success();
}

/// Demands that cross options.
static Error checkTogether(const DriverOptions &options) {
  if (Error error = checkTarget(options))
    return error;
  bool shows = options.showsCode();
  bool reference = options.target == DriverTarget::Reference;
  if (options.schedule && options.target != DriverTarget::GPUEmulator)
    return createStringError("expected --schedule together with "
                             "--target=gpu-emulator, whose threads it orders");
  if (options.target == DriverTarget::GPUEmulator && options.time)
    return createStringError("expected --time with --target=cpu: an emulator's "
                             "times say nothing of a GPU's");
  if (options.threads.size() > 1 &&
      (options.target != DriverTarget::CPU || options.time))
    return createStringError("expected one number of --threads with --time or "
                             "another target than the CPU, but got " +
                             std::to_string(options.threads.size()));
  if (options.json && !options.time)
    return createStringError("expected --json together with --time, which it "
                             "prints");
  if (options.rotatedMiB && !options.time)
    return createStringError("expected --rotate together with --time: runs "
                             "that are not timed need no copies");
  if (reference && (options.check || options.time))
    return createStringError(
        "expected --check and --time with --target=cpu: the reference is what "
        "it is compared with");
  if (reference &&
      (shows || options.printConfig || options.countTiles ||
       options.requireFused || options.fusion != FusionPolicy::Auto ||
       options.verifyStage || options.startAfter || !options.cpu.empty() ||
       !options.features.empty()))
    return createStringError("expected --target=cpu with options on the "
                             "compilation: the reference compiles nothing");
  if (shows && (options.check || options.time || !options.outputs.empty()))
    return createStringError(
        "expected --emit and --stop-after without --check, "
        "--time and --output: they run nothing");
  if (shows && (options.tracePair || options.countTiles ||
                !options.inputs.empty() || !options.shapes.empty()))
    return createStringError(
        "expected --emit and --stop-after without --trace-pair, "
        "--count-tiles, --input and --shape: they run nothing");
  if (shows && options.printConfig)
    return createStringError("expected --print-config without --emit and "
                             "--stop-after, which print the code alone");
  if (options.startAfter && options.stopAfter &&
      *options.startAfter >= *options.stopAfter)
    return createStringError("expected --start-after to name a stage before "
                             "that of --stop-after, but got '" +
                             getName(*options.startAfter) + "' and '" +
                             getName(*options.stopAfter) + "'");
  if (options.startAfter == Stage::LLVM && options.emit == EmitKind::None)
    return createStringError("expected --emit with --start-after=llvm: what is "
                             "called comes of an earlier stage");
  if (options.startAfter >= Stage::Bufferize &&
      (options.check || options.time || options.tracePair))
    return createStringError("expected --check, --time and --trace-pair with "
                             "--start-after up to tile: the reference reads "
                             "tensors");
  if (options.verifyStage && options.verifyStage < options.startAfter)
    return createStringError(
        "expected --attn-verify-stage to name a stage from "
        "that of --start-after on, but got '" +
        getName(*options.verifyStage) + "' after '" +
        getName(*options.startAfter) + "'");
  if (options.stopAfter && options.verifyStage > options.stopAfter)
    return createStringError("expected --attn-verify-stage to name a stage up "
                             "to that of --stop-after, but got '" +
                             getName(*options.verifyStage) + "' after '" +
                             getName(*options.stopAfter) + "'");
  if (options.emit != EmitKind::None && options.emit != EmitKind::MLIR &&
      options.stopAfter.value_or(options.getLastStage()) !=
          options.getLastStage())
    return createStringError("expected --stop-after with --emit=mlir only: the "
                             "code is complete after '" +
                             getName(options.getLastStage()) + "' alone");
  return Error::success();
}

llvm::Expected<DriverOptions>
attn::parseDriverOptions(llvm::ArrayRef<char *> argv) {
  DriverOptions options;
  if (Error error =
          CommandLine<DriverOptions>(optionTable).parse(argv, options))
    return error;
  if (options.help || options.version)
    return options;
  if (Error error = checkTogether(options))
    return error;
  return options;
}
