//===- RuntimeTest.cpp - What compiled code stands on -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Runtime/attn_rt_code.h"
#include "gtest/gtest.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace {

struct Destroy {
  void operator()(attn_rt_context *context) const { attn_rt_destroy(context); }
};
using Context = std::unique_ptr<attn_rt_context, Destroy>;

/// A host with threads of its own, which counts the memory it gives.
struct Host {
  std::atomic<int64_t> bytes{0}, blocks{0};
  std::atomic<bool> isEmpty{false};

  attn_rt_host describe(int threads) {
    attn_rt_host host = {};
    host.version = ATTN_RT_VERSION;
    host.threads = threads;
    host.user = this;
    host.parallel = [](void *, int32_t workers, void (*work)(void *),
                       void *task) {
      std::vector<std::thread> all;
      for (int32_t i = 0; i < workers; ++i)
        all.emplace_back(work, task);
      for (std::thread &thread : all)
        thread.join();
    };
    host.allocate = [](void *user, int64_t bytes) -> void * {
      auto *self = static_cast<Host *>(user);
      if (self->isEmpty)
        return nullptr;
      self->bytes += bytes;
      ++self->blocks;
      return std::aligned_alloc(ATTN_RT_ALIGNMENT, bytes);
    };
    host.release = [](void *user, void *memory, int64_t bytes) {
      auto *self = static_cast<Host *>(user);
      self->bytes -= bytes;
      --self->blocks;
      std::free(memory);
    };
    return host;
  }
};

Context create(const attn_rt_host *host) {
  return Context(attn_rt_create(host));
}

/// Every item runs once, whoever deals them out, within another loop too.
TEST(Runtime, ParallelFor) {
  Host own;
  attn_rt_host byHost = own.describe(3), serial = {}, openMP = {};
  serial.version = openMP.version = ATTN_RT_VERSION;
  serial.threads = 1;
  openMP.threads = 4;
  for (const attn_rt_host *host : {&byHost, &serial, &openMP})
    for (int64_t count : {0, 1, 2, 7, 5000}) {
      Context context = create(host);
      std::vector<std::atomic<int>> seen(count);
      attn_rt_parallel_for(
          context.get(),
          [](attn_rt_context *outer, void *data, int64_t begin, int64_t end) {
            auto &seen = *static_cast<std::vector<std::atomic<int>> *>(data);
            for (int64_t i = begin; i < end; ++i)
              attn_rt_parallel_for(
                  outer,
                  [](attn_rt_context *, void *data, int64_t begin,
                     int64_t end) {
                    *static_cast<std::atomic<int> *>(data) += end - begin;
                  },
                  nullptr, &seen[i], 3, 1);
          },
          nullptr, &seen, count, 1);
      for (int64_t i = 0; i < count; ++i)
        EXPECT_EQ(seen[i], 3);
      EXPECT_EQ(attn_rt_get_error(context.get()), nullptr);
    }
}

/// What a host that runs one worker after the other sees begun.
std::vector<int64_t> getOrder(int32_t threads, int64_t count, attn_rt_cost cost,
                              int64_t group = 1) {
  attn_rt_host host = {};
  host.version = ATTN_RT_VERSION;
  host.threads = threads;
  host.parallel = [](void *, int32_t workers, void (*work)(void *),
                     void *data) {
    for (int32_t i = 0; i < workers; ++i)
      work(data);
  };
  Context context = create(&host);
  std::vector<int64_t> order;
  attn_rt_parallel_for(
      context.get(),
      [](attn_rt_context *, void *data, int64_t begin, int64_t end) {
        for (; begin < end; ++begin)
          static_cast<std::vector<int64_t> *>(data)->push_back(begin);
      },
      cost, &order, count, group);
  return order;
}

