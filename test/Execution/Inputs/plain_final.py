"""The cases of plain.py whose weights have to be final: group "final"."""

import numpy

from plain_attention import accumulation, generic, random
from plain_sdpa import sdpa

NAN = numpy.nan
SIZES = {"h": 2, "m": 37, "n": 150, "d": 5, "e": 3}
LETTERS = ["hmd", "hnd", "hne", "hme"]
CAUSAL = ("""mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }""", lambda x: x["n"] <= x["m"])
SOME = ("""mask {
        %i = attn.index 1
        %j = attn.index 2
        %rest = affine.apply affine_map<(i, j) -> ((i + 2 * j) mod 3)>(%i, %j)
        %c0 = arith.constant 0 : index
        %c5 = arith.constant 5 : index
        %some = arith.cmpi eq, %rest, %c0 : index
        %rows = arith.cmpi sgt, %i, %c5 : index
        %visible = arith.andi %some, %rows : i1
        attn.yield %visible : i1
      }""", lambda x: ((x["m"] + 2 * x["n"]) % 3 == 0) & (x["m"] > 5))
POSITIVE = """score {{
      ^bb0(%s: {0}):
        %t = math.absf %s : {0}
        attn.yield %t : {0}
      }}"""


def square(acc, more=""):
    """Squares of the weights: a region, with `more` arguments, and a function."""
    return f"""weight {{
      ^bb0(%p: {acc}{more}):
        %t = arith.mulf %p, %p : {acc}
        attn.yield %t : {acc}
      }}""", lambda w, x: w * w


