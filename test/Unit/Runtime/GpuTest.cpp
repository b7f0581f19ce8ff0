//===- GpuTest.cpp - Calls whose kernels run on a GPU -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "FakeCuda.h"
#include "attn/Emulator/TensorMap.h"

#include "attn/Runtime/attn_rt_gpu_code.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>
#include <dlfcn.h>
#include <memory>
#include <thread>

using testing::ElementsAre;
using testing::ExitedWithCode;
using testing::StrEq;

namespace {

struct Destroy {
  void operator()(attn_rt_context *context) const { attn_rt_destroy(context); }
};
using Context = std::unique_ptr<attn_rt_context, Destroy>;

Context create() { return Context(attn_rt_create(nullptr)); }

/// The driver that the runtime will find: its folder is in the path of this
/// program.
FakeCuda &getDriver() {
  static auto *get = [] {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    return reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "getFakeCuda"));
  }();
  return *get();
}

/// Code of one module with images of (kind, chip), whose texts are their places
/// in the list. Modules of other code are others, and loaded anew.
struct Code {
  explicit Code(std::vector<std::pair<int, int>> kinds) {
    for (size_t i = 0; i < kinds.size(); ++i)
      texts.push_back(std::to_string(i));
    for (size_t i = 0; i < kinds.size(); ++i)
      images.push_back({kinds[i].first, kinds[i].second, texts[i].c_str(), 2});
    module = {"kernels", images.data(), static_cast<int64_t>(images.size())};
    code = {ATTN_RT_VERSION, 0, &module, 1};
  }
  ~Code() { attn_rt_gpu_forget(&code); }
  void launch(attn_rt_context *context, const char *kernel,
              std::vector<int64_t> parameters = {}, int64_t shared = 0,
              int64_t gridX = 3, int64_t gridY = 2) {
    attn_rt_gpu_launch(context, &code, "kernels", kernel, gridX, gridY, 1, 128,
                       1, 1, shared, parameters.data(), parameters.size(),
                       nullptr, 0);
  }

  std::vector<std::string> texts;
  std::vector<attn_rt_gpu_image> images;
  attn_rt_gpu_module module;
  attn_rt_gpu_code code;
};

struct Gpu : testing::Test {
  void SetUp() override {
    driver = {};
    driver.kernels["work"] = [](void **) {};
  }
  void TearDown() override {
    EXPECT_TRUE(driver.currents.empty());
    EXPECT_TRUE(driver.memory.empty());
    EXPECT_EQ(driver.primaries, 0);
    EXPECT_EQ(driver.events, 0);
  }
  FakeCuda &driver = getDriver();
  Code code{{{ATTN_GPU_PTX, 80}}};
  char own = 0, other = 0, stream = 0;
};

std::string getError(const Context &context) {
  const char *error = attn_rt_get_error(context.get());
  return error ? error : "";
}

/// Without a context of the caller's the first GPU's is kept from call to call.
TEST_F(Gpu, PrimaryContext) {
  Context context = create();
  for (int call = 0; call < 2; ++call) {
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
    EXPECT_EQ(attn_rt_gpu_get_chip(context.get()), 90);
    code.launch(context.get(), "work");
    EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
    EXPECT_EQ(driver.primaries, 1);
  }
  EXPECT_EQ(driver.waits, 2);
  ASSERT_EQ(driver.launches.size(), 2u);
  EXPECT_THAT(driver.launches[0].grid, ElementsAre(3, 2, 1));
  EXPECT_THAT(driver.launches[0].block, ElementsAre(128, 1, 1));
  EXPECT_EQ(driver.launches[0].stream, nullptr);
}