/// The longest items are begun first, within a group and the groups, equals as
/// they come; one worker takes all as they come.
TEST(Runtime, LongestFirst) {
  auto cost = [](attn_rt_context *, void *, int64_t item) { return item % 3; };
  auto equal = [](attn_rt_context *, void *, int64_t) { return int64_t(7); };
  using Order = std::vector<int64_t>;
  EXPECT_EQ(getOrder(2, 7, cost), (Order{2, 5, 1, 4, 0, 3, 6}));
  EXPECT_EQ(getOrder(2, 4, nullptr), (Order{0, 1, 2, 3}));
  EXPECT_EQ(getOrder(2, 4, equal), (Order{0, 1, 2, 3}));
  EXPECT_EQ(getOrder(1, 4, cost), (Order{0, 1, 2, 3}));
  // Groups 0 1, 2 3, 4 5, 6 cost 1, 2, 3, 0.
  EXPECT_EQ(getOrder(2, 7, cost, 2), (Order{5, 4, 2, 3, 1, 0, 6}));
  // More items than claims: chunks of neighbours in rank.
  Order many = getOrder(2, 2000, cost);
  ASSERT_EQ(many.size(), 2000u);
  for (size_t i = 1; i < many.size(); ++i)
    EXPECT_TRUE(many[i - 1] % 3 > many[i] % 3 ||
                (many[i - 1] % 3 == many[i] % 3 && many[i - 1] < many[i]));
}

/// One item fails: the message is there, workers stop, what anybody holds goes
/// back, and the context serves the next call.
TEST(Runtime, Failure) {
  Host own;
  attn_rt_host byHost = own.describe(4);
  Context context = create(&byHost);
  for (int round = 0; round < 50; ++round) {
    std::atomic<int64_t> ran{0};
    attn_rt_parallel_for(
        context.get(),
        [](attn_rt_context *worker, void *data, int64_t begin, int64_t) {
          attn_rt_alloc(worker, 1000);
          ++*static_cast<std::atomic<int64_t> *>(data);
          attn_rt_fail(worker, "item {0} of {1}, {2}", 2, begin, 100000);
        },
        nullptr, &ran, 100000, 1);
    EXPECT_LE(ran, 4);
    const char *error = attn_rt_get_error(context.get());
    ASSERT_NE(error, nullptr);
    EXPECT_NE(strstr(error, " of 100000, {2}"), nullptr) << error;
    attn_rt_reset(context.get());
    EXPECT_EQ(attn_rt_get_error(context.get()), nullptr);
    EXPECT_EQ(own.blocks, 0);
  }
}

/// Scratch of one size is one block, however often it is asked for.
TEST(Runtime, MemoryIsKept) {
  Host own;
  attn_rt_host byHost = own.describe(1);
  Context context = create(&byHost);
  for (int i = 0; i < 1000; ++i) {
    void *large = attn_rt_alloc(context.get(), 8192);
    void *small = attn_rt_alloc(context.get(), 100);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(large) % ATTN_RT_ALIGNMENT, 0u);
    ASSERT_EQ(reinterpret_cast<uintptr_t>(small) % ATTN_RT_ALIGNMENT, 0u);
    memset(large, 1, 8192);
    memset(small, 2, 100);
    attn_rt_free(context.get(), large);
    attn_rt_free(context.get(), small);
  }
  EXPECT_EQ(own.blocks, 2);
  // Not any amount is kept.
  for (int64_t size = 1 << 20; size < 50 << 20; size += 1 << 20)
    attn_rt_free(context.get(), attn_rt_alloc(context.get(), size));
  EXPECT_LE(own.bytes, int64_t(65) << 20);
  context.reset();
  EXPECT_EQ(own.blocks, 0);
}

TEST(Runtime, NoMemory) {
  Host own;
  own.isEmpty = true;
  attn_rt_host byHost = own.describe(1);
  Context context = create(&byHost);
  EXPECT_EQ(attn_rt_alloc(context.get(), 40), nullptr);
  EXPECT_STREQ(attn_rt_get_error(context.get()),
               "expected 40 bytes of memory, but there are not");
  attn_rt_reset(context.get());
  EXPECT_EQ(attn_rt_alloc(context.get(), -1), nullptr);
  EXPECT_STREQ(attn_rt_get_error(context.get()),
               "expected a tensor that fits into memory, but its size is "
               "negative or beyond 2^62 bytes");
}

