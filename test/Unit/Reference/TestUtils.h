//===- TestUtils.h - Running the reference on text --------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TEST_UNIT_REFERENCE_TESTUTILS_H
#define ATTN_TEST_UNIT_REFERENCE_TESTUTILS_H

#include "attn/IR/Attn.h"
#include "attn/Reference/Reference.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Parser/Parser.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

namespace attn {

constexpr double inf = std::numeric_limits<double>::infinity();
const double notANumber = std::numeric_limits<double>::quiet_NaN();

/// Maps of the plain layout, and of one with a batch dimension.
constexpr const char *plainMaps = R"(
  #q = affine_map<(m, n, d, e) -> (m, d)>
  #k = affine_map<(m, n, d, e) -> (n, d)>
  #v = affine_map<(m, n, d, e) -> (n, e)>
  #o = affine_map<(m, n, d, e) -> (m, e)>
  #r = affine_map<(m, n, d, e) -> (m)>
  #w = affine_map<(m, n, d, e) -> (m, n)>
  #s = affine_map<(m, n, d, e) -> ()>
)";

/// Evaluates `@f` of a module given as text.
class ReferenceTest : public testing::Test {
protected:
  ReferenceTest() {
    mlir::DialectRegistry registry;
    registry.insert<AttnDialect, mlir::func::FuncDialect, mlir::scf::SCFDialect,
                    mlir::math::MathDialect>();
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  Array make(ElementType type, llvm::ArrayRef<int64_t> shape,
             llvm::ArrayRef<double> values) {
    return llvm::cantFail(Array::create(type, shape, values));
  }
  Array f64(llvm::ArrayRef<int64_t> shape, llvm::ArrayRef<double> values) {
    return make(ElementType::F64, shape, values);
  }

  mlir::ModuleOp parse(const std::string &text) {
    module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    EXPECT_TRUE(bool(module));
    return *module;
  }

  ReferenceResult evaluate(const std::string &text,
                           llvm::ArrayRef<const Array *> arguments) {
    mlir::ModuleOp parsed = parse(text);
    if (!parsed)
      return {};
    auto result = evaluateReference(parsed, "f", arguments);
    if (!result) {
      ADD_FAILURE() << llvm::toString(result.takeError());
      return {};
    }
    return std::move(*result);
  }
  /// The message of the error that an evaluation must give.
  std::string fail(const std::string &text,
                   llvm::ArrayRef<const Array *> arguments) {
    mlir::ModuleOp parsed = parse(text);
    if (!parsed)
      return "does not parse";
    auto result = evaluateReference(parsed, "f", arguments);
    return result ? "no error" : llvm::toString(result.takeError());
  }
  std::vector<double> values(const std::string &text,
                             llvm::ArrayRef<const Array *> arguments,
                             unsigned result = 0) {
    ReferenceResult results = evaluate(text, arguments);
    if (result >= results.results.size()) {
      ADD_FAILURE() << "no result " << result;
      return {};
    }
    return results.results[result].values;
  }

  mlir::MLIRContext context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Whether two lists agree within a tolerance; NaN agrees with NaN.
inline void expectNear(const std::vector<double> &got,
                       const std::vector<double> &expected,
                       double tolerance = 1e-12) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) {
    if (std::isnan(expected[i]))
      EXPECT_TRUE(std::isnan(got[i])) << "element " << i << ": " << got[i];
    else if (std::isinf(expected[i]))
      EXPECT_EQ(got[i], expected[i]) << "element " << i;
    else
      EXPECT_NEAR(got[i], expected[i], tolerance) << "element " << i;
  }
}

} // namespace attn

#endif // ATTN_TEST_UNIT_REFERENCE_TESTUTILS_H
