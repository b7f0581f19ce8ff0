"""Times kernels and compares them with the peak of this machine.

    bench.py [--only=NAME] [--json] [--threads=N] [--shape=BxHxNxD]
             [--attn-run=PATH]

Prints a table; with --json only an array of objects, times in milliseconds:
name, dtype, shape, compile_ms, median_ms, min_ms, gflops, peak_gflops,
peak_fraction, threads, and `error` where a result cannot be believed or there
is none. --shape replaces that of the benchmarks made from benchmarks/*.mlir.in;
the examples have their own. Builds what is missing, unless --attn-run says what
to time with. Exits with 1 if a benchmark failed, 2 on wrong usage.
"""

import json
import math
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
ATTN_RUN = ROOT / "build" / "bin" / "attn-run"

# Nothing that is measured right comes this close to the peak.
HIGHEST_FRACTION = 0.97

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
}

FIELDS = ("compile_ms", "median_ms", "min_ms", "gflops", "peak_gflops",
          "peak_fraction", "threads")


class UsageError(Exception):
    pass



#===-----------------------------------------------------------------------===#
# What is timed
#===-----------------------------------------------------------------------===#


class Template:
    """A kernel made from a template, at its shape or at another."""

    def __init__(self, name, shape=None):
        self.name = name
        self.template, self.shape, self.dtype = TEMPLATES[name]
        self.shape = shape or self.shape

    def command(self, directory):
        text = (ROOT / "benchmarks" / f"{self.template}.mlir.in").read_text()
        extents = "x".join(map(str, self.shape))
        file = directory / f"{self.name}.mlir"
        file.write_text(text.replace("@TENSOR@", f"tensor<{extents}x{self.dtype}>"))
        fused = ["--require-fused"] if self.shape == TEMPLATES[self.name][1] else []
        return [file, "--random", *fused]


class Example:
    """A layer of examples/, with the arguments its line `// BENCH:` gives."""

    def __init__(self, path):
        self.name = path.stem
        self.path = path
        text = path.read_text()
        line = re.search(r"^// BENCH:(.*)$", text, re.MULTILINE)
        self.arguments = [
            argument.replace("%S", str(path.parent))
            for argument in shlex.split(line.group(1))
            if argument not in ("attn-run", "%s")
        ]
        self.shape, self.dtype = self._query_type(text)
        self.arguments += self._limit_runs()

    def _limit_runs(self):
        """As few runs as it takes to answer within seconds; nothing if a run is
        short enough for attn-run's own choice."""
        try:
            *batch, rows, width = map(int, self.shape)
        except ValueError:
            return []
        seconds = 4 * math.prod(batch) * rows * rows * width / 60e9
        return [f"--time={max(1, min(7, int(10 / seconds)))}"] if seconds > 1 else []

    def _query_type(self, text):
        """Shape and element type of the first argument, the query by custom."""
        query = re.search(r"func\.func @\w+\(%\w+: tensor<([^>]*)>", text)
        *extents, dtype = query.group(1).split("x") if query else ["", "?"]
        for argument in self.arguments:
            given = re.fullmatch(r"--shape=(?:0:)?([\dx]+)", argument)
            if given and "?" in extents:
                extents = given.group(1).split("x")
        return extents, dtype

    def command(self, directory):
        return [self.path, *self.arguments, "--require-fused"]


def list_examples():
    examples = sorted((ROOT / "examples").glob("*.mlir"))
    return {p.stem: p for p in examples
            if re.search(r"^// BENCH:", p.read_text(), re.MULTILINE)}


#===-----------------------------------------------------------------------===#
# Running
#===-----------------------------------------------------------------------===#


