"""Requests of different lengths, packed: attn.sdpa and attn.generic as text, and
request by request in plain numpy."""

import numpy

from plain_arrays import round_to
from plain_attention import (Case, accumulation, affine, attend, make_empty,
                             random, tensor)
from plain_sdpa import is_visible

# Empty requests at both ends and in between, single rows, more than a tile and
# more than a block of tiles; rows without keys, and keys without rows.
QUERIES = (0, 5, 1, 0, 40, 1, 133, 17, 0)
KEYS = (3, 0, 70, 0, 40, 300, 150, 9, 0)


def starts_of(lengths):
    return numpy.concatenate([[0], numpy.cumsum(lengths)]).astype(numpy.int64)


def widen(array, columns):
    """Zeros behind the last column."""
    return numpy.pad(array, [(0, 0)] * (array.ndim - 1)
                     + [(0, columns - array.shape[-1])])


def sdpa_requests(name, dtype, rng, error=1.0, queries=QUERIES, keys=KEYS,
                  pack="qk", heads=2, group=1, width=5, channels=3, scale=None,
                  causal=None, offset=None, window=None, softcap=None,
                  bias=None, boolean=None, sink=None, mask=None, score=None,
                  lse=False, dynamic=False, integer="i32", patch=None,
                  pages=None, captured=(), weights=None):
    """`queries` and `keys` are lengths, of which what `pack` names is packed and
    the other all alike; `bias` and `boolean` are shapes or arrays; `pages` are
    those of plain_ragged_pages, of packed keys. `weights` is how many columns
    more than keys the weights have, if they are asked for."""
    count = len(queries)
    query_heads = heads * group
    rows, columns = starts_of(queries), starts_of(keys)
    acc = accumulation(dtype)

    def shape(part, lengths, heads, last):
        if part in pack:
            return (sum(lengths), heads, last)
        return (count, heads, lengths[0] if count else 4, last)
    shapes = [shape("q", queries, query_heads, width),
              shape("k", keys, heads, width), shape("k", keys, heads, channels),
              shape("q", queries, query_heads, channels)]
    kinds = [tensor(each, dtype, dynamic) for each in shapes]
    q, k, v = (random(rng, each, dtype) for each in shapes[:3])
    if patch:
        patch(q, k, v)
        q, k, v = (round_to(array, dtype) for array in (q, k, v))
    arguments = [("q", kinds[0], q), ("k", kinds[1], k), ("v", kinds[2], v)]
    operands, attributes, regions = "", [], ""
    if pages:
        arguments[1:] = [
            (name, *pages.store(rng, dtype, dense, "Nh" + last, "phn" + last,
                                dynamic))
            for name, dense, last in (("k", k, "d"), ("v", v, "e"))]
        kinds[1:3] = [kind for _, kind, _ in arguments[1:]]
        arguments += pages.make_arguments()
        operands += pages.make_text()
    arguments += captured
    if bias is not None:
        bias = (random(rng, bias, dtype) if isinstance(bias, tuple)
                else round_to(bias, dtype))
        kind = tensor(bias.shape, dtype)
        arguments.append(("bias", kind, bias))
        operands += f" bias(%bias : {kind})"
        bias = bias.reshape((1,) * (4 - bias.ndim) + bias.shape)
    if boolean is not None:
        boolean = (rng.random(boolean) < 0.6 if isinstance(boolean, tuple)
                   else boolean)
        kind = tensor(boolean.shape, "i1")
        arguments.append(("bool", kind, boolean))
        operands += f" boolean_mask(%bool : {kind})"
        boolean = boolean.reshape((1,) * (4 - boolean.ndim) + boolean.shape)
    shift = numpy.zeros(count, numpy.int32)
    if offset is not None:
        array = numpy.asarray(offset, numpy.int32)
        kind = "i32" if array.ndim == 0 else tensor(array.shape, "i32")
        arguments.append(("offset", kind, array))
        operands += f" offset(%offset : {kind})"
        shift = shift + array
    if sink is not None:
        array = round_to(numpy.asarray(sink, numpy.float64), dtype)
        kind = dtype if array.ndim == 0 else tensor(array.shape, dtype)
        arguments.append(("sink", kind, array))
        operands += f" sink(%sink : {kind})"
        sink = array if array.ndim == 0 else array.reshape(-1, 1, 1)
    for part, word, starts in (("q", "query_starts", rows),
                               ("k", "key_starts", columns)):
        if part in pack and (part == "q" or not pages or pages.counted):
            kind = tensor(starts.shape, integer, dynamic)
            arguments.append((word, kind, starts))
            operands += f" {word}(%{word} : {kind})"
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

    def of_request(array, r):
        """A broadcast operand over head, row and key of request r."""
        part = array[r if array.shape[0] > 1 else 0]
        n, m = keys[r], queries[r]
        part = part[:, :m] if part.shape[1] > 1 else part
        return part[:, :, :n] if part.shape[2] > 1 else part

    def attend_request(r):
        mine = (q[rows[r]:rows[r + 1]].transpose(1, 0, 2) if "q" in pack
                else q[r])
        theirs = [(array[columns[r]:columns[r + 1]].transpose(1, 0, 2)
                   if "k" in pack else array[r]).repeat(group, 0)
                  for array in (k, v)]

        def plain_score(s, index):
            index = {**index, "b": numpy.array(r)}
            if softcap:
                s = softcap * numpy.tanh(s / softcap)
            if score:
                s = score[1](s, index)
            return s if bias is None else s + of_request(bias, r)

        def plain_mask(index):
            index = {**index, "b": numpy.array(r)}
            visible = is_visible(index, queries[r], keys[r], causal, shift[r],
                                 window)
            if boolean is not None:
                visible = visible & of_request(boolean, r)
            if mask:
                visible = visible & mask[1](index)
            return visible
        used = scale if scale is not None else width**-0.5
        return attend(mine, *theirs, ["hmd", "hnd", "hne", "hme"], used * error,
                      dtype, score=plain_score, mask=plain_mask,
                      weighting="softmax" if sink is None else "softmax_sink",
                      operand=sink)

    def join(parts, last):
        """Arrays over (head, row, ...) of all requests, as results have them."""
        if "q" not in pack:
            return (numpy.stack(parts) if parts else
                    numpy.zeros((0, query_heads, 4, *last)))
        parts = [part.swapaxes(0, 1) for part in parts]
        return numpy.concatenate([numpy.zeros((0, query_heads, *last)), *parts])
    done = [attend_request(r) for r in range(count)]
    out = [join([part[0][i] for part in done], (channels,)) for i in (0, 1)]
    results = [("r", kinds[3], *out)]

    def empty(name, kind, source):
        if "?" not in kind:
            return f"  %{name} = tensor.empty() : {kind}\n"
        text, sizes = "", []
        for at in range(kind.count("?")):
            operand = ("q" if at + 1 < len(shapes[3]) else "v")
            at_value = at if operand == "q" else kinds[2].count("x") - 1
            text += (f"  %{name}_c{at} = arith.constant {at_value} : index\n"
                     f"  %{name}_{at} = tensor.dim %{operand}, %{name}_c{at} : "
                     f"{kinds[0] if operand == 'q' else kinds[2]}\n")
            sizes.append(f"%{name}_{at}")
        return text + f"  %{name} = tensor.empty({', '.join(sizes)}) : {kind}\n"
    body = empty("init", kinds[3], "q")
    types, extra, several = kinds[3], "", ""
    if lse:
        kind = tensor(shapes[3][:-1], acc, dynamic)
        body += empty("rows", kind, "q")
        log = [join([part[1][i] for part in done], ()) for i in (0, 1)]
        results = [("r#0", kinds[3], *out), ("r#1", kind, *log)]
        types, extra, several = f"{types}, {kind}", f" lse(%rows : {kind})", ":2"
    if weights is not None:
        room = max(keys, default=0) + weights
        matrix = [join([widen(part[2][i], room) for part in done], (room,))
                  for i in (0, 1)]
        kind = tensor(matrix[0].shape, acc, dynamic)
        arguments.append(("w", kind, numpy.full(matrix[0].shape, numpy.nan)))
        number = len(results)
        results = [(f"r#{i}", *each[1:]) for i, each in enumerate(results)]
        results.append((f"r#{number}", kind, *matrix))
        types, extra = f"{types}, {kind}", f"{extra} weights(%w : {kind})"
        several = f":{number + 1}"
    body += f"""  %r{several} = attn.sdpa ins(%q, %k, %v : {', '.join(kinds[:3])}){operands}
      outs(%init : {kinds[3]}){extra} {{{', '.join(attributes)}}}
      {regions}
      -> {types}"""
    return Case(name, arguments, body, results)


