//===- LendingTest.cpp - Arrays that lie as their owner likes ---*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTestUtils.h"

#include <cstring>
#include <sys/mman.h>
#include <thread>

using namespace attn;

namespace {

/// Two query heads per key head; what is asked for is the first two of three.
constexpr char attention[] = R"mlir(
func.func @f(%q: tensor<2x4x?x16xf32>, %k: tensor<2x2x?x16xf32>, %v: tensor<2x2x?x8xf32>) -> tensor<2x4x?x8xf32> {
  %c2 = arith.constant 2 : index
  %n = tensor.dim %q, %c2 : tensor<2x4x?x16xf32>
  %init = tensor.empty(%n) : tensor<2x4x?x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x4x?x16xf32>, tensor<2x2x?x16xf32>, tensor<2x2x?x8xf32>)
      outs(%init : tensor<2x4x?x8xf32>) {causal = #attn.causal<bottom_right>} -> tensor<2x4x?x8xf32>
  return %o : tensor<2x4x?x8xf32>
}
)mlir";

class LendingTest : public KernelTestBase {
protected:
  static ArrayView view(Array &array, int64_t offset,
                        llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> strides) {
    ArrayView view;
    view.data = static_cast<float *>(array.getData()) + offset;
    view.shape.assign(shape.begin(), shape.end());
    view.strides.assign(strides.begin(), strides.end());
    return view;
  }

  /// A new array of the elements of a view.
  static Array copy(const ArrayView &view) {
    auto array = Array::create(view.type, view.shape);
    EXPECT_TRUE(bool(array));
    for (int64_t i = 0; i < array->getNumElements(); ++i) {
      int64_t rest = i, at = 0;
      for (size_t dim = view.shape.size(); dim-- > 0;) {
        at += rest % view.shape[dim] * view.strides[dim];
        rest /= view.shape[dim];
      }
      array->set(i, static_cast<const float *>(view.data)[at]);
    }
    return std::move(*array);
  }
};

/// Projections give a row per token: queries, keys and values of all heads, in
/// which the output finds its place as well. As if each lay alone.
TEST_F(LendingTest, PackedProjections) {
  constexpr int64_t tokens = 70, queries = 4 * 16, keys = 2 * 16,
                    values = 2 * 8, outputs = 4 * 8,
                    row = queries + keys + values + outputs;
  for (bool dynamic : {true, false}) {
    std::string text = attention;
    if (!dynamic) {
      while (text.find('?') != std::string::npos)
        text.replace(text.find('?'), 1, "70");
      text.replace(text.find("tensor.empty(%n)"), 16, "tensor.empty()");
    }
    auto kernel = compile(text);
    for (int threads : {1, 3}) {
      Array packed = fill({2, tokens, row}, 1);
      Array before = copy(ArrayView::of(packed));
      ArrayView q = view(packed, 0, {2, 4, tokens, 16},
                         {tokens * row, 16, row, 1}),
                k = view(packed, queries, {2, 2, tokens, 16},
                         {tokens * row, 16, row, 1}),
                v = view(packed, queries + keys, {2, 2, tokens, 8},
                         {tokens * row, 8, row, 1}),
                o = view(packed, queries + keys + values, {2, 4, tokens, 8},
                         {tokens * row, 8, row, 1});
      Array plainQ = copy(q), plainK = copy(k), plainV = copy(v);
      auto expected = kernel->call({&plainQ, &plainK, &plainV});
      ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
      ASSERT_EQ(call(*kernel, {q, k, v}, {o}, threads), "");
      Array got = copy(o);
      EXPECT_EQ(std::memcmp(got.getData(), expected->front().getData(),
                            got.getNumBytes()),
                0);
      // Nothing else was written.
      for (int64_t i = 0; i < packed.getNumElements(); ++i)
        if (i % row < queries + keys + values)
          ASSERT_EQ(packed.at(i), before.at(i)) << i;
    }
  }
}

