//===- BlockList.cpp - Key blocks that are data -----------------*- C++ -*-===//
//
// Licensed under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "attn/IR/BlockList.h"
#include "attn/IR/Ragged.h"
#include "attn/IR/Verify.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace attn {

//===----------------------------------------------------------------------===//
// Assembly
//===----------------------------------------------------------------------===//

/// One entry behind its name and `=`.
static ParseResult parseEntry(AsmParser &parser, StringRef name, int64_t &rows,
                              int64_t &keys, BlockKind &kind, ArrayAttr &maps) {
  if (name == "rows")
    return parser.parseInteger(rows);
  if (name == "keys")
    return parser.parseInteger(keys);
  SMLoc loc = parser.getCurrentLocation();
  if (name == "kind") {
    StringRef text;
    if (parser.parseKeyword(&text))
      return failure();
    std::optional<BlockKind> given = symbolizeBlockKind(text);
    if (!given)
      return parser.emitError(loc, "expected kind to be logical or physical, "
                                   "but got '")
             << text << "'";
    kind = *given;
    return success();
  }
  if (parser.parseAttribute(maps))
    return failure();
  if (llvm::all_of(maps, llvm::IsaPred<AffineMapAttr>))
    return success();
  return parser.emitError(loc, "expected affine maps, but got ") << maps;
}

/// The entries up to `close`, in any order.
static BlockListAttr parseBody(AsmParser &parser,
                               function_ref<ParseResult()> close) {
  SMLoc loc = parser.getCurrentLocation();
  int64_t rows = 1, keys = 0;
  BlockKind kind = BlockKind::logical;
  ArrayAttr maps;
  SmallVector<StringRef, 4> left{"rows", "keys", "kind", "maps"};
  do {
    StringRef name;
    SMLoc at = parser.getCurrentLocation();
    if (parser.parseKeyword(&name))
      return {};
    auto *entry = llvm::find(left, name);
    if (entry == left.end()) {
      parser.emitError(at, "expected rows, keys, kind or maps, each at most "
                           "once, but got '")
          << name << "'";
      return {};
    }
    left.erase(entry);
    if (parser.parseEqual() || parseEntry(parser, name, rows, keys, kind, maps))
      return {};
  } while (succeeded(parser.parseOptionalComma()));
  if (close())
    return {};
  if (llvm::is_contained(left, "keys")) {
    parser.emitError(loc, "expected keys, the number of key rows in a block, "
                          "as in {rows = 64, keys = 64, kind = logical}");
    return {};
  }
  SmallVector<AffineMap> list;
  if (maps)
    list.append(maps.getAsValueRange<AffineMapAttr>().begin(),
                maps.getAsValueRange<AffineMapAttr>().end());
  auto emitError = [&] { return parser.emitError(loc); };
  return BlockListAttr::getChecked(
      function_ref<InFlightDiagnostic()>(emitError), parser.getContext(), rows,
      keys, kind, ArrayRef<AffineMap>(list));
}

static void printBody(AsmPrinter &printer, BlockListAttr blocks) {
  printer << "rows = " << blocks.getRows() << ", keys = " << blocks.getKeys()
          << ", kind = " << stringifyBlockKind(blocks.getKind());
  if (blocks.getMaps().empty())
    return;
  printer << ", maps = [";
  llvm::interleaveComma(blocks.getMaps(), printer, [&](AffineMap map) {
    printer.printAttribute(AffineMapAttr::get(map));
  });
  printer << "]";
}

Attribute BlockListAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  return parseBody(parser, [&] { return parser.parseGreater(); });
}

void BlockListAttr::print(AsmPrinter &printer) const {
  printer << "<";
  printBody(printer, *this);
  printer << ">";
}

ParseResult parseBlockList(OpAsmParser &parser, BlockListAttr &blocks) {
  if (parser.parseLBrace())
    return failure();
  blocks = parseBody(parser, [&] { return parser.parseRBrace(); });
  return success(blocks != nullptr);
}

void printBlockList(OpAsmPrinter &printer, Operation *, BlockListAttr blocks) {
  printer << "{";
  if (blocks)
    printBody(printer, blocks);
  printer << "}";
}

