"""Attention in plain numpy, and its text for attn-run.

`generic` takes letters for the dimensions: n the keys, d the features, e the
value channels, m and p query rows, anything else batch. Arrays are brought to
the order of all letters and broadcast; nothing is clever.
"""

import dataclasses

import numpy

from plain_arrays import UNIT, round_to

ROWS = "mp"


@dataclasses.dataclass
class Case:
    name: str
    arguments: list  # of (name, type, array)
    body: str
    results: list  # of (name, type, expected, tolerance)
    fused: bool = True
    # What is said of a case that has to be refused.
    refused: str = None


# The types that weights are rounded to.
ROUNDED = {"bf16"}


def accumulation(dtype):
    return "f64" if dtype == "f64" else "f32"


def tensor(shape, dtype, dynamic=False):
    """`dynamic` is whether extents are, or "rows" for all but the last."""
    last = len(shape) - 1
    extents = "".join(
        "?x" if dynamic and (dynamic != "rows" or i != last) else f"{n}x"
        for i, n in enumerate(shape))
    return f"tensor<{extents}{dtype}>"


def random(rng, shape, dtype):
    return round_to(rng.uniform(-1.0, 1.0, shape), dtype)


def spread(array, letters, every):
    """`array`, whose dimensions are `letters`, in the order of `every`."""
    order = sorted(range(len(letters)), key=lambda i: every.index(letters[i]))
    array = numpy.transpose(array, order)
    shape = iter(array.shape)
    return array.reshape([next(shape) if letter in letters else 1
                          for letter in every])


def weigh(kind, s, visible, operand, keys):
    """Weights and log-sum-exp of scores [..., n]; hidden ones get 0."""
    lowest = -numpy.inf
    if kind in ("softmax", "softmax_sink"):
        hidden = numpy.where(visible, s, lowest)
        top = hidden.max(-1, keepdims=True, initial=lowest)
        if kind == "softmax_sink":
            top = numpy.maximum(top, operand)
        finite = numpy.where(top == lowest, 0.0, top)
        p = numpy.exp(hidden - finite)
        total = p.sum(-1, keepdims=True)
        if kind == "softmax_sink":
            total = total + numpy.exp(operand - finite)
        p = numpy.where(total == 0.0, 0.0, p / total)
        lse = numpy.where(total == 0.0, lowest, finite + numpy.log(total))
        return p, lse[..., 0]
    if kind == "sigmoid":
        p = 1.0 / (1.0 + numpy.exp(-(s + operand)))
    elif kind == "relu":
        p = numpy.where(s < 0.0, 0.0, s) / keys
    elif kind == "identity":
        p = s
    elif kind == "sum_normalized":
        total = numpy.where(visible, s, 0.0).sum(-1, keepdims=True)
        p = numpy.where(total == 0.0, 0.0, s / total)
    return numpy.where(visible, p, 0.0), None


