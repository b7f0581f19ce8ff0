//===- FakeCuda.h - A driver that is not one --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A library that is named and called like the driver of CUDA, and writes down
// what it is asked for. Memory is the host's, but the host can reach it by
// copies alone; a kernel is a function of the test. The environment says what
// the driver is when it starts: FAKE_CUDA_INIT, what cuInit returns, and
// FAKE_CUDA_VERSION.
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_RUNTIME_FAKECUDA_H
#define ATTN_TEST_UNIT_RUNTIME_FAKECUDA_H

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

struct FakeLaunch {
  std::string kernel;
  unsigned grid[3], block[3], shared;
  void *stream;
  void *context;
};

struct FakeCuda {
  int chip = 90, devices = 1, maxSharedBytes = 232448, pools = 1;
  /// What a function returns instead of success, by its name.
  std::map<std::string, int> failures;
  /// The same for an image, by its text.
  std::map<std::string, int> refused;
  /// What kernels do with their parameters; those that are not here do not
  /// exist.
  std::map<std::string, std::function<void(void **)>> kernels;
  /// In place of these, what finds a kernel of an image, null if there is none,
  /// and what runs it, with memory that may be accessed meanwhile. Results are
  /// the driver's.
  std::function<void *(const char *image, const char *name)> find;
  std::function<int(void *kernel, const FakeLaunch &launch, void **parameters)>
      run;

  std::vector<std::string> calls;
  std::vector<FakeLaunch> launches;
  /// The images that were loaded, and into which context.
  std::vector<std::pair<std::string, void *>> loads;
  std::vector<void *> currents;
  std::map<uint64_t, size_t> memory;
  int primaries = 0, waits = 0, events = 0;

  int count(const std::string &name) const {
    int found = 0;
    for (const std::string &call : calls)
      found += call == name;
    return found;
  }
};

#endif // ATTN_TEST_UNIT_RUNTIME_FAKECUDA_H