def measure(benchmark, attn_run, threads):
    """The fields of one benchmark, among them `error` if there is one."""
    row = {"name": benchmark.name, "dtype": benchmark.dtype,
           "shape": "x".join(map(str, benchmark.shape))}
    with tempfile.TemporaryDirectory() as directory:
        command = [attn_run, *benchmark.command(pathlib.Path(directory)),
                   "--json", f"--threads={threads}"]
        if not any(str(option).startswith("--time") for option in command):
            command.append("--time")
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                                  capture_output=True)
        except OSError as error:
            done = subprocess.CompletedProcess(command, 1, "", str(error))
    complaint = done.stderr.strip().splitlines()
    try:
        result = json.loads(done.stdout)
        row.update({field: result[field] for field in FIELDS})
    except (ValueError, KeyError, TypeError):
        row["error"] = (complaint[-1] if complaint else
                        f"attn-run gave no result, status {done.returncode}")
        return row
    if row["peak_fraction"] > HIGHEST_FRACTION:
        row["error"] = (f"measuring error: {row['peak_fraction']:.1%} of peak "
                        f"is more than {HIGHEST_FRACTION:.0%}")
    elif done.returncode:
        row["error"] = (complaint[-1] if complaint else
                        f"attn-run exited with status {done.returncode}")
    return row


def print_heading(width):
    print(f"{'name':{width}} {'type':5} {'shape':16} {'threads':>7} "
          f"{'compile':>8} {'median':>10} {'GFLOP/s':>8} {'peak':>8} "
          f"{'of peak':>8}", flush=True)


def print_row(row, width):
    start = f"{row['name']:{width}} {row['dtype']:5} {row['shape']:16} "
    if "median_ms" in row:
        print(f"{start}{row['threads']:7} {row['compile_ms']:5.0f} ms "
              f"{row['median_ms']:7.3f} ms {row['gflops']:8.1f} "
              f"{row['peak_gflops']:8.1f} {row['peak_fraction']:8.1%}",
              flush=True)
    else:
        print(start, flush=True)
    if "error" in row:
        print(f"  error: {row['error']}", flush=True)


#===-----------------------------------------------------------------------===#
# The command line
#===-----------------------------------------------------------------------===#


def parse(argv):
    options = {"only": None, "json": False, "threads": 1, "shape": None,
               "attn-run": None}
    for argument in argv:
        name, equals, value = argument.partition("=")
        if argument == "--json":
            options["json"] = True
        elif name in ("--only", "--attn-run") and value:
            options[name[2:]] = value
        elif name == "--threads" and re.fullmatch(r"[1-9]\d{0,3}", value):
            options["threads"] = int(value)
        elif name == "--shape" and re.fullmatch(r"[1-9]\d*(x[1-9]\d*){3}", value):
            options["shape"] = tuple(map(int, value.split("x")))
        else:
            raise UsageError("expected --only=NAME, --json, --threads=N, "
                             "--shape=BxHxNxD or --attn-run=PATH, but got "
                             f"'{argument}'")
    return options


def select(options):
    """The benchmarks that the options ask for."""
    examples = list_examples()
    only, shape = options["only"], options["shape"]
    if only in TEMPLATES:
        return [Template(only, shape)]
    if only in examples:
        if shape:
            raise UsageError(f"expected --shape with a benchmark that is not an "
                             f"example, but '{only}' is one")
        return [Example(examples[only])]
    if only:
        raise UsageError(f"unknown benchmark '{only}'; the names are: " +
                         ", ".join([*TEMPLATES, *examples]))
    chosen = [Template(name, shape) for name in TEMPLATES]
    if not shape:
        chosen += [Example(path) for path in examples.values()]
    return chosen


def build(quiet):
    command = [ROOT / "scripts" / "setup.sh", "--target=attn-run"]
    status = subprocess.call(command + (["--quiet"] if quiet else []),
                             stdin=subprocess.DEVNULL, stdout=sys.stderr)
    if status:
        sys.exit(status)


def main(argv):
    try:
        options = parse(argv)
        benchmarks = select(options)
    except UsageError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    if not options["attn-run"]:
        build(quiet=options["json"] or ATTN_RUN.exists())
    width = max(len(benchmark.name) for benchmark in benchmarks)
    if not options["json"]:
        print_heading(width)
    rows = []
    for benchmark in benchmarks:
        rows.append(measure(benchmark, options["attn-run"] or ATTN_RUN,
                            options["threads"]))
        if not options["json"]:
            print_row(rows[-1], width)
    if options["json"]:
        print(json.dumps(rows, indent=2))
    return 1 if any("error" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
