//===- Driver.cpp - What attn-run does --------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Tools/Driver.h"
#include "DriverCompile.h"
#include "DriverInputs.h"
#include "DriverTime.h"
#include "FaultGuard.h"
#include "Progress.h"
#include "attn/Execution/ShapeRules.h"

#include "attn/Execution/Module.h"
#include "attn/Reference/Reference.h"
#include "attn/Support/LargeStack.h"
#include "attn/Support/Npy.h"
#include "attn/Support/Output.h"
#include "attn/Support/Print.h"
#include "attn/Tools/Check.h"
#include "attn/Tools/Peak.h"
#include "attn/Version.h"
#include "mlir/IR/MLIRContext.h"

#include <chrono>
#include <cstring>

using namespace attn;
using namespace mlir;
using llvm::Error;

using Clock = std::chrono::steady_clock;

static constexpr int statusFailed = 1, statusBadInput = 2;

static int fail(int status, Error error) {
  llvm::errs() << "attn-run: error: " << llvm::toString(std::move(error))
               << "\n";
  return status;
}

/// A call that came to nothing: a check failed, or its arguments are wrong.
static int failCall(Error error) {
  int status = error.isA<CheckError>() ? statusFailed : statusBadInput;
  return fail(status, std::move(error));
}

namespace {

/// One run, step by step; each step returns an exit status, 0 to go on.
class Driver {
public:
  Driver(DriverOptions options, DialectRegistry &registry)
      : options(std::move(options)), context(registry) {}
  int run();

private:
  int load();
  int readSignature(func::FuncOp function);
  void listen();
  int showConfig();
  int findGPU();
  int prepare();
  int evaluate();
  int compile();
  int expect();
  int execute();
  int repeat(llvm::ArrayRef<Array> given);
  Error copyForTurns(std::vector<Arguments> &turns,
                     std::vector<std::vector<Array>> &others);
  llvm::Expected<double> countFlops();
  llvm::Expected<Timing> timeOnCPU(double flops);
  int time();
  int report();
  int store();

  /// Whether the compiled kernel is to be called.
  bool runsKernel() const {
    return options.target != DriverTarget::Reference && !options.showsCode() &&
           !options.showsConfig();
  }
  /// Stops the clock that `compile_ms` is read from.
  void addCompileTime(Clock::time_point start) {
    std::chrono::duration<double, std::milli> passed = Clock::now() - start;
    compileMs += passed.count();
  }
  /// Where what is printed for people goes: with --json, stdout holds the
  /// object and nothing else.
  llvm::raw_ostream &getStream() const {
    return options.json ? llvm::errs() : llvm::outs();
  }

  DriverOptions options;
  // One function is compiled at a time: threads would only wait for each other.
  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
  /// The module as it was read, if the reference is needed.
  OwningOpRef<ModuleOp> reference;
  std::string entry;
  CompileOptions compileOptions;
  std::vector<TensorSpec> argumentSpecs, resultSpecs;
  std::vector<Array> arguments, results;
  /// What the reference says of the arguments as they were: the kernel may
  /// write into them.
  std::optional<ReferenceResult> expected;
  std::string pairTrace;
  /// The ops that the kernel computes in plain loops.
  std::vector<UnfusedOp> unfused;
  std::unique_ptr<Kernel> kernel;
  double compileMs = 0;
};
} // namespace

/// Reads the module and finds what to run.
int Driver::load() {
  Clock::time_point start = Clock::now();
  llvm::Expected<OwningOpRef<ModuleOp>> parsed =
      parseModule(options.file, context);
  if (!parsed)
    return fail(statusBadInput, parsed.takeError());
  module = std::move(*parsed);
  llvm::Expected<CompileOptions> resolved = getCompileOptions(options);
  if (!resolved)
    return fail(statusBadInput, resolved.takeError());
  compileOptions = std::move(*resolved);
  // Code alone is left, and functions of it.
  if (options.startAfter == Stage::LLVM)
    return 0;
  llvm::Expected<func::FuncOp> function = findEntry(*module, options.entry);
  if (!function)
    return fail(statusBadInput, function.takeError());
  entry = function->getName().str();
  if (options.target == DriverTarget::Reference) {
    // What no stage sees, as nothing is compiled.
    CompileOptions imported = compileOptions;
    imported.stages.stopAfter = Stage::Import;
    OwningOpRef<ModuleOp> copy = module->clone();
    if (Error error = lowerModule(*copy, imported))
      return fail(statusFailed, std::move(error));
  }
  addCompileTime(start);
  return readSignature(*function);
}

