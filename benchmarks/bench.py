"""Times kernels and compares them with the peak of this machine.

    bench.py [--only=NAME,...] [--json] [--threads=N] [--shape=BxHxNxD]
             [--against=ATTN_RUN] [--limit[=ATTN_LIMIT]] [--rounds=N]
             [--compile[=N]] [--attn-run=PATH]

Prints a table; with --json only an array of objects, times in milliseconds:
name, dtype, shape, compile_ms, median_ms, min_ms, gflops, peak_gflops,
peak_fraction, threads; read_fraction, the time of a plain read over ours, where
copies of the arguments take turns; `error` where a result cannot be believed or
there is none; `unfused`, why an op was not fused. --shape replaces that of the
benchmarks made from benchmarks/*.mlir.in; those that are files have their own.

--against runs the attn-run of another build after each run of this one, in
--rounds rounds (5, or 1 if nothing is compared), and adds against_ms and
against_ratio, its time over ours: above 1 this build is the faster. --limit
does so with attn-limit, the best loop nest written by hand, where there is one
for the work: limit_ms and limit_fraction, its time over ours; over pages,
sum_ms and sum_fraction are those of a plain sum over them. A ratio is the
median over the rounds; its quartiles are the fields that end in _low and _high.
An older build that cannot run a benchmark leaves against_error.

--compile adds compile_cpu_ms, the user CPU that attn-run takes from the file to
assembly, the median of N processes (9), and against_compile_cpu_ms.

Builds what is missing, unless --attn-run says what to time with. Exits with 1
if a benchmark failed, 2 on wrong usage.
"""

import dataclasses
import json
import os
import pathlib
import re
import subprocess
import sys

import catalog
from catalog import ROOT, TEMPLATES, File, Template
from measure import measure

BIN = ROOT / "build" / "bin"


class UsageError(Exception):
    pass


#===-----------------------------------------------------------------------===#
# The command line
#===-----------------------------------------------------------------------===#


@dataclasses.dataclass
class Options:
    only: list = dataclasses.field(default_factory=list)
    json: bool = False
    threads: int = 1
    shape: tuple = None
    against: pathlib.Path = None
    limit: pathlib.Path = None
    rounds: int = None
    compile: int = 0
    attn_run: pathlib.Path = None


def parse(argv):
    options = Options()
    count = r"[1-9]\d{0,3}"
    for argument in argv:
        name, equals, value = argument.partition("=")
        if argument == "--json":
            options.json = True
        elif name == "--only" and value:
            options.only = value.split(",")
        elif name in ("--against", "--attn-run") and value:
            setattr(options, name[2:].replace("-", "_"),
                    pathlib.Path(value).absolute())
        elif argument == "--limit" or (name == "--limit" and value):
            options.limit = pathlib.Path(value or BIN / "attn-limit")
        elif name in ("--threads", "--rounds") and re.fullmatch(count, value):
            setattr(options, name[2:], int(value))
        elif argument == "--compile":
            options.compile = 9
        elif name == "--compile" and re.fullmatch(count, value):
            options.compile = int(value)
        elif (name == "--shape" and
              re.fullmatch(r"[1-9]\d*(x[1-9]\d*){3}", value)):
            options.shape = tuple(map(int, value.split("x")))
        else:
            raise UsageError(
                "expected --only=NAME,..., --json, --threads=N, "
                "--shape=BxHxNxD, --against=ATTN_RUN, --limit, --rounds=N, "
                f"--compile or --attn-run=PATH, but got '{argument}'")
    if options.limit and options.threads > 1:
        raise UsageError("expected --limit with --threads=1: the nest written "
                         f"by hand has one thread, but got {options.threads}")
    if options.rounds is None:
        options.rounds = 5 if options.against or options.limit else 1
    if options.against:
        check_program(options.against)
    return options


