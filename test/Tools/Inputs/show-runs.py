"""Prints the arguments that the benchmark writes for the files that say what the
last one holds: runs of a number, or numbers in any order.

    show-runs.py SOURCE_DIR FOLDER
"""

import pathlib
import sys

import numpy

sys.path.insert(0, sys.argv[1] + "/benchmarks")
import catalog

for name, path in catalog.list_files().items():
    file = catalog.File(path)
    if not file.integers:
        continue
    folder = pathlib.Path(sys.argv[2], name)
    folder.mkdir(parents=True, exist_ok=True)
    arrays = [numpy.load(argument.removeprefix("--input="))
              for argument in file.arguments(folder)
              if argument.startswith("--input=")]
    shapes = " ".join(str(array.shape) for array in arrays)
    ids, lengths = numpy.unique(arrays[-1], return_counts=True)
    if (lengths == 1).all():
        assert (ids == range(len(ids))).all() and (arrays[-1] != ids).any()
        print(f"{name}: {shapes} {arrays[-1].dtype}, {len(ids)} shuffled")
        continue
    assert (arrays[-1] == numpy.repeat(range(len(ids)), lengths)).all()
    print(f"{name}: {shapes} {arrays[-1].dtype}, runs of {lengths.tolist()}")
