"""NumPy by definition, in double precision: no competitor, but what outputs can
be checked against where nothing else is installed (--peers=plain)."""

import numpy


def version():
    return numpy.__version__


def attend(case, q, k, v):
    k, v = (numpy.repeat(array, case.group, axis=1) for array in (k, v))
    scores = q @ k.swapaxes(2, 3) * case.width ** -0.5
    if case.softcap:
        scores = case.softcap * numpy.tanh(scores / case.softcap)
    scores = numpy.where(case.mask(), scores, -numpy.inf)
    weights = numpy.exp(scores - scores.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)) @ v


def block(case, x, gain, shift, wqkv, bqkv, wout, bout):
    centred = x - x.mean(-1, keepdims=True)
    variance = (centred ** 2).mean(-1, keepdims=True)
    norm = centred / numpy.sqrt(variance + case.epsilon) * gain + shift
    q, k, v = (norm @ wqkv + bqkv).reshape(
        case.rows, 3, case.heads, case.width).transpose(1, 2, 0, 3)
    scores = q @ k.swapaxes(1, 2) * case.width ** -0.5
    scores = numpy.where(numpy.tri(case.rows, dtype=bool), scores, -numpy.inf)
    weights = numpy.exp(scores - scores.max(-1, keepdims=True))
    attended = weights / weights.sum(-1, keepdims=True) @ v
    joined = attended.transpose(1, 0, 2).reshape(case.rows, case.features)
    return joined @ wout + bout + x


def prepare(case, arrays):
    wide = {name: array.astype(float) for name, array in arrays.items()}
    if case.kind == "product":
        return lambda: wide["a"] @ wide["b"] + wide.get("bias", 0)
    if case.kind == "block":
        return lambda: block(case, **wide)
    return lambda: attend(case, wide["q"], wide["k"], wide["v"])