/// Maps of arrays are the driver's, but those of nothing, and it may refuse.
TEST_F(Gpu, Map) {
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  alignas(64) int64_t words[16];
  alignas(16) char array[1024];
  int64_t extents[] = {64, 3, 2, 144, 64, 8};
  attn_rt_gpu_map(context.get(), words, array, 2, 2, extents);
  attn::EmulatedTensorMap map;
  std::memcpy(&map, words, sizeof(map));
  EXPECT_EQ(map.base, array);
  EXPECT_EQ(map.rank, 2);
  EXPECT_EQ(map.sizes[1], 3);
  EXPECT_EQ(map.strides[0], 144);
  EXPECT_EQ(map.box[0], 64);
  EXPECT_EQ(map.box[1], 8);
  // What is said of the way to the next of one does not matter.
  extents[1] = 1;
  extents[3] = 130;
  attn_rt_gpu_map(context.get(), words, array, 2, 2, extents);
  std::memcpy(&map, words, sizeof(map));
  EXPECT_EQ(map.strides[0], 16);
  extents[1] = 0;
  attn_rt_gpu_map(context.get(), words, nullptr, 2, 2, extents);
  EXPECT_THAT(words, testing::Each(0));
  EXPECT_EQ(getError(context), "");
  extents[1] = 3;
  extents[3] = 130;
  attn_rt_gpu_map(context.get(), words, array, 2, 2, extents);
  EXPECT_EQ(getError(context), "cannot make the map of an array: "
                               "CUDA_ERROR_OF_TEST (CUDA error 1)");
  EXPECT_NE(attn_rt_gpu_end(context.get()), ATTN_OK);
}

/// What the driver has no maps of does not get to it.
TEST_F(Gpu, MapOfTooMuch) {
  alignas(64) int64_t words[16];
  int64_t extents[18] = {};
  Context dimensions = create();
  ASSERT_EQ(attn_rt_gpu_begin(dimensions.get(), nullptr), ATTN_OK);
  attn_rt_gpu_map(dimensions.get(), words, nullptr, 2, 6, extents);
  EXPECT_EQ(getError(dimensions), "expected an array of 1 to 5 dimensions for "
                                  "a map of tensors, but it has 6");
  EXPECT_NE(attn_rt_gpu_end(dimensions.get()), ATTN_OK);
  Context elements = create();
  ASSERT_EQ(attn_rt_gpu_begin(elements.get(), nullptr), ATTN_OK);
  attn_rt_gpu_map(elements.get(), words, nullptr, 8, 2, extents);
  EXPECT_EQ(getError(elements), "expected elements of 1, 2 or 4 bytes for a "
                                "map of tensors, but they have 8");
  EXPECT_NE(attn_rt_gpu_end(elements.get()), ATTN_OK);
}

/// What the caller has made current, or names, is used, and current afterwards.
TEST_F(Gpu, ContextOfTheCaller) {
  Context context = create();
  driver.currents = {&own};
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  code.launch(context.get(), "work");
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  attn_rt_gpu_place place = {ATTN_RT_VERSION, 0, &other, &stream};
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), &place), ATTN_OK);
  code.launch(context.get(), "work");
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  EXPECT_THAT(driver.currents, ElementsAre(&own));
  driver.currents.clear();
  ASSERT_EQ(driver.launches.size(), 2u);
  EXPECT_EQ(driver.launches[0].context, &own);
  EXPECT_EQ(driver.launches[1].context, &other);
  EXPECT_EQ(driver.launches[1].stream, &stream);
  EXPECT_EQ(driver.primaries, 0);
  // A module is loaded once into each.
  ASSERT_EQ(driver.loads.size(), 2u);
  EXPECT_EQ(driver.loads[0].second, &own);
  EXPECT_EQ(driver.loads[1].second, &other);
}

TEST_F(Gpu, Parameters) {
  Context context = create();
  driver.kernels["add"] = [](void **parameters) {
    auto *to = *static_cast<int64_t **>(parameters[0]);
    *to += *static_cast<int32_t *>(parameters[1]);
  };
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  int64_t number = 40, result = 0;
  void *memory = attn_rt_gpu_alloc(context.get(), sizeof(number));
  attn_rt_gpu_copy_in(context.get(), memory, &number, sizeof(number));
  code.launch(context.get(), "add", {reinterpret_cast<intptr_t>(memory), 2});
  attn_rt_gpu_copy_out(context.get(), &result, memory, sizeof(result));
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  EXPECT_EQ(result, 42);
}

/// An empty grid launches nothing; shared memory is asked for once.
TEST_F(Gpu, Launches) {
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  code.launch(context.get(), "work", {}, 0, 0);
  EXPECT_TRUE(driver.launches.empty());
  for (int64_t shared : {0, 50000, 50000, 1000, 232448})
    code.launch(context.get(), "work", {}, shared);
  EXPECT_EQ(driver.count("cuFuncSetAttribute"), 2);
  EXPECT_EQ(driver.launches.back().shared, 232448u);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
}

