"""The cases of plain.py whose weighting selects keys: group "select"."""

import numpy

from plain_attention import accumulation, generic, random, weigh
from plain_final import CAUSAL, LETTERS, POSITIVE, SIZES, SOME

NAN, INF = numpy.nan, numpy.inf


def choose(s, visible, number):
    """Which are the `number` best of the scores [..., n]: NaN first, of equal
    ones the lower key, -inf never."""
    rank = numpy.where(visible & (s != -INF), s, -INF)
    rank = numpy.where(numpy.isnan(rank), INF, rank)
    best = numpy.argsort(-rank, axis=-1, kind="stable")[..., :number]
    chosen = numpy.zeros(s.shape, bool)
    numpy.put_along_axis(chosen, best, True, -1)
    return chosen & (rank != -INF)


def best(number, by):
    """The weighting `by` of the `number` best keys, and its text."""
    def compute(s, visible, *operands):
        kept = choose(s, visible, number)
        p, lse = weigh(by, s, kept, *(operands or [None]), s.shape[-1])
        # A weight that is the score itself is as uncertain as its terms.
        large = abs(p)
        if by in ("relu", "identity", "sum_normalized"):
            large = numpy.where(kept, large + 1.0, 0.0)
        return p, lse, large
    return f"attntest.best<{number}, #attn.{by}>", compute


def select(dtype, rng, error):
    """Argmax and top-k, weighted by several weightings."""
    acc = accumulation(dtype)
    masks = {"dense": ("", None), "causal": CAUSAL, "some": SOME}
    kinds = {"argmax": {"weighting": best(1, "softmax"), "lse": True},
             "top3": {"weighting": best(3, "softmax"), "lse": True},
             "top40": {"weighting": best(40, "softmax")},
             "sink": {"weighting": best(2, "softmax_sink"), "lse": True,
                      "operands": [("h", random(rng, [2], acc))]},
             "sinks": {"weighting": best(2, "softmax_sink"),
                       "operands": [("hm", random(rng, [2, 37], acc))]},
             "identity": {"weighting": best(2, "identity")},
             "relu": {"weighting": best(4, "relu")},
             "normalized": {"weighting": best(3, "sum_normalized"),
                            "score": lambda s, x: abs(s)}}
    number = 0

    def case(name, text="", sizes=SIZES, letters=LETTERS,
             weighting=best(3, "softmax"), **kind):
        return generic(name, dtype, sizes, letters, rng, text, 0.6, error,
                       weighting=weighting, **kind)
    for masked, (mask_text, mask) in masks.items():
        for name, kind in kinds.items():
            number += 1
            score = POSITIVE.format(acc) if "score" in kind else ""
            yield case(f"{name}-{masked}", f"{mask_text} {score}", mask=mask,
                       dynamic=number % 3 == 0, **kind)
    four = {"b": 2, "h": 3, "m": 19, "n": 41, "d": 5, "e": 18}
    yield case("bshd", sizes=four, letters=["bmhd", "bnhd", "bnhe", "bmhe"])
    yield case("value-transposed", sizes=four,
               letters=["bhmd", "bhnd", "bhen", "bhme"])
    yield case("output-transposed", sizes=four,
               letters=["bhmd", "bhnd", "bhne", "bhem"])
    yield case("grouped", sizes={**four, "g": 2},
               letters=["bhgmd", "bhnd", "bhne", "bhgme"])
    yield case("no-rows", sizes={x: SIZES[x] for x in "hnde"},
               letters=["hd", "hnd", "hne", "he"])
    blocks = {"h": 1, "m": 131, "n": 300, "d": 300, "e": 9}
    yield case("blocks", sizes=blocks)
    yield case("blocks-causal", CAUSAL[0], mask=CAUSAL[1], sizes=blocks)
    yield case("blocks-dynamic", CAUSAL[0], mask=CAUSAL[1], sizes=blocks,
               dynamic=True, lse=True)
    for rows in (1, 2, 4, 7, 16):
        few = {"h": 2, "m": rows, "n": 203, "d": 17, "e": 33}
        yield case(f"few-{rows}", sizes=few, lse=True)
        yield case(f"few-causal-{rows}", CAUSAL[0], mask=CAUSAL[1], sizes=few,
                   weighting=best(1, "softmax"))
        yield case(f"few-dynamic-{rows}", SOME[0], mask=SOME[1], sizes=few,
                   dynamic=True, weighting=best(5, "identity"))
    long = {"h": 2, "m": 4, "n": 5003, "d": 4, "e": 3}
    yield case("parts", sizes=long, lse=True)
    yield case("parts-dynamic", sizes=long, dynamic=True,
               weighting=best(70, "softmax"))
    yield case("parts-grouped", sizes={**long, "m": 3, "g": 3},
               letters=["hgmd", "hnd", "hne", "hgme"])
    for zero in "hmned":
        yield case(f"zero-{zero}", sizes={**SIZES, zero: 0}, dynamic=True,
                   weighting=best(1, "softmax"))
        yield case(f"zero-{zero}-static", CAUSAL[0], mask=CAUSAL[1],
                   sizes={**SIZES, zero: 0})

    def hide(q, k, v):
        k[..., 120:, :] = NAN
        v[..., 120:, :] = INF
    yield case("hidden", CAUSAL[0], mask=CAUSAL[1], patch=hide)

    def poison(q, k, v):
        v[..., 3, 1] = NAN
        k[..., 77, :] = NAN
    yield case("poisoned", CAUSAL[0], mask=CAUSAL[1], patch=poison, sizes={
        **SIZES, "m": 150})

    def lower(q, k, v):
        q[:] = 1.0
        k[..., ::2, :] = -INF
    yield case("lowest", CAUSAL[0], mask=CAUSAL[1], patch=lower,
               weighting=best(30, "softmax"))
