"""Functions of a GPU's kernels beside those of the C library.

    functions.py DTYPE

Each function of `math` on numbers of each size, small and large, and on what are
no numbers, infinite or zero: an error is at most 3 units in the last place, 12 of
atan of f32, beside those that the C library makes in f64.
"""

import math
import os
import subprocess
import sys
import tempfile

import numpy

NUMBER, NAN, INF = 400, math.nan, math.inf


def cbrt(x):
    root = math.copysign(abs(x)**(1 / 3), x)
    return root - (root**3 - x) / (3 * root * root) if math.isfinite(x) and x else x


# What is computed, from where to where, and whether of negative numbers, too.
FUNCTIONS = {
    "acos": (math.acos, 1e-8, 1, True),
    "acosh": (math.acosh, 2, 1e6, False),
    "asin": (math.asin, 1e-8, 1, True),
    "asinh": (math.asinh, 1e-8, 1e9, True),
    "atan": (math.atan, 1e-8, 1e8, True),
    "atanh": (math.atanh, 1e-8, 0.999, True),
    "cbrt": (cbrt, 1e-30, 1e30, True),
    "cos": (math.cos, 1e-4, 1e4, True),
    "cosh": (math.cosh, 1e-6, 80, True),
    "erf": (math.erf, 1e-8, 7, True),
    "erfc": (math.erfc, 1e-4, 9, True),
    "exp": (math.exp, 1e-6, 80, True),
    "exp2": (lambda x: 2.0**x, 1e-6, 100, True),
    "expm1": (math.expm1, 1e-12, 80, True),
    "log": (math.log, 1e-30, 1e30, False),
    "log10": (math.log10, 1e-30, 1e30, False),
    "log1p": (math.log1p, 1e-12, 1e6, False),
    "log2": (math.log2, 1e-30, 1e30, False),
    "sin": (math.sin, 1e-8, 1e4, True),
    "sinh": (math.sinh, 1e-8, 80, True),
    "tan": (math.tan, 1e-8, 1e4, True),
    "tanh": (math.tanh, 1e-8, 30, True),
}
UNITS = {("f32", "atan"): 12}
SPECIAL = [NAN, INF, -INF, 0.0, -0.0, 2.0, -2.0]


def evaluate(function, x):
    try:
        return function(x)
    except OverflowError:
        return INF
    except ValueError:
        return -INF if x == 0 and function.__name__.startswith("log") else NAN


def main():
    dtype = sys.argv[1]
    kind = {"f32": numpy.float32, "f64": numpy.float64}[dtype]
    rng = numpy.random.default_rng(7)
    inputs = []
    for _, low, high, signed in FUNCTIONS.values():
        sizes = numpy.exp(rng.uniform(math.log(low), math.log(high), NUMBER))
        signs = rng.choice([-1, 1], NUMBER) if signed else 1
        inputs.append(numpy.concatenate([sizes * signs, SPECIAL]).astype(kind))
    type = f"tensor<{NUMBER + len(SPECIAL)}x{dtype}>"
    count = len(FUNCTIONS)
    types = ", ".join([type] * count)
    text = (f"func.func @f({', '.join(f'%x{i}: {type}' for i in range(count))})"
            f" -> ({types}) {{\n")
    for i, name in enumerate(FUNCTIONS):
        text += f"  %y{i} = math.{name} %x{i} : {type}\n"
    text += f"  return {', '.join(f'%y{i}' for i in range(count))} : {types}\n}}\n"
    wrong = 0
    with tempfile.TemporaryDirectory() as directory:
        module = os.path.join(directory, "f.mlir")
        with open(module, "w") as file:
            file.write(text)
        command = ["attn-run", module, "--target=gpu-emulator"]
        for i, array in enumerate(inputs):
            path = os.path.join(directory, f"in{i}.npy")
            numpy.save(path, array)
            command.append("--input=" + path)
        outputs = [os.path.join(directory, f"out{i}.npy") for i in range(count)]
        subprocess.run(command + ["--output=" + path for path in outputs],
                       check=True, stdout=subprocess.DEVNULL)
        for (name, (function, *_)), x, path in zip(FUNCTIONS.items(), inputs,
                                                   outputs):
            expected = numpy.array([evaluate(function, float(one)) for one in x])
            got = numpy.load(path).astype(numpy.float64)
            units = UNITS.get((dtype, name), 3) + (1 if dtype == "f64" else 0)
            with numpy.errstate(invalid="ignore"):
                near = (abs(got - expected) <=
                        units * numpy.finfo(kind).eps * abs(expected))
            right = ((near & numpy.isfinite(expected)) | (got == expected)
                     | (numpy.isnan(got) & numpy.isnan(expected)))
            for at in numpy.flatnonzero(~right)[:3]:
                print(f"{name}({x[at]!r}): expected {expected[at]!r}, but got "
                      f"{got[at]!r}")
            wrong += not right.all()
    print(f"functions: {count - wrong} of {count} agree ({dtype})")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
