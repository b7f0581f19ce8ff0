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
    for first in range(0, N, grain):
        seen[first:first + grain] = seen[first:first + grain].any()
    tiles, cursor = [], 0
    while seen[cursor:].any():
        first = end = cursor + int(seen[cursor:].argmax())
        # Tiles end where what any row sees does.
        while end < N and end < first + keys and seen[end]:
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
    for first in range(0, M, rows):
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

# Of each: the mask, what the op says, further arguments, the list of a row.
CASES = {
    "dense": (KEYS >= 0 * ROWS, "", "", [], None),
    "causal": (KEYS <= ROWS, "", "causal = #attn.causal<top_left>", [], None),
    "bottom_right": (KEYS <= ROWS + N - M, "",
                     "causal = #attn.causal<bottom_right>", [], None),
    "window": ((KEYS >= ROWS - 70) & (KEYS <= ROWS + 5), "",
               "window = array<i64: 70, 5>", [], None),
    "documents": (DOCUMENTS[:M, None] == DOCUMENTS[None, :], mask(LOOK_UP), "",
                  [("ids", DOCUMENTS)], None),
    "sinks": ((KEYS < 4) | ((KEYS <= ROWS) & (ROWS - KEYS < 90)), mask(SINKS),
              "", [], None),
    "blocks": (is_listed(), "", "", [("indptr", INDPTR), ("indices", INDICES)],
               listed),
    "causal_blocks": (is_listed() & (KEYS <= ROWS), "",
                      "causal = #attn.causal<top_left>",
                      [("indptr", INDPTR), ("indices", INDICES)], listed),
}


def run(name, dtype, command):
    visible, region, attributes, more, lists = CASES[name]
    shapes = [f"tensor<1x2x{n}x16x{dtype}>" for n in (M, N, N)]
    arguments = [f"%{a}: {t}" for a, t in zip("qkv", shapes)]
    arguments += [f"%{a}: tensor<{len(x)}xi32>" for a, x in more]
    text = f"""func.func @count({', '.join(arguments)}) -> {shapes[0]} {{
  %init = tensor.empty() : {shapes[0]}
  %o = attn.sdpa ins(%q, %k, %v : {', '.join(shapes)})
      {BLOCKS if lists else ""} outs(%init : {shapes[0]})
      {"{" + attributes + "}" if attributes else ""} {region} -> {shapes[0]}
  return %o : {shapes[0]}
}}
"""
    with tempfile.TemporaryDirectory() as directory:
        module = os.path.join(directory, "count.mlir")
        with open(module, "w") as file:
            file.write(text)
        line = [command, module, "--target=gpu-emulator", "--count-tiles"]
        for number in range(3):
            path = os.path.join(directory, f"{number}.npy")
            numpy.save(path, numpy.zeros((1, 2, M if number == 0 else N, 16),
                                         dtype.replace("f", "float")))
            line.append("--input=" + path)
        for argument, array in more:
            path = os.path.join(directory, argument + ".npy")
            numpy.save(path, array)
            line.append("--input=" + path)
        done = subprocess.run(line, capture_output=True, text=True)
    found = re.search(r"key tiles: (\d+) looked at, (\d+) computed, (\d+) of",
                      done.stdout)
    if not found:
        return done.stderr or "no count"
    met, computed, full = map(int, found.groups())
    expected = count(visible, KERNELS[dtype], 64 if name == "documents" else 1,
                     lists)
    if (met, computed) == (2 * expected[0],) * 2 and full == 2 * expected[1]:
        return None
    return (f"expected {expected[0]} key tiles of a head, {expected[1]} full, "
            f"but got {met / 2:g}, {full / 2:g}")


def main():
    command = sys.argv[1].split("=", 1)[1] if len(sys.argv) > 1 else "attn-run"
    failed = 0
    for dtype in KERNELS:
        for name in CASES:
            error = run(name, dtype, command)
            if error:
                failed += 1
                print(f"{name} {dtype}: {error.strip()}")
    total = len(CASES) * len(KERNELS)
    print(f"count_tiles: {total - failed} of {total} agree")
    return 0 if failed == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
