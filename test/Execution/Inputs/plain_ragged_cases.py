"""The cases of plain.py on packed requests: groups "ragged" and what follows."""

import numpy

from plain_attention import accumulation, random, tensor
from plain_ragged import (KEYS, QUERIES, generic_requests, sdpa_requests,
                          starts_of)

NAN = numpy.nan
ALIKE = (21,) * 4
THIRD = ("""
        %c0 = arith.constant 0 : index
        %rest = affine.apply affine_map<(i, j, b) -> ((i - j + b) mod 3)>(%i, %j, %b)
        %third = arith.cmpi eq, %rest, %c0 : index
        attn.yield %third : i1""",
         lambda x: (x["m"] - x["n"] + x["b"]) % 3 == 0)


def steps(acc):
    text = f"""
        %steps = arith.subi %j, %i : index
        %wide = arith.addi %steps, %b : index
        %integer = arith.index_cast %wide : index to i32
        %distance = arith.sitofp %integer : i32 to {acc}
        %slope = arith.constant 0.0625 : {acc}
        %penalty = arith.mulf %slope, %distance : {acc}
        %t = arith.addf %s, %penalty : {acc}
        attn.yield %t : {acc}"""
    return text, lambda s, x: s + 0.0625 * (x["n"] - x["m"] + x["b"])


def ragged(dtype, rng, error):
    """Options of attn.sdpa, each with what it may get wrong."""
    acc = accumulation(dtype)

    def case(name, **kind):
        return sdpa_requests(name, dtype, rng, error, **kind)
    count = len(QUERIES)
    yield case("plain", lse=True)
    yield case("dynamic", dynamic=True, lse=True, causal="bottom_right")
    yield case("top-left", causal="top_left", integer="i64")
    yield case("bottom-right", causal="bottom_right", lse=True)
    yield case("bottom-right-window", causal="bottom_right", window=(9, -1),
               integer="index")
    yield case("window", window=(20, 3), dynamic=True)
    yield case("offset", causal="offset", offset=4)
    yield case("offsets", causal="offset", offset=range(-4, 5), lse=True)
    yield case("window-offsets", window=(6, 9), offset=range(0, 90, 10))
    yield case("grouped", heads=2, group=3, causal="bottom_right", lse=True)
    yield case("grouped-one", heads=1, group=4, dynamic=True,
               causal="top_left")
    yield case("grouped-dynamic", heads=2, group=2, dynamic=True,
               causal="bottom_right", sink=[0.5, -1.0, 2.0, 0.0])
    yield case("sink", sink=0.25, lse=True, causal="bottom_right")
    yield case("sink-heads", sink=[1.5, -40.0], lse=True)
    yield case("softcap", softcap=0.75, scale=0.9)
    yield case("bias", bias=(2, 133, 300))
    yield case("bias-requests", bias=(count, 1, 140, 301), softcap=1.5,
               causal="bottom_right")
    yield case("bias-keys", bias=(300,), dynamic=True)
    yield case("bool", boolean=(count, 2, 133, 300), lse=True)
    yield case("bool-keys", boolean=(count, 1, 1, 310), causal="top_left")
    yield case("mask", mask=THIRD, lse=True)
    yield case("mask-window", mask=THIRD, window=(15, 15), heads=1, group=2)
    yield case("score", score=steps(acc), causal="bottom_right")
    yield case("widths", width=33, channels=17, causal="bottom_right")
    yield case("wide", heads=1, width=64, channels=64, causal="bottom_right",
               lse=True)


