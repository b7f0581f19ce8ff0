//===- DeviceArraysTest.cpp - Arrays of calls on a GPU ----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Runtime/FakeCuda.h"
#include "KernelTestUtils.h"

#include <cstring>
#include <dlfcn.h>
#include <set>

using namespace attn;

namespace {

constexpr char attention[] = R"mlir(
func.func @f(%q: tensor<2x?x16xf32>, %k: tensor<2x?x16xf32>, %v: tensor<2x?x8xf32>) -> tensor<2x?x8xf32> {
  %c1 = arith.constant 1 : index
  %n = tensor.dim %q, %c1 : tensor<2x?x16xf32>
  %init = tensor.empty(%n) : tensor<2x?x8xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x?x16xf32>, tensor<2x?x16xf32>, tensor<2x?x8xf32>)
      outs(%init : tensor<2x?x8xf32>) -> tensor<2x?x8xf32>
  return %o : tensor<2x?x8xf32>
}
)mlir";

/// DLPack's.
constexpr int32_t onGPU = 2, onCPUOfCuda = 3, onOther = 10;

/// An array that a kernel is given.
struct Given {
  uint64_t address;
  std::vector<int64_t> shape, strides;
};

/// The arrays of rank 3 among the parameters of the kernel in a text: its words
/// are two equal addresses, an offset, extents, strides.
std::vector<Given> readArrays(const std::string &ptx, void **parameters) {
  std::vector<int64_t> words;
  size_t begin = ptx.find(".entry"), end = ptx.find(')', begin);
  for (size_t at = ptx.find("_param_", begin); at < end;
       at = ptx.find("_param_", at + 1))
    words.push_back(*static_cast<int64_t *>(parameters[words.size()]));
  std::vector<Given> arrays;
  for (size_t at = 0; at + 9 <= words.size(); ++at) {
    if (words[at] != words[at + 1] || words[at] < 1 << 20)
      continue;
    auto from = words.begin() + at + 3;
    arrays.push_back({static_cast<uint64_t>(words[at]),
                      {from, from + 3},
                      {from + 3, from + 6}});
    at += 8;
  }
  return arrays;
}

/// On the driver that is none. Its kernel finds 42 for each result.
class DeviceArraysTest : public KernelTestBase {
protected:
  void SetUp() override {
    auto *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    auto get = reinterpret_cast<FakeCuda *(*)()>(dlsym(library, "getFakeCuda"));
    driver = get();
    *driver = {};
    driver->kernels["attn_function_f_kernel"] = [this](void **words) {
      given = readArrays(driver->loads.back().first, words);
      for (const Given &array : given)
        if (array.shape == std::vector<int64_t>{2, 5, 8} && writes)
          for (int64_t i = 0; i < 2 * 5 * 8; ++i)
            reinterpret_cast<float *>(array.address)[i] = 42;
    };
  }

  std::unique_ptr<Kernel> compileForGPU(llvm::StringRef text) {
    auto module = parse(text);
    CompileOptions options;
    options.stages.device = Device::GPU;
    auto kernel = Kernel::compile(**module, "f", options);
    if (!kernel) {
      ADD_FAILURE() << llvm::toString(kernel.takeError());
      std::abort();
    }
    return std::move(*kernel);
  }

  int countCopies() const {
    return driver->count("cuMemcpyHtoDAsync_v2") +
           driver->count("cuMemcpyDtoHAsync_v2") +
           driver->count("cuMemcpyDtoDAsync_v2");
  }

  /// A view of memory of the GPU.
  static ArrayView view(uint64_t address, llvm::ArrayRef<int64_t> shape,
                        llvm::ArrayRef<int64_t> strides) {
    ArrayView view;
    view.place = {onGPU, 0};
    view.data = reinterpret_cast<void *>(address);
    view.shape.assign(shape.begin(), shape.end());
    view.strides.assign(strides.begin(), strides.end());
    return view;
  }

  FakeCuda *driver = nullptr;
  bool writes = true;
  std::vector<Given> given;
};

constexpr uint64_t base = uint64_t(1) << 40;

/// Arrays on the GPU are read and written where they are, and nothing is
/// copied, however they lie.
TEST_F(DeviceArraysTest, NothingIsCopied) {
  auto kernel = compileForGPU(attention);
  writes = false;
  for (int64_t row : {16, 48}) {
    driver->calls.clear();
    ArrayView q = view(base, {2, 5, 16}, {5 * row, row, 1});
    ArrayView k = view(2 * base, {2, 7, 16}, {7 * 16, 16, 1});
    ArrayView v = view(3 * base, {2, 7, 8}, {7 * 8, 8, 1});
    ArrayView o = view(4 * base, {2, 5, 8}, {5 * 8, 8, 1});
    EXPECT_EQ(call(*kernel, {q, k, v}, {o}), "");
    EXPECT_EQ(countCopies(), 0);
    EXPECT_EQ(driver->count("cuMemAllocAsync"), 0);
    EXPECT_EQ(driver->count("cuLaunchKernel"), 1);
    std::set<uint64_t> addresses;
    for (const Given &array : given) {
      addresses.insert(array.address);
      if (array.address == base) {
        EXPECT_EQ(array.strides[1], row);
      }
    }
    EXPECT_EQ(addresses,
              (std::set<uint64_t>{base, 2 * base, 3 * base, 4 * base}));
  }
}

