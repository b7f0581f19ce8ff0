//===- KernelTest.cpp - Compiling and calling kernels -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelTestUtils.h"
#include "llvm/Support/CommandLine.h"

using namespace attn;

namespace {

constexpr char addition[] = R"mlir(
func.func @f(%x: tensor<?x3xf32>, %y: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %sum = arith.addf %x, %y : tensor<?x3xf32>
  return %sum : tensor<?x3xf32>
}
)mlir";

class KernelTest : public KernelTestBase {};

TEST_F(KernelTest, NoModule) {
  auto kernel = Kernel::compile(mlir::ModuleOp(), "f");
  ASSERT_FALSE(bool(kernel));
  EXPECT_EQ(llvm::toString(kernel.takeError()),
            "expected a module to compile, but got none");
}

/// The module stays as it was: it can be compiled again.
TEST_F(KernelTest, CompileTwice) {
  auto module = parse(addition);
  ASSERT_TRUE(bool(module));
  for (int round = 0; round < 2; ++round) {
    auto kernel = Kernel::compile(**module, "f");
    ASSERT_TRUE(bool(kernel)) << llvm::toString(kernel.takeError());
    Array x = fill({2, 3}, 1), y = fill({2, 3}, 2);
    auto results = (*kernel)->call({&x, &y});
    ASSERT_TRUE(bool(results)) << llvm::toString(results.takeError());
    EXPECT_EQ(results->front().at(5), x.at(5) + y.at(5));
  }
}

/// Columns of a larger array, read where they are, and rows of another one,
/// written where they are.
TEST_F(KernelTest, BorrowsStrided) {
  auto kernel = compile(addition);
  Array whole = fill({4, 8}, 1), y = fill({4, 3}, 2), out = fill({4, 16}, 3);
  ArrayView x = ArrayView::of(whole), to = ArrayView::of(out);
  x.data = static_cast<float *>(x.data) + 2;
  x.shape[1] = to.shape[1] = 3;
  ASSERT_EQ(call(*kernel, {x, ArrayView::of(y)}, {to}), "");
  Array before = fill({4, 16}, 3);
  for (int row = 0; row < 4; ++row)
    for (int column = 0; column < 16; ++column)
      EXPECT_EQ(out.at(16 * row + column),
                column < 3 ? float(whole.at(8 * row + column + 2) +
                                   y.at(3 * row + column))
                           : before.at(16 * row + column));
}

/// What is computed in place is there: nothing is copied.
TEST_F(KernelTest, WritesIntoOutputs) {
  auto kernel = compile(addition);
  Array x = fill({5, 3}, 1), y = fill({5, 3}, 2), out = fill({5, 3}, 3);
  ASSERT_EQ(call(*kernel, {ArrayView::of(x), ArrayView::of(y)},
                 {ArrayView::of(out)}),
            "");
  for (int i = 0; i < 15; ++i)
    EXPECT_EQ(out.at(i), float(x.at(i) + y.at(i)));
}

/// A value that is returned twice, and an argument that is returned.
TEST_F(KernelTest, OutputsThatAreOne) {
  auto kernel = compile(R"mlir(
func.func @f(%x: tensor<2x3xf32>) -> (tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>) {
  %twice = arith.addf %x, %x : tensor<2x3xf32>
  return %twice, %twice, %x : tensor<2x3xf32>, tensor<2x3xf32>, tensor<2x3xf32>
}
)mlir");
  Array x = fill({2, 3}, 1), a = fill({2, 3}, 2), b = fill({2, 3}, 3),
        c = fill({2, 3}, 4);
  ASSERT_EQ(call(*kernel, {ArrayView::of(x)},
                 {ArrayView::of(a), ArrayView::of(b), ArrayView::of(c)}),
            "");
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(a.at(i), 2 * x.at(i));
    EXPECT_EQ(b.at(i), 2 * x.at(i));
    EXPECT_EQ(c.at(i), x.at(i));
  }
}

