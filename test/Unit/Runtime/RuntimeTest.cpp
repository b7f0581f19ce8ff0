//===- RuntimeTest.cpp - What compiled code stands on -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/Runtime/attn_rt.h"
#include "gtest/gtest.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

namespace {

struct Destroy {
  void operator()(attn_rt_context *context) const {
    attn_rt_destroy(context);
  }
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
                  [](attn_rt_context *, void *data, int64_t begin, int64_t end) {
                    *static_cast<std::atomic<int> *>(data) += end - begin;
                  },
                  &seen[i], 3);
          },
          &seen, count);
      for (int64_t i = 0; i < count; ++i)
        EXPECT_EQ(seen[i], 3);
      EXPECT_EQ(attn_rt_get_error(context.get()), nullptr);
    }
}

/// Items are claimed from the last on.
TEST(Runtime, LastFirst) {
  attn_rt_host serial = {};
  serial.version = ATTN_RT_VERSION;
  serial.threads = 1;
  Context context = create(&serial);
  std::vector<int64_t> order;
  attn_rt_parallel_for(
      context.get(),
      [](attn_rt_context *, void *data, int64_t begin, int64_t) {
        static_cast<std::vector<int64_t> *>(data)->push_back(begin);
      },
      &order, 4);
  EXPECT_EQ(order, (std::vector<int64_t>{3, 2, 1, 0}));
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
        &ran, 100000);
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

} // namespace
