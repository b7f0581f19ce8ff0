"""The benchmarks: kernels made from benchmarks/*.mlir.in at a shape, and files,
benchmarks/*.mlir and examples/*.mlir, with arguments of their own.

A file says in its line `// BENCH:` what attn-run is given. %S stands for its
directory, and `%runs=ARG:LENGTHS` has the argument, integers, hold 0, 1, 2, ...
in runs of these lengths, where numbers at random would be nothing like what a
layer has: `%runs=3:16,4080` sixteen zeros, then ones; `%runs=3:4x128` four
documents of 128 tokens; `%shuffled=ARG:COUNT` has it hold 0 .. COUNT-1 in any
order, as the pages of a cache are. The other arguments are read from files as
well, then.
Its line `// LIMIT:`, if there is one, says what attn-limit is given for the same
work.
"""

import array
import math
import pathlib
import random
import re
import shlex

ROOT = pathlib.Path(__file__).resolve().parent.parent

# name: template, shape (batch x heads x rows x width), element type
TEMPLATES = {
    "dense-d64-n2048": ("dense", (1, 8, 2048, 64), "f32"),
    "dense-d128-n2048": ("dense", (1, 8, 2048, 128), "f32"),
    "dense-d64-n128": ("dense", (1, 8, 128, 64), "f32"),
    "causal-d64-n2048": ("causal", (1, 8, 2048, 64), "f32"),
    "window256-d64-n8192": ("window256", (1, 8, 8192, 64), "f32"),
    "ragged-n1000": ("dense", (1, 8, 1000, 64), "f32"),
    "ragged-n1023": ("dense", (1, 8, 1023, 64), "f32"),
    "ragged-n1025": ("dense", (1, 8, 1025, 64), "f32"),
    "dense-d64-n1024": ("dense", (1, 8, 1024, 64), "f32"),
    "dense-f16-d64-n2048": ("dense", (1, 8, 2048, 64), "f16"),
    "dense-bf16-d64-n2048": ("dense", (1, 8, 2048, 64), "bf16"),
    "dense-bf16-d128-n2048": ("dense", (1, 8, 2048, 128), "bf16"),
}

# Element type: its name in a .npy file, the type code of Python's arrays.
NPY_TYPES = {"f32": ("<f4", "f"), "f64": ("<f8", "d"), "i8": ("|i1", "b"),
             "i16": ("<i2", "h"), "i32": ("<i4", "i"), "i64": ("<i8", "q")}


class Template:
    """A kernel made from a template, at its shape or at another."""

    def __init__(self, name, shape=None):
        self.name = name
        self.template, usual, self.dtype = TEMPLATES[name]
        self.shape = shape or usual
        # A shape of one's own may be too small to gain by fusion.
        self.fused = self.shape == usual

    def file(self, directory):
        text = (ROOT / "benchmarks" / f"{self.template}.mlir.in").read_text()
        extents = "x".join(map(str, self.shape))
        path = directory / f"{self.name}.mlir"
        tensor = f"tensor<{extents}x{self.dtype}>"
        path.write_text(text.replace("@TENSOR@", tensor))
        return path

    def arguments(self, directory):
        return ["--random"]

    def limit(self):
        """What attn-limit is given for the same work; None if it has no nest
        for it."""
        _, _, rows, width = self.shape
        if (self.template in ("dense", "causal") and self.dtype == "f32" and
                rows % 128 == 0 and width in (64, 128)):
            return [self.template, "x".join(map(str, self.shape))]
        return None


