#!/usr/bin/env python3
"""Counts the key tiles that GPU kernels meet, and again from the whole mask.

    count_tiles.py [--run=attn-run]

A query tile has to meet every key that one of its rows sees: from the first that
it has not met on, a tile of keys at a time. A mask that reads at keys is asked 64
keys at once. Of a list of blocks, tiles are of the keys in the list, in order.
Tiles in which nothing is visible are left out. Prints one line per case that
differs and exits with 1.
"""

import os
import re
import subprocess
import sys
import tempfile

import numpy

M, N = 300, 1000
KERNELS = {"f16": (64, 64), "f32": (32, 32)}
ROWS, KEYS = numpy.arange(M)[:, None], numpy.arange(N)[None, :]


def spans(visible, keys, grain):
    """The tiles that cover the visible keys, each as its keys."""
    seen = visible.any(axis=0)
    number = len(seen)
    for first in range(0, number, grain):
        seen[first:first + grain] = seen[first:first + grain].any()
    tiles, cursor = [], 0
    while seen[cursor:].any():
        first = end = cursor + int(seen[cursor:].argmax())
        # Tiles end where what any row sees does.
        while end < number and end < first + keys and seen[end]:
            end += 1
        tiles.append(numpy.arange(first, end))
        cursor = end
    return tiles


def places(listed, keys):
    return [listed[i:i + keys] for i in range(0, len(listed), keys)]


def count(visible, shape, grain, listed):
    """The number of tiles, and of those that are whole and hide nothing."""
    rows, keys = shape
    total = full = 0
    for first in range(0, len(visible), rows):
        part = visible[first:first + rows]
        tiles = (places(listed(first), keys) if listed
                 else spans(part, keys, grain))
        tiles = [tile for tile in tiles if part[:, tile].any()]
        total += len(tiles)
        full += sum(len(tile) == keys and bool(part[:, tile].all())
                    for tile in tiles)
    return total, full


def mask(body):
    return f"""mask {{
  ^bb0(%b: index, %h: index, %i: index, %j: index):
{body}
  }}"""


ENDS = numpy.sort(numpy.random.default_rng(5).integers(0, N, 25))
DOCUMENTS = numpy.searchsorted(ENDS, numpy.arange(N), "right").astype("i4")
BLOCK = 48
LISTED = {first: sorted(numpy.random.default_rng(first).permutation(21)[:6])
          for first in range(0, M, 64)}