LogicalResult
BlockListAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                      int64_t rows, int64_t keys, BlockKind,
                      ArrayRef<AffineMap> maps) {
  if (rows < 1)
    return emitError() << "expected rows to be 1 or more, but got " << rows;
  if (keys < 1)
    return emitError() << "expected keys to be 1 or more, but got " << keys;
  if (!maps.empty() && maps.size() != 2)
    return emitError() << "expected two maps, of indptr and of indices, but "
                          "got "
                       << maps.size();
  return success();
}

//===----------------------------------------------------------------------===//
// BlockList
//===----------------------------------------------------------------------===//

std::optional<BlockList> BlockList::of(Operation *op) {
  auto listed = dyn_cast<BlockListOpInterface>(op);
  if (!listed || !listed.getBlocksAttr() || !listed.getIndptr() ||
      !listed.getIndices())
    return std::nullopt;
  return BlockList{listed.getIndptr(), listed.getIndices(),
                   listed.getBlocksAttr()};
}

bool BlockList::hasPages(Operation *op) {
  auto listed = dyn_cast<BlockListOpInterface>(op);
  BlockListAttr attr = listed ? listed.getBlocksAttr() : BlockListAttr();
  return attr && attr.isPhysical();
}

std::optional<unsigned> BlockList::getListDim() const {
  AffineMap map = getIndptrMap();
  if (map.getNumResults() == 0)
    return std::nullopt;
  return map.getDimPosition(map.getNumResults() - 1);
}

bool BlockList::dependsOn(unsigned dim) const {
  return getIndptrMap().isFunctionOfDim(dim) ||
         getIndicesMap().isFunctionOfDim(dim);
}

int64_t countRowsOfList(AttentionOpInterface op, unsigned dim) {
  std::optional<BlockList> blocks = BlockList::of(op);
  if (!blocks || !blocks->dependsOn(dim))
    return 0;
  // Requests that share a list may have keys of their own number.
  std::optional<RaggedDims> ragged = getRaggedDims(op);
  bool isShared = blocks->getListDim() == dim &&
                  !blocks->getIndicesMap().isFunctionOfDim(dim) &&
                  !(ragged && ragged->request == dim);
  return isShared ? blocks->getRows() : 1;
}

bool isByPosition(AttentionOpInterface op, unsigned index, unsigned position) {
  if (!BlockList::hasPages(op))
    return false;
  SmallVector<unsigned> keyRows = op.getDimensionClasses().keyRows;
  AffineMap map = op.getIndexingMap(index);
  return keyRows.size() == 2 && map.getDimPosition(position) == keyRows[1] &&
         !map.isFunctionOfDim(keyRows[0]);
}

bool isByPosition(AttentionOpInterface op, unsigned index) {
  for (unsigned i = 0, e = op.getIndexingMap(index).getNumResults(); i < e; ++i)
    if (isByPosition(op, index, i))
      return true;
  return false;
}

/// The extent of a dimension as some operand has it, or as starts do.
static int64_t getStaticExtent(AttentionOpInterface op, unsigned dim) {
  auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
  if (std::optional<RaggedDims> dims = getRaggedDims(op);
      dims && dims->request == dim)
    for (Value starts : {ragged.getQueryStarts(), ragged.getKeyStarts()})
      if (starts && !cast<ShapedType>(starts.getType()).isDynamicDim(0))
        return cast<ShapedType>(starts.getType()).getDimSize(0) - 1;
  for (auto [index, operand] : llvm::enumerate(op.getMappedOperands())) {
    AffineMap map = op.getStoredMap(index);
    std::optional<unsigned> position =
        map.getResultPosition(getAffineDimExpr(dim, op->getContext()));
    ArrayRef<int64_t> shape = detail::getShapeOrScalar(operand.getType());
    if (position && !ShapedType::isDynamic(shape[*position]) &&
        !isByPosition(op, index, *position))
      return shape[*position];
  }
  return ShapedType::kDynamic;
}

