"""Asks benchmarks/compare/turns.py what it makes of ratios and of outputs.

    check-turns.py SOURCE_DIR FOLDER
"""

import pathlib
import sys

import numpy

sys.path.insert(0, sys.argv[1] + "/benchmarks/compare")
import turns
from processes import Failed

print("lost:", turns.looks_lost([0.90, 0.95, 0.96, 0.99]))
print("a median of 0.975:", turns.looks_lost([0.97, 0.975, 0.975, 0.98]))
print("an upper quartile of 1.05:", turns.looks_lost([0.9, 0.9, 0.9, 1.1, 1.2]))

folder = pathlib.Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
own = numpy.array([[1, 2], [3, 4]], numpy.float32)
numpy.save(folder / "output.attn.npy", own)
for name, other in (("close", own + 0.0002), ("apart", own + 0.04),
                    ("NaN", own * numpy.nan), ("shape", own.ravel())):
    numpy.save(folder / f"output.{name}.npy", other)
    try:
        print(f"{name}: {turns.compare_outputs(folder, name):.5f}")
    except Failed as failure:
        print(f"{name}: {failure}")