def listed(first):
    blocks = LISTED[first // 64 * 64]
    keys = numpy.concatenate([numpy.arange(b * BLOCK, (b + 1) * BLOCK)
                              for b in blocks])
    return keys[keys < N]


def is_listed():
    return numpy.array([numpy.isin(numpy.arange(N), listed(row))
                        for row in range(M)])


LOOK_UP = """    %d = tensor.extract %ids[%i] : tensor<1000xi32>
    %e = tensor.extract %ids[%j] : tensor<1000xi32>
    %same = arith.cmpi eq, %d, %e : i32
    attn.yield %same : i1"""
SINKS = """    %c4 = arith.constant 4 : index
    %sink = arith.cmpi slt, %j, %c4 : index
    %d = arith.subi %i, %j : index
    %c0 = arith.constant 0 : index
    %c90 = arith.constant 90 : index
    %causal = arith.cmpi sge, %d, %c0 : index
    %near = arith.cmpi slt, %d, %c90 : index
    %window = arith.andi %causal, %near : i1
    %any = arith.ori %sink, %window : i1
    attn.yield %any : i1"""

INDPTR = numpy.arange(0, 6 * (len(LISTED) + 1), 6).astype("i4")
INDICES = numpy.concatenate(list(LISTED.values())).astype("i4")
BLOCKS = (f"blocks(%indptr, %indices : tensor<{len(INDPTR)}xi32>, "
          f"tensor<{len(INDICES)}xi32>) "
          f"{{rows = 64, keys = {BLOCK}, kind = logical}}")


# Requests, of which each row sees the keys up to its own, counted from the end.
QUERY_STARTS = numpy.array([0, 0, 70, 71, 200, 300], "i4")
KEY_STARTS = numpy.array([0, 40, 40, 300, 700, 1000], "i4")
STARTS = (f"query_starts(%qs : tensor<{len(QUERY_STARTS)}xi32>) "
          f"key_starts(%ks : tensor<{len(KEY_STARTS)}xi32>)")


def get_requests():
    """What the rows of each request see of its keys."""
    for row, end, key, last in zip(QUERY_STARTS, QUERY_STARTS[1:], KEY_STARTS,
                                   KEY_STARTS[1:]):
        rows, keys = end - row, last - key
        yield (numpy.arange(keys)[None, :]
               <= numpy.arange(rows)[:, None] + keys - rows)


# Pages of 16 keys, in any order; and how many of them there are.
PAGES = numpy.random.default_rng(7).permutation(63).astype("i4")
PAGED = (f"blocks(%indptr, %indices : tensor<2xi32>, tensor<{len(PAGES)}xi32>) "
         "{keys = 16, kind = physical}")


class Case:
    """An op: what its rows see, as text and as one array or some, and what else
    it has. Its `lists` give the keys in the list of a row."""

    def __init__(self, visible, attributes="", region="", operands="",
                 arguments=(), lists=None, grain=1, group=1, weights=False):
        self.visible = visible if isinstance(visible, list) else [visible]
        self.attributes, self.region = attributes, region
        self.operands, self.arguments = operands, list(arguments)
        self.lists, self.grain, self.weights = lists, grain, weights
        # Of several heads that share keys the rows are those of one tile.
        self.group = group
        self.packed = "query_starts" in operands
        self.paged = "physical" in operands

    def get_shapes(self):
        """Of queries and keys, and of the weights."""
        rows = sum(len(part) for part in self.visible) // self.group
        heads = 2 * self.group
        if self.packed:
            return (rows, heads, 16), (N, 2, 16), None
        keys = (63, 2, 16, 16) if self.paged else (1, 2, N, 16)
        return (1, heads, rows, 16), keys, (1, heads, rows, N)

    def write(self, dtype):
        q, k, pairs = [shape and f"tensor<{'x'.join(map(str, shape))}x{kind}>"
                       for shape, kind in zip(self.get_shapes(),
                                              (dtype, dtype, "f32"))]
        arguments = [f"%{a}: {t}" for a, t in zip("qkv", (q, k, k))]
        arguments += [f"%{a}: tensor<{len(x)}xi32>" for a, x in self.arguments]
        inits, extra, types, result = f"%init = tensor.empty() : {q}", "", q, "%o"
        if self.weights:
            inits += f"\n  %none = tensor.empty() : {pairs}"
            extra, types = f" weights(%none : {pairs})", f"{q}, {pairs}"
            result = "%o#0"
        return f"""func.func @count({', '.join(arguments)}) -> {q} {{
  {inits}
  %o{":2" if self.weights else ""} = attn.sdpa ins(%q, %k, %v : {q}, {k}, {k})
      {self.operands} outs(%init : {q}){extra}
      {"{" + self.attributes + "}" if self.attributes else ""} {self.region} -> {types}
  return {result} : {q}
}}
"""


def see_last(rows):
    """Rows that see all but what is behind them, counted from the end."""
    return KEYS <= numpy.arange(rows)[:, None] + N - rows


BOTTOM_RIGHT = "causal = #attn.causal<bottom_right>"
LISTS = [("indptr", INDPTR), ("indices", INDICES)]
CASES = {
    "dense": Case(KEYS >= 0 * ROWS),
    "causal": Case(KEYS <= ROWS, "causal = #attn.causal<top_left>"),
    "bottom_right": Case(see_last(M), BOTTOM_RIGHT),
    "window": Case((KEYS >= ROWS - 70) & (KEYS <= ROWS + 5),
                   "window = array<i64: 70, 5>"),
    "documents": Case(DOCUMENTS[:M, None] == DOCUMENTS[None, :],
                      region=mask(LOOK_UP), arguments=[("ids", DOCUMENTS)],
                      grain=64),
    "sinks": Case((KEYS < 4) | ((KEYS <= ROWS) & (ROWS - KEYS < 90)),
                  region=mask(SINKS)),
    "blocks": Case(is_listed(), operands=BLOCKS, arguments=LISTS, lists=listed),
    "causal_blocks": Case(is_listed() & (KEYS <= ROWS),
                          "causal = #attn.causal<top_left>", operands=BLOCKS,
                          arguments=LISTS, lists=listed),
    # Keys are walked over twice, and counted once.
    "weights": Case(KEYS <= ROWS, "causal = #attn.causal<top_left>",
                    weights=True),
    # Few rows have keys in parts.
    "few": Case(see_last(3), BOTTOM_RIGHT),
    "few_weights": Case(see_last(3), BOTTOM_RIGHT, weights=True),
    "grouped": Case(numpy.tile(see_last(3), (8, 1)), BOTTOM_RIGHT, group=8),
    "requests": Case(list(get_requests()), BOTTOM_RIGHT, operands=STARTS,
                     arguments=[("qs", QUERY_STARTS), ("ks", KEY_STARTS)]),
    "pages": Case(KEYS <= ROWS[:5] + 990, region=mask(
        """    %c990 = arith.constant 990 : index
    %d = arith.subi %j, %i : index
    %seen = arith.cmpi sle, %d, %c990 : index
    attn.yield %seen : i1"""), operands=PAGED, arguments=[
            ("indptr", numpy.array([0, 63], "i4")), ("indices", PAGES)]),
}


def run(case, dtype, command):
    with tempfile.TemporaryDirectory() as directory:
        module = os.path.join(directory, "count.mlir")
        with open(module, "w") as file:
            file.write(case.write(dtype))
        line = [command, module, "--target=gpu-emulator", "--count-tiles"]
        q, k, _ = case.get_shapes()
        arrays = [numpy.zeros(shape, dtype.replace("f", "float"))
                  for shape in (q, k, k)]
        arrays += [array for _, array in case.arguments]
        for number, array in enumerate(arrays):
            path = os.path.join(directory, f"{number}.npy")
            numpy.save(path, array)
            line.append("--input=" + path)
        done = subprocess.run(line, capture_output=True, text=True)
    found = re.search(r"key tiles: (\d+) looked at, (\d+) computed, (\d+) of",
                      done.stdout)
    if not found:
        return done.stderr or "no count"
    met, computed, full = map(int, found.groups())
    parts = [count(part, KERNELS[dtype], case.grain, case.lists)
             for part in case.visible]
    expected = [sum(numbers) for numbers in zip(*parts)]
    if (met, computed) == (2 * expected[0],) * 2 and full == 2 * expected[1]:
        return None
    return (f"expected {expected[0]} key tiles of a head, {expected[1]} full, "
            f"but got {met / 2:g}, {full / 2:g}")


def main():
    command = sys.argv[1].split("=", 1)[1] if len(sys.argv) > 1 else "attn-run"
    failed = 0
    for dtype in KERNELS:
        for name, case in CASES.items():
            error = run(case, dtype, command)
            if error:
                failed += 1
                print(f"{name} {dtype}: {error.strip()}")
    total = len(CASES) * len(KERNELS)
    print(f"count_tiles: {total - failed} of {total} agree")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
