"""The cases of plain.py for GPUs: groups "matrix", attn.generic, and
"matrix_sdpa", all options of attn.sdpa.

Any two choices of two axes come together in a case, if they may: EXCLUDED and
EXCLUDED_SDPA say what may not, and with which words it is refused. There is one
case for each of these, too. With a seed other cases do the same.

    plain.py matrix matrix_sdpa --dtype=f16 --run=attn-test-run
             --target=gpu-emulator [--seed=7] [--together=3] [--full=500]

`--together=3` brings any three choices together: 829 and 325 cases of all types,
40 minutes of a CPU. `--full` adds as many cases drawn from the product of all
axes, which has 7 x 10^8 and 8 x 10^8: no machine runs all.
"""

import itertools
import random as python_random

import numpy

from plain_attention import accumulation, generic, random, spread
from plain_joint import make_mask, make_score, make_weighting, write_mask
from plain_lists import random_blocks, random_pages
from plain_ragged import generic_requests
from plain_ragged_pages import RequestPages
from plain_sdpa import sdpa

NAN, INF = numpy.nan, numpy.inf
# Features, and channels where these are others.
WIDTHS = {16: 24, 32: 16, 40: 64, 64: 80, 80: 40, 96: 128, 128: 96, 192: 128,
          256: 64, 576: 512}
SHARED = {
    "dtype": ("f32", "f16", "bf16", "f64"),
    "width": tuple(WIDTHS),
    "channels": ("same", "other"),
    "group": (1, 2, 8, 128),
    "rows": (0, 1, 17, 64, 1000),
    "extents": ("known", "rows", "unknown"),
}
AXES = {
    **SHARED,
    "storage": ("contiguous", "blocks", "pages", "ragged", "served"),
    "form": ("matrices", "singles"),
    "similarity": ("product", "distance"),
    "mask": ("none", "causal", "window", "third", "lengths", "documents",
             "late", "nothing", "first"),
    "score": ("none", "softcap", "alibi", "table", "heads", "bias"),
    "weighting": ("softmax", "softmax_sink", "sigmoid", "relu", "identity",
                  "sum_normalized", "select", "ordered"),
    "results": ("output", "lse", "weights", "all"),
    "splits": ("chosen", "three"),
    "content": ("finite", "hidden"),
}
SDPA = {
    **SHARED,
    "storage": ("contiguous", "blocks", "pages"),
    "causal": ("none", "top_left", "bottom_right", "offset"),
    "window": ("none", "left", "right", "both"),
    "softcap": (None, 1.5),
    "bias": ("none", "pairs", "heads", "keys"),
    "boolean": ("none", "pairs", "padding"),
    "sink": ("none", "one", "heads"),
    "mask": ("none", "third"),
    "score": ("none", "alibi"),
    "scale": (None, 0.3, -0.75),
    "results": ("output", "lse", "weights", "all"),
}
FINAL = ("weights", "all")
UNBOUNDED = ("sigmoid", "relu", "identity", "sum_normalized")
LARGE = [({"group": (128,), "rows": (1000,), "width": tuple(WIDTHS)[1:]}, None),
         ({"group": (128,), "rows": (17, 64), "width": (192, 256, 576)}, None),
         ({"group": (8,), "rows": (1000,), "width": (192, 256, 576)}, None)]
# What may not come together, and what is said of it; None for what means
# nothing, which need not be refused.
EXCLUDED = [
    *LARGE,
    ({"weighting": UNBOUNDED, "results": ("lse", "all")}, None),
    ({"form": ("matrices",), "width": (576,), "channels": ("same",)}, None),
    ({"content": ("hidden",), "mask": ("none",)}, None),
    ({"form": ("matrices",), "dtype": ("f32", "f64")}, None),
    ({"form": ("matrices",), "extents": ("unknown",)}, None),
    ({"form": ("matrices",), "similarity": ("distance",)}, None),
    ({"form": ("matrices",), "weighting": ("select", "ordered")}, None),
    ({"form": ("matrices",), "dtype": ("f16",), "weighting": UNBOUNDED}, None),
    ({"content": ("hidden",), "storage": ("pages", "ragged", "served")}, None),
]
EXCLUDED_SDPA = LARGE