TEST_F(Gpu, LoadedOnceByManyThreads) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      Context context = create();
      attn_rt_gpu_place place = {ATTN_RT_VERSION, 0, &own, nullptr};
      EXPECT_EQ(attn_rt_gpu_begin(context.get(), &place), ATTN_OK);
      for (int call = 0; call < 20; ++call)
        code.launch(context.get(), "work");
      EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(driver.loads.size(), 1u);
  EXPECT_EQ(driver.launches.size(), 160u);
}

/// The latest chip that the GPU can run, what is for it alone before the rest,
/// and what is compiled before text.
TEST_F(Gpu, Images) {
  std::vector<std::pair<int, int>> all = {
      {ATTN_GPU_PTX, 80},   {ATTN_GPU_CUBIN, 80},       {ATTN_GPU_CUBIN, 86},
      {ATTN_GPU_CUBIN, 90}, {ATTN_GPU_CUBIN_EXACT, 90}, {ATTN_GPU_PTX, 100}};
  std::pair<int, std::string> expected[] = {{80, "1"}, {86, "2"},  {89, "2"},
                                            {90, "4"}, {100, "5"}, {120, "5"}};
  for (auto [chip, image] : expected) {
    driver.chip = chip;
    driver.loads.clear();
    Code several(all);
    Context context = create();
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
    several.launch(context.get(), "work");
    EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
    ASSERT_EQ(driver.loads.size(), 1u);
    EXPECT_EQ(driver.loads[0].first, image) << "sm_" << chip;
  }
  driver.chip = 75;
  Code several(all);
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  several.launch(context.get(), "work");
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_UNSUPPORTED);
  EXPECT_EQ(getError(context),
            "expected kernels for this GPU, which is of sm_75, but 'kernels' "
            "was compiled for others; compile it for sm_75");
}

/// What the driver is too old to compile gives way to what is older.
TEST_F(Gpu, OlderImage) {
  Code several({{ATTN_GPU_CUBIN, 80}, {ATTN_GPU_PTX, 86}, {ATTN_GPU_PTX, 80}});
  driver.chip = 86;
  driver.refused = {{"1", 222}};
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  several.launch(context.get(), "work");
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  ASSERT_EQ(driver.loads.size(), 1u);
  EXPECT_EQ(driver.loads[0].first, "0");
}

/// A primary context that was given up has no kernels when it is had again.
TEST_F(Gpu, PrimaryContextAnew) {
  for (int i = 1; i <= 2; ++i) {
    Context context = create();
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
    code.launch(context.get(), "work");
    EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
    EXPECT_EQ(driver.loads.size(), size_t(i));
  }
}

/// One that others keep still has them.
TEST_F(Gpu, PrimaryContextShared) {
  Context keeper = create();
  ASSERT_EQ(attn_rt_gpu_begin(keeper.get(), nullptr), ATTN_OK);
  EXPECT_EQ(attn_rt_gpu_end(keeper.get()), ATTN_OK);
  for (int i = 0; i < 3; ++i) {
    Context context = create();
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
    code.launch(context.get(), "work");
    EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  }
  EXPECT_EQ(driver.loads.size(), 1u);
  EXPECT_EQ(driver.primaries, 1);
}

/// The GPU is asked once what it is, for as long as its context is the same.
TEST_F(Gpu, DescribedOnce) {
  Context context = create();
  for (int call = 0; call < 3; ++call) {
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
    EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  }
  EXPECT_EQ(driver.count("cuDeviceGetAttribute"), 4);
  driver.currents = {&other};
  driver.chip = 80;
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  EXPECT_EQ(attn_rt_gpu_get_chip(context.get()), 80);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  driver.currents.clear();
}

/// An interval between marks has the length that the GPU says.
TEST_F(Gpu, Time) {
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  attn_rt_gpu_mark(context.get(), 0);
  code.launch(context.get(), "work");
  attn_rt_gpu_mark(context.get(), 1);
  EXPECT_EQ(attn_rt_gpu_get_elapsed(context.get()), 100);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
}