/// Finds out what the function takes and returns, and that it can be run.
int Driver::readSignature(func::FuncOp function) {
  auto getAllSpecs = [&](TypeRange types, StringRef what, bool scalars,
                         std::vector<TensorSpec> &specs) -> Error {
    for (auto [number, type] : llvm::enumerate(types)) {
      llvm::Expected<TensorSpec> spec = getTensorSpec(
          type, scalars, /*memrefs=*/options.startAfter >= Stage::Bufferize);
      if (!spec)
        return llvm::createStringError(
            what.str() + " " + std::to_string(number) + " of @" + entry + ": " +
            llvm::toString(spec.takeError()));
      specs.push_back(std::move(*spec));
    }
    return Error::success();
  };
  if (Error error = getAllSpecs(function.getArgumentTypes(), "argument",
                                /*scalars=*/true, argumentSpecs))
    return fail(statusBadInput, std::move(error));
  if (Error error = getAllSpecs(function.getResultTypes(), "result",
                                /*scalars=*/!runsKernel(), resultSpecs))
    return fail(statusBadInput, std::move(error));
  if (options.check && resultSpecs.empty())
    return fail(statusBadInput,
                llvm::createStringError("expected results to --check, but @" +
                                        entry + " returns none; return them"));
  if (runsKernel())
    if (Error error = checkHostRuns(compileOptions))
      return fail(statusBadInput, std::move(error));
  return 0;
}

/// Finds the GPU that runs the kernels, which are for it if no other is named.
int Driver::findGPU() {
  llvm::Expected<GPUTarget> present = findPresentGPU();
  if (!present)
    return fail(statusFailed,
                llvm::createStringError(
                    llvm::toString(present.takeError()) +
                    "; print the kernels with --emit=ptx, or run them with "
                    "--target=gpu-emulator"));
  if (options.chip.empty())
    compileOptions.stages.chip = present->chip.str();
  return 0;
}

/// Makes the arguments, and sees that the results have somewhere to go before
/// anything long starts.
int Driver::prepare() {
  if (!options.outputs.empty() && options.outputs.size() != resultSpecs.size())
    return fail(statusBadInput, llvm::createStringError(
                                    "expected an --output for each of the " +
                                    std::to_string(resultSpecs.size()) +
                                    " results, or none, but got " +
                                    std::to_string(options.outputs.size())));
  if (Error error = checkWritable(options.outputs))
    return fail(statusBadInput, std::move(error));
  {
    Progress progress("preparing the arguments", /*ticks=*/true);
    llvm::Expected<std::vector<Array>> prepared =
        prepareArguments(argumentSpecs, options);
    if (!prepared)
      return fail(statusBadInput, prepared.takeError());
    arguments = std::move(*prepared);
  }
  if (runsKernel() && !options.check && !options.time && !options.tracePair)
    return 0;
  // The call would say it, but the reference is asked first.
  auto function = module->lookupSymbol<func::FuncOp>(entry);
  if (runsKernel())
    if (Error error =
            ShapeRules::derive(function).check(getPointers(arguments)))
      return fail(statusBadInput, std::move(error));
  reference = module->clone();
  if (!options.tracePair)
    return 0;
  llvm::raw_string_ostream os(pairTrace);
  Error error = printPairTrace(os, *reference, entry, getPointers(arguments),
                               *options.tracePair);
  return error ? fail(statusBadInput, std::move(error)) : 0;
}