class File:
    """A file with a line `// BENCH:`."""

    fused = True

    def __init__(self, path):
        self.name = path.stem
        self.path = path
        text = path.read_text()
        line = re.search(r"^// BENCH:(.*)$", text, re.MULTILINE)
        words = [word.replace("%S", str(path.parent))
                 for word in shlex.split(line.group(1))
                 if word not in ("attn-run", "%s")]
        self.integers = dict(self._parse_integers(word) for word in words
                             if word.startswith("%"))
        self.given = [word for word in words if not word.startswith("%")]
        self.types = self._argument_types(text)
        *self.shape, self.dtype = self.types[0] if self.types else ["?"]
        self.given += self._limit_runs()

    def _parse_integers(self, word):
        """An argument's number and the values it holds."""
        kind, number, text = re.fullmatch(r"%(runs|shuffled)=(\d+):([\dx,]+)",
                                          word).groups()
        if kind == "shuffled":
            values = list(range(int(text)))
            random.Random(int(number)).shuffle(values)
            return int(number), values
        lengths = []
        for part in text.split(","):
            count, times, length = part.rpartition("x")
            lengths += [int(length)] * (int(count) if times else 1)
        return int(number), [value for value, length in enumerate(lengths)
                             for _ in range(length)]

    def _argument_types(self, text):
        """Extents and element type of every argument, the query's first by
        custom; --shape gives the dynamic ones."""
        signature = re.search(r"func\.func @\w+\((.*?)\)\s*->", text, re.DOTALL)
        types = [found.split("x") for found in
                 re.findall(r"%\w+: (?:tensor<)?([\w?][^>,]*)",
                            signature.group(1) if signature else "")]
        for word in self.given:
            shape = re.fullmatch(r"--shape=(?:(\d+):)?([\dx]+)", word)
            if not shape:
                continue
            one = shape.group(1)
            for number in [int(one)] if one else range(len(types)):
                if "?" in types[number]:
                    types[number] = [*shape.group(2).split("x"),
                                     types[number][-1]]
        return types

    def _limit_runs(self):
        """As few runs as it takes to answer within seconds; nothing if a run is
        short enough for attn-run's own choice."""
        try:
            *batch, rows, width = map(int, self.shape)
        except ValueError:
            return []
        seconds = 4 * math.prod(batch) * rows * rows * width / 60e9
        if seconds <= 1:
            return []
        return [f"--time={max(1, min(7, int(10 / seconds)))}"]

    def file(self, directory):
        return self.path

    def arguments(self, directory):
        if not self.integers:
            return self.given
        # Options that say how to fill the arguments give way to the files.
        left = [word for word in self.given if not
                re.match(r"--(random|shape|random-range)(=|$)", word)]
        return left + [f"--input={self._write_argument(directory, number)}"
                       for number in range(len(self.types))]

    def limit(self):
        """As of a template; a line `// LIMIT:` says it."""
        line = re.search(r"^// LIMIT:(.*)$", self.path.read_text(), re.MULTILINE)
        return line.group(1).split() if line else None

    def _write_argument(self, directory, number):
        *extents, dtype = self.types[number]
        extents = [int(extent) for extent in extents]
        count = math.prod(extents)
        name, code = NPY_TYPES[dtype]
        if number in self.integers:
            values = self.integers[number]
            if len(values) != count:
                raise ValueError(f"{self.path}: expected {count} "
                                 f"numbers for argument {number}, but got "
                                 f"{len(values)}")
        else:
            # Numbers that recur, as drawing all of them would take seconds.
            generator = random.Random(number)
            some = [generator.uniform(-1, 1) for _ in range(min(count, 99991))]
            values = (some * (count // len(some) + 1))[:count]
        path = directory / f"argument-{number}.npy"
        write_npy(path, name, extents, array.array(code, values))
        return path


def write_npy(path, name, extents, values):
    """Writes a .npy file of version 1.0."""
    shape = "".join(f"{extent}, " for extent in extents)
    header = (f"{{'descr': '{name}', 'fortran_order': False, "
              f"'shape': ({shape}), }}")
    header += " " * (-(len(header) + 11) % 64) + "\n"
    with open(path, "wb") as file:
        file.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little"))
        file.write(header.encode())
        values.tofile(file)


def list_files():
    """The benchmarks that are files, by name."""
    paths = [*sorted((ROOT / "benchmarks").glob("*.mlir")),
             *sorted((ROOT / "examples").glob("*.mlir"))]
    return {path.stem: path for path in paths
            if re.search(r"^// BENCH:", path.read_text(), re.MULTILINE)}