def ragged_shapes(dtype, rng, error):
    """One side packed, lengths around tiles, no requests and no rows."""
    def case(name, **kind):
        return sdpa_requests(name, dtype, rng, error, **kind)
    few = (0, 3, 130, 9)
    for kind in ({}, {"causal": "bottom_right"}, {"window": (9, 4)},
                 {"causal": "top_left", "heads": 2, "group": 2}):
        tail = "-".join(["", *map(str, kind.values())])
        yield case("queries" + tail, queries=few, keys=ALIKE, pack="q",
                   lse=True, **kind)
        yield case("keys" + tail, queries=ALIKE, keys=few, pack="k", lse=True,
                   **kind)
        yield case("keys-decode" + tail, queries=(1,) * 4, keys=few, pack="k",
                   lse=True, dynamic="heads" in kind, **kind)
    for size in (1, 15, 16, 31, 32, 33, 64, 127, 128, 129, 256):
        yield case(f"equal-{size}", queries=(size,) * 3, keys=(size,) * 3,
                   causal="top_left", heads=1, lse=True)
        yield case(f"around-{size}", queries=(1, size - 1, size + 1, size),
                   keys=(size + 1, size, 2, size - 1), causal="bottom_right",
                   heads=1, dynamic=size % 2 == 0)
    yield case("decode", queries=(1,) * 20, keys=range(0, 100, 5),
               causal="bottom_right", heads=2, group=2, lse=True)
    for kind in ({}, {"heads": 1, "group": 5, "causal": "bottom_right"},
                 {"heads": 2, "group": 4, "dynamic": True, "lse": True}):
        # Few rows, and many keys in parts.
        yield case("-".join(["few", *map(str, kind.values())]),
                   queries=(1, 3, 0, 16, 2, 1, 9, 17),
                   keys=(2100, 3001, 5, 1500, 0, 40, 64, 1100), width=8, **kind)
    yield case("one", queries=(70,), keys=(90,), causal="bottom_right")
    yield case("no-requests", queries=(), keys=(), lse=True)
    yield case("no-requests-dynamic", queries=(), keys=(), dynamic=True,
               lse=True, causal="bottom_right")
    yield case("no-rows", queries=(0, 0), keys=(3, 0), lse=True)
    yield case("no-rows-dynamic", queries=(0, 0), keys=(3, 0), dynamic=True)
    yield case("no-keys", queries=(5, 40), keys=(0, 0), lse=True)
    yield case("no-keys-dynamic", queries=(5, 40), keys=(0, 0), dynamic=True,
               lse=True, sink=0.5)
    yield case("no-heads", heads=0, lse=True)
    yield case("no-channels", channels=0, lse=True, dynamic=True)


def ragged_hidden(dtype, rng, error):
    """What other requests hold does not leak, whatever it is."""
    rows, columns = starts_of(QUERIES), starts_of(KEYS)
    for what in (NAN, numpy.inf, -numpy.inf):
        # The neighbours of requests 2, 4 and 6.
        def patch(q, k, v, what=what):
            for r in (0, 3, 5, 7):
                q[rows[r]:rows[r + 1]] = 0.5
                k[columns[r]:columns[r + 1]] = 0.5
            for r in (5, 7):
                v[columns[r]:columns[r + 1]] = what
            if what is NAN:
                k[columns[5]:columns[6]] = what
        for kind in ({}, {"causal": "bottom_right"}, {"window": (5, 5)}):
            name = "-".join([str(what), *map(str, kind.values())])
            yield sdpa_requests(name, dtype, rng, error, patch=patch, lse=True,
                                **kind)


CAUSAL = ("""mask {
        %i = attn.index 2
        %j = attn.index 3
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }""", lambda x: x["n"] <= x["m"])


def weightings(rng, acc, text):
    """What a case of each weighting but softmax takes, under the causal mask
    that `text` says."""
    for weighting in ("softmax_sink", "sigmoid", "relu", "identity",
                      "sum_normalized"):
        kind = {"weighting": weighting, "text": text, "mask": CAUSAL[1]}
        if weighting == "softmax_sink":
            kind["operand"] = ("Mh", random(rng, [sum(QUERIES), 2], acc))
            kind["lse"] = True
        if weighting == "sigmoid":
            kind["operand"] = ("rh", random(rng, [len(QUERIES), 2], acc))
        if weighting == "sum_normalized":
            kind["text"] += f""" score {{
      ^bb0(%s: {acc}):
        %t = math.absf %s : {acc}
        attn.yield %t : {acc}
      }}"""
            kind["score"] = lambda s, x: abs(s)
        yield kind