int Driver::evaluate() {
  Progress progress("evaluating the reference", /*ticks=*/true);
  llvm::Expected<std::vector<Array>> evaluated =
      evaluateAsArrays(*reference, entry, getPointers(arguments));
  if (!evaluated)
    return fail(statusBadInput, evaluated.takeError());
  results = std::move(*evaluated);
  return 0;
}

/// Has the stages say what they choose: all of it, or what is slow.
void Driver::listen() {
  if (options.printConfig) {
    printTarget(getStream(), compileOptions);
    getStream() << "entry: @" << entry << "(";
    auto print = [&](const TensorSpec &spec) {
      getStream() << toString(spec.shape, spec.type);
    };
    llvm::interleaveComma(argumentSpecs, getStream(), print);
    getStream() << ") -> (";
    llvm::interleaveComma(resultSpecs, getStream(), print);
    getStream() << ")\n";
  }
  compileOptions.onRemark = [this](const StageRemark &remark) {
    bool slow = readUnfused(remark, unfused);
    if (options.printConfig)
      getStream() << remark.location << remark.name << ": " << remark.text
                  << "\n";
    else if (slow)
      llvm::errs() << "attn-run: " << unfused.back().location
                   << "unfused: " << unfused.back().reason << "\n";
  };
}

/// Prints what is chosen, and needs no arguments for it.
int Driver::showConfig() {
  listen();
  compileOptions.stages.stopAfter =
      options.getDevice() == Device::GPU ? Stage::Bufferize : Stage::Tile;
  if (Error error = dropUncalled(*module, entry))
    return fail(statusFailed, std::move(error));
  Error error = lowerModule(*module, compileOptions);
  return error ? fail(statusFailed, std::move(error)) : 0;
}

int Driver::compile() {
  listen();
  Progress progress("compiling", /*ticks=*/!options.time);
  Clock::time_point start = Clock::now();
  llvm::Expected<std::unique_ptr<Kernel>> compiled =
      Kernel::compile(*module, entry, compileOptions);
  addCompileTime(start);
  if (!compiled)
    return fail(statusFailed, compiled.takeError());
  kernel = std::move(*compiled);
  return 0;
}

/// Evaluates the reference before the kernel runs: it has a sentence for what
/// makes a kernel crash.
int Driver::expect() {
  Progress progress("evaluating the reference", /*ticks=*/true);
  ReferenceOptions bounds;
  bounds.roundsWeights = options.getDevice() == Device::GPU;
  llvm::Expected<ReferenceResult> evaluated =
      evaluateReference(*reference, entry, getPointers(arguments), bounds);
  if (!evaluated)
    return fail(statusBadInput, evaluated.takeError());
  expected = std::move(*evaluated);
  // Where values are f16, a GPU's kernel rounds weights to it, each on its own;
  // the magnitude is the sum of weights times values.
  if (options.getDevice() == Device::GPU)
    for (ReferenceTensor &result : expected->results)
      if (result.elementType.isF16())
        for (auto [error, size] : llvm::zip(result.error, result.magnitude))
          error += 0x1p-11 * size;
  return 0;
}

static Error copyArrays(llvm::ArrayRef<Array> arrays,
                        std::vector<Array> &copies) {
  for (const Array &array : arrays) {
    llvm::Expected<Array> copy = array.clone();
    if (!copy)
      return copy.takeError();
    copies.push_back(std::move(*copy));
  }
  return Error::success();
}

static bool haveSameBytes(llvm::ArrayRef<Array> lhs,
                          llvm::ArrayRef<Array> rhs) {
  return llvm::all_of(llvm::zip_equal(lhs, rhs), [](auto pair) {
    auto &[left, right] = pair;
    return std::memcmp(left.getData(), right.getData(), left.getNumBytes()) ==
           0;
  });
}

/// Calls the kernel, once or as often as the timing wants.
int Driver::execute() {
  if (options.time)
    return time();
  Progress progress("running", /*ticks=*/true);
  FaultGuard guard;
  // The kernel may write into its arguments.
  std::vector<Array> kept;
  if (options.threads.size() > 1)
    if (Error error = copyArrays(arguments, kept))
      return fail(statusBadInput, std::move(error));
  llvm::Expected<std::vector<Array>> called =
      kernel->call(getPointers(arguments));
  if (!called)
    return failCall(called.takeError());
  results = std::move(*called);
  return options.threads.size() > 1 ? repeat(kept) : 0;
}

