"""Element types of numpy and of .npy files, and the comparison of arrays."""

import re

import numpy

UNIT = {"f16": 2.0**-11, "bf16": 2.0**-8, "f32": 2.0**-24, "f64": 2.0**-53}
LEAST = {"f16": 2.0**-24, "bf16": 2.0**-133, "f32": 2.0**-149, "f64": 0.0}
NUMPY = {"f16": numpy.float16, "f32": numpy.float32, "f64": numpy.float64,
         "i1": numpy.bool_, "i32": numpy.int32, "i64": numpy.int64,
         "index": numpy.int64}


def element(kind):
    """The element type of `tensor<2x?xf32>` or of `f32`."""
    return re.sub(r"^tensor<(?:[\d?]+x)*|>$", "", kind)


def to_bf16(array):
    """float32 to words of 16 bits, to the nearest, ties to even."""
    bits = numpy.ascontiguousarray(array, numpy.float32).view(numpy.uint32)
    rounded = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(numpy.uint16)
    quiet = ((bits >> 16) | 0x40).astype(numpy.uint16)
    return numpy.where(numpy.isnan(array), quiet, rounded)


def from_bf16(words):
    return (words.astype(numpy.uint32) << 16).view(numpy.float32)


def to_words(array, kind):
    """What a file holds for an array of float64 or integers."""
    name = element(kind)
    if name == "bf16":
        return to_bf16(array).view("V2").reshape(numpy.shape(array))
    return numpy.ascontiguousarray(array, NUMPY[name]).reshape(
        numpy.shape(array))


def from_words(array, kind):
    if element(kind) == "bf16":
        shape = array.shape
        array = from_bf16(array.reshape(-1).view(numpy.uint16)).reshape(shape)
    return array.astype(numpy.float64)


def round_to(array, name):
    """float64, rounded to what the element type can hold."""
    if name == "bf16":
        return from_bf16(to_bf16(array)).astype(numpy.float64).reshape(
            numpy.shape(array))
    return array.astype(NUMPY[name]).astype(numpy.float64)


def compare(got, expected, tolerance, kind):
    """What differs, as text, or None."""
    name = element(kind)
    if got.shape != expected.shape:
        return f"expected shape {expected.shape}, but got {got.shape}"
    if expected.size == 0:
        return None
    with numpy.errstate(invalid="ignore", over="ignore"):
        allowed = (tolerance + UNIT[name] * (abs(expected) + tolerance)
                   + LEAST[name] / 2)
        same = (got == expected) | (numpy.isnan(got) & numpy.isnan(expected))
        bad = ~(same | (abs(got - expected) <= allowed))
    if not bad.any():
        return None
    at = tuple(int(i) for i in numpy.argwhere(bad)[0])
    return (f"{bad.sum()} of {bad.size} elements differ, first at {list(at)}: "
            f"expected {expected[at]:.9g} +- {allowed[at]:.3g}, "
            f"but got {got[at]:.9g}")