/// Every subset of the arrays may lie anyhow.
TEST_F(LendingTest, EachAlone) {
  auto kernel = compile(attention);
  Array q = fill({2, 4, 5, 16}, 1), k = fill({2, 2, 7, 16}, 2),
        v = fill({2, 2, 7, 8}, 3);
  auto expected = kernel->call({&q, &k, &v});
  ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
  for (int subset = 0; subset < 16; ++subset) {
    // As rows of 20 elements, head after token.
    auto spread = [&](const Array &array, int bit, std::vector<Array> &keep) {
      llvm::ArrayRef<int64_t> shape = array.getShape();
      bool lies = subset & (1 << bit);
      int64_t row = lies ? 20 : shape[3];
      keep.push_back(fill({shape[0] * shape[1] * shape[2] * row}, 9));
      ArrayView to =
          view(keep.back(), 0, shape,
               {shape[1] * shape[2] * row, lies ? row : shape[2] * row,
                lies ? shape[1] * row : row, 1});
      for (int64_t i = 0; i < array.getNumElements(); ++i) {
        int64_t e = i % shape[3], n = i / shape[3] % shape[2],
                h = i / shape[3] / shape[2] % shape[1],
                b = i / shape[3] / shape[2] / shape[1];
        static_cast<float *>(to.data)[b * to.strides[0] + h * to.strides[1] +
                                      n * to.strides[2] + e] = array.at(i);
      }
      return to;
    };
    std::vector<Array> keep;
    keep.reserve(4);
    ArrayView inputs[] = {spread(q, 0, keep), spread(k, 1, keep),
                          spread(v, 2, keep)};
    ArrayView out = spread(expected->front(), 3, keep);
    for (float &x :
         llvm::MutableArrayRef(static_cast<float *>(keep.back().getData()),
                               keep.back().getNumElements()))
      x = 77;
    ASSERT_EQ(call(*kernel, inputs, {out}), "") << subset;
    Array got = copy(out);
    EXPECT_EQ(std::memcmp(got.getData(), expected->front().getData(),
                          got.getNumBytes()),
              0)
        << subset;
  }
}

