"""Runs the kernels beside this file in the emulator, with several orders of the
threads, and computes in numpy what they should give.

    plain_kernels.py [SCALE]

SCALE, 1 by default, is a factor on what numpy computes: with another one every
kernel must disagree. Prints a line for each that does, and how many agree.
"""

import pathlib
import subprocess
import sys
import tempfile

import numpy

HERE = pathlib.Path(__file__).parent
SCHEDULES = (0, 1, 2, 3)


def kernels(rng):
    """Name, arguments (a number is given in an array of no dimensions), what
    comes of them, and the largest error."""
    def floats(*shape, dtype=numpy.float32):
        return rng.uniform(-1, 1, shape).astype(dtype)
    a, x, y = floats(), floats(150), floats(150)
    yield "saxpy", [a, x, y], a * x + y, 1e-6
    x = floats(5, 96)
    yield "reduce", [x], x.sum(1, dtype=numpy.float64), 1e-5
    x = floats(24, 64)
    yield "transpose", [x], x.T, 0
    a, b = floats(16, 32, dtype="f2"), floats(8, 32, dtype="f2")
    product = a.astype("f8") @ b.astype("f8").T
    yield "product", [a, b], product, 1e-5


def run(name, arguments, schedule, directory):
    command = ["attn-run", str(HERE / f"{name}.mlir"), "--target=gpu-emulator",
               "--start-after=bufferize", f"--schedule={schedule}",
               f"--output={directory}/out.npy"]
    for number, argument in enumerate(arguments):
        numpy.save(f"{directory}/{number}.npy", argument)
        command.append(f"--input={directory}/{number}.npy")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT)
    if done.returncode:
        return None, done.stdout.strip()
    return numpy.load(f"{directory}/out.npy"), done.stdout.strip()


def main(argv):
    scale = float(argv[1]) if len(argv) > 1 else 1
    good = total = 0
    with tempfile.TemporaryDirectory() as directory:
        for name, arguments, expected, bound in kernels(
                numpy.random.default_rng(7)):
            for schedule in SCHEDULES:
                total += 1
                got, text = run(name, arguments, schedule, directory)
                if got is None:
                    print(f"{name}: expected numbers, but got {text}")
                    continue
                error = abs(got - scale * expected).max()
                if error <= bound:
                    good += 1
                else:
                    print(f"{name}: expected an error of at most {bound}, but "
                          f"got {error}")
                if schedule == 0:
                    print(f"{name}: {text}")
    print(f"plain: {good} of {total} runs agree")


if __name__ == "__main__":
    main(sys.argv)