def check_program(path):
    """An error unless a path is an attn-run."""
    expected = "expected --against=ATTN_RUN with the attn-run of another build"
    try:
        done = subprocess.run([path, "--version"], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
    except OSError as error:
        raise UsageError(f"{expected}, but got '{path}': "
                         f"{os.strerror(error.errno).lower()}") from None
    if done.returncode or not done.stdout.startswith("attn-run "):
        raise UsageError(f"{expected}, but '{path} --version' is not one's")


def select(options):
    """The benchmarks that the options ask for."""
    files = catalog.list_files()
    chosen = []
    for name in options.only:
        if name in TEMPLATES:
            chosen.append(Template(name, options.shape))
        elif name not in files:
            raise UsageError(f"unknown benchmark '{name}'; the names are: " +
                             ", ".join([*TEMPLATES, *files]))
        elif options.shape:
            raise UsageError("expected --shape with a benchmark made from a "
                             f"template, but '{name}' is a file")
        else:
            chosen.append(File(files[name]))
    if not chosen:
        chosen = [Template(name, options.shape) for name in TEMPLATES]
        if not options.shape:
            chosen += [File(path) for path in files.values()]
    return chosen


#===-----------------------------------------------------------------------===#
# The table
#===-----------------------------------------------------------------------===#


class Table:
    def __init__(self, benchmarks, options):
        self.width = max(len(benchmark.name) for benchmark in benchmarks)
        self.options = options

    def print_heading(self):
        heading = (f"{'name':{self.width}} {'type':5} {'shape':16} "
                   f"{'threads':>7} {'compile':>8} {'median':>10} "
                   f"{'GFLOP/s':>8} {'peak':>8} {'of peak':>8}")
        if self.options.against:
            heading += f" {'against':>7} {'quartiles':>11}"
        if self.options.limit:
            heading += f" {'of limit':>8}"
        if self.options.compile:
            heading += f" {'user CPU':>8}"
            if self.options.against:
                heading += f" {'against':>8}"
        print(heading, flush=True)

    def print_row(self, row):
        line = f"{row['name']:{self.width}} {row['dtype']:5} {row['shape']:16} "
        if "median_ms" in row:
            line += (f"{row['threads']:7} {row['compile_ms']:5.0f} ms "
                     f"{row['median_ms']:7.3f} ms {row['gflops']:8.1f} "
                     f"{row['peak_gflops']:8.1f} {row['peak_fraction']:8.1%}")
            line += self._compare(row)
            if "sum_fraction" in row:
                line += f"  {row['sum_fraction']:.1%} of a sum over the pages"
            if "read_fraction" in row:
                line += f"  {row['read_fraction']:.1%} of a plain read's rate"
        print(line, flush=True)
        for field in ("error", "unfused", "against_error"):
            if field in row and (field == "error" or
                                 row[field] != row.get("error")):
                print(f"  {field.replace('_', ' ')}: {row[field]}", flush=True)

    def _compare(self, row):
        text = ""
        if self.options.against and "against_ratio" in row:
            text += (f" {row['against_ratio']:6.3f}x "
                     f"{row['against_ratio_low']:.3f}-"
                     f"{row['against_ratio_high']:.3f}")
        elif self.options.against:
            text += f" {'-':>7} {'-':>11}"
        if self.options.limit:
            text += (f" {row['limit_fraction']:8.1%}" if "limit_fraction" in row
                     else f" {'-':>8}")
        for field in ("compile_cpu_ms", "against_compile_cpu_ms"):
            if field in row:
                text += f" {row[field]:5.0f} ms"
        return text


#===-----------------------------------------------------------------------===#
# Running
#===-----------------------------------------------------------------------===#


def build(targets, quiet):
    for target in targets:
        command = [ROOT / "scripts" / "setup.sh", f"--target={target}"]
        status = subprocess.call(command + (["--quiet"] if quiet else []),
                                 stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if status:
            sys.exit(status)


def say_progress(text):
    """Shows on a terminal how far a long run is."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="\r" if text else "", file=sys.stderr,
              flush=True)


def main(argv):
    try:
        options = parse(argv)
        benchmarks = select(options)
    except UsageError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    targets = [] if options.attn_run else ["attn-run"]
    options.attn_run = options.attn_run or BIN / "attn-run"
    if options.limit == BIN / "attn-limit":
        targets.append("attn-limit")
    build(targets, quiet=options.json or options.attn_run.exists())
    table = Table(benchmarks, options)
    if not options.json:
        table.print_heading()
    rows = []
    for benchmark in benchmarks:
        rows.append(measure(benchmark, options, say_progress))
        say_progress("")
        if not options.json:
            table.print_row(rows[-1])
    if options.json:
        print(json.dumps(rows, indent=2))
    return 1 if any("error" in row for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
