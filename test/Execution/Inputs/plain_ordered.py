"""The cases of plain.py whose weights depend on the keys before: "ordered"."""

import numpy

from plain_attention import accumulation, generic, random
from plain_final import CAUSAL, LETTERS, SIZES, SOME, square


def sampled(s, visible, u):
    """1 at the first key up to which the softmax exceeds u. What is within
    rounding of a step may fall on either side."""
    top = numpy.where(visible, s, -numpy.inf).max(-1, keepdims=True,
                                                  initial=-1e30)
    mass = numpy.where(visible, numpy.exp(s - top), 0.0)
    total = mass.sum(-1, keepdims=True)
    after = numpy.cumsum(mass, -1) / numpy.where(total == 0, 1.0, total)
    before = numpy.concatenate([0 * after[..., :1], after[..., :-1]], -1)
    chosen = ((before <= u) & (after > u) & visible).astype(float)
    unsure = (abs(after - u) < 1e-4).any(-1, keepdims=True)
    return chosen, None, numpy.where(unsure, 1e30, chosen)


def fading(s, visible, sink, c):
    """The softmax with a sink, times 1 - c the mass before."""
    top = numpy.where(visible, s, -numpy.inf).max(-1, keepdims=True,
                                                  initial=-1e30)
    top = numpy.maximum(top, sink)
    mass = numpy.where(visible, numpy.exp(s - top), 0.0)
    total = mass.sum(-1, keepdims=True) + numpy.exp(sink - top)
    mass = mass / total
    before = numpy.cumsum(mass, -1) - mass
    large = mass * (1 + abs(c) * before * s.shape[-1]**0.5)
    return mass * (1 - c * before), (top + numpy.log(total))[..., 0], large


def ordered(dtype, rng, error):
    acc = accumulation(dtype)

    def case(name, kind, text="", sizes=SIZES, letters=LETTERS, **more):
        rows = [x for x in letters[3] if x in "hmg"]
        if kind is sampled:
            shape = [sizes[x] for x in rows]
            u = numpy.asarray(random(rng, shape, acc))
            operands = [("".join(rows), (abs(u) * 0.99).astype(u.dtype))]
        else:
            operands = [("h", random(rng, [sizes["h"]], acc)),
                        ("", numpy.array(0.75, "f8" if acc == "f64" else "f4"))]
            more.setdefault("lse", True)
        return generic(name, dtype, sizes, letters, rng, text, 1.5, error,
                       weighting=(f"attntest.{kind.__name__}", kind),
                       operands=operands, **more)
    number = 0
    for kind in (sampled, fading):
        for masked, (mask_text, mask) in {"dense": ("", None), "some": SOME,
                                          "causal": CAUSAL}.items():
            for region, (text, weight) in {"plain": ("", None),
                                           "squared": square(acc)}.items():
                number += 1
                yield case(f"{kind.__name__}-{region}-{masked}", kind,
                           mask_text + text, mask=mask, weight=weight,
                           weights=number % 2 == 0, dynamic=number % 3 == 0)
        blocks = {"h": 1, "m": 131, "n": 300, "d": 300, "e": 9}
        yield case(f"{kind.__name__}-blocks", kind, sizes=blocks)
        yield case(f"{kind.__name__}-blocks-causal", kind, CAUSAL[0],
                   sizes=blocks, mask=CAUSAL[1], weights=True)
        yield case(f"{kind.__name__}-blocks-dynamic", kind, CAUSAL[0],
                   sizes=blocks, mask=CAUSAL[1], dynamic=True)
        yield case(f"{kind.__name__}-many-keys", kind, weights=True,
                   sizes={"h": 1, "m": 3, "n": 2100, "d": 4, "e": 3})
    four = {"h": 3, "g": 2, "m": 19, "n": 141, "d": 5, "e": 6}
    yield case("grouped", fading, sizes=four,
               letters=["hgmd", "hnd", "hne", "hgme"])
    yield case("transposed", fading, sizes=SIZES,
               letters=["hdm", "hdn", "hen", "hem"], weights=True, order="hnm")
    yield case("no-rows", fading, sizes={x: SIZES[x] for x in "hnde"},
               letters=["hd", "hnd", "hne", "he"])
    for zero in "hmned":
        yield case(f"zero-{zero}", sampled, sizes={**SIZES, zero: 0},
                   dynamic=True, weights=True)
        yield case(f"zero-{zero}-static", fading, CAUSAL[0], mask=CAUSAL[1],
                   sizes={**SIZES, zero: 0})
    few = {"h": 1, "m": 1, "n": 3, "d": 4, "e": 2}
    yield case("few-pairs", fading, sizes=few)

    def hide(q, k, v):
        k[:, 1::3] = numpy.nan
        v[:, 1::3] = numpy.nan
    yield case("hidden-nan", fading, """mask {
        %j = attn.index 2
        %c3 = arith.constant 3 : index
        %c1 = arith.constant 1 : index
        %rest = arith.remui %j, %c3 : index
        %visible = arith.cmpi ne, %rest, %c1 : index
        attn.yield %visible : i1
      }""", mask=lambda x: x["n"] % 3 != 1, patch=hide)
