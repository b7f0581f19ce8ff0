"""attn.sdpa over lists of key blocks: the lists, and what they make visible."""

import numpy

from plain_arrays import round_to
from plain_attention import accumulation, random, tensor
from plain_sdpa import sdpa


class Lists:
    """A list of key blocks for each `span` positions along the rows, or along
    the batch if `paged`. `entries` is nested as (leading..., list)."""

    def __init__(self, entries, span, keys, kind, leading, index="i32",
                 dynamic=False):
        self.entries, self.span, self.keys, self.kind = (entries, span, keys,
                                                         kind)
        self.leading, self.index, self.dynamic = leading, index, dynamic
        flat = [self.at(p) for p in numpy.ndindex(*leading)]
        # indptr and indices of each leading position; these are padded.
        bounds = [numpy.cumsum([0] + [len(one) for one in lists])
                  for lists in flat]
        longest = max([1] + [b[-1] for b in bounds])
        numbers = [sum(lists, []) + [-7] * (longest - b[-1])
                   for lists, b in zip(flat, bounds)]
        self.indptr = numpy.array(bounds).reshape(*leading, -1)
        self.indices = numpy.array(numbers).reshape(*leading, -1)

    def at(self, position):
        found = self.entries
        for number in position:
            found = found[number]
        return found

    def get_list(self, leading, number):
        """The list `number` where `leading` has the last dimensions only."""
        taken = [0 if extent == 1 else n for n, extent in
                 zip(leading[len(leading) - len(self.leading):], self.leading)]
        return self.at(taken)[number]

    def make_arguments(self):
        kinds = []
        for array in (self.indptr, self.indices):
            # What is broadcast is known to be.
            extents = ["?" if self.dynamic and n != 1 else str(n)
                       for n in array.shape]
            kinds.append(f"tensor<{'x'.join(extents)}x{self.index}>")
        return [("indptr", kinds[0], self.indptr),
                ("indices", kinds[1], self.indices)]

    def make_text(self, maps=()):
        """`maps` are those of both, where the op has no shapes to tell."""
        (_, indptr, _), (_, indices, _) = self.make_arguments()
        more = f", maps = [{', '.join(maps)}]" if maps else ""
        return (f" blocks(%indptr, %indices : {indptr}, {indices}) "
                f"{{rows = {self.span}, keys = {self.keys}, "
                f"kind = {self.kind}{more}}}")