TEST_F(KernelTest, Refuses) {
  auto kernel = compile(addition);
  Array x = fill({5, 3}, 1), y = fill({5, 3}, 2), out = fill({5, 3}, 3);
  ArrayView vx = ArrayView::of(x), vy = ArrayView::of(y),
            to = ArrayView::of(out);
  auto with = [](ArrayView view, auto change) {
    change(view);
    return view;
  };
  EXPECT_EQ(call(*kernel, {vx}, {to}), "expected 2 arguments, but got 1");
  EXPECT_EQ(call(*kernel, {vx, vy}, {}), "expected 1 outputs, but got 0");
  EXPECT_EQ(call(*kernel, {vx, with(vy, [](auto &v) { v.strides[1] = 2; })},
                 {to}),
            "argument 1 expected ?x3xf32 with an innermost stride of 1, but "
            "got 2");
  EXPECT_EQ(call(*kernel, {vx, with(vy, [](auto &v) { v.strides[0] = -3; })},
                 {to}),
            "argument 1 expected ?x3xf32 with strides that are not negative, "
            "but got -3 in dimension 0");
  EXPECT_EQ(call(*kernel,
                 {vx, with(vy, [](auto &v) { v.strides[0] = INT64_MAX / 2; })},
                 {to}),
            "argument 1 expected ?x3xf32 within memory, but got a stride of "
            "4611686018427387903 in dimension 0");
  EXPECT_EQ(call(*kernel, {vx, with(vy, [](auto &v) { v.strides.pop_back(); })},
                 {to}),
            "argument 1 expected ?x3xf32 with a stride for each dimension, but "
            "got 1");
  EXPECT_EQ(call(*kernel, {vx, with(vy, [](auto &v) { v.data = nullptr; })},
                 {to}),
            "argument 1 expected ?x3xf32, but got nothing");
  EXPECT_EQ(call(*kernel,
                 {vx, with(vy,
                           [](auto &v) {
                             v.data = static_cast<char *>(v.data) + 1;
                           })},
                 {to}),
            "argument 1 expected ?x3xf32, but got data that are not aligned to "
            "elements");
  EXPECT_EQ(call(*kernel,
                 {vx, with(vy, [](auto &v) { v.type = ElementType::I32; })},
                 {to}),
            "argument 1 expected ?x3xf32, but got 5x3xi32");
  EXPECT_EQ(call(*kernel, {vx, vy}, {vy}),
            "output 0 expected memory of its own, but it overlaps argument 1");
  EXPECT_EQ(
      call(*kernel, {vx, vy}, {with(to, [](auto &v) { v.shape[0] = 4; })}),
      "output 0 expected 5x3xf32, which was computed, but got 4x3xf32");
}

/// The host by name; what it lacks and code never uses is no reason to refuse.
TEST_F(KernelTest, Targets) {
  CompileOptions native, host;
  native.cpu = "native";
  ASSERT_EQ(llvm::toString(resolveTarget(native)), "");
  ASSERT_EQ(llvm::toString(resolveTarget(host)), "");
  EXPECT_EQ(native.cpu, host.cpu);
  EXPECT_EQ(native.features, host.features);
#if defined(__x86_64__)
  CompileOptions unused;
  unused.cpu = "x86-64";
  unused.features = "+pku,+shstk,+waitpkg,+sgx,+amx-tile,+rdseed,+aes";
  ASSERT_EQ(llvm::toString(resolveTarget(unused)), "");
  EXPECT_EQ(llvm::toString(checkHostRuns(unused)), "");
#endif
  CompileOptions other;
  other.triple = "sparc-unknown-linux-gnu";
  ASSERT_EQ(llvm::toString(resolveTarget(other)), "");
  EXPECT_NE(llvm::toString(checkHostRuns(other)), "");
  other.triple = "abacus-unknown-linux-gnu";
  EXPECT_NE(llvm::toString(resolveTarget(other)), "");
}

/// Compiling a kernel changes nothing for others in the process that use LLVM.
TEST_F(KernelTest, SetsNoOptionOfTheProcess) {
  compile(addition);
  for (auto &[name, option] : llvm::cl::getRegisteredOptions())
    EXPECT_EQ(option->getNumOccurrences(), 0) << name.str();
}

/// Errors of the run are of a kind of their own.
TEST_F(KernelTest, CheckErrors) {
  auto kernel = compile(addition);
  Array x = fill({5, 3}, 1), y = fill({4, 3}, 2);
  auto results = (*kernel).call({&x, &y});
  ASSERT_FALSE(bool(results));
  llvm::Error error = results.takeError();
  EXPECT_TRUE(error.isA<CheckError>());
  EXPECT_EQ(llvm::toString(std::move(error)),
            "test.mlir:3:10: 'arith.addf' op expected extent 0 of operand 1 to "
            "be 5 (as extent 0 of operand 0: what is combined element by "
            "element), but got 4");
}

/// A size beyond all memory is an error of the call.
TEST_F(KernelTest, TooLarge) {
  auto kernel = compile(R"mlir(
func.func @f(%n: index) -> tensor<?x4xf32> {
  %one = arith.constant 1.0 : f32
  %ones = tensor.splat %one[%n] : tensor<?x4xf32>
  return %ones : tensor<?x4xf32>
}
)mlir");
  for (int64_t n : {INT64_MAX / 16 + 2, INT64_MAX / 32, int64_t(-1)}) {
    auto size = Array::create(ElementType::Index, {});
    ASSERT_TRUE(bool(size));
    size->setInteger(0, n);
    auto results = kernel->call({&*size});
    ASSERT_FALSE(bool(results)) << n;
    EXPECT_NE(llvm::toString(results.takeError()).find("memory"),
              std::string::npos);
  }
}

} // namespace
