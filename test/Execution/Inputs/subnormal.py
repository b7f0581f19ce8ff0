"""Writes what pairs-subnormal.test reads into the directory given, bf16 as words:
query.npy, few.npy (fewer rows of the same), key.npy and value.npy, of which every
other row is subnormal; lhs.npy, and rhs.npy, which is subnormal all over."""

import os
import sys

import numpy


def main():
    rng = numpy.random.default_rng(1)
    words = rng.integers(0x3C00, 0x3F80, (3, 1, 40, 6)).astype(numpy.uint16)
    words[2, :, ::2] %= 0x80
    few = words[0, :, :4]
    lhs = rng.integers(0x3C00, 0x3F80, (5, 7)).astype(numpy.uint16)
    rhs = rng.integers(1, 0x80, (7, 33)).astype(numpy.uint16)
    names = ("query", "key", "value", "few", "lhs", "rhs")
    for name, array in zip(names, (*words, few, lhs, rhs)):
        numpy.save(os.path.join(sys.argv[1], f"{name}.npy"), array)


main()
