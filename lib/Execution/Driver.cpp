//===- Driver.cpp - What attn-run does --------------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Execution/Driver.h"
#include "DriverCompile.h"
#include "DriverInputs.h"
#include "DriverTime.h"
#include "Progress.h"

#include "attn/Execution/Check.h"
#include "attn/Execution/Module.h"
#include "attn/Execution/Npy.h"
#include "attn/Execution/Peak.h"
#include "attn/Execution/Print.h"
#include "attn/Reference/Reference.h"
#include "attn/Version.h"
#include "mlir/IR/MLIRContext.h"

#include <chrono>

using namespace attn;
using namespace mlir;
using llvm::Error;

using Clock = std::chrono::steady_clock;

namespace {
constexpr int statusFailed = 1, statusBadInput = 2;

/// One run, step by step; each step returns an exit status, 0 to go on.
class Driver {
public:
  Driver(DriverOptions options, DialectRegistry &registry)
      : options(std::move(options)), context(registry) {}
  int run();

private:
  int load();
  int prepare();
  int evaluate();
  int compile();
  int execute();
  int report();
  int store();

  /// Stops the clock that `compile_ms` is read from.
  void addCompileTime(Clock::time_point start) {
    std::chrono::duration<double, std::milli> passed = Clock::now() - start;
    compileMs += passed.count();
  }
  int fail(int status, Error error) {
    return reportError(status, std::move(error));
  }

public:
  static int reportError(int status, Error error) {
    llvm::errs() << "attn-run: error: " << llvm::toString(std::move(error))
                 << "\n";
    return status;
  }

private:
  DriverOptions options;
  // One function is compiled at a time: threads would only wait for each other.
  MLIRContext context{MLIRContext::Threading::DISABLED};
  OwningOpRef<ModuleOp> module;
  /// The module as it was read, for the reference.
  OwningOpRef<ModuleOp> original;
  std::string entry;
  CompileOptions compileOptions;
  std::vector<TensorSpec> argumentSpecs, resultSpecs;
  std::vector<Array> arguments, results;
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
  llvm::Expected<func::FuncOp> function = findEntry(*module, options.entry);
  if (!function)
    return fail(statusBadInput, function.takeError());
  entry = function->getName().str();
  llvm::Expected<CompileOptions> resolved = getCompileOptions(options);
  if (!resolved)
    return fail(statusBadInput, resolved.takeError());
  compileOptions = std::move(*resolved);
  addCompileTime(start);
  auto getAllSpecs = [&](TypeRange types, StringRef what,
                         std::vector<TensorSpec> &specs) -> Error {
    for (auto [number, type] : llvm::enumerate(types)) {
      llvm::Expected<TensorSpec> spec = getTensorSpec(type);
      if (!spec)
        return llvm::createStringError(
            what.str() + " " + std::to_string(number) + " of @" + entry + ": " +
            llvm::toString(spec.takeError()));
      specs.push_back(std::move(*spec));
    }
    return Error::success();
  };
  if (Error error =
          getAllSpecs(function->getArgumentTypes(), "argument", argumentSpecs))
    return fail(statusBadInput, std::move(error));
  if (Error error =
          getAllSpecs(function->getResultTypes(), "result", resultSpecs))
    return fail(statusBadInput, std::move(error));
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
  Progress progress("preparing the arguments", /*ticks=*/true);
  llvm::Expected<std::vector<Array>> prepared =
      prepareArguments(argumentSpecs, options);
  if (!prepared)
    return fail(statusBadInput, prepared.takeError());
  arguments = std::move(*prepared);
  return 0;
}

int Driver::evaluate() {
  if (Error error = generalizeForReference(*module))
    return fail(statusFailed, std::move(error));
  Progress progress("evaluating the reference", /*ticks=*/true);
  llvm::Expected<std::vector<Array>> evaluated =
      evaluateAsArrays(*module, entry, getPointers(arguments));
  if (!evaluated)
    return fail(statusBadInput, evaluated.takeError());
  results = std::move(*evaluated);
  return 0;
}

int Driver::compile() {
  if (options.check || options.time || options.tracePair) {
    original = module->clone();
    if (Error error = generalizeForReference(*original))
      return fail(statusFailed, std::move(error));
  }
  if (options.printConfig)
    if (Error error = printConfig(options.json ? llvm::errs() : llvm::outs(),
                                  *module, compileOptions))
      return fail(statusFailed, std::move(error));
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

/// Calls the kernel, once or as often as the timing wants.
int Driver::execute() {
  std::vector<const Array *> pointers = getPointers(arguments);
  if (!options.time) {
    Progress progress("running", /*ticks=*/true);
    llvm::Expected<std::vector<Array>> called = kernel->call(pointers);
    if (!called)
      return fail(statusBadInput, called.takeError());
    results = std::move(*called);
    return 0;
  }
  llvm::Expected<ReferenceWork> work = [&] {
    Progress progress("counting visible pairs", /*ticks=*/true);
    return countVisiblePairs(*original, entry, pointers);
  }();
  if (!work)
    return fail(statusBadInput, work.takeError());
  bool wide = llvm::any_of(resultSpecs, [](const TensorSpec &spec) {
    return spec.type == ElementType::F64;
  });
  llvm::Expected<Timing> timing =
      timeKernel(*kernel, pointers, options.timedRuns, work->flops,
                 wide ? ElementType::F64 : ElementType::F32, results);
  if (!timing)
    return fail(statusBadInput, timing.takeError());
  timing->compileMs = compileMs;
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
    (options.json ? llvm::errs() : llvm::outs())
        << "key tiles: " << counts.examined << " looked at, " << counts.computed
        << " computed, " << counts.full << " of them full\n";
  }
  ModuleOp reference = original ? *original : *module;
  if (options.tracePair)
    if (Error error =
            printPairTrace(llvm::outs(), reference, entry,
                           getPointers(arguments), *options.tracePair))
      return fail(statusBadInput, std::move(error));
  if (options.check) {
    // With --json, stdout holds the object and nothing else.
    llvm::raw_ostream &os = options.json ? llvm::errs() : llvm::outs();
    Progress progress("checking against the reference", /*ticks=*/true);
    llvm::Expected<bool> passed =
        checkResults(os, reference, entry, getPointers(arguments), results);
    if (!passed)
      return fail(statusFailed, passed.takeError());
    if (!*passed)
      return statusFailed;
  }
  return 0;
}

int Driver::run() {
  if (int status = load())
    return status;
  if (options.emit != EmitKind::None || options.stopAfter) {
    Error error =
        emitModule(llvm::outs(), *module, options.emit, compileOptions);
    return error ? fail(statusFailed, std::move(error)) : 0;
  }
  if (int status = prepare())
    return status;
  if (options.target == DriverTarget::Reference) {
    if (int status = evaluate())
      return status;
    return report();
  }
  if (int status = compile())
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
  return Driver::reportError(
      statusBadInput,
      llvm::createStringError("stdout cannot be written: " + message));
}

int attn::runMain(int argc, char **argv, DialectRegistry &registry) {
  llvm::Expected<DriverOptions> options =
      parseDriverOptions(llvm::ArrayRef<char *>(argv, argc));
  if (!options)
    return Driver::reportError(statusBadInput, options.takeError());
  if (options->help) {
    printDriverHelp(llvm::outs());
    return finish(0);
  }
  if (options->version) {
    llvm::outs() << "attn-run " << ATTN_VERSION << " (LLVM "
                 << ATTN_LLVM_VERSION << ")\n";
    return finish(0);
  }
  if (options->threads)
    setNumThreads(options->threads);
  return finish(Driver(std::move(*options), registry).run());
}