/// (C18)
static LogicalResult verifyListMaps(AttentionOpInterface op,
                                    const BlockList &blocks,
                                    const DimensionClasses &classes) {
  if (blocks.attr.getMaps().size() != 2)
    return op.emitOpError("(C18) expected blocks to have maps = [indptr, "
                          "indices], but got none");
  for (auto [map, name] : {std::pair(blocks.getIndptrMap(), "indptr"),
                           std::pair(blocks.getIndicesMap(), "indices")}) {
    bool fits =
        map.getNumDims() == op.getNumDims() && map.isProjectedPermutation();
    for (unsigned i = 0; fits && i < map.getNumResults(); ++i) {
      DimensionClass kind = classes.classes[map.getDimPosition(i)];
      fits = kind == DimensionClass::Batch || kind == DimensionClass::QueryRow;
    }
    if (!fits)
      return op.emitOpError("(C18) expected the map of ")
             << name << " to be a projected permutation of " << op.getNumDims()
             << " dimensions, to batch and query row dimensions only, but got "
             << AffineMapAttr::get(map);
  }
  auto verifyRank = [&](Value operand, StringRef name,
                        int64_t rank) -> LogicalResult {
    int64_t given = detail::getShapeOrScalar(operand.getType()).size();
    if (given == rank)
      return success();
    return op.emitOpError("(C18) expected ")
           << name << " rank to be " << rank << " (by its map), but got "
           << given;
  };
  if (failed(verifyRank(blocks.indptr, "indptr",
                        std::max(blocks.getIndptrMap().getNumResults(), 1u))))
    return failure();
  return verifyRank(blocks.indices, "indices",
                    blocks.getIndicesMap().getNumResults() + 1);
}

/// (C19)
static LogicalResult verifyListExtents(AttentionOpInterface op,
                                       const BlockList &blocks) {
  auto verifyExtent = [&](Value operand, StringRef name, unsigned position,
                          int64_t expected) -> LogicalResult {
    int64_t given = detail::getShapeOrScalar(operand.getType())[position];
    if (ShapedType::isDynamic(given) || ShapedType::isDynamic(expected) ||
        given == expected)
      return success();
    return op.emitOpError("(C19) expected ")
           << name << " extent " << position << " to be " << expected
           << ", but got " << given;
  };
  AffineMap indptr = blocks.getIndptrMap(), indices = blocks.getIndicesMap();
  for (unsigned i = 0; i + 1 < indptr.getNumResults(); ++i)
    if (failed(verifyExtent(blocks.indptr, "indptr", i,
                            getStaticExtent(op, indptr.getDimPosition(i)))))
      return failure();
  for (unsigned i = 0; i < indices.getNumResults(); ++i)
    if (failed(verifyExtent(blocks.indices, "indices", i,
                            getStaticExtent(op, indices.getDimPosition(i)))))
      return failure();
  int64_t lists = 1;
  if (std::optional<unsigned> dim = blocks.getListDim()) {
    int64_t extent = getStaticExtent(op, *dim);
    lists = ShapedType::isDynamic(extent)
                ? extent
                : static_cast<int64_t>(llvm::divideCeil(
                      static_cast<uint64_t>(extent),
                      static_cast<uint64_t>(blocks.getRows())));
  }
  unsigned last = detail::getShapeOrScalar(blocks.indptr.getType()).size() - 1;
  return verifyExtent(blocks.indptr, "indptr", last,
                      ShapedType::isDynamic(lists) ? lists : lists + 1);
}

/// (C20) beside starts
static LogicalResult verifyListsOfRequests(AttentionOpInterface op,
                                           const BlockList &blocks) {
  auto ragged = dyn_cast<RaggedOpInterface>(op.getOperation());
  if (!ragged || !isRagged(ragged))
    return success();
  std::optional<RaggedDims> dims = getRaggedDims(op);
  if (!dims)
    return op.emitOpError("(C20) expected the map of indptr to end with the "
                          "request, as there are key_starts and no "
                          "query_starts, but got ")
           << AffineMapAttr::get(blocks.getIndptrMap());
  if (dims->queryRow && blocks.dependsOn(*dims->queryRow))
    return op.emitOpError("(C20) expected lists that do not depend on d")
           << *dims->queryRow << ", the packed query row, but got maps ("
           << AffineMapAttr::get(blocks.getIndptrMap()) << ", "
           << AffineMapAttr::get(blocks.getIndicesMap()) << ")";
  return success();
}

