"""Compiles modules ahead of time and holds their results to those of attn-run.

    same_bits.py EXAMPLES FOLDER FILE.mlir... [--cpus=A,B]

Every function is called with arguments as the RUN line of its file has them (or
of small dynamic extents), by rows and, where it takes them, from arrays that lie
otherwise; the results are those of a serial attn-run, bit by bit. With --cpus,
the library holds the code of each, and attn-run compiles for it. Prints a line
each and exits with 1 if one differs. EXAMPLES holds attn_library.py.
"""

import ctypes
import pathlib
import subprocess
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent.parent
sys.path[:0] = [sys.argv[1], str(ROOT / "benchmarks" / "gpu")]
from attn_library import Library  # noqa: E402
from headers import read_header, read_options  # noqa: E402

NUMPY = {"f16": "float16", "bf16": "uint16", "f32": "float32",
         "f64": "float64", "i1": "bool", "i8": "int8", "i16": "int16",
         "i32": "int32", "i64": "int64", "index": "int64"}
SCALARS = {"f16": ctypes.c_uint16, "bf16": ctypes.c_uint16,
           "f32": ctypes.c_float, "f64": ctypes.c_double,
           "i1": ctypes.c_uint8, "i8": ctypes.c_int8, "i16": ctypes.c_int16,
           "i32": ctypes.c_int32, "i64": ctypes.c_int64,
           "index": ctypes.c_int64}


def make_array(random, shape, element, limits):
    low, high = limits or (-1, 1)
    kind = np.dtype(NUMPY[element]).kind
    if element == "bf16":
        values = random.uniform(low, high, shape).astype(np.float32)
        return (values.view(np.uint32) >> 16).astype(np.uint16)
    if kind == "f":
        return np.array(random.uniform(low, high, shape), NUMPY[element])
    if kind == "b":
        return np.array(random.integers(0, 2, shape), bool)
    return np.array(random.integers(int(low), int(high), shape),
                    NUMPY[element])


def scatter(array):
    """The same elements, each row elsewhere: outer dimensions the other way
    round, with a gap after each row."""
    if array.ndim < 2:
        return array
    outer = array.shape[-2::-1]
    wide = np.empty((*outer, array.shape[-1] + 3), array.dtype)
    view = wide[..., :array.shape[-1]].transpose(
        *range(array.ndim - 2, -1, -1), array.ndim - 1)
    view[...] = array
    return view


def pass_scalar(array, element):
    """A number as the function takes it: f16 by its bits."""
    if element == "f16":
        array = array.view(np.uint16)
    return SCALARS[element](array.item())


def run(folder, path, name, arguments, results, cpu):
    """What attn-run computes on one thread."""
    command = ["attn-run", str(path), f"--entry={name}", "--threads=1"]
    for number, array in enumerate(arguments):
        np.save(folder / f"{number}.npy", array)
        command.append(f"--input={folder / f'{number}.npy'}")
    outputs = [folder / f"out{number}.npy" for number in range(len(results))]
    command += [f"--output={output}" for output in outputs]
    subprocess.run(command + ([f"--cpu={cpu}"] if cpu else []), check=True)
    return [np.load(output) for output in outputs]


def check(folder, path, library, function, options, cpu):
    name, specs, results = function
    shapes, ranges, everywhere = options
    random = np.random.default_rng(7)
    arrays = []
    for number, (extents, element, scalar) in enumerate(specs):
        given = shapes.get(number, everywhere)
        shape = given.split("x") if "?" in extents else extents
        shape = [int(extent) for extent in shape]
        arrays.append(make_array(random, shape, element, ranges.get(number)))
    expected = run(folder, path, name, arrays, results, cpu)
    ok = True
    for lay in (lambda array: array, scatter):
        passed = [pass_scalar(array, spec[1]) if spec[2] else lay(array)
                  for array, spec in zip(arrays, specs)]
        outputs = []
        for array, spec in zip(expected, results):
            words = array.view(NUMPY[spec[1]])
            outputs.append(lay(np.zeros_like(words)))
        library.call(name, passed, outputs)
        for got, want in zip(outputs, expected):
            ok &= np.ascontiguousarray(got).tobytes() == want.tobytes()
    return ok


def main():
    folder = pathlib.Path(sys.argv[2])
    files = [pathlib.Path(a) for a in sys.argv[3:] if not a.startswith("--")]
    cpus = [a[7:] for a in sys.argv[3:] if a.startswith("--cpus=")]
    failed = False
    for path in files:
        output = folder / f"lib{path.stem}.so"
        subprocess.run(["attn-compile", str(path), "-o", str(output),
                        *(f"--cpu={names}" for names in cpus)], check=True)
        options = read_options(path.read_text())
        functions = read_header(folder / f"{path.stem}.h")
        for cpu in cpus[0].split(",") if cpus else [None]:
            library = Library(str(output), cpu)
            for function in functions:
                ok = check(folder, path, library, function, options, cpu)
                failed |= not ok
                print(f"{path.stem}, @{function[0]}{f', {cpu}' if cpu else ''}: "
                      f"{'same bits' if ok else 'differs'}", flush=True)
            library.close()
    return failed


if __name__ == "__main__":
    sys.exit(main())
