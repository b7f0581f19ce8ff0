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


def prepare(case, arrays):
    wide = {name: array.astype(float) for name, array in arrays.items()}
    if case.kind == "product":
        return lambda: wide["a"] @ wide["b"] + wide.get("bias", 0)
    return lambda: attend(case, wide["q"], wide["k"], wide["v"])