/// Arrays on the CPU are copied, in rows of their own; so are the results.
TEST_F(DeviceArraysTest, CopiedFromTheCPU) {
  auto kernel = compileForGPU(attention);
  Array q = fill({2, 5, 16}, 1), k = fill({2, 7, 16}, 2),
        v = fill({2, 7, 8}, 3);
  auto results = kernel->call({&q, &k, &v});
  ASSERT_TRUE(bool(results));
  EXPECT_EQ((*results)[0].getShape(), llvm::ArrayRef<int64_t>({2, 5, 8}));
  for (int64_t i = 0; i < 2 * 5 * 8; ++i)
    ASSERT_EQ((*results)[0].at(i), 42);
  EXPECT_EQ(countCopies(), 4);

  // Strides are those of the copies.
  Array wide = fill({2, 5, 48}, 1), padded = fill({2, 5, 10}, 4);
  ArrayView slice = ArrayView::of(wide), output = ArrayView::of(padded);
  slice.shape[2] = 16;
  output.shape[2] = 8;
  slice.place.type = onCPUOfCuda;
  EXPECT_EQ(
      call(*kernel, {slice, ArrayView::of(k), ArrayView::of(v)}, {output}), "");
  for (const Given &array : given)
    EXPECT_EQ(array.strides[1], array.shape[2]);
  for (int64_t i = 0; i < padded.getNumElements(); ++i)
    ASSERT_EQ(padded.at(i) == 42, i % 10 < 8) << i;
  EXPECT_TRUE(driver->memory.empty());
  EXPECT_TRUE(driver->currents.empty());
}

/// All of a call lie on the CPU, or all on one GPU.
TEST_F(DeviceArraysTest, Mixed) {
  auto kernel = compileForGPU(attention);
  Array k = fill({2, 7, 16}, 2), o = fill({2, 5, 8}, 4);
  ArrayView q = view(base, {2, 5, 16}, {80, 16, 1});
  ArrayView v = view(3 * base, {2, 7, 8}, {56, 8, 1});
  ArrayView output = view(4 * base, {2, 5, 8}, {40, 8, 1});
  EXPECT_EQ(call(*kernel, {q, ArrayView::of(k), v}, {output}),
            "argument 1 expected 2x?x16xf32 in the memory of GPU 0, as the "
            "arrays before it, but got one of the CPU");
  ArrayView deviceK = view(2 * base, {2, 7, 16}, {112, 16, 1});
  EXPECT_EQ(call(*kernel, {q, deviceK, v}, {ArrayView::of(o)}),
            "output 0 expected 2x?x8xf32 in the memory of GPU 0, as the arrays "
            "before it, but got one of the CPU");
  deviceK.place.number = 1;
  EXPECT_EQ(call(*kernel, {q, deviceK, v}, {output}),
            "argument 1 expected 2x?x16xf32 in the memory of GPU 0, as the "
            "arrays before it, but got one of GPU 1");
  deviceK.place.type = onOther;
  EXPECT_EQ(call(*kernel, {q, deviceK, v}, {output}),
            "argument 1 expected 2x?x16xf32 in the memory of a GPU of NVIDIA's "
            "or the CPU, but got DLPack's device 10");
  EXPECT_TRUE(driver->calls.empty());

  // A kernel for the CPU takes none of a GPU.
  auto other = compile(attention);
  EXPECT_EQ(call(*other, {q, ArrayView::of(k), v}, {output}),
            "argument 0 expected 2x?x16xf32 in the memory of the CPU, but got "
            "DLPack's device 2");
}

/// The CUDA context is of another GPU than the arrays are on.
TEST_F(DeviceArraysTest, OtherGPU) {
  auto kernel = compileForGPU(attention);
  char own = 0, stream = 0;
  driver->currents = {&own};
  ArrayView q = view(base, {2, 5, 16}, {80, 16, 1});
  ArrayView k = view(2 * base, {2, 7, 16}, {112, 16, 1});
  ArrayView v = view(3 * base, {2, 7, 8}, {56, 8, 1});
  ArrayView o = view(4 * base, {2, 5, 8}, {40, 8, 1});
  for (ArrayView *array : {&q, &k, &v, &o})
    array->place.number = 1;
  EXPECT_EQ(call(*kernel, {q, k, v}, {o}),
            "expected arrays on GPU 0, of which the CUDA context is, but got "
            "such on GPU 1");
  EXPECT_EQ(driver->currents, std::vector<void *>{&own});

  // A stream of the caller's.
  writes = false;
  for (ArrayView *array : {&q, &k, &v, &o})
    array->place.number = 0;
  CallOptions options;
  options.cudaStream = &stream;
  EXPECT_FALSE(bool(kernel->call({q, k, v}, {o}, options)));
  ASSERT_EQ(driver->launches.size(), 1u);
  EXPECT_EQ(driver->launches[0].stream, &stream);
  EXPECT_EQ(driver->launches[0].context, &own);
  driver->currents.clear();
}

/// What a function gives back unchanged is copied on the GPU.
TEST_F(DeviceArraysTest, ResultsElsewhere) {
  auto kernel = compileForGPU(R"mlir(
func.func @f(%a: tensor<3x4xf32>) -> tensor<3x4xf32> {
  return %a : tensor<3x4xf32>
}
)mlir");
  Array a = fill({3, 4}, 1);
  auto results = kernel->call({&a});
  ASSERT_TRUE(bool(results));
  EXPECT_EQ(std::memcmp((*results)[0].getData(), a.getData(), 48), 0);
  Array to = fill({3, 6}, 2), before = fill({3, 6}, 2);
  ArrayView output = ArrayView::of(to);
  output.shape[1] = 4;
  EXPECT_EQ(call(*kernel, {ArrayView::of(a)}, {output}), "");
  for (int64_t i = 0; i < 18; ++i)
    EXPECT_EQ(to.at(i), i % 6 < 4 ? a.at(i / 6 * 4 + i % 6) : before.at(i));
  EXPECT_EQ(driver->count("cuMemcpyDtoDAsync_v2"), 2);
  EXPECT_EQ(driver->count("cuLaunchKernel"), 0);
}

} // namespace