/// All memory but what was had first is given back at once.
TEST_F(Gpu, FreeSince) {
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  void *first = attn_rt_gpu_alloc(context.get(), 1000);
  void *second = attn_rt_gpu_alloc(context.get(), 1000);
  attn_rt_gpu_free_since(context.get(), first);
  EXPECT_EQ(attn_rt_gpu_alloc(context.get(), 1000), second);
  EXPECT_NE(attn_rt_gpu_alloc(context.get(), 1000), first);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
}

/// Without pools memory is not of the stream.
TEST_F(Gpu, MemoryWithoutPools) {
  driver.pools = 0;
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  EXPECT_NE(attn_rt_gpu_alloc(context.get(), 1000), nullptr);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  EXPECT_EQ(driver.count("cuMemAlloc_v2"), 1);
  EXPECT_EQ(driver.count("cuMemAllocAsync"), 0);
}

/// Memory that was given back is had again, and is all the driver's at the end.
TEST_F(Gpu, Memory) {
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  void *first = attn_rt_gpu_alloc(context.get(), 1000);
  void *second = attn_rt_gpu_alloc(context.get(), 1000);
  EXPECT_NE(first, second);
  attn_rt_gpu_free(context.get(), first);
  EXPECT_EQ(attn_rt_gpu_alloc(context.get(), 1020), first);
  EXPECT_NE(attn_rt_gpu_alloc(context.get(), 0), nullptr);
  EXPECT_EQ(driver.memory.size(), 3u);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  EXPECT_TRUE(driver.memory.empty());
}

/// What a kernel finds fails the call with its text and its numbers.
TEST_F(Gpu, ErrorWord) {
  static const char *const messages[] = {"unused",
                                         "expected a page below {0}, but got "
                                         "{1}"};
  driver.kernels["check"] = [](void **parameters) {
    auto *error = *static_cast<attn_rt_gpu_error **>(parameters[0]);
    EXPECT_EQ(error->raised, 0);
    *error = {1, 1, {7, 9}};
  };
  Context context = create();
  auto run = [&](bool asynchronous) {
    attn_rt_gpu_place place = {ATTN_RT_VERSION, asynchronous, nullptr, nullptr};
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), &place), ATTN_OK);
    void *word = attn_rt_gpu_get_error_word(context.get(), messages, 2);
    EXPECT_EQ(attn_rt_gpu_get_error_word(context.get(), messages, 2), word);
    code.launch(context.get(), "check", {reinterpret_cast<intptr_t>(word)});
  };
  run(false);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_FAILED);
  EXPECT_EQ(getError(context), "expected a page below 7, but got 9");
  context = create();
  run(true);
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  EXPECT_EQ(driver.waits, 1);
  // Calls in between do not hide it.
  for (int call = 0; call < 2; ++call) {
    attn_rt_gpu_place place = {ATTN_RT_VERSION, 1, nullptr, nullptr};
    ASSERT_EQ(attn_rt_gpu_begin(context.get(), &place), ATTN_OK);
    static const char *const others[] = {"other"};
    if (call == 1)
      attn_rt_gpu_get_error_word(context.get(), others, 1);
    EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  }
  EXPECT_EQ(attn_rt_gpu_wait(context.get()), ATTN_FAILED);
  EXPECT_EQ(getError(context), "expected a page below 7, but got 9");
}

/// A context that goes waits for what it has begun.
TEST_F(Gpu, DestroyedUnwaited) {
  Context context = create();
  attn_rt_gpu_place place = {ATTN_RT_VERSION, 1, nullptr, nullptr};
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), &place), ATTN_OK);
  code.launch(context.get(), "work");
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_OK);
  EXPECT_EQ(driver.waits, 0);
  context.reset();
  EXPECT_EQ(driver.waits, 1);
}

