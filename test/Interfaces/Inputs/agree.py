#!/usr/bin/env python3
"""Runs the functions of a module as they are, on the reference, and compiled,
after each of its transform sequences; the results must agree.

    agree.py FILE [--scale-error=0.01] [-- ARGUMENT...]

Prints one line per function and sequence; exits with 1 if any differs. With
--scale-error the transformed functions have another scale, so that all must
differ. Further arguments go to attn-run.
"""

import os
import re
import subprocess
import sys
import tempfile

import numpy


def run(*command):
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode:
        sys.exit(f"{' '.join(command)}\n{result.stderr}")
    return result.stdout


def results_of(path, function, count, folder, options):
    names = [os.path.join(folder, f"{i}.npy") for i in range(count)]
    run("attn-run", path, f"--entry={function}", "--random=3", *options,
        *(f"--output={name}" for name in names))
    return [numpy.load(name).astype(numpy.float64) for name in names]


def differ(got, expected):
    """The first difference, as text, or None."""
    for i, (a, b) in enumerate(zip(got, expected)):
        unit = 2.0**-11 if b.dtype == numpy.float16 else 2.0**-20
        if a.shape != b.shape:
            return f"result {i} has shape {a.shape}, expected {b.shape}"
        with numpy.errstate(invalid="ignore"):
            bad = ~((a == b) | (abs(a - b) <= unit * (1 + abs(b))))
        if bad.any():
            at = tuple(numpy.argwhere(bad)[0])
            return f"result {i}: {a[at]:.9g}, expected {b[at]:.9g}"
    return None


def main():
    arguments = sys.argv[1:]
    rest = []
    if "--" in arguments:
        rest = arguments[arguments.index("--") + 1:]
        arguments = arguments[:arguments.index("--")]
    path, error = arguments[0], 0.0
    for option in arguments[1:]:
        error = float(option.removeprefix("--scale-error="))
    with open(path) as file:
        text = file.read()
    functions = re.findall(r"func\.func @(\w+)\((?:.|\n)*?\)\s*->\s*(.*?) \{\n",
                           text)
    sequences = re.findall(r"named_sequence private @(\w+)", text)
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        changed = os.path.join(folder, "changed.mlir")
        with open(changed, "w") as file:
            file.write(re.sub(
                r"scale = ([\d.]+)",
                lambda m: f"scale = {float(m[1]) * (1 + error)}", text))
        transformed = os.path.join(folder, "transformed.mlir")
        for function, types in functions:
            count = types.count("tensor<")
            expected = results_of(path, function, count, folder,
                                  ["--target=reference", *rest])
            for sequence in sequences:
                run("attn-opt", changed, "-o", transformed,
                    f"--transform-interpreter=entry-point={sequence}",
                    "--symbol-dce")
                got = results_of(transformed, function, count, folder, rest)
                found = differ(got, expected)
                failed |= found is not None
                print(f"{function} {sequence}: {found or 'agrees'}")
    sys.exit(failed)


main()