class Blocks(Lists):
    """Logical lists."""

    def get_visible(self, batch, heads, rows, keys):
        visible = numpy.zeros((batch, heads, rows, keys), bool)
        for b, h, i in numpy.ndindex(batch, heads, -(-rows // self.span)):
            listed = numpy.zeros(-(-keys // self.keys), bool)
            listed[self.get_list((b, h), i)] = True
            first = i * self.span
            visible[b, h, first:first + self.span] = numpy.repeat(
                listed, self.keys)[:keys]
        return visible

    def count_ends(self, keys):
        return keys

    def store(self, rng, dtype, dynamic, k, v):
        return [(tensor(x.shape, dtype, dynamic), x) for x in (k, v)]


class Pages(Lists):
    """Physical lists: keys and values lie in `pages` pages."""

    def __init__(self, entries, pages, keys, lengths, **kind):
        super().__init__(entries, 1, keys, "physical", (), **kind)
        self.pages, self.lengths = pages, lengths

    def get_visible(self, batch, heads, rows, keys):
        visible = numpy.zeros((batch, heads, rows, keys), bool)
        for b in range(batch):
            ends = len(self.entries[b]) * self.keys
            if self.lengths is not None:
                ends = min(ends, self.lengths[b])
            visible[b, :, :, :ends] = True
        return visible

    def count_keys(self):
        """The number of keys of each list; 1 where there is none to divide."""
        return numpy.array([max(len(one) * self.keys, 1)
                            for one in self.entries])

    def count_ends(self, keys):
        """What ends at the bottom right: the keys of each list."""
        return numpy.array([len(one) * self.keys for one in self.entries]
                           ).reshape(-1, 1, 1, 1)

    def store(self, rng, dtype, dynamic, k, v):
        """Fills dense `k` and `v` from the pages, which it returns."""
        stored = []
        for dense in (k, v):
            heads, width = dense.shape[1], dense.shape[3]
            pool = random(rng, (self.pages, heads, self.keys, width), dtype)
            # What no list names is not read.
            used = set(sum(self.entries, []))
            for page in range(self.pages):
                if page not in used:
                    pool[page] = numpy.nan
            pool = round_to(pool, dtype)
            for b, entries in enumerate(self.entries):
                for place, page in enumerate(entries):
                    first = place * self.keys
                    dense[b, :, first:first + self.keys] = pool[page]
            last = width if dynamic == "rows" else "?"
            kind = (f"tensor<?x?x{self.keys}x{last}x{dtype}>" if dynamic
                    else tensor(pool.shape, dtype))
            stored.append((kind, pool))
        return stored


def random_blocks(rng, rows, span, keys, size, leading=(), density=0.4,
                  **kind):
    """Ascending lists, some of them empty."""
    lists, blocks = -(-rows // span), -(-keys // size)

    def make(left):
        if left:
            return [make(left[1:]) for _ in range(left[0])]
        return [[x for x in range(blocks) if rng.random() < density]
                for _ in range(lists)]
    return Blocks(make(leading), span, size, "logical", leading, **kind)


def random_pages(rng, counts, keys, ragged=True, shared=0, **kind):
    """Lists of `counts` pages, the first `shared` of them those of all, the
    others in any order; of the last page some keys."""
    order = list(rng.permutation(sum(counts) + shared + 3))
    common = [int(order.pop()) for _ in range(shared)]
    entries = [[(common[i] if i < shared else int(order.pop()))
                for i in range(count)] for count in counts]
    lengths = None
    if ragged:
        lengths = [max(count * keys - int(rng.integers(0, keys)), 0)
                   for count in counts]
    return Pages(entries, sum(counts) + shared + 3, keys, lengths, **kind)


def positions(case, dtype):
    """What goes by the position in the list of pages: bias, boolean mask and
    weights; as many as the longest list has, in "pages-room" more."""
    for rows, size, counts, kind in (
            (1, 16, [3, 0, 6], {"bias": (3, 1, 1, 96), "lse": True}),
            (1, 1, [40, 9, 0], {"boolean": (40,), "group": 4}),
            (2, 5, [3, 1, 6], {"bias": (3, 4, 2, 30), "group": 2}),
            (5, 64, [2, 0, 1], {"boolean": (3, 1, 5, 128), "bias": (5, 1)}),
            (16, 3, [30, 2, 9], {"bias": (2, 16, 90), "causal": "bottom_right"}),
            (40, 16, [3, 0, 6], {"bias": (40, 96), "boolean": (2, 1, 96),
                                 "lse": True, "window": (30, 30)}),
            (150, 16, [20, 9, 0], {"bias": (3, 1, 150, 320), "group": 2}),
            (70, 1, [200, 90, 0], {"boolean": (1, 2, 70, 200)})):
        for ragged in (True, False):
            yield case(f"pages-positions-{rows}-{size}-{ragged}", counts, size,
                       rows=rows, ragged=ragged, dynamic=rows % 3 == 1, **kind)
    for rows, size, counts, kind in (
            (1, 16, [3, 0, 6], {}), (1, 1, [40, 9, 0], {"group": 4}),
            (5, 5, [3, 1, 6], {"lse": True, "causal": "bottom_right"}),
            (40, 64, [2, 0, 1], {"bias": (3, 1, 40, 128)}),
            (150, 16, [20, 9, 0], {"window": (70, 9), "lse": True, "group": 2}),
            (40, 3, [30, 2, 9], {"boolean": (40, 90)})):
        for ragged in (True, False):
            yield case(f"pages-weights-{rows}-{size}-{ragged}", counts, size,
                       rows=rows, ragged=ragged, dynamic=rows == 5,
                       weights=True, **kind)
    for rows in (1, 21):
        yield case(f"pages-room-{rows}", [3, 0, 4], 16, rows=rows, keys=71,
                   bias=(rows, 71), boolean=(71,), weights=True, lse=True)


LENGTHS = """
        %length = tensor.extract %lengths[%b] : tensor<{0}xi32>
        %end = arith.index_cast %length : i32 to index
        %within = arith.cmpi slt, %j, %end : index
        attn.yield %within : i1"""


def distance(dtype):
    """A score that asks for positions."""
    acc = accumulation(dtype)
    return f"""
        %steps = arith.subi %j, %i : index
        %integer = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %integer : i32 to {acc}
        %slope = arith.constant 0.0625 : {acc}
        %penalty = arith.mulf %slope, %distance : {acc}
        %t = arith.addf %s, %penalty : {acc}
        attn.yield %t : {acc}""", lambda s, x: s + 0.0625 * (x["n"] - x["m"])


# What goes with lists, in turn: masks, scores, results.
KINDS = [
    {}, {"lse": True}, {"causal": "top_left"}, {"window": (20, 9)},
    {"softcap": 1.5, "sink": 0.25}, {"dynamic": True},
    {"causal": "offset", "offset": [11, 3], "lse": True},
    {"dynamic": True, "causal": "offset", "offset": 6},
    {"sink": [0.5, -1.0], "window": (-1, 7), "dynamic": True},
]


def logical(dtype, rng, error):
    """BSR: blocks of the tile's size, smaller, larger; rows likewise."""
    number = 0
    for rows in (1, 2, 4, 7, 16, 70):
        for span, size in ((1, 1), (2, 16), (7, 5), (16, 3), (32, 64), (64, 70),
                           (64, 1), (200, 16)):
            kind = KINDS[number % len(KINDS)]
            leading = ((), (2,), (2, 2), (2, 1))[number % 4]
            keys = (64, 133, 37)[number % 3]
            lists = random_blocks(
                rng, rows, span, keys, size, leading,
                index=("i32", "i64")[number % 2],
                density=(0.4, 0.1, 1.0)[number % 3 if number % 5 else 0],
                dynamic="dynamic" in kind)
            yield sdpa(f"blocks-{rows}-{span}-{size}-{number % len(KINDS)}",
                       dtype, rng, error, rows=rows, keys=keys, width=9,
                       channels=6, lists=lists, **kind)
            number += 1
    lists = random_blocks(rng, 70, 32, 90, 16, (4,))
    yield sdpa("blocks-grouped", dtype, rng, error, rows=70, keys=90, group=2,
               lists=lists, lse=True)
    lists = random_blocks(rng, 5, 8, 90, 16, (2, 1))
    yield sdpa("blocks-grouped-few", dtype, rng, error, rows=5, keys=90,
               group=2, lists=lists, lse=True)
    lists = random_blocks(rng, 5, 8, 3000, 64)
    yield sdpa("blocks-parts", dtype, rng, error, rows=5, keys=3000,
               lists=lists, lse=True, causal="bottom_right")
    lists = random_blocks(rng, 21, 8, 90, 16)
    yield sdpa("blocks-bias", dtype, rng, error, rows=21, keys=90, lists=lists,
               bias=(2, 1, 90), boolean=(21, 90))
    yield sdpa("blocks-weights", dtype, rng, error, rows=21, keys=90,
               lists=lists, weights=True, lse=True)
    lists = random_blocks(rng, 600, 64, 700, 64, density=0.3)
    yield sdpa("blocks-shared", dtype, rng, error, batch=1, rows=600, keys=700,
               width=128, channels=130, lists=lists, causal="top_left")
    yield from tokens(dtype, rng, error)
    lists = random_blocks(rng, 21, 8, 0, 16)
    yield sdpa("blocks-no-keys", dtype, rng, error, rows=21, keys=0,
               lists=lists, lse=True)
    # Heads that share keys are rows of a tile, however few rows have a list.
    for rows, span, size in ((4, 1, 32), (7, 1, 1), (6, 3, 7)):
        lists = random_blocks(rng, rows, span, 90, size, (2, 1))
        yield sdpa(f"blocks-heads-{rows}-{span}", dtype, rng, error, rows=rows,
                   keys=90, group=3, lists=lists, lse=True,
                   causal="bottom_right", score=distance(dtype),
                   sink=[0.25, -1.0, 3.0, 0.0, 0.5, 1.0])
    yield sdpa("blocks-heads-weights", dtype, rng, error, rows=rows, keys=90,
               group=3, lists=lists, weights=True, bias=(6, rows, 90))


def tokens(dtype, rng, error):
    """Several blocks to a tile, single keys above all, at any density, with all
    that asks for their positions."""
    kinds = ({}, {"score": distance(dtype)},
             {"bias": (300,), "softcap": 2.0},
             {"boolean": (70, 300), "lse": True},
             {"score": distance(dtype), "causal": "bottom_right"},
             {"window": (60, 20), "dynamic": True, "lse": True})
    number = 0
    for density in (0.01, 0.1, 0.5, 1.0):
        for rows, span, size in ((70, 70, 1), (70, 32, 1), (9, 3, 1), (70, 1, 1),
                                 (70, 32, 7), (2, 1, 7)):
            kind = dict(kinds[number % len(kinds)])
            if "boolean" in kind:
                kind["boolean"] = (rows, 300)
            lists = random_blocks(rng, rows, span, 300, size,
                                  ((), (2, 2))[number % 2], density,
                                  dynamic="dynamic" in kind)
            yield sdpa(f"tokens-{number}", dtype, rng, error, rows=rows,
                       keys=300, width=(16, 5)[number % 2], channels=17,
                       group=2 - number % 2, lists=lists, **kind)
            number += 1
    for size in (1, 8):
        lists = random_blocks(rng, 200, 64, 1101, size, density=0.3)
        yield sdpa(f"tokens-shared-{size}", dtype, rng, error, batch=1,
                   heads=1, rows=200, keys=1101, width=128, channels=130,
                   lists=lists, causal="top_left", score=distance(dtype))
    lists = random_blocks(rng, 3, 8, 5000, 1, density=0.6)
    yield sdpa("tokens-parts", dtype, rng, error, batch=1, heads=1, group=2,
               rows=3, keys=5000, lists=lists, lse=True, score=distance(dtype))


def paged(dtype, rng, error):
    """Pages in any order, shared, with ragged ends, none at all."""
    def case(name, counts, size, ragged=True, shared=0, **kind):
        dynamic = kind.get("dynamic", False)
        lists = random_pages(rng, counts, size, ragged, shared,
                             index=("i32", "i64")[len(name) % 2],
                             dynamic=dynamic)
        batch = len(counts)
        if ragged:
            lengths = numpy.array(lists.lengths, numpy.int32)
            kind.update(mask=(LENGTHS.format(batch), lambda x: x["b"] < batch),
                        captured=[("lengths", f"tensor<{batch}xi32>", lengths)])
        return sdpa(name, dtype, rng, error, batch=batch,
                    keys=kind.pop("keys", max(counts) * size), width=9,
                    channels=6, lists=lists, **kind)
    number = 0
    for rows in (1, 2, 4, 7, 16, 70):
        for size in (1, 5, 16, 64):
            kind = dict(KINDS[number % len(KINDS)])
            if isinstance(kind.get("offset"), list):
                kind["offset"] = [11, 3, 40]
            yield case(f"pages-{rows}-{size}-{number % len(KINDS)}",
                       [3, number % 4, 6], size, rows=rows,
                       group=(1, 2, 1)[number % 3] if "sink" not in kind else 1,
                       ragged=number % 2 == 0, shared=number % 3, **kind)
            number += 1
    yield case("pages-one-head", [4, 2], 16, rows=1, heads=1, group=8, lse=True)
    yield case("pages-parts", [190, 3, 0, 80], 16, rows=1, group=4, lse=True)
    yield case("pages-parts-rows", [50, 3], 64, rows=3, ragged=False)
    yield case("pages-many-rows", [20, 9], 16, rows=150, causal="offset",
               offset=[170, -5])
    yield case("pages-window", [20, 9], 16, rows=150, window=(70, 9),
               score=distance(dtype), lse=True)
    yield case("pages-single", [200, 90], 1, rows=70, causal="offset",
               offset=[130, 20], score=distance(dtype))
    yield case("pages-single-few", [2500, 90, 0], 1, rows=2, group=3, lse=True,
               score=distance(dtype))
    yield case("pages-none", [0, 0], 16, rows=3, lse=True, ragged=False)
    for rows in (1, 5, 40):
        yield case(f"pages-bottom-right-{rows}", [3, 0, 6], 16, rows=rows,
                   causal="bottom_right", lse=True, ragged=rows == 5,
                   dynamic=rows == 40)
    yield from positions(case, dtype)
    yield case("pages-bottom-right-window", [3, 1, 6], 5, rows=9, heads=1,
               causal="bottom_right", window=(4, -1), group=2)