def may_be(case, excluded):
    return not any(all(case.get(axis) in values for axis, values in rule.items())
                   for rule, _ in excluded)


class Left:
    """The sets of `together` choices, items (axis, value), that no case has
    yet: for all but one of a set, bits of those that complete it."""

    def __init__(self, axes, together):
        self.together = together
        items = [(axis, value) for axis in axes for value in axes[axis]]
        self.bits = {item: 1 << number for number, item in enumerate(items)}
        self.sets = [tuple(zip(some, values))
                     for some in itertools.combinations(axes, together)
                     for values in itertools.product(*map(axes.get, some))]
        self.rest = {}
        for items in self.sets:
            for item in items:
                few = frozenset(items) - {item}
                self.rest[few] = self.rest.get(few, 0) | self.bits[item]

    def has(self, items):
        return bool(self.rest[frozenset(items[1:])] & self.bits[items[0]])

    def count(self, case, item):
        """How many a case has with an item more."""
        mask = sum(map(self.bits.get, case.items()))
        found = sum((self.rest.get(frozenset((item, *few)), 0) & mask).bit_count()
                    for few in itertools.combinations(case.items(),
                                                      self.together - 2))
        return found // (self.together - 1)

    def count_all(self, case):
        items = list(case.items())
        return sum(self.count(dict(items[:number]), item)
                   for number, item in enumerate(items))

    def remove(self, case):
        mask = sum(map(self.bits.get, case.items()))
        for few in itertools.combinations(case.items(), self.together - 1):
            self.rest[frozenset(few)] &= ~mask


def extend(case, axes, excluded, left, rng):
    """The case with a choice for every axis, which takes many of the sets that
    are left; None if none may be."""
    order = [axis for axis in axes if axis not in case]
    rng.shuffle(order)
    for axis in order:
        found = []
        for value in axes[axis]:
            if may_be({**case, axis: value}, excluded):
                new = left.count(case, (axis, value))
                found.append((new, rng.random(), value))
        if not found:
            return None
        case[axis] = max(found, key=lambda one: one[:2])[2]
    return {axis: case[axis] for axis in axes}


