"""The cases that plain.py runs, by group."""

import inspect

import numpy

from plain_attention import accumulation, generic, random, spread, tensor
from plain_final import CAUSAL, LETTERS, POSITIVE, SIZES, final
from plain_joint import joint, joint_kinds
from plain_matrix import matrix, matrix_sdpa
from plain_lists import logical, paged
from plain_ordered import ordered
from plain_pairs import pairs
from plain_ragged_cases import (ragged, ragged_hidden, ragged_regions,
                                ragged_shapes)
from plain_ragged_pages import (ragged_pages, ragged_pages_regions,
                                ragged_pages_shapes)
from plain_ragged_weights import ragged_weights
from plain_sdpa import sdpa
from plain_select import select

NAN, INF = numpy.nan, numpy.inf

# Around each constant of the tiles: rows of a group, lanes, two registers of
# lanes, key rows, query rows of a block, and twice those.
TILES = (8, 16, 32, 64, 128, 256)
LENGTHS = sorted({0, 1} | {n for t in TILES
                           for n in (t - 1, t, t + 1, 2 * t + 1)})
WIDTHS = (1, 2, 3, 8, 15, 16, 17, 24, 40, 63, 64, 65, 80, 96, 128, 160, 192,
          256)


def make(group, dtype, error, seed=None, together=0, full=0):
    """`error` is a factor on the scale that numpy uses: 1 to agree. With a seed
    the numbers are others and, in a group that takes one, so are the cases.
    `together` and `full` ask a group that has more cases for these."""
    usual = sum(map(ord, group + dtype))
    rng = numpy.random.default_rng(usual if seed is None else [usual, seed])
    function = GROUPS[group]
    takes = inspect.signature(function).parameters
    more = {name: value for name, value in (
        ("seed", seed), ("together", together), ("full", full))
            if value and name in takes}
    return list(function(dtype, rng, error, **more))


def alibi(acc):
    text = f"""
        %steps = arith.subi %j, %i : index
        %integer = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %integer : i32 to {acc}
        %slope = arith.constant 0.0625 : {acc}
        %penalty = arith.mulf %slope, %distance : {acc}
        %t = arith.addf %s, %penalty : {acc}
        attn.yield %t : {acc}"""
    return text, lambda s, x: s + 0.0625 * (x["n"] - x["m"])


THIRD = ("""
        %c0 = arith.constant 0 : index
        %rest = affine.apply affine_map<(i, j) -> ((i - j) mod 3)>(%i, %j)
        %third = arith.cmpi eq, %rest, %c0 : index
        attn.yield %third : i1""",
         lambda x: (x["m"] - x["n"]) % 3 == 0)