/// Calls the kernel with each other number of threads: the bits of the results
/// depend on none.
int Driver::repeat(llvm::ArrayRef<Array> given) {
  for (int threads : llvm::drop_begin(options.threads)) {
    setNumThreads(threads);
    std::vector<Array> copies;
    if (Error error = copyArrays(given, copies))
      return fail(statusBadInput, std::move(error));
    llvm::Expected<std::vector<Array>> again =
        kernel->call(getPointers(copies));
    if (!again)
      return failCall(again.takeError());
    for (auto [number, pair] :
         llvm::enumerate(llvm::zip_equal(results, *again))) {
      auto &[one, other] = pair;
      if (haveSameBytes(one, other))
        continue;
      results.clear();
      return fail(statusFailed,
                  llvm::createStringError(
                      "expected result " + std::to_string(number) +
                      " to have the same bits with " +
                      std::to_string(options.threads.front()) + " and " +
                      std::to_string(threads) + " threads"));
    }
  }
  return 0;
}

/// As many more copies of the arguments as --rotate asks for.
Error Driver::copyForTurns(std::vector<Arguments> &turns,
                           std::vector<std::vector<Array>> &others) {
  int64_t bytes = 0;
  for (const Array &array : arguments)
    bytes += array.getNumBytes();
  int64_t all = options.rotatedMiB << 20;
  for (int64_t done = bytes; bytes > 0 && done < all; done += bytes) {
    others.emplace_back();
    if (Error error = copyArrays(arguments, others.back()))
      return error;
    turns.push_back(getPointers(others.back()));
  }
  return Error::success();
}

/// The work of the attention ops, on visible pairs.
llvm::Expected<double> Driver::countFlops() {
  if (expected)
    return expected->flops;
  Progress progress("counting visible pairs", /*ticks=*/true);
  llvm::Expected<ReferenceWork> work =
      countVisiblePairs(*reference, entry, getPointers(arguments));
  if (!work)
    return work.takeError();
  return work->flops;
}

llvm::Expected<Timing> Driver::timeOnCPU(double flops) {
  auto hasType = [](ElementType type) {
    return [=](const TensorSpec &spec) { return spec.type == type; };
  };
  ElementType type = ElementType::F32;
  if (llvm::any_of(resultSpecs, hasType(ElementType::F64)))
    type = ElementType::F64;
  else if (compileOptions.stages.target.hasBf16Dot &&
           llvm::any_of(argumentSpecs, hasType(ElementType::BF16)))
    type = ElementType::BF16;
  std::vector<Arguments> turns{getPointers(arguments)};
  std::vector<std::vector<Array>> others;
  if (Error error = copyForTurns(turns, others))
    return std::move(error);
  FaultGuard guard;
  return timeKernel(*kernel, turns, options.timedRuns, flops, type, results);
}

int Driver::time() {
  llvm::Expected<double> flops = countFlops();
  if (!flops)
    return fail(statusBadInput, flops.takeError());
  std::vector<Array> copies;
  if (Error error = copyArrays(arguments, copies))
    return fail(statusBadInput, std::move(error));
  llvm::Expected<Timing> timing =
      options.target == DriverTarget::GPU
          ? timeOnGPU(*kernel, getPointers(arguments), options.timedRuns,
                      *flops, compileOptions.stages.chip, results)
          : timeOnCPU(*flops);
  if (!timing)
    return failCall(timing.takeError());
  // A kernel that writes into its arguments had others in every call.
  if (!haveSameBytes(arguments, copies)) {
    arguments = std::move(copies);
    llvm::Expected<std::vector<Array>> called =
        kernel->call(getPointers(arguments));
    if (!called)
      return failCall(called.takeError());
    results = std::move(*called);
  }
  if (options.target == DriverTarget::GPU && *flops > 0)
    if (Error error = timeProductOnGPU(context, compileOptions, *timing))
      llvm::errs() << "attn-run: nothing to compare the rate with: "
                   << llvm::toString(std::move(error)) << "\n";
  timing->compileMs = compileMs;
  timing->unfused = unfused;
  if (options.json)
    timing->printJson(llvm::outs());
  else
    timing->print(llvm::outs());
  if (!timing->isMeasuringError())
    return 0;
  return fail(
      statusFailed,
      llvm::createStringError(
          "measuring error: expected at most 97 % of the peak, but got " +
          std::to_string(100 * timing->peakFraction) +
          " %; time it again on a quieter machine"));
}

