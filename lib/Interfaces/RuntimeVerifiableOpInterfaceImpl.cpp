//===- RuntimeVerifiableOpInterfaceImpl.cpp - What ops rely on --*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Ops on tensors read and write memory by extents, offsets and indices that the
// verifier sees only where they are static. Upstream has models for some of
// these ops, which say that something is out of bounds; these say what was
// expected and what came, and there is one for each.
//
//===----------------------------------------------------------------------===//

#include "attn/IR/Attn.h"
#include "attn/Interfaces/Interfaces.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Interfaces/RuntimeVerifiableOpInterface.h"

using namespace mlir;

namespace attn {

namespace {

using Predicate = arith::CmpIPredicate;

/// Writes the checks of one op before it.
class Checker {
public:
  Checker(Operation *op, OpBuilder &b, Location loc,
          function_ref<std::string(Operation *, StringRef)> describe)
      : op(op), b(b), loc(loc), describe(describe) {}

  Value number(int64_t value) {
    return arith::ConstantIndexOp::create(b, loc, value);
  }
  Value get(OpFoldResult value) {
    return getValueOrCreateConstantIndexOp(b, loc, value);
  }
  Value extent(Value shaped, int64_t dim) {
    return linalg::createOrFoldDimOp(b, loc, shaped, dim);
  }
  Value sum(Value left, Value right) {
    return b.createOrFold<arith::AddIOp>(loc, left, right);
  }
  Value product(Value left, Value right) {
    return b.createOrFold<arith::MulIOp>(loc, left, right);
  }
  Value compare(Predicate predicate, Value left, Value right) {
    return b.createOrFold<arith::CmpIOp>(loc, predicate, left, right);
  }
  /// Unless `holds` is known to: `text` says what was expected.
  void add(Value holds, const Twine &text, ValueRange numbers) {
    if (!matchPattern(holds, m_One()))
      CheckOp::create(b, loc, holds, describe(op, text.str()), numbers);
  }
  void addEqual(Value got, Value wanted, const Twine &what) {
    if (got != wanted)
      add(compare(Predicate::eq, got, wanted),
          "expected " + what + " to be {0}, but got {1}", {wanted, got});
  }
  void addAtLeast(Value got, int64_t least, const Twine &what) {
    // No extent is negative.
    if (least == 0 && got.getDefiningOp<ShapedDimOpInterface>())
      return;
    Value bound = number(least);
    add(compare(Predicate::sge, got, bound),
        "expected " + what + " to be at least {0}, but got {1}", {bound, got});
  }
  void addIndex(Value index, Value extent, int64_t dim) {
    // As unsigned numbers the negative ones are the largest.
    add(compare(Predicate::ult, index, extent),
        "expected index " + Twine(dim) +
            " to be at least 0 and below {0}, but got {1}",
        {extent, index});
  }
  void addSlice(ArrayRef<OpFoldResult> offsets, ArrayRef<OpFoldResult> sizes,
                ArrayRef<OpFoldResult> strides, Value whole);

private:
  Operation *op;
  OpBuilder &b;
  Location loc;
  function_ref<std::string(Operation *, StringRef)> describe;
};

/// A slice lies within `whole`. Without sums that could wrap: the last position
/// is offset + (size - 1) * stride.
void Checker::addSlice(ArrayRef<OpFoldResult> offsets,
                       ArrayRef<OpFoldResult> sizes,
                       ArrayRef<OpFoldResult> strides, Value whole) {
  for (size_t dim = 0; dim < offsets.size(); ++dim) {
    Value offset = get(offsets[dim]), size = get(sizes[dim]);
    Value stride = get(strides[dim]), all = extent(whole, dim);
    std::string of = " in dimension " + std::to_string(dim);
    addAtLeast(offset, 0, "the offset" + of);
    addAtLeast(size, 0, "the size" + of);
    addAtLeast(stride, 1, "the stride" + of);
    Value one = number(1);
    Value last = b.createOrFold<arith::SubIOp>(loc, all, one);
    Value room = b.createOrFold<arith::SubIOp>(loc, last, offset);
    Value step = b.createOrFold<arith::MaxSIOp>(loc, stride, one);
    Value most = b.createOrFold<arith::DivSIOp>(loc, room, step);
    most = b.createOrFold<arith::AddIOp>(loc, most, one);
    // Division rounds towards zero: no room is not room for one.
    Value none = compare(Predicate::slt, room, number(0));
    most = b.createOrFold<arith::SelectOp>(loc, none, number(0), most);
    add(compare(Predicate::sle, size, most),
        "expected a slice of at most {0}" + of +
            ", from the offset to the end, but got {1}",
        {most, size});
  }
}

template <typename Model, typename OpTy>
struct ModelOf
    : RuntimeVerifiableOpInterface::ExternalModel<Model, OpTy> {
  void generateRuntimeVerification(
      Operation *op, OpBuilder &b, Location loc,
      function_ref<std::string(Operation *, StringRef)> describe) const {
    Checker checker(op, b, loc, describe);
    Model::check(cast<OpTy>(op), checker);
  }
};

struct CastModel : ModelOf<CastModel, tensor::CastOp> {
  static void check(tensor::CastOp op, Checker &checker) {
    auto from = dyn_cast<RankedTensorType>(op.getSource().getType());
    auto to = dyn_cast<RankedTensorType>(op.getType());
    for (int64_t dim = 0; from && to && dim < to.getRank(); ++dim)
      if (from.isDynamicDim(dim) && !to.isDynamicDim(dim))
        checker.addEqual(checker.extent(op.getSource(), dim),
                         checker.number(to.getDimSize(dim)),
                         "extent " + Twine(dim));
  }
};

struct ExtractModel : ModelOf<ExtractModel, tensor::ExtractOp> {
  static void check(tensor::ExtractOp op, Checker &checker) {
    for (auto [dim, index] : llvm::enumerate(op.getIndices()))
      checker.addIndex(index, checker.extent(op.getTensor(), dim), dim);
  }
};

struct InsertModel : ModelOf<InsertModel, tensor::InsertOp> {
  static void check(tensor::InsertOp op, Checker &checker) {
    for (auto [dim, index] : llvm::enumerate(op.getIndices()))
      checker.addIndex(index, checker.extent(op.getDest(), dim), dim);
  }
};

struct ExtractSliceModel : ModelOf<ExtractSliceModel, tensor::ExtractSliceOp> {
  static void check(tensor::ExtractSliceOp op, Checker &checker) {
    checker.addSlice(op.getMixedOffsets(), op.getMixedSizes(),
                     op.getMixedStrides(), op.getSource());
  }
};

/// Of tensor.insert_slice and tensor.parallel_insert_slice.
template <typename OpTy> void checkInsertSlice(OpTy op, Checker &checker) {
  SmallVector<OpFoldResult> sizes = op.getMixedSizes();
  llvm::SmallBitVector dropped = op.getDroppedDims();
  int64_t at = 0;
  for (size_t dim = 0; dim < sizes.size(); ++dim)
    if (!dropped[dim]) {
      checker.addEqual(checker.extent(op.getSource(), at),
                       checker.get(sizes[dim]),
                       "extent " + Twine(at) + " of what is inserted");
      ++at;
    }
  checker.addSlice(op.getMixedOffsets(), sizes, op.getMixedStrides(),
                   op.getDest());
}

struct InsertSliceModel : ModelOf<InsertSliceModel, tensor::InsertSliceOp> {
  static void check(tensor::InsertSliceOp op, Checker &checker) {
    checkInsertSlice(op, checker);
  }
};

struct ConcatModel : ModelOf<ConcatModel, tensor::ConcatOp> {
  static void check(tensor::ConcatOp op, Checker &checker) {
    ValueRange inputs = op.getInputs();
    int64_t along = op.getDim();
    auto type = op.getResultType();
    Value sum;
    for (auto [number, input] : llvm::enumerate(inputs))
      for (int64_t dim = 0; dim < type.getRank(); ++dim) {
        Value extent = checker.extent(input, dim);
        if (dim == along)
          sum = sum ? checker.sum(sum, extent) : extent;
        else if (!type.isDynamicDim(dim))
          checker.addEqual(extent, checker.number(type.getDimSize(dim)),
                           "extent " + Twine(dim) + " of operand " +
                               Twine(number));
        else if (number != 0)
          checker.addEqual(extent, checker.extent(inputs.front(), dim),
                           "extent " + Twine(dim) + " of operand " +
                               Twine(number) + ", as of operand 0,");
      }
    if (!type.isDynamicDim(along))
      checker.addEqual(sum, checker.number(type.getDimSize(along)),
                       "the sum of extents " + Twine(along));
  }
};

struct ParallelInsertSliceModel
    : ModelOf<ParallelInsertSliceModel, tensor::ParallelInsertSliceOp> {
  static void check(tensor::ParallelInsertSliceOp op, Checker &checker) {
    checkInsertSlice(op, checker);
  }
};

struct PadModel : ModelOf<PadModel, tensor::PadOp> {
  static void check(tensor::PadOp op, Checker &checker) {
    auto type = op.getResultType();
    SmallVector<OpFoldResult> low = op.getMixedLowPad();
    SmallVector<OpFoldResult> high = op.getMixedHighPad();
    for (int64_t dim = 0; dim < type.getRank(); ++dim) {
      std::string of = " padding of dimension " + std::to_string(dim);
      Value before = checker.get(low[dim]), after = checker.get(high[dim]);
      checker.addAtLeast(before, 0, "the low" + of);
      checker.addAtLeast(after, 0, "the high" + of);
      if (type.isDynamicDim(dim))
        continue;
      Value padded = checker.sum(
          checker.sum(before, checker.extent(op.getSource(), dim)), after);
      checker.addEqual(padded, checker.number(type.getDimSize(dim)),
                       "the padded extent " + Twine(dim));
    }
  }
};

/// The extents of each group multiply up to the one they come from.
void checkGroups(Checker &checker, Value folded,
                 ArrayRef<ReassociationIndices> groups,
                 ArrayRef<OpFoldResult> sizes) {
  for (auto [dim, group] : llvm::enumerate(groups)) {
    Value product;
    for (int64_t part : group) {
      Value size = checker.get(sizes[part]);
      checker.addAtLeast(size, 0, "extent " + Twine(part));
      product = product ? checker.product(product, size) : size;
    }
    if (product)
      checker.addEqual(product, checker.extent(folded, dim),
                       "the product of the extents that dimension " +
                           Twine(dim) + " is split into");
  }
}

struct ExpandModel : ModelOf<ExpandModel, tensor::ExpandShapeOp> {
  static void check(tensor::ExpandShapeOp op, Checker &checker) {
    SmallVector<OpFoldResult> sizes = getMixedValues(
        op.getStaticOutputShape(), op.getOutputShape(), op.getContext());
    checkGroups(checker, op.getSrc(), op.getReassociationIndices(), sizes);
  }
};

struct CollapseModel : ModelOf<CollapseModel, tensor::CollapseShapeOp> {
  /// A static extent that a group of dynamic ones is collapsed into.
  static void check(tensor::CollapseShapeOp op, Checker &checker) {
    auto type = op.getResultType();
    for (auto [dim, group] : llvm::enumerate(op.getReassociationIndices())) {
      if (type.isDynamicDim(dim))
        continue;
      Value product;
      for (int64_t part : group) {
        Value extent = checker.extent(op.getSrc(), part);
        product = product ? checker.product(product, extent) : extent;
      }
      if (product)
        checker.addEqual(product, checker.number(type.getDimSize(dim)),
                         "the product of the extents that are collapsed into "
                         "dimension " +
                             Twine(dim));
    }
  }
};

} // namespace

void registerRuntimeVerifiableOpInterfaceExternalModels(
    DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, tensor::TensorDialect *) {
    tensor::CastOp::attachInterface<CastModel>(*context);
    tensor::ConcatOp::attachInterface<ConcatModel>(*context);
    tensor::CollapseShapeOp::attachInterface<CollapseModel>(*context);
    tensor::ExpandShapeOp::attachInterface<ExpandModel>(*context);
    tensor::ExtractOp::attachInterface<ExtractModel>(*context);
    tensor::ExtractSliceOp::attachInterface<ExtractSliceModel>(*context);
    tensor::InsertOp::attachInterface<InsertModel>(*context);
    tensor::InsertSliceOp::attachInterface<InsertSliceModel>(*context);
    tensor::PadOp::attachInterface<PadModel>(*context);
    tensor::ParallelInsertSliceOp::attachInterface<ParallelInsertSliceModel>(
        *context);
  });
}

} // namespace attn
