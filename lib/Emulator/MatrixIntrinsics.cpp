//===- MatrixIntrinsics.cpp - Matrix products of a warp ---------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parallel Thread Execution ISA, "Warp Level Matrix Multiply-Accumulate
// Instructions": which element of a matrix lies in which register of which
// lane. Lane l has row g = l / 4 of eight, and of each four columns q = l % 4.
//
//===----------------------------------------------------------------------===//

#include "Intrinsics.h"

#include <algorithm>

namespace attn {

//===----------------------------------------------------------------------===//
// mma.sync
//===----------------------------------------------------------------------===//

/// C[16 x 8] += A[16 x k] B[k x 8], of 16-bit elements, with sums in f32: row
/// by row of A, four registers for each 16 columns of it, two of B.
template <unsigned k, float (*extend)(uint16_t)>
static void multiply(Meeting &meeting) {
  constexpr unsigned numA = k / 4, numB = k / 8;
  float a[16][k], b[k][8], c[16][8];
  auto load = [&](unsigned lane, unsigned index, float *even, float *odd) {
    auto bits = meeting.get<uint32_t>(lane, index);
    *even = extend(bits & 0xFFFF);
    *odd = extend(bits >> 16);
  };
  for (unsigned lane = 0; lane < 32; ++lane) {
    unsigned g = lane / 4, q = lane % 4;
    for (unsigned r = 0; r < numA; ++r) {
      float *at = &a[g + 8 * (r % 2)][2 * q + 8 * (r / 2)];
      load(lane, r, at, at + 1);
    }
    for (unsigned r = 0; r < numB; ++r)
      load(lane, numA + r, &b[2 * q + 8 * r][g], &b[2 * q + 8 * r + 1][g]);
    for (unsigned r = 0; r < 4; ++r)
      c[g + 8 * (r / 2)][2 * q + r % 2] =
          meeting.get<float>(lane, numA + numB + r);
  }
  for (unsigned i = 0; i < 16; ++i)
    for (unsigned x = 0; x < k; ++x)
      for (unsigned j = 0; j < 8; ++j)
        c[i][j] += a[i][x] * b[x][j];
  for (unsigned lane = 0; lane < 32; ++lane)
    for (unsigned r = 0; r < 4; ++r)
      meeting.set(lane, r, c[lane / 4 + 8 * (r / 2)][2 * (lane % 4) + r % 2]);
}

template <unsigned k, float (*extend)(uint16_t)>
static void mma(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  block.meet("mma.sync", /*aligned=*/true, ~0u, site, arguments, results,
             multiply<k, extend>);
  block.getCounts().products += block.getLane() == 0;
}

//===----------------------------------------------------------------------===//
// ldmatrix, stmatrix
//===----------------------------------------------------------------------===//

/// How many more times than once the eight rows of a matrix, of 16 bytes each,
/// are gone to: each touches four of 32 banks.
static unsigned countConflicts(const char *const *rows) {
  unsigned most = 0, counts[8] = {};
  for (unsigned row = 0; row < 8; ++row) {
    // The same row again is the same word.
    if (std::find(rows, rows + row, rows[row]) != rows + row)
      continue;
    unsigned &count = counts[reinterpret_cast<uintptr_t>(rows[row]) / 16 % 8];
    most = std::max(most, ++count);
  }
  return most - 1;
}

/// The addresses of the rows of a matrix: lanes 8 i to 8 i + 7 give those of
/// matrix i. Only shared memory has matrices.
static void getRows(Block &block, const Meeting &meeting, unsigned matrix,
                    char **rows) {
  for (unsigned row = 0; row < 8; ++row) {
    rows[row] = meeting.get<char *>(8 * matrix + row, 0);
    if (!block.getShared().contains(rows[row]))
      block.fail(block.getThread() / 32 * 32 + 8 * matrix + row,
                 meeting.what +
                     llvm::Twine(" takes the address of a row in shared "
                                 "memory, but got another"));
  }
  block.getCounts().bankConflicts += countConflicts(rows);
  ++block.getCounts().matrixLoads;
}

template <unsigned count, bool transposed>
static void ldmatrix(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  block.meet("ldmatrix.sync", /*aligned=*/true, ~0u, site, arguments, results,
             [&](Meeting &meeting) {
               unsigned first = block.getThread() / 32 * 32;
               for (unsigned matrix = 0; matrix < count; ++matrix) {
                 char *rows[8];
                 getRows(block, meeting, matrix, rows);
                 uint16_t elements[8][8];
                 for (unsigned row = 0; row < 8; ++row) {
                   block.checkRead(first + 8 * matrix + row, rows[row], 16, 16);
                   std::memcpy(elements[row], rows[row], 16);
                 }
                 for (unsigned lane = 0; lane < 32; ++lane) {
                   unsigned g = lane / 4, q = lane % 4;
                   uint16_t low =
                       transposed ? elements[2 * q][g] : elements[g][2 * q];
                   uint16_t high = transposed ? elements[2 * q + 1][g]
                                              : elements[g][2 * q + 1];
                   meeting.set<uint32_t>(
                       lane, matrix, low | static_cast<uint32_t>(high) << 16);
                 }
               }
             });
}

template <unsigned count, bool transposed>
static void stmatrix(const Slot *arguments, Slot *results, int32_t site) {
  Block &block = Block::current();
  block.meet(
      "stmatrix.sync", /*aligned=*/true, ~0u, site, arguments, results,
      [&](Meeting &meeting) {
        unsigned first = block.getThread() / 32 * 32;
        for (unsigned matrix = 0; matrix < count; ++matrix) {
          char *rows[8];
          getRows(block, meeting, matrix, rows);
          uint16_t elements[8][8];
          for (unsigned lane = 0; lane < 32; ++lane) {
            unsigned g = lane / 4, q = lane % 4;
            auto bits = meeting.get<uint32_t>(lane, 1 + matrix);
            (transposed ? elements[2 * q][g] : elements[g][2 * q]) = bits;
            (transposed ? elements[2 * q + 1][g] : elements[g][2 * q + 1]) =
                bits >> 16;
          }
          for (unsigned row = 0; row < 8; ++row) {
            block.checkWrite(first + 8 * matrix + row, rows[row], 16, 16);
            std::memcpy(rows[row], elements[row], 16);
          }
        }
      });
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

llvm::ArrayRef<Intrinsic> getMatrixIntrinsics() {
  static const Intrinsic table[] = {
      {"mma.m16n8k16.row.col.f32.f32", mma<16, extendF16>},
      {"mma.m16n8k16.row.col.bf16", mma<16, extendBF16>},
      {"mma.m16n8k8.row.col.f32.f32", mma<8, extendF16>},
      {"mma.m16n8k8.row.col.bf16", mma<8, extendBF16>},
      {"ldmatrix.sync.aligned.m8n8.x1.b16", ldmatrix<1, false>},
      {"ldmatrix.sync.aligned.m8n8.x2.b16", ldmatrix<2, false>},
      {"ldmatrix.sync.aligned.m8n8.x4.b16", ldmatrix<4, false>},
      {"ldmatrix.sync.aligned.m8n8.x1.trans.b16", ldmatrix<1, true>},
      {"ldmatrix.sync.aligned.m8n8.x2.trans.b16", ldmatrix<2, true>},
      {"ldmatrix.sync.aligned.m8n8.x4.trans.b16", ldmatrix<4, true>},
      {"stmatrix.sync.aligned.m8n8.x1.b16", stmatrix<1, false>},
      {"stmatrix.sync.aligned.m8n8.x2.b16", stmatrix<2, false>},
      {"stmatrix.sync.aligned.m8n8.x4.b16", stmatrix<4, false>},
      {"stmatrix.sync.aligned.m8n8.x1.trans.b16", stmatrix<1, true>},
      {"stmatrix.sync.aligned.m8n8.x2.trans.b16", stmatrix<2, true>},
      {"stmatrix.sync.aligned.m8n8.x4.trans.b16", stmatrix<4, true>},
  };
  return table;
}

} // namespace attn