BLOCKS = ("""
        %mine = affine.apply affine_map<(i) -> (i floordiv 5)>(%i)
        %other = affine.apply affine_map<(j) -> (j floordiv 7)>(%j)
        %near = arith.cmpi sle, %other, %mine : index
        attn.yield %near : i1""",
          lambda x: x["n"] // 7 <= x["m"] // 5)


def options(dtype, rng, error, rows=21):
    def case(name, rows=rows, **kind):
        return sdpa(name, dtype, rng, error, rows=rows, **kind)
    yield case("plain")
    yield case("dynamic", dynamic=True, lse=True)
    yield case("scale", scale=0.3)
    yield case("scale-negative", scale=-1.5)
    yield case("top-left", causal="top_left")
    yield case("top-left-tall", causal="top_left", rows=40, keys=19)
    yield case("bottom-right", causal="bottom_right", lse=True)
    yield case("bottom-right-tall", causal="bottom_right", rows=40, keys=19)
    yield case("bottom-right-dynamic", causal="bottom_right", dynamic=True)
    yield case("offset", causal="offset", offset=9)
    yield case("offset-behind", causal="offset", offset=-4, lse=True)
    yield case("offset-batch", causal="offset", offset=[3, -2])
    yield case("window", window=(3, 2))
    yield case("window-left", window=(4, -1))
    yield case("window-right", window=(-1, 4))
    yield case("window-self", window=(0, 0))
    yield case("window-causal", window=(5, -1), causal="bottom_right")
    yield case("window-offset", window=(5, 1), causal="offset", offset=[7, 30])
    yield case("window-offset-alone", window=(1, 2), offset=8)
    yield case("window-offset-batch", window=(6, -1), offset=[12, -3], lse=True)
    yield case("sink", sink=0.5, lse=True)
    yield case("sink-heads", sink=[1.5, -40.0], lse=True, causal="bottom_right")
    yield case("sink-grouped", heads=2, group=2, sink=[0.25, -1.0, 3.0, 6.0],
               window=(5, 3), softcap=2.0)
    yield case("sink-blind", sink=[-0.75, 2.0], lse=True, rows=9,
               boolean=numpy.arange(9).reshape(9, 1) > 4)
    yield case("sink-dynamic", sink=[0.5, 0.25], dynamic=True, lse=True)
    yield case("softcap", softcap=0.75)
    yield case("bias", bias=(2, 2, rows, 37))
    yield case("bias-broadcast", bias=(1, 2, 1, 37))
    yield case("bias-keys", bias=(37,))
    yield case("bias-softcap", bias=(rows, 37), softcap=1.5, causal="top_left")
    yield case("bool", boolean=(2, 2, rows, 37), lse=True)
    yield case("bool-padding", boolean=(2, 1, 1, 37))
    yield case("bool-rows", boolean=(2, 1, rows, 1))
    yield case("bool-causal", boolean=(rows, 37), causal="bottom_right")
    yield case("grouped", heads=2, group=3)
    yield case("grouped-one", heads=1, group=4, causal="bottom_right")
    yield case("grouped-bias", heads=2, group=2, bias=(4, rows, 37))
    yield case("score", score=alibi(accumulation(dtype)))
    yield case("score-causal", score=alibi(accumulation(dtype)),
               causal="top_left", softcap=2.0, bias=(2, 1, rows, 37))
    yield case("mask-mod", mask=THIRD)
    yield case("mask-floordiv", mask=BLOCKS, rows=37, keys=61)
    yield case("mask-window", mask=THIRD, window=(9, 9), lse=True)
    yield case("prefix", mask=("""
        %c5 = arith.constant 5 : index
        %inside = arith.cmpi slt, %j, %c5 : index
        %past = arith.cmpi sle, %j, %i : index
        %visible = arith.ori %inside, %past : i1
        attn.yield %visible : i1""",
                               lambda x: (x["n"] < 5) | (x["n"] <= x["m"])))
    yield case("lengths", mask=("""
        %length = tensor.extract %lengths[%b] : tensor<2xi32>
        %end = arith.index_cast %length : i32 to index
        %visible = arith.cmpi slt, %j, %end : index
        attn.yield %visible : i1""",
                                lambda x: x["n"] < numpy.array([21, 0])
                                .reshape(2, 1, 1, 1)),
               captured=[("lengths", "tensor<2xi32>",
                          numpy.array([21, 0]))], lse=True)
    if dtype in ("f16", "bf16"):
        yield case("wide-output", out_dtype="f32")


def lengths(dtype, rng, error):
    kinds = ({}, {"causal": "bottom_right"}, {"window": (20, 9)},
             {"causal": "top_left"})
    for number, length in enumerate(LENGTHS):
        kind = kinds[number % 4]
        yield sdpa(f"rows-{length}", dtype, rng, error, batch=1, heads=1,
                   rows=length, keys=19, lse=True, dynamic=number % 2 == 0,
                   **kinds[(number + 1) % 4])
        yield sdpa(f"keys-{length}", dtype, rng, error, batch=1, heads=1,
                   rows=21, keys=length, lse=True, dynamic=number % 2 == 1,
                   **kind)


def blocks(dtype, rng, error):
    """Several query tiles that share several key tiles."""
    acc = accumulation(dtype)
    for rows, keys in ((127, 257), (128, 256), (129, 255), (261, 300), (300, 1),
                       (261, 128), (1, 400)):
        for kind in ({}, {"causal": "top_left"}, {"causal": "bottom_right"}):
            name = "-".join([f"{rows}x{keys}", *kind.values()])
            yield sdpa(name, dtype, rng, error, batch=1, rows=rows, keys=keys,
                       lse=True, dynamic=True, **kind)
    bias = (261, 300)
    yield sdpa("bias", dtype, rng, error, rows=261, keys=300, bias=bias,
               dynamic=True, heads=2, group=2)
    yield sdpa("static", dtype, rng, error, batch=1, heads=1, rows=130,
               keys=300, width=300, channels=9)
    yield sdpa("static-causal", dtype, rng, error, batch=1, heads=1, rows=300,
               keys=300, width=300, channels=9, causal="top_left")
    sizes = {"h": 2, "m": 261, "n": 300, "d": 5, "e": 3}
    for part in ("m", "hm", "h"):
        array = random(rng, [sizes[x] for x in part], acc)
        yield generic(f"sink-{part}", dtype, sizes, LETTERS, rng, "", 0.6,
                      error, weighting="softmax_sink", dynamic=True, lse=True,
                      operand=(part, array))
        text = f"""score {{
      ^bb0(%s: {acc}, %x: {acc}):
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}"""
        row = array if part != "h" else array[:, None]
        spaced = numpy.broadcast_to(row, (2, 261))[:, :, None]
        yield generic(f"input-{part}", dtype, sizes, LETTERS, rng, text, 0.6,
                      error, dynamic=True,
                      inputs=[(part, tensor(array.shape, acc), array)],
                      score=lambda s, x, spaced=spaced: s + spaced)
    yield generic("causal-transposed", dtype, sizes, ["hmd", "hdn", "hen",
                                                      "hem"],
                  rng, CAUSAL[0], 0.6, error, mask=CAUSAL[1], dynamic=True)


def widths(dtype, rng, error):
    for number, width in enumerate(WIDTHS):
        channels = WIDTHS[(number + 5) % len(WIDTHS)]
        yield sdpa(f"width-{width}-{channels}", dtype, rng, error, batch=1,
                   heads=1, rows=18, keys=35, width=width, channels=channels,
                   causal="bottom_right" if number % 2 else None,
                   dynamic=number % 3 == 2)


def hidden(dtype, rng, error, rows=21):
    """What the mask hides does not leak, whatever it is."""
    def case(name, rows=rows, **kind):
        return sdpa(name, dtype, rng, error, rows=rows, **kind)
    visible = rng.random((2, 2, rows, 37)) < 0.6
    visible[..., [4, 20, 36]] = False
    visible[:, 1, [0, 7, rows - 1], :] = False
    for what in (NAN, INF, -INF):
        def in_keys(q, k, v, what=what):
            k[..., [4, 20, 36], :] = what

        def in_values(q, k, v, what=what):
            v[..., [4, 20, 36], :] = what

        def in_padding(q, k, v, what=what):
            k[..., 29:, :] = what
            v[..., 29:, :] = what

        def behind(q, k, v, what=what):
            v[..., 20:, :] = what

        def in_query(q, k, v, what=what):
            q[1, 0, 3, 2] = what
        yield case(f"keys-{what}", boolean=visible, patch=in_keys, lse=True)
        yield case(f"values-{what}", boolean=visible, patch=in_values)
        padding = numpy.arange(37).reshape(1, 1, 1, 37) < 29
        yield case(f"padding-{what}", boolean=padding, patch=in_padding,
                   lse=True)
        yield case(f"causal-{what}", causal="top_left", patch=behind)
        yield case(f"window-{what}", window=(3, -1), causal="top_left", rows=30,
                   patch=behind)
        if what is NAN:
            yield case("query-nan", patch=in_query, lse=True)
            yield case("values-seen-nan", patch=in_values)
            yield case("keys-seen-nan", patch=in_keys)
    yield case("bias-lowest", bias=numpy.where(visible, 0.5, -INF), lse=True)
    yield case("bias-all-lowest", bias=numpy.full((rows, 37), -INF), lse=True)
    nans = numpy.where(visible, 0.25, NAN)
    yield case("bias-nan-hidden", bias=nans, boolean=visible, lse=True)
    yield case("blind", boolean=numpy.zeros((rows, 37), bool), lse=True)
    yield case("blind-behind", causal="offset", offset=-50, lse=True)
    yield case("blind-tile", keys=300, lse=True,
               boolean=numpy.arange(300) > 270)
    yield case("one-key", boolean=numpy.arange(37) == 30, lse=True)
    acc = accumulation(dtype)
    yield case("score-nan-hidden", causal="top_left", score=(f"""
        %past = arith.cmpi sle, %j, %i : index
        %nan = arith.constant 0x{"7FF8000000000000" if acc == "f64" else "7FC00000"} : {acc}
        %t = arith.select %past, %s, %nan : {acc}
        attn.yield %t : {acc}""",
               lambda s, x: numpy.where(x["n"] <= x["m"], s, NAN)))
    def loud(q, k, v):
        q *= 30.0
        k *= 30.0
    yield case("large-scores", patch=loud, lse=True)
    yield case("zero-batch", batch=0)
    yield case("zero-heads", heads=0)
    yield case("zero-rows", rows=0, lse=True)
    yield case("zero-keys", keys=0, lse=True)
    yield case("zero-width", width=0, scale=0.5)
    yield case("zero-channels", channels=0, lse=True)
    for what in ("batch", "heads", "rows", "keys", "channels"):
        yield case(f"zero-{what}-dynamic", dynamic=True, lse=True,
                   causal="bottom_right", **{what: 0})


def weightings(dtype, rng, error, rows=37):
    acc = accumulation(dtype)
    sizes = {**SIZES, "m": rows}

    def case(name, weighting, text="", **kind):
        return generic(name, dtype, sizes, LETTERS, rng, text, 0.6, error,
                       weighting=weighting, **kind)
    for masked in (False, True):
        tail = "-causal" if masked else ""
        text, mask = CAUSAL if masked else ("", None)
        yield case("softmax" + tail, "softmax", text, mask=mask, lse=True)
        for part in ("", "h", "m", "hm"):
            yield case(f"sink-{part}{tail}", "softmax_sink", text, mask=mask,
                       lse=True, operand=(part, random(
                           rng, [sizes[x] for x in part], acc)))
        yield case("sigmoid" + tail, "sigmoid", text, mask=mask,
                   operand=("h", random(rng, [2], acc)))
        yield case("relu" + tail, "relu", text, mask=mask)
        yield case("identity" + tail, "identity", text, mask=mask)
        yield case("sum" + tail, "sum_normalized",
                   text + " " + POSITIVE.format(acc), mask=mask,
                   score=lambda s, x: abs(s))
    hide = ("""mask {
        %n = attn.index 0
        %no = arith.cmpi ult, %n, %n : index
        attn.yield %no : i1
      }""", lambda x: x["n"] < 0)
    for weighting in ("relu", "identity", "sum_normalized"):
        yield case(f"{weighting}-blind", weighting, hide[0], mask=hide[1])
    yield case("sink-blind", "softmax_sink", hide[0], mask=hide[1], lse=True,
               operand=("", numpy.array(0.5)))
    yield case("sink-lowest", "softmax_sink", *CAUSAL[:1], mask=CAUSAL[1],
               lse=True, operand=("", numpy.array(-INF)))


def layouts(dtype, rng, error):
    def case(name, letters, sizes, text="", **kind):
        return generic(name, dtype, sizes, letters, rng, text, 0.6, error,
                       **kind)
    four = {"b": 2, "h": 3, "m": 19, "n": 41, "d": 5, "e": 6}
    yield case("rows-alone", ["md", "nd", "ne", "me"],
               {x: four[x] for x in "mnde"})
    yield case("bshd", ["bmhd", "bnhd", "bnhe", "bmhe"], four, lse=True)
    yield case("bshd-dynamic", ["bmhd", "bnhd", "bnhe", "bmhe"], four,
               dynamic=True)
    yield case("key-transposed", ["bhmd", "bhdn", "bhne", "bhme"], four)
    yield case("value-transposed", ["bhmd", "bhnd", "bhen", "bhme"], four)
    yield case("query-transposed", ["bhdm", "bhnd", "bhne", "bhme"], four)
    yield case("output-transposed", ["bhmd", "bhnd", "bhne", "bhem"], four)
    yield case("all-transposed", ["dhbm", "nbdh", "ehnb", "mehb"], four)
    yield case("rows-first", ["mbhd", "nbhd", "nbhe", "mbhe"], four, lse=True)
    yield case("shared-keys", ["bhmd", "nd", "ne", "bhme"], four)
    yield case("grouped", ["bhgmd", "bhnd", "bhne", "bhgme"], {**four, "g": 2})
    yield case("grouped-rows", ["bhmpd", "bhnd", "bhne", "bhmpe"],
               {**four, "m": 3, "p": 11}, lse=True)
    yield case("grouped-rows-outer", ["bhpmd", "bhnd", "bhne", "bhmpe"],
               {**four, "m": 21, "p": 2})
    mask = """mask {
        %i = attn.index 2
        %j = attn.index 4
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }"""
    yield case("grouped-rows-causal", ["bhmpd", "bhnd", "bhne", "bhmpe"],
               {**four, "m": 17, "p": 3}, mask,
               mask=lambda x: x["n"] <= x["m"])
    if dtype == "f32":
        yield case("distance", ["bhmd", "bhnd", "bhne", "bhme"], four,
                   """similarity {
      ^bb0(%a: f32, %b: f32):
        %difference = arith.subf %a, %b : f32
        %square = arith.mulf %difference, %difference : f32
        %negated = arith.negf %square : f32
        attn.yield %negated : f32
      }""", similarity=lambda a, b: -(a - b)**2)


def regions(dtype, rng, error, rows=37):
    """Inputs over every set of dimensions, captured tables, weight regions."""
    acc = accumulation(dtype)
    sizes = {**SIZES, "m": rows}

    def case(name, text, letters=LETTERS, **kind):
        return generic(name, dtype, sizes, letters, rng, text, 0.6, error,
                       **kind)
    plus = f"""score {{
      ^bb0(%s: {acc}, %x: {acc}):
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}"""
    for part in ("", "h", "m", "n", "hm", "hn", "mn", "nm", "hmn", "nhm"):
        shape = [sizes[x] for x in part]
        array = random(rng, shape, dtype)
        kind = tensor(shape, dtype) if part else dtype
        order = sorted(range(len(part)), key=lambda i: "hmn".index(part[i]))
        spreaded = numpy.transpose(array, order).reshape(
            [sizes[x] if x in part else 1 for x in "hmn"])
        yield case(f"input-{part or 'scalar'}", plus,
                   inputs=[(part, kind, array)],
                   score=lambda s, x, a=spreaded: s + a)
    table = random(rng, [37], acc)
    yield case("table-behind", CAUSAL[0] + f""" score {{
      ^bb0(%s: {acc}):
        %row = attn.index 1
        %column = attn.index 2
        %back = arith.subi %row, %column : index
        %x = tensor.extract %table[%back] : tensor<37x{acc}>
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}""", captured=[("table", f"tensor<37x{acc}>", table)], mask=CAUSAL[1],
               score=lambda s, x: s + table[numpy.maximum(x["m"] - x["n"], 0)])
    wide = random(rng, [2, 187], acc)
    yield case("table-heads", f"""score {{
      ^bb0(%s: {acc}):
        %head = attn.index 0
        %row = attn.index 1
        %column = attn.index 2
        %c36 = arith.constant 36 : index
        %far = arith.addi %column, %c36 : index
        %at = arith.subi %far, %row : index
        %x = tensor.extract %table[%head, %at] : tensor<2x187x{acc}>
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}""", captured=[("table", f"tensor<2x187x{acc}>", wide)],
               score=lambda s, x: s + wide[x["h"], x["n"] + 36 - x["m"]])
    yield case("table-first", f"""score {{
      ^bb0(%s: {acc}):
        %head = attn.index 0
        %row = attn.index 1
        %column = attn.index 2
        %c36 = arith.constant 36 : index
        %far = arith.addi %column, %c36 : index
        %at = arith.subi %far, %row : index
        %x = tensor.extract %table[%at, %head] : tensor<187x2x{acc}>
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}""", captured=[("table", f"tensor<187x2x{acc}>", wide.T.copy())],
               score=lambda s, x: s + wide[x["h"], x["n"] + 36 - x["m"]])
    two = random(rng, [rows, 150], acc)
    yield case("table-pairs", f"""score {{
      ^bb0(%s: {acc}):
        %row = attn.index 1
        %column = attn.index 2
        %x = tensor.extract %table[%row, %column] : tensor<{rows}x150x{acc}>
        %t = arith.mulf %s, %x : {acc}
        attn.yield %t : {acc}
      }}""", captured=[("table", f"tensor<{rows}x150x{acc}>", two)],
               score=lambda s, x: s * two)
    yield case("table-blocks", f"""score {{
      ^bb0(%s: {acc}):
        %row = attn.index 1
        %column = attn.index 2
        %mine = affine.apply affine_map<(i) -> (i floordiv 4)>(%row)
        %other = affine.apply affine_map<(j) -> (j mod 7)>(%column)
        %x = tensor.extract %table[%mine, %other] : tensor<{rows}x150x{acc}>
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}""", captured=[("table", f"tensor<{rows}x150x{acc}>", two)],
               score=lambda s, x: s + two[x["m"] // 4, x["n"] % 7])
    # Clamped positions: both bounds, one, beyond every lane, at the lanes' ends.
    for low, high, steps in ((-5, 9, 1), (-300, 300, 1), (3, 4, -1), (40, 70, 2),
                             (-31, 31, -1), (0, 31, 3), (-9, -9, 1)):
        yield case(f"table-clamped{low}to{high}by{steps}", f"""score {{
      ^bb0(%s: {acc}):
        %row = attn.index 1
        %column = attn.index 2
        %low = arith.constant {low} : index
        %high = arith.constant {high} : index
        %steps = arith.constant {steps} : index
        %scaled = arith.muli %row, %steps : index
        %distance = arith.subi %scaled, %column : index
        %atleast = arith.maxsi %low, %distance : index
        %entry = arith.minsi %atleast, %high : index
        %at = arith.subi %entry, %low : index
        %x = tensor.extract %table[%at] : tensor<{rows * 150}x{acc}>
        %t = arith.addf %s, %x : {acc}
        attn.yield %t : {acc}
      }}""", captured=[("table", f"tensor<{rows * 150}x{acc}>", two.reshape(-1))],
                   score=lambda s, x, low=low, high=high, steps=steps:
                   s + two.reshape(-1)[numpy.clip(
                       steps * x["m"] - x["n"], low, high) - low])
    documents = rng.integers(0, 3, 150)
    yield case("table-mask", """mask {
        %row = attn.index 1
        %column = attn.index 2
        %mine = tensor.extract %table[%row] : tensor<150xi32>
        %other = tensor.extract %table[%column] : tensor<150xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      }""", captured=[("table", "tensor<150xi32>", documents)],
               mask=lambda x: documents[x["m"]] == documents[x["n"]])
    starts = rng.integers(-5, 40, (2, 150))
    yield case("mask-input", """mask {
      ^bb0(%x: i32):
        %row = attn.index 1
        %at = arith.index_cast %row : index to i32
        %seen = arith.cmpi slt, %x, %at : i32
        attn.yield %seen : i1
      }""", inputs=[("hn", "tensor<2x150xi32>", starts)],
               mask=lambda x: starts[:, None, :] < x["m"])
    yield case("weight-linear", f"""weight {{
      ^bb0(%w: {acc}, %x: {acc}):
        %t = arith.mulf %w, %x : {acc}
        attn.yield %t : {acc}
      }}""", inputs=[("mn", f"tensor<{rows}x150x{acc}>", two)],
               weight=lambda w, x: w * two)
    yield case("weight-select", f"""weight {{
      ^bb0(%w: {acc}):
        %row = attn.index 1
        %column = attn.index 2
        %near = arith.cmpi sle, %column, %row : index
        %zero = arith.constant 0.0 : {acc}
        %t = arith.select %near, %w, %zero : {acc}
        attn.yield %t : {acc}
      }}""", weight=lambda w, x: numpy.where(x["n"] <= x["m"], w, 0.0))


def unfused(dtype, rng, error):
    """What the kernel does not take: the scores go through memory."""

    def case(name, text="", sizes=SIZES, letters=LETTERS, **kind):
        return generic(name, dtype, sizes, letters, rng, text, 0.6, error,
                       fused=False, **kind)
    yield case("no-rows", sizes={x: SIZES[x] for x in "hnde"},
               letters=["hd", "hnd", "hne", "he"])


def few_options(dtype, rng, error):
    """The same with the rows that one tile of few rows has."""
    yield from options(dtype, rng, error, rows=13)


def few_hidden(dtype, rng, error):
    yield from hidden(dtype, rng, error, rows=13)


def few_weightings(dtype, rng, error):
    yield from weightings(dtype, rng, error, rows=5)


def few_regions(dtype, rng, error):
    yield from regions(dtype, rng, error, rows=7)


def few(dtype, rng, error):
    """Rows times heads of a group, widths and keys that fill vectors and do not,
    keys in several parts."""
    kinds = ({}, {"causal": "bottom_right"}, {"window": (20, 9)},
             {"causal": "bottom_right", "softcap": 1.5},
             {"causal": "offset", "offset": [9, -2]})
    number = 0
    for rows in (1, 2, 3, 4, 7, 8, 16):
        for group in (1, 2, 3, 4, 7, 16):
            if rows * group > 21:
                continue
            for dynamic in (False, True):
                kind = dict(kinds[number % len(kinds)])
                heads = 1 + number % 2
                batch = 2 if "offset" in kind else 1
                sizes = {"keys": (37, 16, 150, 65, 5)[number % 5],
                         "width": WIDTHS[number % len(WIDTHS)],
                         "channels": WIDTHS[(number + 7) % len(WIDTHS)]}
                if number % 3 == 1:
                    kind["bias"] = (batch, heads * group, rows, sizes["keys"])
                elif number % 3 == 2:
                    kind["sink"] = list(random(rng, [heads * group], dtype))
                yield sdpa(f"{rows}x{group}-{'dynamic' if dynamic else number}",
                           dtype, rng, error, batch=batch, heads=heads,
                           group=group, rows=rows, dynamic=dynamic,
                           lse=number % 2 == 0, **sizes, **kind)
                number += 1
    for number, kind in enumerate(kinds):
        yield sdpa(f"whole-{number}", dtype, rng, error, rows=(8, 1, 2)[number % 3],
                   group=(1, 8, 8)[number % 3], keys=(64, 75)[number % 2],
                   heads=2, width=(32, 64)[number % 2], channels=48, lse=True,
                   dynamic=number == 4, batch=2 if "offset" in kind else 1,
                   **kind)
    for rows, group in ((1, 4), (3, 2)):
        for number, kind in enumerate(kinds):
            yield sdpa(f"parts-{rows}x{group}-{number}", dtype, rng, error,
                       rows=rows, group=group, keys=1100, heads=1, lse=True,
                       dynamic=number % 2 == 0, **kind)
    four = {"b": 2, "h": 3, "g": 2, "m": 3, "n": 41, "d": 19, "e": 6}
    for name, letters in (("rows-first", ["mbhgd", "nbhd", "nbhe", "mbhge"]),
                          ("group-last", ["bhmgd", "bhnd", "bhne", "bhmge"]),
                          ("query-mixed", ["bmhgd", "bhnd", "bhne", "bhgme"]),
                          ("keys-transposed", ["bhgmd", "bhdn", "bhen",
                                               "bhgme"]),
                          ("output-transposed", ["bhgmd", "bhnd", "bhne",
                                                 "ebhgm"])):
        for part in ("n", "gn", "mn", "gm", "mg", "nmg", "hgmn"):
            array = random(rng, [four[x] for x in part], dtype)
            every = letters[3].replace("e", "") + "n"
            acc = accumulation(dtype)
            yield generic(f"{name}-{part}", dtype, four, letters, rng, f"""score {{
      ^bb0(%s: {acc}, %x: {acc}):
        %group = attn.index 2
        %row = attn.index 3
        %both = arith.muli %group, %row : index
        %integer = arith.index_cast %both : index to i32
        %y = arith.sitofp %integer : i32 to {acc}
        %u = arith.addf %s, %y : {acc}
        %t = arith.addf %u, %x : {acc}
        attn.yield %t : {acc}
      }}""", 0.6, error, inputs=[(part, tensor(array.shape, dtype), array)],
                          lse=part == "gm",
                          score=lambda s, x, a=spread(array, part, every):
                          s + x["g"] * x["m"] + a)


GROUPS = {function.__name__: function
          for function in (options, lengths, blocks, widths, hidden, weightings,
                           layouts, regions, final, ordered, select, unfused,
                           few, few_options, few_hidden, few_weightings,
                           few_regions, pairs, ragged, ragged_hidden,
                           ragged_regions, ragged_shapes, ragged_pages,
                           ragged_pages_regions, ragged_pages_shapes,
                           ragged_weights, logical, paged, joint, joint_kinds,
                           matrix, matrix_sdpa)}
