//===- Precompiled.cpp - Nothing but headers --------------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// Every library reuses the headers precompiled for this file: they are the
// upstream ones only, so that no edit of the project invalidates them.