def final(dtype, rng, error):
    """Weights that have to be final: they are asked for, or the weight region is
    not linear in them. Two walks, or one without statistics."""
    acc = accumulation(dtype)
    squared, by_square = square(acc)
    placed = f"""weight {{
      ^bb0(%p: {acc}):
        %i = attn.index 1
        %j = attn.index 2
        %back = arith.subi %i, %j : index
        %c149 = arith.constant 149 : index
        %at = arith.addi %back, %c149 : index
        %x = tensor.extract %table[%at] : tensor<299x{acc}>
        %one = arith.constant 1.0 : {acc}
        %shifted = arith.addf %p, %one : {acc}
        %t = arith.mulf %shifted, %x : {acc}
        attn.yield %t : {acc}
      }}"""
    table = random(rng, [299], acc)
    window = ("""mask {
        %i = attn.index 1
        %j = attn.index 2
        %c64 = arith.constant 64 : index
        %far = arith.addi %i, %c64 : index
        %above = arith.cmpi slt, %j, %far : index
        %below = arith.cmpi sge, %j, %i : index
        %visible = arith.andi %above, %below : i1
        attn.yield %visible : i1
      }""", lambda x: (x["n"] >= x["m"]) & (x["n"] < x["m"] + 64))
    masks = {"dense": ("", None), "causal": CAUSAL, "window": window,
             "some": SOME}
    kinds = {"softmax": {"lse": True},
             "softmax_sink": {"operand": ("h", random(rng, [2], acc)),
                              "lse": True},
             "sigmoid": {"operand": ("", numpy.array(0.25))},
             "relu": {}, "identity": {},
             "sum_normalized": {"score": lambda s, x: abs(s)}}
    regions = {"plain": ("", {"weights": True}),
               "squared": (squared, {"weight": by_square}),
               "squared-stored": (squared, {"weight": by_square,
                                            "weights": True}),
               "placed": (placed, {
                   "weight": lambda w, x: (w + 1) * table[x["m"] - x["n"] + 149],
                   "captured": [("table", f"tensor<299x{acc}>", table)]})}
    number = 0
    for masked, (mask_text, mask) in masks.items():
        for weighting, kind in kinds.items():
            for region, (text, more) in regions.items():
                number += 1
                score = ""
                if "score" in kind:
                    score = POSITIVE.format(acc)
                yield generic(f"{region}-{weighting}-{masked}", dtype, SIZES,
                              LETTERS, rng, f"{mask_text} {score} {text}", 0.6,
                              error, mask=mask, weighting=weighting,
                              dynamic=number % 3 == 0, **kind, **more)

    def stored(name, text="", sizes=SIZES, letters=LETTERS, **kind):
        return generic(name, dtype, sizes, letters, rng, text, 0.6, error,
                       weights=True, **kind)
    four = {"b": 2, "h": 3, "m": 19, "n": 41, "d": 5, "e": 6}
    yield stored("bshd", sizes=four, letters=["bmhd", "bnhd", "bnhe", "bmhe"])
    yield stored("value-transposed", sizes=four,
                 letters=["bhmd", "bhnd", "bhen", "bhme"])
    yield stored("output-transposed", sizes=four,
                 letters=["bhmd", "bhnd", "bhne", "bhem"])
    yield stored("keys-first", sizes=four, order="bhnm",
                 letters=["bhmd", "bhnd", "bhne", "bhme"])
    yield stored("keys-first-causal", CAUSAL[0], mask=CAUSAL[1], order="hnm")
    yield stored("heads-last", sizes=four, order="bmnh",
                 letters=["bhmd", "bhnd", "bhne", "bhme"])
    yield stored("grouped", sizes={**four, "g": 2},
                 letters=["bhgmd", "bhnd", "bhne", "bhgme"])
    yield stored("no-rows", sizes={x: SIZES[x] for x in "hnde"},
                 letters=["hd", "hnd", "hne", "he"])
    blocks = {"h": 1, "m": 131, "n": 300, "d": 300, "e": 9}
    yield stored("blocks", sizes=blocks)
    yield stored("blocks-causal", CAUSAL[0], mask=CAUSAL[1], sizes=blocks)
    yield stored("blocks-dynamic", CAUSAL[0], mask=CAUSAL[1], sizes=blocks,
                 dynamic=True, lse=True)
    yield generic("blocks-squared", dtype, blocks, LETTERS, rng,
                  CAUSAL[0] + squared, 0.6, error, mask=CAUSAL[1],
                  weight=by_square)
    for zero in "hmned":
        yield stored(f"zero-{zero}", sizes={**SIZES, zero: 0}, dynamic=True)
        yield stored(f"zero-{zero}-static", CAUSAL[0], mask=CAUSAL[1],
                     sizes={**SIZES, zero: 0})

    def named(name, **kind):
        return sdpa(name, dtype, rng, error, weights=True, **kind)
    yield named("sdpa")
    yield named("sdpa-causal", causal="bottom_right", lse=True)
    yield named("sdpa-dynamic", causal="bottom_right", dynamic=True, lse=True)
    yield named("sdpa-blind", causal="offset", offset=-9)
    yield named("sdpa-grouped", heads=2, group=3, sink=[0.5] * 6)
    yield named("sdpa-grouped-dynamic", heads=2, group=3, dynamic=True)
    yield named("sdpa-one-head", heads=1, group=4, window=(5, 3))
    yield named("sdpa-bias", bias=(2, 1, 13, 37), softcap=2.0)
    visible = rng.random((2, 2, 13, 37)) < 0.6
    visible[..., [4, 20, 36]] = False

    def hide(q, k, v):
        k[..., [4, 20, 36], :] = NAN
        v[..., [4, 20, 36], :] = NAN
    yield named("sdpa-hidden-nan", boolean=visible, patch=hide)

    # Few rows, in one tile with the heads that share their keys.
    few = {"b": 2, "h": 2, "g": 2, "m": 3, "n": 41, "d": 5, "e": 6}
    grouped = ["bhgmd", "bhnd", "bhne", "bhgme"]
    yield stored("few", sizes=few, letters=grouped, lse=True)
    yield stored("few-dynamic", sizes=few, letters=grouped, dynamic=True)
    yield stored("few-heads-last", sizes=few, letters=grouped, order="bmnhg")
    yield stored("few-keys-first", sizes=few, letters=grouped, order="bhngm")
    yield stored("few-parts", sizes={**few, "b": 1, "n": 2100}, letters=grouped)
    # Several tiles of them, which share tiles of keys.
    many = {"h": 2, "g": 21, "m": 3, "n": 300, "d": 130, "e": 100}
    yield stored("few-tiles", CAUSAL[0].replace("index 1", "index 2")
                 .replace("%j = attn.index 2", "%j = attn.index 3"),
                 mask=CAUSAL[1], sizes=many,
                 letters=["hgmd", "hnd", "hne", "hgme"], lse=True)
    yield named("sdpa-few", heads=2, group=3, rows=4, causal="bottom_right",
                sink=[0.25, -1.0, 3.0, 0.0, 0.5, 1.0], bias=(6, 4, 37))
    yield named("sdpa-few-room", heads=1, group=8, rows=3, window=(9, 2))
    for rows in (1, 3):
        yield named(f"sdpa-few-dynamic-{rows}", heads=2, group=3, rows=rows,
                    dynamic=True, lse=True, causal="bottom_right")
