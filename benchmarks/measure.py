"""Runs of one benchmark: this build's, another's, the nest written by hand.

They take turns, A B A B, as a machine is not as fast from one minute to the
next; each turn is a run of attn-run, which warms up and takes the median of
many calls. Ratios are taken turn by turn.
"""

import json
import os
import pathlib
import statistics
import subprocess
import tempfile

# Nothing that is measured right comes this close to the peak.
HIGHEST_FRACTION = 0.97

FIELDS = ("compile_ms", "median_ms", "min_ms", "gflops", "peak_gflops",
          "peak_fraction", "threads")


class Failure(Exception):
    """A run that gave no result, with the reason."""


def run_json(command):
    """What a command prints, one JSON object, and the last line of its
    complaints, empty if it exited with 0."""
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, text=True,
                              capture_output=True)
    except OSError as error:
        reason = os.strerror(error.errno).lower()
        raise Failure(f"{command[0]}: {reason}") from None
    lines = done.stderr.strip().splitlines()
    complaint = lines[-1] if lines else ""
    name = pathlib.Path(command[0]).name
    try:
        result = json.loads(done.stdout)
        if not isinstance(result, dict):
            raise ValueError
    except ValueError:
        raise Failure(complaint or f"{name} gave no result, status "
                                   f"{done.returncode}") from None
    if done.returncode:
        complaint = complaint or f"{name} exited with status {done.returncode}"
        return result, complaint
    return result, ""


def user_ms(command):
    """The time in user code that a command takes, in milliseconds of CPU."""
    with tempfile.TemporaryFile("w+") as complaints:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=complaints)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            complaints.seek(0)
            lines = complaints.read().strip().splitlines()
            raise Failure(lines[-1] if lines else
                          f"status {process.returncode} while compiling")
    return usage.ru_utime * 1e3


class Build:
    """An attn-run and how it is to run one benchmark."""

    def __init__(self, program, benchmark, directory, threads):
        self.program = program
        self.file = benchmark.file(directory)
        arguments = benchmark.arguments(directory)
        self.command = [program, self.file, *arguments, "--json",
                        f"--threads={threads}"]
        if not any(str(word).startswith("--time") for word in arguments):
            self.command.append("--time")
        self.times = []
        self.results = []

    def run(self, *more):
        result, complaint = run_json([*self.command, *more])
        try:
            fields = {field: result[field] for field in FIELDS}
        except KeyError as error:
            raise Failure(f"attn-run gave no {error}") from None
        for field in ("unfused", "read_fraction"):
            if field in result:
                fields[field] = result[field]
        self.results.append(fields)
        self.times.append(fields["median_ms"])
        return complaint

    def middle(self):
        """The result of the run whose time is the median of all."""
        order = sorted(self.results, key=lambda fields: fields["median_ms"])
        return {**order[(len(order) - 1) // 2],
                "compile_ms": statistics.median(
                    fields["compile_ms"] for fields in order),
                "min_ms": min(fields["min_ms"] for fields in order)}

    def compile(self):
        """User CPU from the file to assembly, the start of the program and
        the printing included, in milliseconds."""
        return user_ms([self.program, self.file, "--emit=asm"])


def run_fused(build, benchmark):
    """Runs a build; what should be fused and is not is run all the same.
    Returns a complaint, and why it is not fused."""
    if not benchmark.fused:
        return build.run(), ""
    try:
        return build.run("--require-fused"), ""
    except Failure as failure:
        reason = str(failure)
        try:
            complaint = build.run()
        except Failure:
            raise failure from None
        return complaint, reason


def quartiles(values):
    """Lower quartile, median and upper quartile."""
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def describe_ratio(name, numerator, denominator):
    low, middle, high = quartiles(
        [a / b for a, b in zip(numerator, denominator)])
    return {name: round(middle, 4), f"{name}_low": round(low, 4),
            f"{name}_high": round(high, 4)}


def measure_compilation(row, own, other, runs):
    """Adds compile_cpu_ms and that of the other build, taken in turns."""
    times, others = [], []
    for _ in range(runs):
        times.append(own.compile())
        if other:
            others.append(other.compile())
    row["compile_cpu_ms"] = round(statistics.median(times), 3)
    if others:
        row["against_compile_cpu_ms"] = round(statistics.median(others), 3)


def measure(benchmark, options, say=lambda text: None):
    """The fields of one benchmark, among them `error` if there is one. `say` is
    told how far it is."""
    row = {"name": benchmark.name, "dtype": benchmark.dtype,
           "shape": "x".join(map(str, benchmark.shape))}
    with tempfile.TemporaryDirectory() as directory:
        try:
            take_turns(row, benchmark, options, pathlib.Path(directory), say)
        except (Failure, ValueError) as failure:
            row["error"] = str(failure)
    return row


def take_turns(row, benchmark, options, directory, say):
    own = Build(options.attn_run, benchmark, directory, options.threads)
    other = options.against and Build(options.against, benchmark, directory,
                                      options.threads)
    limit = options.limit and benchmark.limit()
    limits, sums, complaints, unfused = [], [], [], ""
    for turn in range(options.rounds):
        say(f"{benchmark.name}: round {turn + 1} of {options.rounds}")
        complaint, unfused = run_fused(own, benchmark)
        complaints += [complaint] if complaint else []
        if other:
            try:
                other.run()
            except Failure as failure:
                row["against_error"] = str(failure)
                other = None
        if limit:
            result, complaint = run_json([options.limit, *limit])
            if complaint:
                raise Failure(complaint)
            limits.append(result["median_ms"])
            if "sum_ms" in result:
                sums.append(result["sum_ms"])
    row.update(own.middle())
    if other:
        row["against_ms"] = statistics.median(other.times)
        row.update(describe_ratio("against_ratio", other.times, own.times))
    if limits:
        row["limit_ms"] = statistics.median(limits)
        row.update(describe_ratio("limit_fraction", limits, own.times))
    if sums:
        row["sum_ms"] = statistics.median(sums)
        row.update(describe_ratio("sum_fraction", sums, own.times))
    if options.compile:
        say(f"{benchmark.name}: compiling")
        measure_compilation(row, own, other, options.compile)
    if unfused:
        row["unfused"] = unfused
    if row["peak_fraction"] > HIGHEST_FRACTION:
        row["error"] = (f"measuring error: {row['peak_fraction']:.1%} of peak "
                        f"is more than {HIGHEST_FRACTION:.0%}")
    elif complaints:
        row["error"] = complaints[-1]
    elif unfused:
        row["error"] = unfused
