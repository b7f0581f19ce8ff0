//===- Requests.h - Requests of different lengths ---------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_LIB_REFERENCE_REQUESTS_H
#define ATTN_LIB_REFERENCE_REQUESTS_H

#include "Tensor.h"
#include "attn/IR/Attn.h"

namespace attn {
namespace reference {

/// What starts have to do with agrees: they ascend from 0 to the number of
/// packed rows, and extents fit the requests and their lengths.
Error checkRequests(RaggedOpInterface op, const Environment &env);

/// The operands of request `number` alone: of packed rows its own, of rows at
/// positions within requests as many, and of requests one.
Expected<SmallVector<RuntimeValue>> takeRequest(GenericOp op,
                                                ArrayRef<RuntimeValue> mapped,
                                                const Environment &env,
                                                int64_t number);

/// Puts a result of one request, number `index` of the op, in its place.
void putRequest(GenericOp op, unsigned index, const Environment &env,
                int64_t number, const Tensor &part, Tensor &whole);

/// The number of requests, and of the keys of one by `key_starts`.
int64_t countRequests(RaggedOpInterface op, const Environment &env);
int64_t countRequestKeys(RaggedOpInterface op, const Environment &env,
                         int64_t request);

} // namespace reference
} // namespace attn

#endif // ATTN_LIB_REFERENCE_REQUESTS_H
