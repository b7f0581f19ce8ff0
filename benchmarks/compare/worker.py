"""One system in a process of its own, told what to do by compare.py.

    worker.py SYSTEM

Reads a JSON object per line and answers with one: {"prepare": CASE, "folder":
PATH} reads the arrays there, compiles, writes output.SYSTEM.npy and gives the
milliseconds of a call; {"time": CALLS} gives those of each. Answers are {"ok": ...},
{"cannot": REASON} where the system has no way to say the case, or {"error":
REASON}. A system is a module systems/SYSTEM.py with `version()` and
`prepare(case, arrays)`, which returns a function of no arguments: one call,
from inputs in memory to an output in memory.
"""

import importlib
import json
import os
import pathlib
import sys
import time

import numpy

from cases import CASES
from systems import Cannot

# A call that takes longer is not repeated to warm up.
LONG_MS = 3000


def read_arrays(folder, case):
    return {name: numpy.load(folder / f"{name}.npy") for name in case.inputs()}


class Worker:
    def __init__(self, name):
        self.name = name
        self.system = importlib.import_module(f"systems.{name}")
        self.call = None

    def answer(self, request):
        if "version" in request:
            return {"ok": self.system.version()}
        if "prepare" in request:
            folder = pathlib.Path(request["folder"])
            case = CASES[request["prepare"]]
            self.call = None
            self.call = self.system.prepare(case, read_arrays(folder, case))
            ms, output = self.run()
            numpy.save(folder / f"output.{self.name}.npy",
                       numpy.asarray(output))
            # The first call may have compiled; of a slow system it will do.
            return {"ok": ms if ms > LONG_MS else self.run()[0]}
        return {"ok": [self.run()[0] for _ in range(request["time"])]}

    def run(self):
        """The milliseconds of a call, and what it computed."""
        start = time.perf_counter()
        output = self.call()
        return (time.perf_counter() - start) * 1e3, output


def main():
    # What libraries print must not come between the answers.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    try:
        worker = Worker(sys.argv[1])
    except Exception as error:
        print(json.dumps({"error": describe(error)}), file=answers, flush=True)
        return 1
    print(json.dumps({"ok": "ready"}), file=answers, flush=True)
    for line in sys.stdin:
        try:
            answer = worker.answer(json.loads(line))
        except Cannot as reason:
            answer = {"cannot": str(reason)}
        except Exception as error:
            answer = {"error": describe(error)}
        print(json.dumps(answer), file=answers, flush=True)
    return 0


def describe(error):
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else ''}"


if __name__ == "__main__":
    sys.exit(main())