def estimate(case):
    """The multiplications of a case, in as many as a pair of choices is worth:
    each 64 of channels that only the run knows have all scores anew, and so have
    weights that are final."""
    batch, heads, keys = count(case)
    again = case["results"] in FINAL or case.get("weighting") == "ordered"
    again += -(-get_channels(case) // 64) if case["extents"] == "unknown" else 1
    return (batch * heads * case["group"] * case["rows"] * keys * case["width"]
            * again / 10**7)


def design(axes, excluded, together=2, seed=0, tries=12):
    """Cases that bring every `together` choices together that may be, and are
    small."""
    rng = python_random.Random(seed)
    left, cases = Left(axes, together), []
    for items in left.sets:
        if not left.has(items) or not may_be(dict(items), excluded):
            continue
        best, most = None, -numpy.inf
        for number in range(20 * tries):
            if best and number >= tries:
                break
            case = extend(dict(sorted(items)), axes, excluded, left, rng)
            if case is None:
                continue
            new = left.count_all(case) - estimate(case)
            if new > most:
                best, most = case, new
        if best is None:
            raise AssertionError(f"expected a case with {items}")
        left.remove(best)
        cases.append(best)
    return cases


def draw(axes, excluded, number, rng):
    """Cases from the product of all axes."""
    cases = []
    while len(cases) < number:
        case = {axis: rng.choice(values) for axis, values in axes.items()}
        if may_be(case, excluded):
            cases.append(case)
    return cases


def refused(axes, excluded):
    """A case for each that is refused, and the words."""
    usual = {axis: values[0] for axis, values in axes.items()}
    return [({**usual, **{axis: values[0] for axis, values in rule.items()}},
             words) for rule, words in excluded if words]


def count(case):
    """Batch, heads and keys, so that pairs times heads stay few: query tiles
    have 64 rows, whether these are there or not."""
    rows = case["group"] * -(-case["rows"] // 64) * 64
    batch, heads = (3, 2) if rows <= 128 else (1, 2) if rows <= 1024 else (1, 1)
    cost = batch * heads * rows * case["width"]
    return batch, heads, 150 if cost < 2**17 else 75 if cost < 2**19 else 37


def get_channels(case):
    """Of 576 channels each 64 have all scores anew: of few rows only."""
    large = case["width"] == 576 and case["group"] * case["rows"] > 64
    return (WIDTHS[case["width"]] if case["channels"] == "other" or large
            else case["width"])


def make_dynamic(case):
    return {"known": False, "rows": "rows", "unknown": True}[case["extents"]]


def make_name(case):
    return "-".join(str(value) for axis, value in case.items()
                    if axis != "dtype")


def mask_more(kind, key, argument):
    """Text and function of the masks that plain_joint does not have."""
    if kind == "late":
        # Every other row sees nothing of the first tiles that it meets.
        text = """
        %c2 = arith.constant 2 : index
        %c70 = arith.constant 70 : index
        %odd = arith.remui %i, %c2 : index
        %first = arith.muli %odd, %c70 : index
        %seen = arith.cmpi sge, %j, %first : index"""
        mask = lambda x: x["n"] >= 70 * (x["m"] % 2)
    elif kind == "nothing":
        # Tiles of rows without a tile of keys.
        text = """
        %c9 = arith.constant 9 : index
        %seen = arith.cmpi slt, %i, %c9 : index"""
        mask = lambda x: (x["m"] < 9) & (x["n"] >= 0)
    else:
        text = """
        %c7 = arith.constant 7 : index
        %seen = arith.cmpi slt, %j, %c7 : index"""
        mask = lambda x: (x["n"] < 7) & (x["m"] >= 0)
    return write_mask(key, argument, text), mask, []


def hide(mask, lists, letters):
    """What puts NaN and infinities where no row sees them, and a NaN among the
    values that some rows see."""
    def patch(q, k, v):
        size = {**dict(zip(letters[0], q.shape)), "n": k.shape[2]}
        rows = "bhgm"
        index = {x: spread(numpy.arange(size[x]), x, rows + "n")
                 for x in rows + "n"}
        seen = numpy.broadcast_to(mask(index), [size[x] for x in rows + "n"])
        if lists:
            seen = seen & spread(lists.get_visible(
                size["b"], size["h"], size["m"], size["n"]), "bhmn", rows + "n")
        some = seen.any((2, 3))
        for number, (b, h, n) in enumerate(numpy.argwhere(~some)):
            what = (NAN, INF, -INF)[number % 3]
            k[b, h, n] = v[b, h, n] = what
        mixed = numpy.argwhere(some & ~seen.all((2, 3)))
        if len(mixed):
            b, h, n = mixed[len(mixed) // 2]
            v[b, h, n, 0] = NAN
    return patch


def force(case, text):
    """The op with the form and the splits of the case, where these are not what
    is chosen."""
    splits = 3 if case["splits"] == "three" else 1
    usual = {**case, "form": "matrices"}
    if splits == 1 and (case["form"] == "matrices" or not may_be(usual, EXCLUDED)):
        return text
    form = {"matrices": "mma_sync", "singles": "plain"}[case["form"]]
    wide = case["width"] > 256
    return text.replace("{indexing_maps", "{attn.gpu_kernel = #attn.gpu_kernel<"
                        f"{form}, rows = 16, keys = {16 if wide else 32}, "
                        f"warps = {2 if wide else 1}, stages = 1, "
                        f"splits = {splits}>, indexing_maps", 1)


class Coarse:
    """Draws multiples of 1/4, of which scores are exact: near ones could be
    chosen either way."""

    def __init__(self, rng):
        self.rng = rng

    def __getattr__(self, name):
        return getattr(self.rng, name)

    def uniform(self, *arguments):
        return numpy.round(self.rng.uniform(*arguments) * 4) / 4


def write(case, number, rng, error):
    """The case as plain.py takes it."""
    if case["weighting"] == "select":
        rng = Coarse(rng)
    dtype, storage, rows = case["dtype"], case["storage"], case["rows"]
    acc, dynamic = accumulation(dtype), make_dynamic(case)
    positive = case["weighting"] == "sum_normalized"
    batch, heads, keys = count(case)
    other = get_channels(case)
    sizes = {"h": heads, "g": case["group"], "m": rows, "d": case["width"],
             "e": other}
    index = ("i32", "i64")[number % 2]
    key = 5 if storage in ("pages", "served") else 4
    size = (16, 5, 25)[number % 3]
    lists, pages, lengths, longest = None, None, (keys, 0, 17), rows
    if storage in ("ragged", "served"):
        longest = rows + 1
        batch = 3
    if storage == "served":
        pages = (RequestPages(rng, lengths, size, number % 2, index=index,
                              dynamic=dynamic), "phnd", "phne")
    elif storage == "blocks":
        lists = random_blocks(rng, rows, (1, 2, 16)[number % 3], keys,
                              (16, 1, 7)[number // 3 % 3], (batch, heads),
                              index=index)
    elif storage == "pages":
        counts = [max(1, -(-keys // size)), 2, 0][:batch]
        keys = max(counts) * size
        lists = random_pages(rng, counts, size, ragged=False, shared=0,
                             index=index, dynamic=dynamic)
    positions = max(lengths) if storage in ("ragged", "served") else keys
    score_text, score, inputs, captured = make_score(
        case["score"], rng, acc, dtype, key, positive, (longest, positions),
        heads)
    block = f"(%x: {acc})" if inputs else ""
    if case["mask"] in ("late", "nothing", "first"):
        mask_text, mask, more = mask_more(case["mask"], key, block)
    else:
        mask_text, mask, more = make_mask(case["mask"], rng, acc, key, block,
                                          batch)
    text, plain = f"{mask_text} {score_text}", {}
    scale = 2.0**-(case["width"].bit_length() // 2 - 1)
    if case["similarity"] == "distance":
        extra = f", %x: {acc}" if inputs else ""
        text = f"""similarity {{
      ^bb0(%a: {acc}, %b: {acc}{extra}):
        %c = arith.subf %a, %b : {acc}
        %s = arith.mulf %c, %c : {acc}
        %t = arith.negf %s : {acc}
        attn.yield %t : {acc}
      }} {text}"""
        plain["similarity"] = lambda a, b: -(a - b)**2
        scale = 2.0**-case["width"].bit_length()
    kind = make_weighting(case["weighting"], rng, acc, heads)
    kind["lse"] = case["results"] in ("lse", "all")
    shared = {"inputs": inputs, "captured": more + captured, "mask": mask,
              "score": score, "dynamic": dynamic, **kind, **plain}
    if storage in ("ragged", "served"):
        made = generic_requests(
            make_name(case), dtype, rng, ["Mhgd", "Nhd", "Nhe", "Mhge"], text,
            scale, error, queries=(rows, 0, rows + 1), keys=lengths, sizes=sizes,
            pages=pages,
            weights=number % 3 if case["results"] in FINAL else None, **shared)
    else:
        letters = ["bhgmd", "bhnd", "bhne", "bhgme"]
        hidden = case["content"] == "hidden"
        made = generic(make_name(case), dtype, {"b": batch, **sizes, "n": keys},
                       letters, rng, text, scale, error, lists=lists,
                       weights=case["results"] in FINAL,
                       patch=hide(mask, lists, letters) if hidden else None,
                       **shared)
    made.body = force(case, made.body)
    return made


THIRD = """
        %c0 = arith.constant 0 : index
        %rest = affine.apply affine_map<(i, j) -> ((i - j) mod 3)>(%i, %j)
        %third = arith.cmpi eq, %rest, %c0 : index
        attn.yield %third : i1"""
ALIBI = """
        %steps = arith.subi %j, %i : index
        %integer = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %integer : i32 to {0}
        %slope = arith.constant 0.0625 : {0}
        %penalty = arith.mulf %slope, %distance : {0}
        %t = arith.addf %s, %penalty : {0}
        attn.yield %t : {0}"""


def write_sdpa(case, number, rng, error):
    batch, heads, keys = count(case)
    rows, queries = case["rows"], heads * case["group"]
    lists = None
    if case["storage"] == "blocks":
        lists = random_blocks(rng, rows, (1, 3, 16)[number % 3], keys, 16,
                              (batch, queries))
    elif case["storage"] == "pages":
        counts = [-(-keys // 16), 1, 0][:batch]
        keys = max(counts) * 16
        lists = random_pages(rng, counts, 16, ragged=False,
                             dynamic=make_dynamic(case))
    other = get_channels(case)
    bias = {"none": None, "pairs": (rows, keys), "keys": (keys,),
            "heads": (1, queries, 1, keys)}[case["bias"]]
    boolean = {"none": None, "pairs": (batch, 1, rows, keys),
               "padding": (batch, 1, 1, keys)}[case["boolean"]]
    window = {"none": None, "left": (9, -1), "right": (-1, 5),
              "both": (30, 40)}[case["window"]]
    sink = {"none": None, "one": 0.5,
            "heads": numpy.linspace(-1.0, 2.0, queries)}[case["sink"]]
    offset = None
    if case["causal"] == "offset":
        offset = 9 if number % 2 else [3, -2, 60][:batch]
    return sdpa(make_name(case), case["dtype"], rng, error, batch=batch,
                heads=heads, group=case["group"], rows=rows, keys=keys,
                width=case["width"], channels=other, scale=case["scale"],
                causal=None if case["causal"] == "none" else case["causal"],
                offset=offset, window=window, softcap=case["softcap"], bias=bias,
                boolean=boolean, sink=sink, lists=lists,
                mask=(THIRD, lambda x: (x["m"] - x["n"]) % 3 == 0)
                if case["mask"] == "third" else None,
                score=(ALIBI.format(accumulation(case["dtype"])),
                       lambda s, x: s + 0.0625 * (x["n"] - x["m"]))
                if case["score"] == "alibi" else None,
                lse=case["results"] in ("lse", "all"),
                weights=case["results"] in FINAL, dynamic=make_dynamic(case))


def make(axes, excluded, writer, dtype, rng, error, seed, together, full):
    cases = [(case, None)
             for case in design(axes, excluded, together, seed or 0)]
    cases += refused(axes, excluded)
    if full:
        drawn = python_random.Random(f"{dtype} {seed}")
        own = {**axes, "dtype": (dtype,)}
        cases += [(case, None) for case in draw(own, excluded, full, drawn)]
    for number, (case, words) in enumerate(cases):
        if case["dtype"] == dtype:
            made = writer(case, number, rng, error)
            made.refused = words
            yield made


def matrix(dtype, rng, error, seed=None, together=2, full=0):
    yield from make(AXES, EXCLUDED, write, dtype, rng, error, seed, together,
                    full)


def matrix_sdpa(dtype, rng, error, seed=None, together=2, full=0):
    yield from make(SDPA, EXCLUDED_SDPA, write_sdpa, dtype, rng, error, seed,
                    together, full)
