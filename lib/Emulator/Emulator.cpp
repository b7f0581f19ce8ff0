//===- Emulator.cpp - GPU kernels run on the CPU ----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Emulator/Emulator.h"
#include "Block.h"
#include "Intrinsics.h"
#include "Retarget.h"

#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/JITTargetMachineBuilder.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/Support/TargetSelect.h"

#include <mutex>

namespace attn {

struct Emulator::Impl {
  EmulatorOptions options;
  RetargetedModule module;
  std::string linkMessage;
  std::unique_ptr<llvm::orc::LLJIT> jit;
  std::vector<EmulatedArray> variables;

  /// Of what follows.
  std::mutex mutex;
  SharedMemory shared;
  std::unique_ptr<FiberPool> fibers;
  EmulatorCounts counts;

  llvm::Error createJIT(llvm::orc::JITTargetMachineBuilder builder);
  llvm::Expected<void *> lookup(llvm::StringRef name);
  llvm::Expected<Block::Entry> check(const EmulatedLaunch &launch);
  llvm::Error run(const EmulatedLaunch &launch);
};

Emulator::Emulator(std::unique_ptr<Impl> impl) : impl(std::move(impl)) {}
Emulator::~Emulator() = default;

EmulatorCounts &EmulatorCounts::operator+=(const EmulatorCounts &other) {
  launches += other.launches;
  blocks += other.blocks;
  products += other.products;
  matrixLoads += other.matrixLoads;
  copies += other.copies;
  barriers += other.barriers;
  bankConflicts += other.bankConflicts;
  return *this;
}

EmulatorCounts Emulator::getCounts() const {
  std::lock_guard<std::mutex> lock(impl->mutex);
  return impl->counts;
}

//===----------------------------------------------------------------------===//
// Compilation
//===----------------------------------------------------------------------===//

/// What code generation calls on hosts without narrow floats. A float is
/// returned, and taken, in the register that a narrow one is, whose bits are
/// its lowest.
static float truncateToBF16(float value) {
  uint32_t bits = roundToBF16(value);
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

static float truncateToF16(float value) {
  uint32_t bits = roundToF16(value);
  float result;
  std::memcpy(&result, &bits, sizeof(result));
  return result;
}

static float extendFromF16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return extendF16(bits);
}

llvm::Error
Emulator::Impl::createJIT(llvm::orc::JITTargetMachineBuilder builder) {
  auto created = llvm::orc::LLJITBuilder()
                     .setJITTargetMachineBuilder(std::move(builder))
                     .create();
  if (!created)
    return created.takeError();
  jit = std::move(*created);
  jit->getExecutionSession().setErrorReporter([this](llvm::Error error) {
    std::string message = llvm::toString(std::move(error));
    if (linkMessage.empty())
      linkMessage = std::move(message);
  });
  llvm::orc::JITDylib &library = jit->getMainJITDylib();
  llvm::orc::SymbolMap symbols;
  auto define = [&](llvm::StringRef name, void *address) {
    symbols[jit->mangleAndIntern(name)] = {
        llvm::orc::ExecutorAddr::fromPtr(address),
        llvm::JITSymbolFlags::Exported};
  };
  for (auto &[name, address] : module.symbols)
    define(name, address);
  define("__truncsfbf2", reinterpret_cast<void *>(&truncateToBF16));
  define("__truncsfhf2", reinterpret_cast<void *>(&truncateToF16));
  define("__extendhfsf2", reinterpret_cast<void *>(&extendFromF16));
  if (llvm::Error error =
          library.define(llvm::orc::absoluteSymbols(std::move(symbols))))
    return error;
  // The library of mathematical functions.
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library.addGenerator(std::move(*process));
  return llvm::Error::success();
}

llvm::Expected<void *> Emulator::Impl::lookup(llvm::StringRef name) {
  auto found = jit->lookup(name);
  if (found)
    return found->toPtr<void *>();
  std::string message = llvm::toString(found.takeError());
  return llvm::createStringError("the kernels cannot be linked: " +
                                 (linkMessage.empty() ? message : linkMessage));
}

llvm::Expected<std::unique_ptr<Emulator>>
Emulator::create(llvm::orc::ThreadSafeModule module,
                 const EmulatorOptions &options) {
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  auto builder = llvm::orc::JITTargetMachineBuilder::detectHost();
  if (!builder)
    return builder.takeError();
  builder->setCodeGenOptLevel(llvm::CodeGenOptLevel::Less);
  auto machine = builder->createTargetMachine();
  if (!machine)
    return machine.takeError();
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  if (!impl->shared.getBase())
    return llvm::createStringError("there is no memory for that of a block");
  llvm::Module &code = *module.getModuleUnlocked();
  auto retargeted = retarget(code, **machine);
  if (!retargeted)
    return retargeted.takeError();
  impl->module = std::move(*retargeted);
  instrument(code, **machine, impl->module);
  if (llvm::Error error = impl->createJIT(std::move(*builder)))
    return std::move(error);
  if (llvm::Error error = impl->jit->addIRModule(std::move(module)))
    return std::move(error);
  for (auto &[name, bytes] : impl->module.variables) {
    auto address = impl->lookup(name);
    if (!address)
      return address.takeError();
    impl->variables.push_back({*address, bytes});
  }
  return std::unique_ptr<Emulator>(new Emulator(std::move(impl)));
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

/// What a driver would refuse.
llvm::Expected<Block::Entry>
Emulator::Impl::check(const EmulatedLaunch &launch) {
  auto fail = [&](const llvm::Twine &text) {
    return llvm::createStringError("kernel @" + launch.kernel + ": " + text);
  };
  auto kernel = module.kernels.find(launch.kernel);
  if (kernel == module.kernels.end())
    return fail("expected a kernel of the module, but there is none of this "
                "name");
  if (launch.parameters.size() != kernel->second.numParameters)
    return fail("expected " + llvm::Twine(kernel->second.numParameters) +
                " parameters, but got " +
                llvm::Twine(launch.parameters.size()));
  static constexpr int64_t mostBlocks[] = {INT32_MAX, 65535, 65535};
  static constexpr int64_t mostThreads[] = {1024, 1024, 64};
  int64_t threads = 1;
  for (unsigned dim = 0; dim < 3; ++dim) {
    auto print = [&](int64_t most, const char *what, int64_t got) {
      return fail("expected 1 to " + llvm::Twine(most) + " " + what +
                  " along " + llvm::Twine("xyz"[dim]) + ", but got " +
                  llvm::Twine(got));
    };
    if (launch.grid[dim] < 1 || launch.grid[dim] > mostBlocks[dim])
      return print(mostBlocks[dim], "blocks", launch.grid[dim]);
    if (launch.block[dim] < 1 || launch.block[dim] > mostThreads[dim])
      return print(mostThreads[dim], "threads", launch.block[dim]);
    threads *= launch.block[dim];
  }
  if (threads > 1024)
    return fail("expected at most 1024 threads in a block, but got " +
                llvm::Twine(threads));
  int64_t bytes = module.staticBytes + launch.dynamicSharedBytes;
  if (launch.dynamicSharedBytes < 0 || bytes > options.sharedLimit)
    return fail("expected at most " + llvm::Twine(options.sharedLimit) +
                " bytes of shared memory, but got " + llvm::Twine(bytes));
  if (module.dynamicOffset + launch.dynamicSharedBytes > SharedMemory::kWindow)
    return fail("the arrays in shared memory are too many");
  auto address = lookup(kernel->second.entry);
  if (!address)
    return address.takeError();
  return reinterpret_cast<Block::Entry>(*address);
}

llvm::Error Emulator::Impl::run(const EmulatedLaunch &launch) {
  auto entry = check(launch);
  if (!entry)
    return entry.takeError();
  unsigned threads = launch.block[0] * launch.block[1] * launch.block[2];
  if (!fibers || fibers->size() != threads) {
    auto created = FiberPool::create(threads, &Block::runThread, nullptr);
    if (!created)
      return created.takeError();
    fibers = std::move(*created);
  }
  if (module.hasProxies)
    shared.followProxies();
  shared.configure(module.dynamicOffset + launch.dynamicSharedBytes,
                   module.cellBytes, (threads + 31) / 32, module.sharedArrays,
                   module.dynamicOffset);
  Block block(launch, *entry, shared, variables, options, counts);
  ++counts.launches;
  for (int64_t z = 0; z < launch.grid[2]; ++z)
    for (int64_t y = 0; y < launch.grid[1]; ++y)
      for (int64_t x = 0; x < launch.grid[0]; ++x)
        if (llvm::Error error = block.run(*fibers, {x, y, z})) {
          // Threads that will not go on are on its stacks.
          fibers.reset();
          return error;
        }
  return llvm::Error::success();
}

llvm::Error Emulator::launch(const EmulatedLaunch &launch) {
  std::lock_guard<std::mutex> lock(impl->mutex);
  return impl->run(launch);
}

} // namespace attn
