//===- RowLists.cpp - Lists of key blocks, row by row -----------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "AttentionRows.h"
#include "Requests.h"
#include "attn/IR/Utils.h"
#include "llvm/Support/FormatVariadic.h"

using namespace mlir;

namespace attn {
namespace reference {

RowLists::RowLists(const BlockList &blocks, const Tensor &indptr,
                   const Tensor &indices)
    : blocks(blocks), indptrShape(indptr.shape), indicesShape(indices.shape) {
  for (Cell cell : indptr.cells)
    this->indptr.push_back(cell.i);
  for (Cell cell : indices.cells)
    this->indices.push_back(cell.i);
}

Expected<ArrayRef<int64_t>>
RowLists::getEntries(Location loc, ArrayRef<int64_t> position,
                     int64_t numBlocks, std::optional<int64_t> numKeys) const {
  auto locate = [&](AffineMap map) {
    SmallVector<int64_t> index;
    for (unsigned i = 0, e = map.getNumResults(); i < e; ++i)
      index.push_back(position[map.getDimPosition(i)]);
    return index;
  };
  SmallVector<int64_t> list = locate(blocks.getIndptrMap());
  if (list.empty())
    list.push_back(0);
  else
    list.back() /= blocks.getRows();
  PlainBlockList plain{{indptrShape, {}, indptr},
                       {indicesShape, {}, indices},
                       blocks.attr,
                       numBlocks,
                       loc};
  return plain.getEntries(list, locate(blocks.getIndicesMap()), numKeys);
}

int64_t AttentionRows::countKeys() const {
  return isPaged() ? countPlaces() : keys.count;
}

Error AttentionRows::takeLists(const Environment &env,
                               std::optional<int64_t> request) {
  std::optional<BlockList> blocks = BlockList::of(op);
  if (!blocks)
    return Error::success();
  auto indptr = env.find(blocks->indptr), indices = env.find(blocks->indices);
  if (indptr == env.end() || indices == env.end() || !indptr->second.tensor ||
      !indices->second.tensor)
    return makeUnsupported(op, "expected tensors");
  lists.emplace(*blocks, *indptr->second.tensor, *indices->second.tensor);
  auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
  if (request && ragged && ragged.getKeyStarts())
    numListed = countRequestKeys(ragged, env, *request);
  return Error::success();
}

Error AttentionRows::readList() {
  listed.clear();
  if (!lists)
    return Error::success();
  int64_t size = lists->blocks.getKeys();
  int64_t numBlocks =
      isPaged() ? keys.extents.front()
                : llvm::divideCeil(uint64_t(keys.count), uint64_t(size));
  auto entries =
      lists->getEntries(op->getLoc(), position, numBlocks, numListed);
  if (!entries)
    return entries.takeError();
  for (int64_t entry : *entries)
    for (int64_t key = entry * size;
         key < std::min((entry + 1) * size, keys.count); ++key)
      listed.push_back(key);
  if (numListed)
    listed.resize(*numListed);
  if (numPlaces && *numPlaces < static_cast<int64_t>(listed.size()))
    return llvm::createStringError(locateMessage(
        op->getLoc(),
        llvm::formatv(BlockListErrors::places.data(), listed.size(), *numPlaces)
            .str()));
  return Error::success();
}

} // namespace reference
} // namespace attn