/// A result is allocated where the host wants it, once, if it fits.
TEST(Runtime, Offers) {
  Context context = create(nullptr);
  alignas(64) char output[200];
  attn_rt_offer(context.get(), 1, output, sizeof(output));
  EXPECT_NE(attn_rt_alloc_result(context.get(), 200, 0), output);
  EXPECT_NE(attn_rt_alloc_result(context.get(), 100, 1), output);
  EXPECT_EQ(attn_rt_alloc_result(context.get(), 200, 1), output);
  EXPECT_NE(attn_rt_alloc_result(context.get(), 200, 1), output);
  // It is not the context's to free or to give away.
  attn_rt_free(context.get(), output);
  EXPECT_EQ(attn_rt_take(context.get(), output), nullptr);
  void *memory = attn_rt_alloc(context.get(), 10);
  void *block = attn_rt_take(context.get(), memory);
  ASSERT_NE(block, nullptr);
  EXPECT_EQ(attn_rt_take(context.get(), memory), nullptr);
  std::free(block);
  // A result of no elements before it was not offered: it gets memory.
  Context other = create(nullptr);
  attn_rt_offer(other.get(), 1, output, sizeof(output));
  EXPECT_NE(attn_rt_alloc_result(other.get(), 0, 0), nullptr);
}

TEST(Runtime, Versions) {
  attn_rt_host other = {};
  other.version = ATTN_RT_VERSION + 1;
  EXPECT_EQ(attn_rt_create(&other), nullptr);
  attn_rt_host half = {};
  half.version = ATTN_RT_VERSION;
  half.allocate = [](void *, int64_t) -> void * { return nullptr; };
  EXPECT_EQ(attn_rt_create(&half), nullptr);
}

/// A function of nothing that counts the calls of each version.
struct Versions {
  static void countFirst(attn_rt_context *, void **) { ++calls[0]; }
  static void countLast(attn_rt_context *, void **) { ++calls[1]; }
  static inline int calls[2];

  attn_rt_version versions[2] = {{"first", 0, countFirst, nullptr},
                                 {"last", 0, countLast, nullptr}};
  attn_rt_function function = {ATTN_RT_VERSION, 0,       0,       0, 2, 0,
                               nullptr,         nullptr, versions};

  Versions() { calls[0] = calls[1] = 0; }
  int32_t call(const char *cpu, std::string &message) {
    attn_rt_host host = {};
    host.version = ATTN_RT_VERSION;
    host.cpu = cpu;
    Context context(attn_rt_create(&host));
    int32_t status = attn_rt_call(context.get(), &function, nullptr);
    const char *error = attn_rt_get_error(context.get());
    message = error ? error : "";
    return status;
  }
};

/// The last version that the machine can execute runs, or the one asked for.
TEST(Runtime, ChoosesVersions) {
  constexpr uint64_t unknown = uint64_t(1) << 63;
  std::string message;
  Versions all;
  EXPECT_EQ(all.call(nullptr, message), ATTN_OK);
  EXPECT_EQ(Versions::calls[1], 1);
  EXPECT_EQ(all.call("first", message), ATTN_OK);
  EXPECT_EQ(Versions::calls[0], 1);
  EXPECT_EQ(all.call("other", message), ATTN_INVALID_ARGUMENT);
  EXPECT_EQ(message, "expected a CPU that the function was compiled for, such "
                     "as first, but got other");
  Versions some;
  some.versions[1].features = unknown;
  EXPECT_EQ(some.call(nullptr, message), ATTN_OK);
  EXPECT_EQ(Versions::calls[0], 1);
  EXPECT_EQ(some.call("last", message), ATTN_UNSUPPORTED);
  EXPECT_EQ(message, "expected a CPU that this machine has, but got last; name "
                     "none, and the best one runs");
  some.versions[0].features = unknown;
  EXPECT_EQ(some.call(nullptr, message), ATTN_UNSUPPORTED);
  EXPECT_EQ(message, "expected a machine like first, for which the function "
                     "was compiled, but this one lacks instructions of it; "
                     "compile it with --cpu=x86-64 as well");
  EXPECT_EQ(Versions::calls[0] + Versions::calls[1], 1);
}

/// Code of another version is not run.
TEST(Runtime, RefusesOtherVersions) {
  std::string message;
  Versions old;
  old.function.version = ATTN_RT_VERSION + 1;
  EXPECT_EQ(old.call(nullptr, message), ATTN_UNSUPPORTED);
  EXPECT_EQ(message, "expected a function of version " +
                         std::to_string(ATTN_RT_VERSION) +
                         ", as this runtime is, but got one of version " +
                         std::to_string(ATTN_RT_VERSION + 1) +
                         "; compile it again");
  EXPECT_EQ(Versions::calls[0] + Versions::calls[1], 0);
}

} // namespace
