"""The cases of plain.py that join what the other groups take apart: groups
"joint" and, for weightings that only attn-test-run knows, "joint_kinds".

Every combination of a number of rows, a way to store keys, an element type and
whether extents are known is one case. Its mask, score, weighting and what needs
weights that are final, a region that squares them or that they are asked for, are
chosen so that any two of these, and any one of them beside any one of the former,
come together in some case. "Served" is what engines ask for: packed requests over the
pages of a cache. With a seed, what is not of an axis is drawn: extents, the sizes
of blocks and pages, which is which.

    plain.py joint --seed=7 --dtype=bf16
"""

import collections
import itertools

import numpy

from plain_attention import accumulation, generic, random
from plain_final import square
from plain_lists import random_blocks, random_pages
from plain_ordered import fading
from plain_ragged import generic_requests
from plain_ragged_pages import RequestPages, fill
from plain_select import best

ROWS = (1, 2, 4, 7, 16)
STORAGES = ("contiguous", "blocks", "pages", "ragged", "served")
DTYPES = ("f32", "f16", "bf16")
MASKS = ("none", "causal", "window", "third", "lengths", "documents")
SCORES = ("none", "softcap", "alibi", "table", "heads", "bias")
WEIGHTINGS = ("softmax", "softmax_sink", "sigmoid", "relu", "identity",
              "sum_normalized", "select", "ordered")
FINAL = ("no", "squared", "stored")
AXES = {"rows": ROWS, "storage": STORAGES, "dtype": DTYPES,
        "dynamic": (False, True), "mask": MASKS, "score": SCORES,
        "weighting": WEIGHTINGS, "final": FINAL}
BATCH, HEADS = 3, 2
# Rows and keys that may lie in documents.
DOCUMENTED = 1100