def generic_requests(name, dtype, rng, letters, text="", scale=0.6, error=1.0,
                     queries=QUERIES, keys=KEYS, sizes=None, inputs=(),
                     captured=(), weighting="softmax", operand=None,
                     operands=(), lse=False, fused=True, dynamic=False,
                     pages=None, weights=None, **plain):
    """A case of attn.generic on packed queries and keys. In `letters` and those
    of `inputs` and `operand`, M is a packed row, N a packed key, r the request;
    what plain numpy computes gets index["r"], also as "b", and inputs by number.
    `pages` are those of plain_ragged_pages and the letters of keys and values in
    them, p the page and n the row in it; `weights` is how many columns more than
    keys these have, if they are asked for. The rest is as for `generic`."""
    sizes = {"h": 2, "d": 5, "e": 3, **(sizes or {}), "r": len(queries),
             "m": max(queries, default=0), "n": max(keys, default=0),
             "M": sum(queries), "N": sum(keys)}
    stored = [letters[0], *(pages[1:] if pages else letters[1:3])]
    used = "".join([*stored, letters[3], *(part for part, *_ in inputs),
                    "r"]).lower()
    every = "".join(x for x in "rhgmpnde" if x in used)
    acc = accumulation(dtype)
    rows, columns = starts_of(queries), starts_of(keys)
    kinds = [tensor([sizes[x] for x in part], dtype, dynamic)
             for part in letters]
    arrays = [random(rng, [sizes[x] for x in part], dtype)
              for part in letters[:3]]

    def write(part):
        return affine(every, [{"M": "r + m", "N": "r + n"}.get(x, x)
                              for x in part])
    arguments = list(zip("qkv", kinds, arrays))
    if pages:
        arguments[1:] = [
            (name, *pages[0].store(rng, dtype, dense, part, lies, dynamic))
            for name, dense, part, lies in zip("kv", arrays[1:], letters[1:3],
                                               stored[1:])]
        kinds[1:3] = [kind for _, kind, _ in arguments[1:]]
        arguments += pages[0].make_arguments()
    maps = [write(part) for part in stored]
    ins = ""
    if inputs:
        for number, (part, kind, array) in enumerate(inputs):
            arguments.append((f"in{number}", kind, array))
            maps.append(write(part))
        ins = (f" inputs({', '.join(f'%in{i}' for i in range(len(inputs)))} : "
               f"{', '.join(kind for _, kind, _ in inputs)})")
    arguments += captured
    known = isinstance(weighting, str)
    weigher = f"#attn.{weighting}" if known else f"#{weighting[0]}"
    given = [operand] if operand else operands
    names = [f"%w{number}" for number in range(len(given))]
    of = [tensor(array.shape, acc) if part else acc for part, array in given]
    arguments += [(name[1:], kind, array)
                  for name, kind, (_, array) in zip(names, of, given)]
    maps += [write(part) for part, _ in given]
    if given:
        weigher += f", {', '.join(names)} : {', '.join(of)}"
    starts = ""
    for word, array in (("query_starts", rows), ("key_starts", columns)):
        if word == "key_starts" and pages and not pages[0].counted:
            continue
        kind = tensor(array.shape, "i64")
        arguments.append((word, kind, array))
        starts += f" {word}(%{word} : {kind})"
    if pages:
        starts += pages[0].make_text(write)
    maps.append(write(letters[3]))

    def cut(part, array, r):
        """What request r has of an operand, and the letters of that."""
        place = []
        for letter in part:
            place.append(slice(rows[r], rows[r + 1]) if letter == "M" else
                         slice(columns[r], columns[r + 1]) if letter == "N" else
                         slice(queries[r]) if letter == "m" else
                         slice(keys[r]) if letter == "n" else
                         r if letter == "r" else slice(None))
        return (part.replace("r", "").lower(), array[tuple(place)])
    own = "".join(x for x in letters[3].lower() if x not in "re")
    out = [numpy.zeros([sizes[x] for x in letters[3]]) for _ in range(2)]
    row_letters = letters[3].replace("e", "")
    log = [numpy.zeros([sizes[x] for x in row_letters]) for _ in range(2)]
    room = sizes["n"] + (weights or 0)
    matrix = [numpy.zeros([*log[0].shape, room]) for _ in range(2)]
    for r in range(len(queries)):
        parts = [cut(part, array, r) for part, array in zip(letters, arrays)]
        mine = [cut(part, array, r) for part, _, array in inputs]

        def spread(part, array):
            from plain_attention import spread as lay
            return lay(array, part, own + "n")

        def extend(function):
            def call(value, index):
                return function(value, {**index, "r": r, "b": r, "in": [
                    spread(*each) for each in mine]})
            return call
        kind = dict(plain)
        for key in ("score", "weight"):
            if kind.get(key):
                kind[key] = extend(kind[key])
        if kind.get("mask"):
            mask = kind["mask"]
            kind["mask"] = lambda index, r=r, mask=mask, mine=mine: mask(
                {**index, "r": r, "b": r,
                 "in": [spread(*each) for each in mine]})
        spreads = [spread(*cut(*each, r)) for each in given]
        done, lse_of, weights_of = attend(
            *(array for _, array in parts),
            [part for part, _ in parts] + [letters[3].lower().replace("r", "")],
            scale * error, dtype, weighting=weighting,
            operand=spreads[0] if operand else None, operands=spreads, **kind)

        def place(letters):
            return tuple(slice(rows[r], rows[r + 1]) if x == "M" else
                         r if x == "r" else slice(None) for x in letters)
        for i in range(2):
            out[i][place(letters[3])] = done[i]
            if lse:
                log[i][place(row_letters)] = lse_of[i]
            if weights is not None:
                matrix[i][place(row_letters + "n")] = widen(weights_of[i], room)
    results = [("r#0" if lse else "r", kinds[3], *out)]
    lies = [*stored, letters[3]]
    body = make_empty("init", letters[3], kinds[3], lies, kinds)
    types, extra, several = kinds[3], "", ""
    if lse:
        kind = tensor(log[0].shape, acc, dynamic)
        body += make_empty("rows", row_letters, kind, lies, kinds)
        results.append(("r#1", kind, *log))
        maps.append(write(row_letters))
        types, extra, several = f"{types}, {kind}", f" lse(%rows : {kind})", ":2"
    if weights is not None:
        kind = tensor(matrix[0].shape, acc, dynamic)
        arguments.append(("weights", kind,
                          numpy.full(matrix[0].shape, numpy.nan)))
        number = len(results)
        results = [(f"r#{i}", *each[1:]) for i, each in enumerate(results)]
        results.append((f"r#{number}", kind, *matrix))
        maps.append(write(row_letters + "n"))
        types, extra = f"{types}, {kind}", f"{extra} weights(%weights : {kind})"
        several = f":{number + 1}"
    body += f"""  %r{several} = attn.generic ins(%q, %k, %v : {', '.join(kinds[:3])}){ins}
      weighting({weigher}){starts} outs(%init : {kinds[3]}){extra}
      {{indexing_maps = [{', '.join(maps)}], scale = {scale!r} : f64}}
      {text}
      -> {types}"""
    return Case(name, arguments, body, results, fused)