/// (C20)
static LogicalResult verifyListedKeys(AttentionOpInterface op,
                                      const BlockList &blocks,
                                      const DimensionClasses &classes) {
  if (!blocks.isPhysical()) {
    if (classes.keyRows.size() == 1)
      return success();
    return op.emitOpError("(C20) expected one key row dimension, as blocks are "
                          "logical, but got ")
           << classes.keyRows.size();
  }
  if (classes.keyRows.size() != 2)
    return op.emitOpError("(C20) expected two key row dimensions, page and row "
                          "in page, as blocks are physical, but got ")
           << classes.keyRows.size();
  int64_t rows = getStaticExtent(op, classes.keyRows[1]);
  if (rows != blocks.getKeys()) {
    InFlightDiagnostic diag = op.emitOpError("(C20) expected a page to have ");
    diag << blocks.getKeys()
         << " key rows (keys of blocks), in a static extent, but got ";
    if (ShapedType::isDynamic(rows))
      return diag << "a dynamic one";
    return diag << rows;
  }
  for (Region *region :
       {&op.getSimilarity(), &op.getMask(), &op.getScore(), &op.getWeight()})
    for (IndexOp index : region->getOps<IndexOp>())
      if (index.getDim() == classes.keyRows[0]) {
        InFlightDiagnostic diag =
            op.emitOpError("(C20) expected attn.index to name d")
            << classes.keyRows[1]
            << ", the position in the list, as blocks are physical, but got "
            << index.getDim();
        diag.attachNote(index.getLoc()) << "used here";
        return diag;
      }
  return success();
}

LogicalResult detail::verifyBlockList(AttentionOpInterface op) {
  auto listed = cast<BlockListOpInterface>(op.getOperation());
  bool parts[] = {static_cast<bool>(listed.getIndptr()),
                  static_cast<bool>(listed.getIndices()),
                  static_cast<bool>(listed.getBlocksAttr())};
  if (!parts[0] && !parts[1] && !parts[2])
    return success();
  if (!parts[0] || !parts[1] || !parts[2])
    return op.emitOpError(
        "(C18) expected indptr, indices and blocks, all or none");
  BlockList blocks = *BlockList::of(op);
  DimensionClasses classes = op.getDimensionClasses();
  if (failed(verifyListMaps(op, blocks, classes)) ||
      failed(verifyListsOfRequests(op, blocks)) ||
      failed(verifyListExtents(op, blocks)))
    return failure();
  return verifyListedKeys(op, blocks, classes);
}

void detail::relateBlockList(Operation *op, OperandRelations &relations) {
  std::optional<BlockList> blocks = BlockList::of(op);
  auto attention = dyn_cast<AttentionOpInterface>(op);
  if (!blocks || !attention || blocks->attr.getMaps().size() != 2)
    return;
  auto relate = [&](Value operand, unsigned position, unsigned dim) {
    for (auto [index, other] : llvm::enumerate(attention.getMappedOperands()))
      if (std::optional<unsigned> at =
              attention.getStoredMap(index).getResultPosition(
                  getAffineDimExpr(dim, op->getContext())))
        return relations.add(operand, position, other, *at,
                             "dimension d" + Twine(dim) + " of " +
                                 op->getName().getStringRef());
  };
  AffineMap indptr = blocks->getIndptrMap(), indices = blocks->getIndicesMap();
  for (unsigned i = 0; i + 1 < indptr.getNumResults(); ++i)
    relate(blocks->indptr, i, indptr.getDimPosition(i));
  for (unsigned i = 0; i < indices.getNumResults(); ++i)
    relate(blocks->indices, i, indices.getDimPosition(i));
}

int64_t getDivisorAtMost(int64_t rows, int64_t most) {
  int64_t divisor = std::min(rows, most);
  while (divisor > 1 && rows % divisor != 0)
    --divisor;
  return std::max<int64_t>(divisor, 1);
}

} // namespace attn
