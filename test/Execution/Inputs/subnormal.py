"""Writes query.npy, key.npy and value.npy for pairs-subnormal.test into the
directory given: bf16, as words, of which every other value row is subnormal."""

import os
import sys

import numpy


def main():
    words = numpy.random.default_rng(1).integers(
        0x3C00, 0x3F80, (3, 1, 40, 6)).astype(numpy.uint16)
    words[2, :, ::2] %= 0x80
    for name, array in zip(("query", "key", "value"), words):
        numpy.save(os.path.join(sys.argv[1], f"{name}.npy"), array)


main()