/// Rows 1 GiB apart, with memory between them that cannot be read: neither are
/// they copied as a whole, nor is anything but rows touched.
TEST_F(LendingTest, GapsAreNotTouched) {
  constexpr int64_t gap = int64_t(1) << 30, rows = 3, columns = 8;
  void *memory = mmap(nullptr, rows * gap, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (memory == MAP_FAILED)
    GTEST_SKIP() << "there are no 3 GiB of addresses";
  auto *bytes = static_cast<char *>(memory);
  for (int64_t row = 0; row < rows; ++row)
    ASSERT_EQ(mprotect(bytes + row * gap, 4096, PROT_READ | PROT_WRITE), 0);
  auto kernel = compile(R"mlir(
func.func @f(%x: tensor<?x8xf32>) -> tensor<?x8xf32> {
  %c0 = arith.constant 0 : index
  %n = tensor.dim %x, %c0 : tensor<?x8xf32>
  %init = tensor.empty(%n) : tensor<?x8xf32>
  %o = attn.sdpa ins(%x, %x, %x : tensor<?x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
      outs(%init : tensor<?x8xf32>) -> tensor<?x8xf32>
  return %o : tensor<?x8xf32>
}
)mlir");
  Array plain = fill({rows, columns}, 1);
  auto expected = kernel->call({&plain});
  ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
  ArrayView x, out;
  x.shape = out.shape = {rows, columns};
  x.strides = out.strides = {gap / 4, 1};
  x.data = bytes;
  out.data = bytes + 2048;
  for (int64_t i = 0; i < rows * columns; ++i)
    std::memcpy(bytes + i / columns * gap + i % columns * 4,
                static_cast<float *>(plain.getData()) + i, 4);
  EXPECT_EQ(call(*kernel, {x}, {out}), "");
  for (int64_t row = 0; row < rows; ++row)
    EXPECT_EQ(std::memcmp(bytes + row * gap + 2048,
                          static_cast<float *>(expected->front().getData()) +
                              row * columns,
                          columns * 4),
              0);
  munmap(memory, rows * gap);
}

/// A row that is repeated 2^38 times takes no memory, in a private function
/// neither.
TEST_F(LendingTest, RepeatedRows) {
  auto kernel = compile(R"mlir(
func.func private @g(%x: tensor<?x8xf32>, %i: index) -> tensor<2x8xf32> {
  %s = tensor.extract_slice %x[%i, 0] [2, 8] [1, 1] : tensor<?x8xf32> to tensor<2x8xf32>
  %sum = arith.addf %s, %s : tensor<2x8xf32>
  return %sum : tensor<2x8xf32>
}
func.func @f(%x: tensor<?x8xf32>) -> tensor<2x8xf32> {
  %i = arith.constant 100000000000 : index
  %r = call @g(%x, %i) : (tensor<?x8xf32>, index) -> tensor<2x8xf32>
  return %r : tensor<2x8xf32>
}
)mlir");
  Array row = fill({1, 8}, 1), out = fill({2, 8}, 2);
  ArrayView x = view(row, 0, {int64_t(1) << 38, 8}, {0, 1});
  ASSERT_EQ(call(*kernel, {x}, {ArrayView::of(out)}), "");
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(out.at(i), 2 * row.at(i % 8));
}

/// A function that calls itself has its results copied.
TEST_F(LendingTest, Recursion) {
  auto kernel = compile(R"mlir(
func.func @f(%x: tensor<2x3xf32>, %depth: index) -> tensor<2x3xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %last = arith.cmpi eq, %depth, %c0 : index
  %r = scf.if %last -> tensor<2x3xf32> {
    scf.yield %x : tensor<2x3xf32>
  } else {
    %twice = arith.addf %x, %x : tensor<2x3xf32>
    %less = arith.subi %depth, %c1 : index
    %o = func.call @f(%twice, %less) : (tensor<2x3xf32>, index) -> tensor<2x3xf32>
    scf.yield %o : tensor<2x3xf32>
  }
  return %r : tensor<2x3xf32>
}
)mlir");
  Array whole = fill({2, 8}, 1), out = fill({2, 7}, 2);
  auto depth = Array::create(ElementType::Index, {}, {3.0});
  ASSERT_TRUE(bool(depth));
  ASSERT_EQ(call(*kernel,
                 {view(whole, 0, {2, 3}, {8, 1}), ArrayView::of(*depth)},
                 {view(out, 0, {2, 3}, {7, 1})}),
            "");
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(out.at(i / 3 * 7 + i % 3), 8 * whole.at(i / 3 * 8 + i % 3));
}

/// The host's context may be gone, and many threads may be the first.
TEST_F(LendingTest, CompiledByTheFirstCall) {
  std::unique_ptr<Kernel> kernel;
  {
    mlir::DialectRegistry registry;
    registerAllDialects(registry);
    mlir::MLIRContext own(registry, mlir::MLIRContext::Threading::DISABLED);
    auto module = parseModule(attention, "own.mlir", own);
    ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
    auto compiled = Kernel::compile(**module, "f");
    ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
    kernel = std::move(*compiled);
  }
  Array q = fill({2, 5, 4, 16}, 1), k = fill({2, 2, 7, 16}, 2),
        v = fill({2, 2, 7, 8}, 3);
  ArrayView headsLast = view(q, 0, {2, 4, 5, 16}, {320, 16, 64, 1});
  Array plain = copy(headsLast);
  auto expected = kernel->call({&plain, &k, &v});
  ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
  std::vector<Array> outs;
  for (int i = 0; i < 8; ++i)
    outs.push_back(fill({2, 4, 5, 8}, 4));
  std::vector<std::string> errors(8);
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&, i] {
      errors[i] = call(*kernel, {headsLast, ArrayView::of(k), ArrayView::of(v)},
                       {ArrayView::of(outs[i])}, 1);
    });
  for (std::thread &thread : threads)
    thread.join();
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(errors[i], "");
    EXPECT_EQ(std::memcmp(outs[i].getData(), expected->front().getData(),
                          outs[i].getNumBytes()),
              0);
  }
}

