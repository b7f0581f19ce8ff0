//===- HostTest.cpp - A host that calls from many threads -------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a server does: one kernel, calls from many threads with unequal numbers
// of threads, some of which fail where only the run can see it.
//
//===----------------------------------------------------------------------===//

#include "KernelTestUtils.h"
#include "llvm/Support/raw_ostream.h"

#include <atomic>
#include <cstring>
#include <fstream>
#include <thread>
#include <unistd.h>

using namespace attn;

namespace {

/// Pages of this process in memory, in bytes.
int64_t getResidentBytes() {
  int64_t all = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

/// Item %b attends to 6 - %b * %d keys: fewer than there are values for %d > 0.
constexpr char parallel[] = R"mlir(
func.func @f(%x: tensor<4x6x8xf32>, %d: index) -> tensor<4x6x8xf32> {
  %c6 = arith.constant 6 : index
  %init = tensor.empty() : tensor<4x6x8xf32>
  %o = scf.forall (%b) in (4) shared_outs(%out = %init) -> tensor<4x6x8xf32> {
    %shift = arith.muli %b, %d : index
    %rows = arith.subi %c6, %shift : index
    %q = tensor.extract_slice %x[%b, 0, 0] [1, 6, 8] [1, 1, 1] : tensor<4x6x8xf32> to tensor<6x8xf32>
    %k = tensor.extract_slice %x[%b, 0, 0] [1, %rows, 8] [1, 1, 1] : tensor<4x6x8xf32> to tensor<?x8xf32>
    %to = tensor.extract_slice %out[%b, 0, 0] [1, 6, 8] [1, 1, 1] : tensor<4x6x8xf32> to tensor<6x8xf32>
    %v = tensor.cast %q : tensor<6x8xf32> to tensor<?x8xf32>
    %r = attn.sdpa ins(%q, %k, %v : tensor<6x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
        outs(%to : tensor<6x8xf32>) -> tensor<6x8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %r into %out[%b, 0, 0] [1, 6, 8] [1, 1, 1] : tensor<6x8xf32> into tensor<4x6x8xf32>
    }
  }
  return %o : tensor<4x6x8xf32>
}
)mlir";

/// The keys of a private function are fewer than its values for %d > 0.
constexpr char callee[] = R"mlir(
func.func private @g(%q: tensor<?x8xf32>, %k: tensor<?x8xf32>, %v: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %o = attn.sdpa ins(%q, %k, %v : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      outs(%q : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}
func.func @f(%x: tensor<4x6x8xf32>, %d: index) -> tensor<4x6x8xf32> {
  %c24 = arith.constant 24 : index
  %rows = arith.subi %c24, %d : index
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x6x8xf32> into tensor<24x8xf32>
  %q = tensor.cast %flat : tensor<24x8xf32> to tensor<?x8xf32>
  %k = tensor.extract_slice %flat[0, 0] [%rows, 8] [1, 1] : tensor<24x8xf32> to tensor<?x8xf32>
  %r = call @g(%q, %k, %q) : (tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>) -> tensor<?x8xf32>
  %s = tensor.cast %r : tensor<?x8xf32> to tensor<24x8xf32>
  %o = tensor.expand_shape %s [[0, 1], [2]] output_shape [4, 6, 8] : tensor<24x8xf32> into tensor<4x6x8xf32>
  return %o : tensor<4x6x8xf32>
}
)mlir";

/// Five calls deep, the innermost has fewer keys than values for %d > 0.
constexpr char recursion[] = R"mlir(
func.func private @g(%x: tensor<24x8xf32>, %depth: index, %d: index) -> tensor<24x8xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c24 = arith.constant 24 : index
  %last = arith.cmpi eq, %depth, %c0 : index
  %r = scf.if %last -> tensor<24x8xf32> {
    %rows = arith.subi %c24, %d : index
    %k = tensor.extract_slice %x[0, 0] [%rows, 8] [1, 1] : tensor<24x8xf32> to tensor<?x8xf32>
    %v = tensor.cast %x : tensor<24x8xf32> to tensor<?x8xf32>
    %init = tensor.empty() : tensor<24x8xf32>
    %o = attn.sdpa ins(%x, %k, %v : tensor<24x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
        outs(%init : tensor<24x8xf32>) -> tensor<24x8xf32>
    scf.yield %o : tensor<24x8xf32>
  } else {
    %twice = arith.addf %x, %x : tensor<24x8xf32>
    %less = arith.subi %depth, %c1 : index
    %o = func.call @g(%twice, %less, %d) : (tensor<24x8xf32>, index, index) -> tensor<24x8xf32>
    scf.yield %o : tensor<24x8xf32>
  }
  return %r : tensor<24x8xf32>
}
func.func @f(%x: tensor<4x6x8xf32>, %d: index) -> tensor<4x6x8xf32> {
  %c5 = arith.constant 5 : index
  %flat = tensor.collapse_shape %x [[0, 1], [2]] : tensor<4x6x8xf32> into tensor<24x8xf32>
  %r = call @g(%flat, %c5, %d) : (tensor<24x8xf32>, index, index) -> tensor<24x8xf32>
  %o = tensor.expand_shape %r [[0, 1], [2]] output_shape [4, 6, 8] : tensor<24x8xf32> into tensor<4x6x8xf32>
  return %o : tensor<4x6x8xf32>
}
)mlir";

class HostTest : public KernelTestBase {
protected:
  /// 1000 calls from 8 threads with 1, 2, 3, ... threads each: every other one
  /// fails and says so, the others give what a call alone gives.
  void callFromThreads(const Kernel &kernel);
};

void HostTest::callFromThreads(const Kernel &kernel) {
  Array x = fill({4, 6, 8}, 1);
  auto right = Array::create(ElementType::Index, {}, {0.0});
  auto wrong = Array::create(ElementType::Index, {}, {1.0});
  ASSERT_TRUE(right && wrong);
  auto alone = kernel.call({&x, &*right});
  ASSERT_TRUE(bool(alone)) << llvm::toString(alone.takeError());
  const Array &expected = alone->front();

  std::atomic<int> succeeded{0}, failed{0}, different{0};
  auto serve = [&](int number, int calls) {
    Array out = fill({4, 6, 8}, 2);
    ArrayView in = ArrayView::of(x), to = ArrayView::of(out);
    CallOptions options;
    for (int i = 0; i < calls; ++i) {
      options.threads = 1 + (number + i) % 5;
      const Array &d = i % 2 ? *wrong : *right;
      llvm::Error error = kernel.call({in, ArrayView::of(d)}, {to}, options);
      if (error) {
        std::string message = llvm::toString(std::move(error));
        bool located = message.find("'attn.sdpa' op expected extent") !=
                       std::string::npos;
        ++(i % 2 && located ? failed : different);
      } else {
        bool same = std::memcmp(out.getData(), expected.getData(),
                                expected.getNumBytes()) == 0;
        ++(i % 2 == 0 && same ? succeeded : different);
      }
    }
  };
  auto serveAll = [&](int calls) {
    std::vector<std::thread> threads;
    for (int number = 0; number < 8; ++number)
      threads.emplace_back(serve, number, calls);
    for (std::thread &thread : threads)
      thread.join();
  };
  // What stays for the next call is there after the first ones.
  serveAll(26);
  int64_t before = getResidentBytes();
  serveAll(126);
  int64_t after = getResidentBytes();
  EXPECT_EQ(different, 0);
  EXPECT_EQ(succeeded, 8 * (13 + 63));
  EXPECT_EQ(failed, 8 * (13 + 63));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  // Threads come with pools of the allocator, not with each call.
  EXPECT_LT(after - before, int64_t(16) << 20);
#endif
}

TEST_F(HostTest, CheckInParallelLoop) { callFromThreads(*compile(parallel)); }
TEST_F(HostTest, CheckInPrivateCallee) { callFromThreads(*compile(callee)); }
TEST_F(HostTest, CheckInRecursion) { callFromThreads(*compile(recursion)); }

/// One caller, many calls of each kind: not a page more.
TEST_F(HostTest, ResidentSizeIsFlat) {
  for (llvm::StringRef text : {parallel, callee, recursion}) {
    auto kernel = compile(text);
    Array x = fill({4, 6, 8}, 1), out = fill({4, 6, 8}, 2);
    auto right = Array::create(ElementType::Index, {}, {0.0});
    auto wrong = Array::create(ElementType::Index, {}, {1.0});
    ASSERT_TRUE(right && wrong);
    auto serve = [&](int calls) {
      for (int i = 0; i < calls; ++i)
        call(*kernel,
             {ArrayView::of(x), ArrayView::of(i % 2 ? *wrong : *right)},
             {ArrayView::of(out)}, 1 + i % 2);
    };
    serve(100);
    [[maybe_unused]] int64_t before = getResidentBytes();
    serve(2000);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LE(getResidentBytes() - before, int64_t(256) << 10);
#endif
  }
}

/// The bits of a result depend on the arguments alone.
TEST_F(HostTest, SameBitsWhateverTheThreads) {
  auto kernel = compile(R"mlir(
func.func @f(%q: tensor<2x3x70x16xf32>, %k: tensor<2x1x90x16xf32>, %v: tensor<2x1x90x8xf32>) -> tensor<2x3x70x8xf32> {
  %init = tensor.empty() : tensor<2x3x70x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x3x70x16xf32>, tensor<2x1x90x16xf32>, tensor<2x1x90x8xf32>)
      outs(%init : tensor<2x3x70x8xf32>) {causal = #attn.causal<bottom_right>} -> tensor<2x3x70x8xf32>
  return %o : tensor<2x3x70x8xf32>
}
)mlir");
  Array q = fill({2, 3, 70, 16}, 1), k = fill({2, 1, 90, 16}, 2),
        v = fill({2, 1, 90, 8}, 3);
  auto first = kernel->call({&q, &k, &v}, CallOptions{1});
  ASSERT_TRUE(bool(first)) << llvm::toString(first.takeError());
  for (int run = 0; run < 20; ++run)
    for (int threads = 1; threads <= 8; ++threads) {
      auto again = kernel->call({&q, &k, &v}, CallOptions{threads});
      ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError());
      ASSERT_EQ(std::memcmp(first->front().getData(), again->front().getData(),
                            first->front().getNumBytes()),
                0)
          << threads << " threads, run " << run;
    }
}

} // namespace