/// Each failure is one line, nothing is launched after it, and all is freed.
TEST_F(Gpu, Failures) {
  auto run = [&](std::map<std::string, int> failures, int expected,
                 const char *error, const char *kernel = "work",
                 int64_t shared = 0, int64_t gridY = 2) {
    driver.failures = std::move(failures);
    driver.launches.clear();
    Context context = create();
    Code fresh({{ATTN_GPU_PTX, 80}});
    if (attn_rt_gpu_begin(context.get(), nullptr) == ATTN_OK) {
      attn_rt_gpu_alloc(context.get(), 64);
      fresh.launch(context.get(), kernel, {}, shared, 3, gridY);
      driver.failures.clear();
      size_t launched = driver.launches.size();
      fresh.launch(context.get(), "work");
      EXPECT_EQ(driver.launches.size(), launched);
      EXPECT_EQ(attn_rt_gpu_end(context.get()), expected);
    }
    EXPECT_THAT(getError(context), StrEq(error));
    driver.failures.clear();
  };
  run({{"cuMemAllocAsync", 2}}, ATTN_OUT_OF_MEMORY,
      "cannot have 64 bytes of the GPU's memory: CUDA_ERROR_OF_TEST (CUDA "
      "error 2)");
  run({{"cuModuleLoadData", 222}}, ATTN_UNSUPPORTED,
      "expected a driver that knows the PTX of kernels 'kernels', but it is "
      "older; update it");
  run({{"cuModuleLoadData", 209}}, ATTN_UNSUPPORTED,
      "expected kernels that this GPU runs, but its driver refuses 'kernels' "
      "for sm_80 (CUDA error 209)");
  run({{"cuLaunchKernel", 719}}, ATTN_FAILED,
      "cannot launch kernel 'work': CUDA_ERROR_LAUNCH_FAILED (CUDA error 719)");
  run({}, ATTN_FAILED,
      "cannot find kernel 'play': CUDA_ERROR_OF_TEST (CUDA error 500)", "play");
  run({}, ATTN_UNSUPPORTED,
      "expected a GPU with 300000 bytes of shared memory for kernel 'work', "
      "but this one has 232448",
      "work", 300000);
  run({}, ATTN_FAILED,
      "expected kernel 'work' to have a grid of up to 65535 along y, but got "
      "65536",
      "work", 0, 65536);
  run({{"cuCtxGetDevice", 201}}, ATTN_FAILED,
      "cannot find out what the GPU is: CUDA_ERROR_OF_TEST (CUDA error 201)");
  driver.devices = 0;
  run({}, ATTN_UNSUPPORTED,
      "expected a GPU of NVIDIA's, but the driver sees none");
}

/// What a kernel does to the GPU is found when it is waited for.
TEST_F(Gpu, FailureOfTheStream) {
  Context context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  code.launch(context.get(), "work");
  driver.failures = {{"cuStreamSynchronize", 719}};
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_FAILED);
  EXPECT_EQ(getError(context), "cannot finish the kernels: "
                               "CUDA_ERROR_LAUNCH_FAILED (CUDA error 719)");
}

/// Out of turn.
TEST_F(Gpu, WrongCalls) {
  Context context = create();
  code.launch(context.get(), "work");
  EXPECT_EQ(getError(context),
            "expected attn_rt_gpu_begin before kernels are launched");
  EXPECT_EQ(attn_rt_gpu_end(context.get()), ATTN_FAILED);
  context = create();
  EXPECT_EQ(attn_rt_gpu_wait(context.get()), ATTN_FAILED);
  EXPECT_EQ(getError(context),
            "expected attn_rt_gpu_wait after a call that has ended");
  context = create();
  attn_rt_gpu_place place = {ATTN_RT_VERSION + 1, 0, nullptr, nullptr};
  EXPECT_EQ(attn_rt_gpu_begin(context.get(), &place), ATTN_UNSUPPORTED);
  context = create();
  ASSERT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_OK);
  EXPECT_EQ(attn_rt_gpu_begin(context.get(), nullptr), ATTN_BUSY);
}

/// In a process of its own: what the driver is when it starts.
void beginWith(const char *variable, const char *value) {
  setenv(variable, value, 1);
  Context context = create();
  int status = attn_rt_gpu_begin(context.get(), nullptr);
  std::fprintf(stderr, "%d: %s\n", status, getError(context).c_str());
  std::exit(0);
}

TEST(GpuDriverDeathTest, Start) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(beginWith("FAKE_CUDA_INIT", "100"), ExitedWithCode(0),
              "4: expected a GPU of NVIDIA's, but the driver sees none");
  EXPECT_EXIT(beginWith("FAKE_CUDA_INIT", "999"), ExitedWithCode(0),
              "4: expected a GPU of NVIDIA's, but its driver cannot start "
              ".CUDA error 999.");
  EXPECT_EXIT(beginWith("FAKE_CUDA_VERSION", "10020"), ExitedWithCode(0),
              "4: expected a driver of CUDA 11.0 or later, but it is of 10.2; "
              "update it");
}

} // namespace