class Sizes:
    """What a case has that is of no axis: of case `number`, or drawn."""

    def __init__(self, number, rng=None):
        self.number, self.rng = number, rng
        self.keys = self.pick([75], [5, 16, 31, 64, 75, 130, 300])
        self.width = self.pick([9], [1, 2, 8, 9, 16, 33, 64, 128])
        self.channels = self.pick([18], [1, 3, 8, 16, 18, 64, 65])

    def pick(self, usual, drawn, by=1):
        """One of `usual` by the number of the case, or any of `drawn`."""
        if self.rng is not None:
            return int(self.rng.choice(drawn))
        return usual[self.number // by % len(usual)]


def find_pairs(case):
    """The pairs of choices that a case brings together."""
    return {(a, case[a], b, case[b]) for a, b in itertools.combinations(AXES, 2)}


def design():
    """The cases, each a choice for every axis."""
    fixed, free = list(AXES)[:4], list(AXES)[4:]
    left = {pair for values in itertools.product(*AXES.values())
            for pair in find_pairs(dict(zip(AXES, values)))}
    cases, used = [], collections.Counter()
    chosen = [tuple(zip(free, values)) for values in
              itertools.product(*(AXES[axis] for axis in free))]
    within = {one: {(*a, *b) for a, b in itertools.combinations(one, 2)}
              for one in chosen}
    for values in itertools.product(*(AXES[axis] for axis in fixed)):
        base = tuple(zip(fixed, values))
        beside = {choice: sum((*other, *choice) in left for other in base)
                  for axis in free for choice in zip(itertools.repeat(axis),
                                                     AXES[axis])}
        # What lies furthest back comes first, so that all come equally often.
        most = max(chosen, key=lambda one: (
            len(within[one] & left) + sum(beside[each] for each in one),
            -sum(used[each] for each in one)))
        used.update(most)
        cases.append(dict(base + most))
        left -= find_pairs(cases[-1])
    if left:
        raise AssertionError(f"expected no pair of choices to be left, but "
                             f"{len(left)} are, such as {sorted(left)[0]}")
    return cases


def write_mask(key, argument, text):
    """A mask region: `text` computes %seen from %b, %i and %j."""
    return f"""mask {{
      ^bb0{argument}:
        %b = attn.index 0
        %i = attn.index 3
        %j = attn.index {key}{text}
        attn.yield %seen : i1
      }}"""


def make_mask(kind, rng, acc, key, argument, batch=BATCH):
    """Text, function and captured arrays of a mask. The dimensions are b, h, g,
    m and `key`; `argument` is the text of what the regions are given."""
    if kind == "none":
        return "", None, []
    captured, text = [], ""
    if kind == "causal":
        text = """
        %c9 = arith.constant 9 : index
        %last = arith.addi %i, %c9 : index
        %seen = arith.cmpi sle, %j, %last : index"""
        mask = lambda x: x["n"] <= x["m"] + 9
    elif kind == "window":
        text = """
        %first = affine.apply affine_map<(i) -> (i + 3)>(%i)
        %last = affine.apply affine_map<(i) -> (i + 41)>(%i)
        %after = arith.cmpi sge, %j, %first : index
        %before = arith.cmpi sle, %j, %last : index
        %seen = arith.andi %after, %before : i1"""
        mask = lambda x: (x["n"] >= x["m"] + 3) & (x["n"] <= x["m"] + 41)
    elif kind == "third":
        text = """
        %c1 = arith.constant 1 : index
        %rest = affine.apply affine_map<(i, j) -> ((i + j) mod 3)>(%i, %j)
        %seen = arith.cmpi ne, %rest, %c1 : index"""
        mask = lambda x: (x["m"] + x["n"]) % 3 != 1
    elif kind == "lengths":
        lengths = numpy.array([53, 0, 70])[:batch]
        captured = [("lengths", f"tensor<{batch}xi64>", lengths)]
        text = f"""
        %length = tensor.extract %lengths[%b] : tensor<{batch}xi64>
        %end = arith.index_cast %length : i64 to index
        %seen = arith.cmpi slt, %j, %end : index"""
        mask = lambda x: x["n"] < lengths[x["b"]]
    elif kind == "documents":
        documents = numpy.sort(rng.integers(0, 3, DOCUMENTED))
        kind = f"tensor<{DOCUMENTED}xi32>"
        captured = [("documents", kind, documents)]
        text = f"""
        %mine = tensor.extract %documents[%i] : {kind}
        %other = tensor.extract %documents[%j] : {kind}
        %seen = arith.cmpi eq, %mine, %other : i32"""
        mask = lambda x: documents[x["m"]] == documents[x["n"]]
    return write_mask(key, argument, text), mask, captured


def make_score(kind, rng, acc, dtype, key, positive, pairs, heads=HEADS):
    """Text, function, inputs and captured arrays; `positive` for an absolute
    value at the end, `pairs` the rows and keys of what goes by position."""
    inputs, captured, argument = [], [], ""
    if kind == "softcap":
        text = f"""
        %cap = arith.constant 1.5 : {acc}
        %part = arith.divf %s, %cap : {acc}
        %bent = math.tanh %part : {acc}
        %t = arith.mulf %cap, %bent : {acc}"""
        score = lambda s, x: 1.5 * numpy.tanh(s / 1.5)
    elif kind == "alibi":
        text = f"""
        %steps = arith.subi %j, %i : index
        %integer = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %integer : i32 to {acc}
        %slope = arith.constant 0.03125 : {acc}
        %penalty = arith.mulf %slope, %distance : {acc}
        %t = arith.addf %s, %penalty : {acc}"""
        score = lambda s, x: s + (x["n"] - x["m"]) / 32
    elif kind == "table":
        table = random(rng, [heads, 65], acc)
        captured = [("table", f"tensor<{heads}x65x{acc}>", table)]
        text = f"""
        %low = arith.constant -32 : index
        %high = arith.constant 32 : index
        %distance = arith.subi %j, %i : index
        %least = arith.maxsi %low, %distance : index
        %most = arith.minsi %least, %high : index
        %at = arith.addi %most, %high : index
        %x = tensor.extract %table[%h, %at] : tensor<{heads}x65x{acc}>
        %t = arith.addf %s, %x : {acc}"""
        score = lambda s, x: s + table[x["h"], numpy.clip(
            x["n"] - x["m"], -32, 32) + 32]
    elif kind == "heads":
        factors = random(rng, [heads], dtype)
        inputs = [("h", f"tensor<{heads}x{dtype}>", factors)]
        argument = f", %x: {acc}"
        text = f"""
        %t = arith.mulf %s, %x : {acc}"""
        score = lambda s, x: s * factors[x["h"]]
    elif kind == "bias":
        bias = random(rng, [heads, *pairs], dtype)
        inputs = [("hmn", f"tensor<{heads}x{pairs[0]}x{pairs[1]}x{dtype}>", bias)]
        argument = f", %x: {acc}"
        text = f"""
        %t = arith.addf %s, %x : {acc}"""
        score = lambda s, x: s + bias[x["h"], x["m"], x["n"]]
    elif positive:
        text, score = f"\n        %t = arith.addf %s, %s : {acc}", lambda s, x: 2 * s
    else:
        return "", None, [], []
    last, whole = "%t", score
    if positive:
        text += f"\n        %size = math.absf %t : {acc}"
        last, whole = "%size", lambda s, x: abs(score(s, x))
    return f"""score {{
      ^bb0(%s: {acc}{argument}):
        %h = attn.index 1
        %i = attn.index 3
        %j = attn.index {key}{text}
        attn.yield {last} : {acc}
      }}""", whole, inputs, captured


def make_weighting(kind, rng, acc, heads=HEADS):
    """The arguments of `generic` that say it."""
    heads = ("h", random(rng, [heads], acc))
    if kind in ("softmax_sink", "sigmoid"):
        return {"weighting": kind, "operand": heads}
    if kind == "select":
        return {"weighting": best(3, "softmax")}
    if kind == "ordered":
        return {"weighting": ("attntest.fading", fading),
                "operands": [heads, ("", numpy.array(0.75, "f4"))]}
    return {"weighting": kind}


def write(case, number, sizes_of, rng, error):
    """The case as plain.py takes it."""
    dtype, storage, rows = case["dtype"], case["storage"], case["rows"]
    acc = accumulation(dtype)
    positive = case["weighting"] == "sum_normalized"
    # Of pages the last dimension, rows in a page, holds the position.
    key = 5 if storage in ("pages", "served") else 4
    # Rows are positions, heads of a group, or both.
    group = rows if number % 3 == 1 else 2 if rows % 4 == 0 else 1
    keys = sizes_of.keys
    sizes = {"h": HEADS, "g": group, "m": rows // group, "d": sizes_of.width,
             "e": sizes_of.channels}
    name = "-".join(["known" if not case["dynamic"] else "dynamic", *(
        str(case[axis]) for axis in AXES if axis not in ("dtype", "dynamic"))])
    # How many rows and keys what goes by position has, and where keys lie.
    count, lists, pages = rows // group, None, None
    lengths, longest = (64, 17, keys), count
    if storage in ("ragged", "served"):
        longest = count + 1
    if storage == "served":
        size = sizes_of.pick([16, 5, 25], [1, 5, 16, 25, 64])
        counted = number // 2 % 2 == 0
        lengths = lengths if counted else fill(lengths, size)
        pages = (RequestPages(rng, lengths, size, number % 2, counted,
                              index=("i32", "i64")[number % 2],
                              dynamic=case["dynamic"]), "phnd", "phne")
    elif storage == "blocks":
        lists = random_blocks(
            rng, count,
            sizes_of.pick([1, 2, 16], [1, 2, 3, 16, 64]), keys,
            sizes_of.pick([16, 1, 7], [1, 7, 16, 32, 64, 128], by=3),
            (BATCH, HEADS), index=("i32", "i64")[number % 2])
    elif storage == "pages":
        size = sizes_of.pick([16, 5, 25], [1, 5, 16, 25, 64])
        counts = [max(2, -(-keys // size)), 2, 0]
        keys = counts[0] * size
        lists = random_pages(rng, counts, size, ragged=False, shared=number % 3,
                             index=("i32", "i64")[number % 2],
                             dynamic=case["dynamic"])
    positions = max(lengths) if storage in ("ragged", "served") else keys
    score_text, score, inputs, more = make_score(case["score"], rng, acc, dtype,
                                                 key, positive,
                                                 (longest, positions))
    mask_text, mask, captured = make_mask(case["mask"], rng, acc, key,
                                          f"(%x: {acc})" if inputs else "")
    kind = make_weighting(case["weighting"], rng, acc)
    kind["lse"] = number % 2 == 0 and "softmax" in str(kind["weighting"])
    text = mask_text + " " + score_text
    if case["final"] == "squared":
        squared, kind["weight"] = square(acc, f", %x: {acc}" if inputs else "")
        text += " " + squared
    elif case["final"] == "stored":
        # Of requests, with room for more keys than the longest has.
        kind["weights"] = number % 3 if storage in ("ragged", "served") else True
    shared = {"inputs": inputs, "captured": captured + more, "mask": mask,
              "score": score, "dynamic": case["dynamic"], **kind}
    if storage in ("ragged", "served"):
        return generic_requests(
            name, dtype, rng, ["Mhgd", "Nhd", "Nhe", "Mhge"], text, 0.6, error,
            queries=(count, 0, count + 1), keys=lengths, sizes=sizes,
            pages=pages, **shared)
    return generic(name, dtype, {"b": BATCH, **sizes, "n": keys},
                   ["bhgmd", "bhnd", "bhne", "bhgme"], rng, text, 0.6, error,
                   lists=lists, **shared)


def joint(dtype, rng, error, seed=None, known=True):
    cases = design()
    if seed is not None:
        # Other numbers, by which cases choose, and other neighbours.
        rng.shuffle(cases)
    for number, case in enumerate(cases):
        if (case["dtype"] == dtype and
                known == (case["weighting"] not in ("select", "ordered"))):
            sizes = Sizes(number, None if seed is None else rng)
            yield write(case, number, sizes, rng, error)


def joint_kinds(dtype, rng, error, seed=None):
    yield from joint(dtype, rng, error, seed, known=False)
