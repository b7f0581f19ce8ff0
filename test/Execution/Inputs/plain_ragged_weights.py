"""The cases of plain.py on the weights of packed requests: group
"ragged_weights". Each row has those of the keys of its request, by the position
within it, and zeros behind; what was there before is NaN."""

from plain_attention import accumulation
from plain_final import POSITIVE, square
from plain_ragged import KEYS, generic_requests, sdpa_requests
from plain_ragged_cases import CAUSAL, THIRD
from plain_ragged_pages import RequestPages, fill


def ragged_weights(dtype, rng, error):
    acc = accumulation(dtype)

    def case(name, pages=None, keys=KEYS, **kind):
        if pages:
            size, counted = pages
            keys = keys if counted else fill(keys, size)
            pages = RequestPages(rng, keys, size, counted=counted,
                                 dynamic=kind.get("dynamic", False))
        return sdpa_requests(name, dtype, rng, error, keys=keys, pages=pages,
                             **{"weights": 0, **kind})
    for stored, pages in (("packed", None), ("pages", (16, True)),
                          ("whole-pages", (5, False))):
        yield case(f"plain-{stored}", pages, lse=True)
        yield case(f"room-{stored}", pages, weights=7, dynamic=True,
                   causal="bottom_right")
        yield case(f"window-{stored}", pages, window=(20, 3), lse=True,
                   dynamic=True)
        yield case(f"mask-{stored}", pages, mask=THIRD, heads=2, group=3,
                   weights=1, sink=0.25)
        yield case(f"decode-{stored}", pages, queries=(1,) * 9, group=2,
                   width=16, channels=17)
        yield case(f"keys-{stored}", pages, queries=(3,) * 4,
                   keys=(0, 5, 40, 9), pack="k", lse=True)
        yield case(f"none-{stored}", pages, queries=(0, 4), keys=(3, 0))
    yield case("queries", queries=(0, 3, 40, 9), keys=(50,) * 4, pack="q",
               lse=True)
    yield case("queries-causal", queries=(0, 3, 70, 9), keys=(50,) * 4,
               pack="q", causal="bottom_right")
    yield case("no-requests", queries=(), keys=(), weights=3)
    squared, by_square = square(acc)

    def generic(name, letters=("Mhd", "Nhd", "Nhe", "Mhe"), text="", pages=None,
                **kind):
        pages = pages and (RequestPages(rng, KEYS, 16), *pages)
        return generic_requests(name, dtype, rng, list(letters), text, 0.6,
                                error, weights=2, pages=pages, **kind)
    for stored, pages in (("packed", None), ("pages", ("phnd", "phne"))):
        yield generic(f"squared-{stored}", text=squared, pages=pages,
                      weight=by_square)
        for weighting, kind in (("relu", {}), ("identity", {}),
                                ("sum_normalized",
                                 {"score": lambda s, x: abs(s)})):
            text = CAUSAL[0] + (POSITIVE.format(acc) if kind else "")
            if pages:
                # The position in the list.
                text = text.replace("attn.index 3", "attn.index 4")
            yield generic(f"{weighting}-{stored}", text=text, pages=pages,
                          mask=CAUSAL[1], weighting=weighting, **kind)
    yield generic("heads-first", ("hMd", "hNd", "hNe", "hMe"), CAUSAL[0],
                  mask=CAUSAL[1], lse=True, dynamic=True)
    yield generic("transposed", ("dMh", "hdN", "hNe", "heM"))