int Driver::store() {
  std::vector<std::pair<std::string, const Array *>> files;
  for (auto [path, result] : llvm::zip(options.outputs, results))
    files.push_back({path, &result});
  if (Error error = writeNpyFiles(files))
    return fail(statusBadInput, std::move(error));
  return 0;
}

/// Prints or stores the results, then compares them if asked to.
int Driver::report() {
  if (results.size() != resultSpecs.size())
    return fail(statusFailed,
                llvm::createStringError(
                    "expected " + std::to_string(resultSpecs.size()) +
                    " results, but got " + std::to_string(results.size())));
  if (options.outputs.empty() && !options.json)
    for (auto [number, result] : llvm::enumerate(results)) {
      llvm::outs() << "result " << number << ": " << result.toString() << "\n";
      printArray(llvm::outs(), result);
    }
  if (!options.outputs.empty())
    if (int status = store())
      return status;
  if (options.countTiles && kernel) {
    Kernel::TileCounts counts = kernel->getTileCounts();
    getStream() << "key tiles: " << counts.examined << " looked at, "
                << counts.computed << " computed, " << counts.full
                << " of them full\n";
  }
  if (options.target == DriverTarget::GPUEmulator)
    printEmulatorCounts(getStream(), kernel->getEmulatorCounts());
  getStream() << pairTrace;
  if (!options.check)
    return 0;
  llvm::Expected<bool> passed = checkResults(getStream(), *expected, results);
  if (!passed)
    return fail(statusFailed, passed.takeError());
  return *passed ? 0 : statusFailed;
}

int Driver::run() {
  if (int status = load())
    return status;
  if (options.showsConfig())
    return showConfig();
  if (options.showsCode()) {
    Error error =
        emitModule(llvm::outs(), *module, options.emit, compileOptions);
    return error ? fail(statusFailed, std::move(error)) : 0;
  }
  if (options.target == DriverTarget::GPU)
    if (int status = findGPU())
      return status;
  if (int status = prepare())
    return status;
  if (options.target == DriverTarget::Reference) {
    if (int status = evaluate())
      return status;
    return report();
  }
  if (int status = compile())
    return status;
  if (options.check)
    if (int status = expect())
      return status;
  // A timing that cannot be believed still has results to check.
  int timed = execute();
  if (timed && results.empty())
    return timed;
  int reported = report();
  return timed ? timed : reported;
}

/// Says so if stdout could not take what was printed.
static int finish(int status) {
  llvm::outs().flush();
  if (!llvm::outs().has_error())
    return status;
  std::string message = llvm::outs().error().message();
  llvm::outs().clear_error();
  return fail(statusBadInput,
              llvm::createStringError("stdout cannot be written: " + message));
}

int attn::runMain(int argc, char **argv, DialectRegistry &registry) {
  llvm::Expected<DriverOptions> options =
      parseDriverOptions(llvm::ArrayRef<char *>(argv, argc));
  if (!options)
    return fail(statusBadInput, options.takeError());
  if (options->help) {
    printDriverHelp(llvm::outs());
    return finish(0);
  }
  if (options->version) {
    llvm::outs() << "attn-run " << ATTN_VERSION << " (LLVM "
                 << ATTN_LLVM_VERSION << ")\n";
    return finish(0);
  }
  return finish(runOnLargeStack([&] {
    // The number is that of the thread that calls kernels.
    if (!options->threads.empty())
      setNumThreads(options->threads.front());
    return Driver(std::move(*options), registry).run();
  }));
}
