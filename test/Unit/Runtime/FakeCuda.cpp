//===- FakeCuda.cpp - A driver that is not one ------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"
#include "attn/Emulator/TensorMap.h"

#include <cstdlib>
#include <cstring>
#include <mutex>
#include <sys/mman.h>

namespace {

FakeCuda fake;
std::recursive_mutex mutex;
/// Where contexts and functions point to.
char contexts[8];

/// Memory is mapped, and closed to all but what the driver does.
void setAccess(int access) {
  for (auto [address, bytes] : fake.memory)
    mprotect(reinterpret_cast<void *>(address), bytes, access);
}
struct Opened {
  Opened() { setAccess(PROT_READ | PROT_WRITE); }
  ~Opened() { setAccess(PROT_NONE); }
};

/// What `name` returns, written down.
int enter(const char *name) {
  std::lock_guard<std::recursive_mutex> lock(mutex);
  fake.calls.push_back(name);
  auto found = fake.failures.find(name);
  return found == fake.failures.end() ? 0 : found->second;
}

} // namespace

#define FAKE(name, ...)                                                        \
  extern "C" int name(__VA_ARGS__) {                                           \
    std::lock_guard<std::recursive_mutex> lock(mutex);                         \
    if (int failure = enter(#name))                                            \
      return failure;

#define END                                                                    \
  return 0;                                                                    \
  }

extern "C" FakeCuda *getFakeCuda() { return &fake; }

FAKE(cuInit, unsigned)
const char *status = std::getenv("FAKE_CUDA_INIT");
if (status)
  return std::atoi(status);
END

FAKE(cuDriverGetVersion, int *version)
const char *given = std::getenv("FAKE_CUDA_VERSION");
*version = given ? std::atoi(given) : 13000;
END

FAKE(cuGetErrorName, int result, const char **name)
*name = result == 719 ? "CUDA_ERROR_LAUNCH_FAILED" : "CUDA_ERROR_OF_TEST";
END

FAKE(cuDeviceGetCount, int *count)
*count = fake.devices;
END

FAKE(cuDeviceGet, int *device, int number)
*device = number;
END

FAKE(cuDeviceGetAttribute, int *value, int attribute, int)
*value = attribute == 75   ? fake.chip / 10
         : attribute == 76  ? fake.chip % 10
         : attribute == 115 ? fake.pools
                           : fake.maxSharedBytes;
END

FAKE(cuDevicePrimaryCtxRetain, void **context, int)
++fake.primaries;
*context = &contexts[0];
END

FAKE(cuDevicePrimaryCtxRelease_v2, int)
--fake.primaries;
END

FAKE(cuDevicePrimaryCtxGetState, int, unsigned *flags, int *active)
*flags = 0;
*active = fake.primaries > 0;
END

FAKE(cuCtxGetCurrent, void **context)
*context = fake.currents.empty() ? nullptr : fake.currents.back();
END

FAKE(cuCtxGetDevice, int *device)
*device = 0;
END

FAKE(cuCtxPushCurrent_v2, void *context)
fake.currents.push_back(context);
END

FAKE(cuCtxPopCurrent_v2, void **context)
*context = fake.currents.back();
fake.currents.pop_back();
END

FAKE(cuCtxGetId, void *context, unsigned long long *id)
*id = reinterpret_cast<uintptr_t>(context);
END

FAKE(cuModuleLoadData, void **module, const void *image)
auto refused = fake.refused.find(static_cast<const char *>(image));
if (refused != fake.refused.end())
  return refused->second;
fake.loads.push_back({static_cast<const char *>(image), fake.currents.back()});
*module = const_cast<void *>(image);
END

FAKE(cuModuleGetFunction, void **function, void *module, const char *name)
if (fake.find) {
  *function = fake.find(static_cast<const char *>(module), name);
  return *function ? 0 : 500;
}
auto found = fake.kernels.find(name);
if (found == fake.kernels.end())
  return 500;
*function = &*found;
END

FAKE(cuFuncSetAttribute, void *, int, int)
END

/// The map that the emulator reads, where a driver would make one.
FAKE(cuTensorMapEncodeTiled, void *map, int, unsigned rank, void *base,
     const uint64_t *sizes, const uint64_t *strides, const uint32_t *box,
     const uint32_t *, int, int, int, int)
attn::EmulatedTensorMap made;
bool fits =
    rank >= 1 && rank <= 5 && reinterpret_cast<uintptr_t>(base) % 16 == 0;
made.base = static_cast<const char *>(base);
made.rank = static_cast<int32_t>(rank);
made.elementBytes = 2;
for (unsigned i = 0; fits && i < rank; ++i) {
  made.sizes[i] = static_cast<int64_t>(sizes[i]);
  made.box[i] = static_cast<int32_t>(box[i]);
  if (i > 0)
    made.strides[i - 1] = static_cast<int64_t>(strides[i - 1]);
  fits = sizes[i] > 0 && box[i] > 0 && box[i] <= 256 &&
         (i == 0 || strides[i - 1] % 16 == 0);
}
if (!fits)
  return 1;
std::memcpy(map, &made, sizeof(made));
END

FAKE(cuLaunchKernel, void *function, unsigned gridX, unsigned gridY,
     unsigned gridZ, unsigned blockX, unsigned blockY, unsigned blockZ,
     unsigned shared, void *stream, void **parameters, void **)
Opened opened;
FakeLaunch launch = {
    "",     {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, shared,
    stream, fake.currents.back()};
if (fake.run)
  return fake.run(function, launch, parameters);
auto &kernel = *static_cast<decltype(fake.kernels)::value_type *>(function);
launch.kernel = kernel.first;
fake.launches.push_back(launch);
kernel.second(parameters);
END

    static int
    allocate(unsigned long long *address, size_t bytes) {
  if (bytes == 0)
    return 1;
  void *memory = mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
                      /*fd=*/-1, 0);
  if (memory == MAP_FAILED)
    return 2;
  *address = reinterpret_cast<uintptr_t>(memory);
  fake.memory[*address] = bytes;
  // Nothing is there before it is written: NaNs of all types.
  Opened opened;
  std::memset(memory, 0xff, bytes);
  return 0;
}

static int release(unsigned long long address) {
  auto found = fake.memory.find(address);
  if (found == fake.memory.end())
    return 1;
  munmap(reinterpret_cast<void *>(address), found->second);
  fake.memory.erase(found);
  return 0;
}

FAKE(cuMemAlloc_v2, unsigned long long *address, size_t bytes)
return allocate(address, bytes);
END

FAKE(cuMemAllocAsync, unsigned long long *address, size_t bytes, void *)
return allocate(address, bytes);
END

FAKE(cuMemFree_v2, unsigned long long address)
return release(address);
END

FAKE(cuMemFreeAsync, unsigned long long address, void *)
return release(address);
END

FAKE(cuMemcpyHtoDAsync_v2, unsigned long long to, const void *from,
     size_t bytes, void *)
Opened opened;
std::memcpy(reinterpret_cast<void *>(to), from, bytes);
END

FAKE(cuMemcpyDtoHAsync_v2, void *to, unsigned long long from, size_t bytes,
     void *)
Opened opened;
std::memcpy(to, reinterpret_cast<const void *>(from), bytes);
END

FAKE(cuMemcpyDtoDAsync_v2, unsigned long long to, unsigned long long from,
     size_t bytes, void *)
Opened opened;
std::memcpy(reinterpret_cast<void *>(to), reinterpret_cast<const void *>(from),
            bytes);
END

FAKE(cuEventCreate, void **event, unsigned)
*event = &contexts[++fake.events];
END

FAKE(cuEventDestroy_v2, void *)
--fake.events;
END

FAKE(cuEventRecord, void *, void *)
END

FAKE(cuEventSynchronize, void *)
END

FAKE(cuEventElapsedTime, float *milliseconds, void *, void *)
*milliseconds = 100;
END

FAKE(cuMemsetD8Async, unsigned long long to, unsigned char byte, size_t bytes,
     void *)
Opened opened;
std::memset(reinterpret_cast<void *>(to), byte, bytes);
END

FAKE(cuStreamSynchronize, void *)
++fake.waits;
END
