"""The cases of plain.py on packed requests whose keys lie in pages: groups
"ragged_pages" and what follows."""

import numpy

from plain_arrays import round_to
from plain_attention import accumulation, random, tensor
from plain_ragged import (KEYS, QUERIES, generic_requests, sdpa_requests,
                          starts_of)
from plain_ragged_cases import CAUSAL, THIRD, steps, weightings


class RequestPages:
    """Pages of `size` keys, a list of them for each request, the first `shared`
    those of all; which keys each has is `counted` by key_starts, or all are. What
    is counted out is no page at all. As a `table`, each list is a row of it."""

    def __init__(self, rng, keys, size, shared=0, counted=True, table=False,
                 index="i32", dynamic=False):
        self.keys, self.size, self.counted = keys, size, counted
        self.table, self.index, self.dynamic = table, index, dynamic
        counts = [-(-n // size) for n in keys]
        self.pages = sum(counts) + shared + 3
        order = [int(page) for page in rng.permutation(self.pages)]
        common = [order.pop() for _ in range(shared)]
        self.lists = [[common[i] if i < shared else order.pop()
                       for i in range(count)] for count in counts]
        behind = [-7] * 2 if counted else []
        width = max(map(len, self.lists), default=0) + 2
        if table:
            self.indptr = numpy.array([0, width])
            self.indices = numpy.array(
                [one + [-7] * (width - len(one)) for one in self.lists],
                numpy.int64).reshape(len(keys), width)
        else:
            given = [one + behind[:r % 3] for r, one in enumerate(self.lists)]
            self.indptr = starts_of([len(one) for one in given])
            self.indices = numpy.array(sum(given, []), numpy.int64)

    def store(self, rng, dtype, dense, letters, lies, dynamic=False):
        """Fills `dense`, over packed keys N, from the pages, whose type and
        numbers it returns; `lies` are their letters. What is no key is NaN."""
        rest = "".join(x for x in letters if x != "N")
        extents = dict(zip(letters, dense.shape))
        packed = numpy.transpose(dense, [letters.index(x) for x in "N" + rest])
        pool = random(rng, [self.pages, self.size,
                            *(extents[x] for x in rest)], dtype)
        used = numpy.zeros(pool.shape[:2], bool)
        columns = starts_of(self.keys)
        for r, (one, count) in enumerate(zip(self.lists, self.keys)):
            for j in range(count):
                page = one[j // self.size]
                used[page, j % self.size] = True
                packed[columns[r] + j] = pool[page, j % self.size]
        pool[~used] = numpy.nan
        pool = round_to(pool, dtype)
        pool = numpy.transpose(pool, [("pn" + rest).index(x) for x in lies])
        kind = tensor(pool.shape, dtype)
        if dynamic:
            # The rows of a page are known.
            known = {"n": self.size}
            if dynamic == "rows":
                known[lies[-1]] = pool.shape[-1]
            kind = ("tensor<" + "".join(f"{known.get(x, '?')}x" for x in lies)
                    + dtype + ">")
        return kind, pool

    def make_arguments(self):
        return [(name, tensor(array.shape, self.index, self.dynamic), array)
                for name, array in (("indptr", self.indptr),
                                    ("indices", self.indices))]

    def make_text(self, write=None):
        """`write` gives the map of letters, which attn.generic needs."""
        (_, indptr, _), (_, indices, _) = self.make_arguments()
        maps = ""
        if write:
            lists = ("", "r") if self.table else ("r", "")
            maps = f", maps = [{', '.join(write(part) for part in lists)}]"
        return (f" blocks(%indptr, %indices : {indptr}, {indices}) "
                f"{{keys = {self.size}, kind = physical{maps}}}")


def fill(keys, size):
    """Lengths that fill pages."""
    return tuple(-(-n // size) * size for n in keys)


LENGTHS = """
        %length = tensor.extract %lengths[%b] : tensor<{0}xi32>
        %end = arith.index_cast %length : i32 to index
        %within = arith.cmpi slt, %j, %end : index
        attn.yield %within : i1"""


def make_case(dtype, rng, error):
    def case(name, size=16, keys=KEYS, shared=0, counted=True, index="i32",
             **kind):
        keys = tuple(keys) if counted else fill(keys, size)
        pages = RequestPages(rng, keys, size, shared, counted, index=index,
                             dynamic=kind.get("dynamic", False))
        return sdpa_requests(name, dtype, rng, error, keys=keys, pages=pages,
                             **kind)
    return case


def ragged_pages(dtype, rng, error):
    """Options of attn.sdpa, over pages of several sizes."""
    acc = accumulation(dtype)
    case = make_case(dtype, rng, error)
    yield case("plain", lse=True)
    yield case("dynamic", dynamic=True, lse=True, causal="bottom_right")
    yield case("whole", counted=False, lse=True)
    yield case("whole-bottom-right", size=5, counted=False, lse=True,
               causal="bottom_right", dynamic=True)
    yield case("top-left", causal="top_left", integer="i64", size=7)
    yield case("bottom-right", causal="bottom_right", lse=True, shared=2)
    yield case("bottom-right-window", causal="bottom_right", window=(9, -1),
               integer="index", index="i64", size=64)
    yield case("window", window=(20, 3), dynamic=True, size=1)
    yield case("offset", causal="offset", offset=4, counted=False)
    yield case("offsets", causal="offset", offset=range(-4, 5), lse=True)
    yield case("window-offsets", window=(6, 9), offset=range(0, 90, 10), size=3)
    yield case("grouped", heads=2, group=3, causal="bottom_right", lse=True)
    yield case("grouped-one", heads=1, group=4, dynamic=True, size=8,
               causal="top_left")
    yield case("grouped-dynamic", heads=2, group=2, dynamic=True,
               causal="bottom_right", sink=[0.5, -1.0, 2.0, 0.0], shared=1)
    yield case("sink", sink=0.25, lse=True, causal="bottom_right", size=128)
    yield case("sink-heads", sink=[1.5, -40.0], lse=True, counted=False)
    yield case("softcap", softcap=0.75, scale=0.9)
    yield case("mask", mask=THIRD, lse=True)
    yield case("mask-window", mask=THIRD, window=(15, 15), heads=1, group=2)
    lengths = numpy.array([max(n - r % 4, 0) for r, n in enumerate(KEYS)],
                          numpy.int32)
    for counted in (True, False):
        yield case(f"mask-lengths-{counted}", counted=counted, lse=True,
                   mask=(LENGTHS.format(len(KEYS)),
                         lambda x: x["n"] < lengths[x["b"]]),
                   captured=[("lengths", f"tensor<{len(KEYS)}xi32>", lengths)])
    for number, (counted, kind) in enumerate((
            (True, {"bias": (1, 133, 320)}), (False, {"bias": (1, 1, 400)}),
            (True, {"boolean": (len(KEYS), 1, 1, 300), "lse": True}),
            (False, {"boolean": (140, 304), "heads": 1, "group": 2}),
            (True, {"bias": (len(KEYS), 2, 133, 1), "boolean": (300,)}))):
        yield case(f"positions-{number}", counted=counted, size=(16, 5)[number % 2],
                   causal=(None, "bottom_right")[number % 2], **kind)
    yield case("score", score=steps(acc), causal="bottom_right", shared=3)
    yield case("widths", width=33, channels=17, causal="bottom_right")
    yield case("wide", heads=1, width=64, channels=64, causal="bottom_right",
               lse=True)


def ragged_pages_shapes(dtype, rng, error):
    """Lengths around pages and tiles, no requests, rows, keys or pages."""
    case = make_case(dtype, rng, error)
    for size in (1, 2, 15, 16, 17, 31, 32, 64, 127, 128, 129):
        yield case(f"equal-{size}", queries=(size,) * 3, keys=(size,) * 3,
                   size=min(size, 32), causal="top_left", heads=1, lse=True)
        yield case(f"around-{size}", queries=(1, size - 1, size + 1, size),
                   keys=(size + 1, size, 2, size - 1), causal="bottom_right",
                   size=size, heads=1, dynamic=size % 2 == 0,
                   index=("i64", "i32")[size % 2])
    for number, kind in enumerate((
            {}, {"causal": "bottom_right"}, {"window": (9, 4)},
            {"causal": "top_left", "heads": 2, "group": 2},
            {"causal": "bottom_right", "window": (7, -1), "heads": 1})):
        # Requests that have rows of one number, and keys of their own.
        tail = "-".join(["", *map(str, kind.values())])
        yield case("keys" + tail, queries=(21,) * 4, keys=(0, 3, 130, 9),
                   pack="k", lse=True, shared=number % 2, **kind)
        yield case("keys-decode" + tail, queries=(1,) * 4, keys=(0, 3, 130, 9),
                   pack="k", lse=True, dynamic="heads" in kind, **kind)
        yield case("keys-parts" + tail, queries=(1,) * 3, keys=(2100, 0, 1500),
                   pack="k", lse=True, width=8, **kind)
    for kind in ({}, {"heads": 2, "group": 4, "counted": False, "lse": True},
                 {"heads": 1, "group": 3, "causal": "bottom_right", "size": 1}):
        # Few rows, and many keys in parts.
        yield case("-".join(["few", *map(str, kind.values())]),
                   queries=(1, 3, 0, 16, 2, 1, 9, 17),
                   keys=(2100, 3001, 5, 1500, 0, 40, 64, 1100), width=8,
                   dynamic="lse" in kind, **kind)
    yield case("decode", queries=(1,) * 20, keys=range(0, 100, 5),
               causal="bottom_right", heads=2, group=2, lse=True)
    yield case("one", queries=(70,), keys=(90,), causal="bottom_right")
    yield case("many-rows", queries=(0, 300, 1, 150), keys=(5, 310, 400, 150),
               causal="bottom_right", lse=True, heads=1, shared=4)
    yield case("no-requests", queries=(), keys=(), lse=True)
    yield case("no-requests-dynamic", queries=(), keys=(), dynamic=True,
               lse=True, causal="bottom_right")
    yield case("no-rows", queries=(0, 0), keys=(3, 0), lse=True)
    yield case("no-rows-dynamic", queries=(0, 0), keys=(3, 0), dynamic=True)
    yield case("no-keys", queries=(5, 40), keys=(0, 0), lse=True)
    yield case("no-pages", queries=(5, 40), keys=(0, 0), counted=False,
               dynamic=True, lse=True, sink=0.5)
    yield case("no-heads", heads=0, lse=True)
    yield case("no-channels", channels=0, lse=True, dynamic=True)


def ragged_pages_regions(dtype, rng, error):
    """attn.generic: orders of dimensions, tables, weightings, inputs."""
    acc = accumulation(dtype)
    packed = ["Mhd", "Nhd", "Nhe", "Mhe"]
    causal = CAUSAL[0].replace("attn.index 3", "attn.index 4")

    def case(name, letters=packed, text="", size=16, lies=("phnd", "phne"),
             keys=KEYS, **kind):
        ways = {key: kind.pop(key) for key in ("shared", "counted", "table",
                                               "index") if key in kind}
        keys = keys if ways.get("counted", True) else fill(keys, size)
        pages = RequestPages(rng, keys, size, **ways)
        return generic_requests(name, dtype, rng, letters, text, error=error,
                                keys=keys, pages=(pages, *lies), **kind)
    yield case("rows-first", lse=True)
    yield case("heads-first", ["hMd", "hNd", "hNe", "hMe"], causal,
               mask=CAUSAL[1], lse=True, lies=("hpnd", "phne"))
    yield case("transposed", ["dMh", "hdN", "hNe", "heM"], lse=True,
               lies=("hpdn", "pnhe"))
    yield case("shared-keys", ["Mhd", "Nd", "Ne", "Mhe"],
               causal, mask=CAUSAL[1], lies=("pnd", "pne"))
    yield case("table", table=True, lse=True, size=5)
    yield case("table-causal", text=causal, mask=CAUSAL[1], table=True,
               index="i64", shared=1)
    for kind in weightings(rng, acc, causal):
        for counted in (True, False):
            yield case(f"{kind['weighting']}-{counted}", counted=counted, **kind)
    plus = f"""score {{
      ^bb0(%s: {acc}, %x: {acc}):
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}"""
    sizes = {"r": len(QUERIES), "h": 2, "M": sum(QUERIES), "m": max(QUERIES)}
    for part in ("r", "hr", "M", "hM", "m", "rm"):
        shape = [sizes[x] for x in part]
        array = random(rng, shape, dtype)
        yield case(f"input-{part}", text=plus + " " + causal.replace(
            "mask {", f"mask {{\n      ^bb0(%x: {acc}):"), mask=CAUSAL[1],
                   inputs=[(part, tensor(shape, dtype), array)],
                   score=lambda s, x: s + x["in"][0])
    yield case("weight-squared", text=f"""weight {{
      ^bb0(%w: {acc}):
        %t = arith.mulf %w, %w : {acc}
        attn.yield %t : {acc}
      }}""" + causal, weight=lambda w, x: w * w, mask=CAUSAL[1])