def ragged_regions(dtype, rng, error):
    """attn.generic: orders of dimensions, weightings, inputs that are packed and
    that are not, weight regions."""
    acc = accumulation(dtype)
    packed = ["Mhd", "Nhd", "Nhe", "Mhe"]

    def case(name, letters=packed, text="", **kind):
        return generic_requests(name, dtype, rng, letters, text, error=error,
                                **kind)
    yield case("rows-first", lse=True)
    yield case("heads-first", ["hMd", "hNd", "hNe", "hMe"], *CAUSAL[:1],
               mask=CAUSAL[1], lse=True)
    yield case("transposed", ["dMh", "hdN", "hNe", "heM"], lse=True)
    yield case("no-heads", ["Md", "Nd", "Ne", "Me"])
    yield case("shared-keys", ["Mhd", "Nd", "Ne", "Mhe"], CAUSAL[0],
               mask=CAUSAL[1])
    for kind in weightings(rng, acc, CAUSAL[0]):
        yield case(kind["weighting"], **kind)
    plus = f"""score {{
      ^bb0(%s: {acc}, %x: {acc}):
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}"""
    sizes = {"r": len(QUERIES), "h": 2, "M": sum(QUERIES), "N": sum(KEYS),
             "m": max(QUERIES), "n": max(KEYS) + 7}
    for part in ("r", "hr", "M", "hM", "N", "Nh", "m", "n", "mn", "rn", "Mn",
                 "hmN", "MN"):
        shape = [sizes[x] for x in part]
        array = random(rng, shape, dtype)
        yield case(f"input-{part}", text=plus + " " + CAUSAL[0].replace(
            "mask {", f"mask {{\n      ^bb0(%x: {acc}):"), mask=CAUSAL[1],
                   inputs=[(part, tensor(shape, dtype), array)],
                   score=lambda s, x: s + x["in"][0])
    for part in ("r", "M", "N", "m", "n"):
        limits = rng.integers(-3, 60, [sizes[x] for x in part])
        yield case(f"mask-input-{part}", text="""mask {
      ^bb0(%x: i32):
        %j = attn.index 3
        %at = arith.index_cast %j : index to i32
        %seen = arith.cmpi slt, %at, %x : i32
        attn.yield %seen : i1
      }""", inputs=[(part, tensor(limits.shape, "i32"), limits)],
                   mask=lambda x: x["n"] < x["in"][0], lse=True)
    yield case("request", text=f"""score {{
      ^bb0(%s: {acc}):
        %r = attn.index 0
        %integer = arith.index_cast %r : index to i32
        %number = arith.sitofp %integer : i32 to {acc}
        %t = arith.mulf %s, %number : {acc}
        attn.yield %t : {acc}
      }}""", score=lambda s, x: s * x["r"])
    yield case("weight-squared", text=f"""weight {{
      ^bb0(%w: {acc}):
        %t = arith.mulf %w, %w : {acc}
        attn.yield %t : {acc}
      }}""" + CAUSAL[0], weight=lambda w, x: w * w, mask=CAUSAL[1])
    table = random(rng, [sum(KEYS)], acc)
    yield case("weight-input", text=f"""weight {{
      ^bb0(%w: {acc}, %x: {acc}):
        %t = arith.mulf %w, %x : {acc}
        attn.yield %t : {acc}
      }}""", inputs=[("N", tensor(table.shape, acc), table)],
               weight=lambda w, x: w * x["in"][0])
    if dtype == "f32":
        yield case("distance", text="""similarity {
      ^bb0(%a: f32, %b: f32):
        %difference = arith.subf %a, %b : f32
        %square = arith.mulf %difference, %difference : f32
        %negated = arith.negf %square : f32
        attn.yield %negated : f32
      }""", similarity=lambda a, b: -(a - b)**2)
