"""The cases of plain.py that multiply in pairs where the target has pairs of
bf16: group "pairs"."""

import numpy

from plain_attention import generic, random
from plain_sdpa import sdpa

NAN, INF = numpy.nan, numpy.inf
WIDTHS = (1, 2, 3, 5, 17, 32, 33, 64, 65)
# Of query, key, value and output: keys and values as they may also lie.
ORDERS = {"features-apart": ["hmd", "hdn", "hne", "hme"],
          "channels-apart": ["hmd", "hnd", "hen", "hme"],
          "all-apart": ["hdm", "dhn", "ehn", "emh"]}
CAUSAL = ("""mask {
        %i = attn.index 1
        %j = attn.index 2
        %visible = arith.cmpi sle, %j, %i : index
        attn.yield %visible : i1
      }""", lambda x: x["n"] <= x["m"])


def pairs(dtype, rng, error):
    """Widths, keys and rows that fill pairs, vectors and tiles or do not, and
    pairs of which one key is hidden and holds what must not leak."""
    for number, width in enumerate(WIDTHS):
        channels = WIDTHS[(number + 4) % len(WIDTHS)]
        for keys in (1, 2, 67):
            yield sdpa(f"width-{width}-{channels}-{keys}", dtype, rng, error,
                       batch=1, heads=2, rows=35, keys=keys, width=width,
                       channels=channels, lse=True,
                       causal="bottom_right" if number % 2 else None,
                       dynamic="rows" if number % 3 == 1 else False)
    for number, rows in enumerate((2, 4, 7, 8, 16)):
        for keys in (3, 6, 67, 64, 1100):
            yield sdpa(f"few-{rows}x{keys}", dtype, rng, error, batch=1,
                       heads=2, rows=rows, keys=keys,
                       width=WIDTHS[(rows + keys) % len(WIDTHS)],
                       channels=WIDTHS[(rows * 2 + keys) % len(WIDTHS)],
                       lse=True, causal="bottom_right" if keys % 3 else None,
                       dynamic=(False, True, "rows")[number % 3])
    for rows, keys in ((300, 129), (261, 301), (18, 400), (33, 64)):
        for causal in (None, "top_left"):
            yield sdpa(f"tiles-{rows}x{keys}-{causal}", dtype, rng, error,
                       batch=1, rows=rows, keys=keys, width=34, channels=35,
                       causal=causal, dynamic="rows" if causal else False)
    yield sdpa("grouped", dtype, rng, error, batch=2, heads=2, group=3, rows=37,
               keys=41, width=16, channels=7, window=(9, 4))
    yield sdpa("scale", dtype, rng, error, rows=37, width=6, scale=0.37)
    yield sdpa("scale-power", dtype, rng, error, rows=37, width=6, scale=-0.25)
    yield sdpa("wide-output", dtype, rng, error, rows=37, width=6,
               out_dtype="f32")
    for rows in (37, 3, 7):
        yield from hidden(dtype, rng, error, rows)
    sizes = {"h": 2, "m": 37, "n": 75, "d": 5, "e": 6}
    for order, letters in ORDERS.items():
        for name, (text, mask) in (("", ("", None)), ("-causal", CAUSAL)):
            yield generic(order + name, dtype, sizes, letters, rng, text, 0.6,
                          error, mask=mask, lse=True)
    for weighting in ("sigmoid", "relu", "identity"):
        operand = ("h", random(rng, [2], "f32")) if weighting == "sigmoid" \
            else None
        yield generic(weighting, dtype, sizes, ["hmd", "hnd", "hne", "hme"],
                      rng, CAUSAL[0], 0.6, error, mask=CAUSAL[1],
                      weighting=weighting, operand=operand)


def hidden(dtype, rng, error, rows):
    """Either key of a pair, or the pair, is hidden from some rows or all, and
    holds no number; so do keys and values behind the last that is seen."""
    keys = 75
    for what in (NAN, INF):
        for name, seen in (("first", lambda j: j % 2 == 1),
                           ("second", lambda j: j % 2 == 0),
                           ("some", lambda j: j % 5 != 3)):
            columns = numpy.arange(keys)
            visible = numpy.broadcast_to(seen(columns), (rows, keys)).copy()

            def patch(q, k, v, what=what, columns=~seen(columns)):
                k[..., columns, :] = what
                v[..., columns, :] = what
            for width in (4, 5):
                yield sdpa(f"hidden-{rows}-{name}-{what}-{width}", dtype, rng, error,
                           rows=rows, keys=keys, width=width, channels=width,
                           boolean=visible, patch=patch, lse=True)

        def behind(q, k, v, what=what):
            v[..., 20:, :] = what
        yield sdpa(f"causal-{rows}-{what}", dtype, rng, error, rows=rows, keys=keys,
                   width=6, channels=5, causal="top_left", patch=behind)
        # A row of an odd number of features ends where the next begins.
        def next_row(q, k, v, what=what):
            k[..., 1::2, 0] = what
        odd = numpy.arange(keys) % 2 == 0
        yield sdpa(f"next-row-{rows}-{what}", dtype, rng, error, rows=rows, keys=keys,
                   width=5, boolean=numpy.broadcast_to(odd, (rows, keys)),
                   patch=next_row)