def attend(q, k, v, letters, scale, dtype, similarity=None, score=None,
           mask=None, weight=None, weighting="softmax", operand=None,
           operands=(), count=None):
    """Output, log-sum-exp and weights, each with its tolerance.

    `letters` are those of q, k, v and the output. Scores have the batch and row
    letters in the order of the output, then n. `count` is the number of keys
    where that is not the extent of n, one for each of the rows.
    """
    lq, lk, lv, lo = letters
    rows = "".join(x for x in lo if x != "e")
    size = {x: n for part, array in ((lq, q), (lk, k), (lv, v))
            for x, n in zip(part, array.shape)}
    index = {x: spread(numpy.arange(size[x]), x, rows + "n")
             for x in rows + "n"}
    count = size["n"] if count is None else count
    every = rows + "nd"
    with numpy.errstate(all="ignore"):
        left, right = spread(q, lq, every), spread(k, lk, every)
        if similarity:
            terms = similarity(left, right)
            sums = terms.sum(-1), abs(terms).sum(-1)
        else:
            left = left.swapaxes(-1, -2)
            sums = [(b @ a)[..., 0] for a, b in (
                (left, right), (abs(left), abs(right)))]
        s, magnitude = (numpy.broadcast_to(each, [size[x] for x in rows + "n"])
                        for each in sums)
        s, magnitude = scale * s, abs(scale) * magnitude
        if score:
            s = score(s, index) + 0.0 * magnitude
        visible = numpy.ones(s.shape, bool)
        if mask:
            visible = numpy.broadcast_to(mask(index), s.shape)
        large = None
        if isinstance(weighting, str):
            p, lse = weigh(weighting, s, visible, operand, count)
        else:
            p, lse, large = weighting[1](s, visible, *operands)
        if weight:
            p = numpy.where(visible, weight(p, index), 0.0)
        sizes = numpy.where(visible, numpy.fmax(abs(s), magnitude), 0.0)
        sizes = numpy.where(numpy.isfinite(sizes), sizes, 0.0)
        sizes = sizes.max(-1, initial=0.0)
        unit = UNIT[accumulation(dtype)] * (2 * size["d"]**0.5 * sizes + 16)
        # A weight that is the score itself is as uncertain as the score's terms.
        if large is None:
            large = abs(p)
        elif weight:
            large = abs(weight(large, index))
        if weighting in ("relu", "identity", "sum_normalized"):
            large = numpy.fmax(large, weigh(weighting, magnitude, visible, None,
                                            count)[0])
        values = spread(v, lv, rows + "ne")
        # What is not chosen is not read.
        if not isinstance(weighting, str) and not weight:
            visible = visible & (p != 0.0)
        order = [(rows + "e").index(x) for x in lo]

        def combine(weights, values):
            """Their sums of products over visible keys."""
            weights = numpy.where(visible, weights, 0.0)
            if numpy.isfinite(values).all():
                sums = (weights[..., None, :] @ values)[..., 0, :]
            else:
                sums = numpy.where(visible[..., None],
                                   weights[..., None] * values, 0.0).sum(-2)
            return sums.transpose(order)
        out = combine(p, values)
        slack = unit[..., None].transpose(order) * combine(large, abs(values))
        # Where the target multiplies pairs of bf16, weights are rounded to it,
        # each on its own.
        if dtype in ROUNDED:
            slack += 4 * UNIT[dtype] * numpy.sqrt(combine(p**2, values**2))
        # A square doubles the relative error.
        weights = (p, (2 if weight else 1) * unit[..., None] * large)
        lse = (lse, unit * 1.0) if lse is not None else None
    return (out, slack), lse, weights


def affine(every, letters):
    return f"affine_map<({', '.join(every)}) -> ({', '.join(letters)})>"


