"""attn.sdpa: its options as text, and as plain numpy."""

import numpy

from plain_arrays import round_to
from plain_attention import (Case, accumulation, attend, make_empty, random,
                             tensor)


# Features and channels where a case says nothing of them.
WIDTHS = [5, 3]


def is_visible(index, rows, keys, causal, offset, window):
    """Positions alone: causal and window."""
    i, j = index["m"], index["n"]
    shift = keys - rows if causal == "bottom_right" else offset
    visible = numpy.ones(numpy.broadcast(i, j).shape, bool)
    if causal:
        visible = visible & (j <= i + shift)
    if window:
        left, right = window
        if left >= 0:
            visible = visible & (j >= i + shift - left)
        if right >= 0:
            visible = visible & (j <= i + shift + right)
    return visible


def sdpa(name, dtype, rng, error=1.0, batch=2, heads=2, group=1, rows=13,
         keys=37, width=None, channels=None, scale=None, causal=None, offset=None,
         window=None, softcap=None, bias=None, boolean=None, sink=None, mask=None,
         score=None, captured=(), lse=False, weights=False, dynamic=False,
         patch=None, out_dtype=None, lists=None):
    """`bias` and `boolean` are shapes or arrays; `offset` an integer or one per
    batch; `sink` is a number or one per head; `mask` and `score` are pairs of
    text and function; `lists` are those of plain_lists."""
    width = WIDTHS[0] if width is None else width
    channels = WIDTHS[1] if channels is None else channels
    shapes = [(batch, heads * group, rows, width), (batch, heads, keys, width),
              (batch, heads, keys, channels),
              (batch, heads * group, rows, channels)]
    out_dtype = out_dtype or dtype
    kinds = [tensor(shape, dtype, dynamic) for shape in shapes[:3]]
    kinds.append(tensor(shapes[3], out_dtype, dynamic))
    q, k, v = (random(rng, shape, dtype) for shape in shapes[:3])
    if patch:
        patch(q, k, v)
        q, k, v = (round_to(array, dtype) for array in (q, k, v))
    acc = accumulation(dtype)
    stored = (lists.store(rng, dtype, dynamic, k, v) if lists
              else [(kinds[1], k), (kinds[2], v)])
    kinds[1:3] = [kind for kind, _ in stored]
    arguments = [("q", kinds[0], q), ("k", *stored[0]), ("v", *stored[1])]
    operands, attributes, regions = "", [], ""
    if lists:
        arguments += lists.make_arguments()
        operands += lists.make_text()
    if bias is not None:
        array = (random(rng, bias, dtype) if isinstance(bias, tuple)
                 else round_to(bias, dtype))
        kind = tensor(array.shape, dtype)
        arguments.append(("bias", kind, array))
        operands += f" bias(%bias : {kind})"
        bias = array
    if boolean is not None:
        array = (rng.random(boolean) < 0.6 if isinstance(boolean, tuple)
                 else boolean)
        kind = tensor(array.shape, "i1")
        arguments.append(("bool", kind, array))
        operands += f" boolean_mask(%bool : {kind})"
        boolean = array
    shift = 0
    if offset is not None:
        shift = numpy.asarray(offset, numpy.int32)
        kind = "i32" if shift.ndim == 0 else tensor(shift.shape, "i32")
        arguments.append(("offset", kind, shift))
        operands += f" offset(%offset : {kind})"
        if shift.ndim:
            shift = shift.reshape(-1, 1, 1, 1)
    if sink is not None:
        array = round_to(numpy.asarray(sink, numpy.float64), dtype)
        kind = dtype if array.ndim == 0 else tensor(array.shape, dtype)
        arguments.append(("sink", kind, array))
        operands += f" sink(%sink : {kind})"
        sink = array if array.ndim == 0 else array.reshape(1, -1, 1, 1)
    arguments += captured
    if scale is not None:
        attributes.append(f"scale = {scale!r} : f64")
    if causal:
        attributes.append(f"causal = #attn.causal<{causal}>")
    if window:
        attributes.append(f"window = array<i64: {window[0]}, {window[1]}>")
    if softcap:
        attributes.append(f"softcap = {softcap!r} : f64")
    positions = "%b: index, %h: index, %i: index, %j: index"
    if mask:
        regions += f"mask {{\n      ^bb0({positions}):\n{mask[0]}\n      }} "
    if score:
        regions += (f"score {{\n      ^bb0(%s: {acc}, {positions}):\n"
                    f"{score[0]}\n      }} ")

    def plain_score(s, index):
        if softcap:
            s = softcap * numpy.tanh(s / softcap)
        if score:
            s = score[1](s, index)
        return s if bias is None else s + bias

    def plain_mask(index):
        visible = is_visible(index, rows,
                             lists.count_ends(keys) if lists else keys, causal,
                             shift, window)
        if boolean is not None:
            visible = visible & boolean
        if mask:
            visible = visible & mask[1](index)
        if lists:
            visible = visible & lists.get_visible(batch, heads * group, rows,
                                                  keys)
        return visible

    letters = ["bhmd", "bhnd", "bhne", "bhme"]
    used = scale if scale is not None else width**-0.5 if width else 1.0
    (out, log, matrix) = attend(
        q, numpy.repeat(k, group, 1), numpy.repeat(v, group, 1), letters,
        used * error, dtype, score=plain_score, mask=plain_mask,
        weighting="softmax" if sink is None else "softmax_sink", operand=sink)
    body = make_empty("init", "bhme", kinds[3], letters, kinds)
    results = [("r", kinds[3], *out)]
    types, extra, several = kinds[3], "", ""
    if lse or weights:
        results = [("r#0", kinds[3], *out)]
    if lse:
        kind = tensor(shapes[3][:3], acc, dynamic)
        body += make_empty("rows", "bhm", kind, letters, kinds)
        extra, several = f" lse(%rows : {kind})", ":2"
        results.append(("r#1", kind, *log))
        types += ", " + kind
    if weights:
        # Rounded to the type of the output.
        # Of pages no operand has as many columns.
        kind = tensor([*shapes[3][:3], keys], out_dtype,
                      dynamic and not (lists and lists.kind == "physical"))
        body += make_empty("pairs", "bhmn", kind, letters, kinds)
        extra += f" weights(%pairs : {kind})"
        several = f":{len(results) + 1}"
        results.append((f"r#{len(results)}", kind, *matrix))
        types += ", " + kind
    body += f"""  %r{several} = attn.sdpa ins(%q, %k, %v : {', '.join(kinds[:3])}){operands}
      outs(%init : {kinds[3]}){extra} {{{', '.join(attributes)}}}
      {regions}
      -> {types}"""
    return Case(name, arguments, body, results)