/// A tensor is a value: what a function makes of it is not its caller's.
TEST_F(LendingTest, ArgumentsAreNotWritten) {
  auto kernel = compile(R"mlir(
func.func @f(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %one = arith.constant 1.0 : f32
  %r = linalg.fill ins(%one : f32) outs(%x : tensor<2x3xf32>) -> tensor<2x3xf32>
  return %r : tensor<2x3xf32>
}
)mlir");
  Array x = fill({2, 8}, 1), before = fill({2, 8}, 1), out = fill({2, 3}, 2);
  ASSERT_EQ(call(*kernel, {view(x, 0, {2, 3}, {3, 1})}, {ArrayView::of(out)}),
            "");
  ASSERT_EQ(call(*kernel, {view(x, 0, {2, 3}, {8, 1})}, {ArrayView::of(out)}),
            "");
  for (int i = 0; i < 16; ++i)
    EXPECT_EQ(x.at(i), before.at(i));
  for (int i = 0; i < 6; ++i)
    EXPECT_EQ(out.at(i), 1);
}

TEST_F(LendingTest, Refuses) {
  auto kernel = compile(attention);
  Array q = fill({2, 4, 5, 16}, 1), k = fill({2, 2, 5, 16}, 2),
        v = fill({2, 2, 5, 8}, 3), out = fill({2, 4, 5, 20}, 4);
  ArrayView vq = ArrayView::of(q), vk = ArrayView::of(k), vv = ArrayView::of(v);
  // Rows that were computed and those that there is room for.
  EXPECT_EQ(call(*kernel, {vq, vk, vv},
                 {view(out, 0, {2, 4, 4, 8}, {400, 100, 20, 1})}),
            "output 0 expected extent 2 to be 5, which was computed, but got "
            "4");
  EXPECT_EQ(call(*kernel, {vq, vk, vv},
                 {view(out, 0, {2, 4, 5, 8}, {400, 0, 20, 1})}),
            "output 0 expected strides that step over what lies within them, "
            "but some of its elements share memory");
  EXPECT_EQ(call(*kernel, {vq, vk, vv},
                 {view(out, 0, {2, 4, 5, 8}, {400, 100, 7, 1})}),
            "output 0 expected strides that step over what lies within them, "
            "but some of its elements share memory");
  // Parts of the same rows.
  EXPECT_EQ(call(*kernel,
                 {vq, vk, view(out, 0, {2, 2, 5, 8}, {400, 100, 20, 1})},
                 {view(out, 8, {2, 4, 5, 8}, {400, 100, 20, 1})}),
            "");
  EXPECT_EQ(call(*kernel,
                 {vq, vk, view(out, 0, {2, 2, 5, 8}, {400, 100, 20, 1})},
                 {view(out, 7, {2, 4, 5, 8}, {400, 100, 20, 1})}),
            "output 0 expected memory of its own, but it overlaps argument 2");

  auto refuse = [&](llvm::StringRef text, const CompileOptions &options) {
    auto module = parse(text);
    auto compiled = Kernel::compile(**module, "f", options);
    return compiled ? "" : llvm::toString(compiled.takeError());
  };
  EXPECT_EQ(refuse(R"mlir(
func.func @f(%x: tensor<4x3xf32> {bufferization.buffer_layout = strided<[?, 1]>}) -> tensor<4x3xf32> {
  return %x : tensor<4x3xf32>
}
)mlir",
                   {}),
            "argument 0: expected no bufferization.buffer_layout, since each "
            "call says how its arrays lie; leave it out");
}

/// Memrefs lie row by row.
TEST_F(LendingTest, RefusesAfterBufferize) {
  auto module = parse(R"mlir(
func.func @f(%x: memref<4x3xf32>) -> memref<4x3xf32> {
  %out = memref.alloc() : memref<4x3xf32>
  memref.copy %x, %out : memref<4x3xf32> to memref<4x3xf32>
  return %out : memref<4x3xf32>
}
)mlir");
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  CompileOptions options;
  options.stages.startAfter = Stage::Bufferize;
  auto kernel = Kernel::compile(**module, "f", options);
  ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
  Array x = fill({4, 8}, 1), out = fill({4, 3}, 2);
  EXPECT_EQ(call(**kernel, {view(x, 0, {4, 3}, {8, 1})}, {ArrayView::of(out)}),
            "expected arrays that lie row by row, since the kernel was "
            "compiled from memrefs, which do");
}

} // namespace