def generic(name, dtype, sizes, letters, rng, text="", scale=1.0, error=1.0,
            inputs=(), captured=(), weighting="softmax", operand=None,
            operands=(), lse=False, weights=False, order=None, fused=True,
            dynamic=False, patch=None, lists=None, **plain):
    """A case of attn.generic. `inputs` are (letters, type, array), `captured`
    (name, type, array), `operand` (letters, array); `order` are the letters of
    the weights, if not those of the rows and then n. `weighting` is the name of
    one that the compiler knows, or the name of another and a function that gives
    weights, log-sum-exp and sizes from scores, what is visible and `operands`,
    which are (letters, array). `lists` are those of plain_lists, over b and, if
    they are logical, m; keys are bhnd then, values bhne."""
    arrays = [random(rng, [sizes[x] for x in part], dtype)
              for part in letters[:3]]
    if patch:
        patch(*arrays)
    kinds = [tensor([sizes[x] for x in part], dtype, dynamic)
             for part in letters]
    acc = accumulation(dtype)
    rows = "".join(x for x in letters[3] if x != "e")
    read, stored = list(letters[:3]), arrays
    if lists:
        found = lists.store(rng, dtype, dynamic, *arrays[1:])
        kinds[1:3] = [kind for kind, _ in found]
        stored = [arrays[0], *(array for _, array in found)]
        if lists.kind == "physical":
            read[1:] = "phnd", "phne"
    every = "".join(sorted({*sizes, *"".join(read)}, key="bhgmpnde".index))
    arguments = list(zip("qkv", kinds, stored))
    maps = [affine(every, part) for part in read]
    for number, (part, kind, array) in enumerate(inputs):
        arguments.append((f"in{number}", kind, array))
        maps.append(affine(every, part))
    for entry in captured:
        arguments.append(entry)
    is_name = isinstance(weighting, str)
    weigher = f"#attn.{weighting}" if is_name else f"#{weighting[0]}"
    given, names, of = [operand] if operand else operands, [], []
    for number, (part, array) in enumerate(given):
        names.append(f"%w{number}")
        of.append(tensor(array.shape, acc) if part else acc)
        arguments.append((names[-1][1:], of[-1], array))
        maps.append(affine(every, part))
    if given:
        weigher += f", {', '.join(names)} : {', '.join(of)}"
    spreads = [spread(array, part, rows + "n") for part, array in given]
    results = [("r#0" if lse or weights else "r", kinds[3], letters[3])]
    extra = ""
    types = [kinds[3]]
    body = make_empty("init", letters[3], kinds[3], letters, kinds)
    maps.append(affine(every, letters[3]))
    for wanted, what, part in ((lse, "lse", rows), (weights, "weights", order or rows + "n")):
        if not wanted:
            continue
        # No operand says how many positions the lists of pages have.
        known = what == "weights" and lists and lists.kind == "physical"
        kind = tensor([sizes[x] for x in part], acc, dynamic and not known)
        body += make_empty(what, part, kind, letters, kinds)
        extra += f" {what}(%{what} : {kind})"
        maps.append(affine(every, part))
        results.append((f"r#{len(types)}", kind, part))
        types.append(kind)
    several = f":{len(types)}" if len(types) > 1 else ""
    ins = blocks = ""
    if inputs:
        ins = (f" inputs({', '.join(f'%in{i}' for i in range(len(inputs)))} : "
               f"{', '.join(kind for _, kind, _ in inputs)})")
    if lists:
        arguments += lists.make_arguments()
        leading = "bh"[2 - len(lists.leading):]
        listed = ("b", "") if lists.kind == "physical" else (leading + "m",
                                                             leading)
        blocks = lists.make_text([affine(every, part) for part in listed])
        dense = plain.get("mask")
        seen = lists.get_visible(*(sizes[x] for x in "bhmn"))
        if lists.kind == "physical":
            plain["count"] = spread(lists.count_keys(), "b", rows + "n")
        seen = spread(seen, "bhmn", rows + "n")
        plain["mask"] = lambda x: seen & (dense(x) if dense else True)
    body += f"""  %r{several} = attn.generic ins(%q, %k, %v : {', '.join(kinds[:3])}){ins}
      weighting({weigher}){blocks} outs(%init : {kinds[3]}){extra}
      {{indexing_maps = [{', '.join(maps)}], scale = {scale!r} : f64}}
      {text}
      -> {', '.join(types)}"""
    out, log, matrix = attend(*arrays, letters, scale * error, dtype,
                              weighting=weighting,
                              operand=spreads[0] if operand else None,
                              operands=spreads, **plain)
    if order:
        axes = [(rows + "n").index(x) for x in order]
        matrix = tuple(array.transpose(axes) for array in matrix)
    expected = [out] + ([log] if lse else []) + ([matrix] if weights else [])
    return Case(name, arguments, body,
                [(value, kind, *numbers) for (value, kind, _), numbers
                 in zip(results, expected)], fused)


def make_empty(name, part, kind, letters, kinds):
    """Text of %name, the empty tensor of type `kind` over the letters `part`,
    with dynamic sizes read from the operands q, k and v."""
    if "?" not in kind:
        return f"  %{name} = tensor.empty() : {kind}\n"
    text, sizes = "", []
    extents = kind[len("tensor<"):].split("x")
    for letter, extent in zip(part, extents):
        if extent != "?":
            continue
        source = next(i for i in range(3) if letter in letters[i])
        at = letters[source].index(letter)
        operand = "qkv"[source]
        text += (f"  %{name}_c{letter} = arith.constant {at} : index\n"
                 f"  %{name}_{letter} = tensor.dim %{operand}, %{name}_c{letter}"
                 f" : {kinds[source]}\n")
        sizes.append(f"%{name}_{letter}")
    return text + f"  %{name} = tensor.empty({', '.join(sizes)}) : {kind}\n"
