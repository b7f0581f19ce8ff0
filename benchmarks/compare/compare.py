"""Compares attn with other systems, one core, f32, batch 1.

    compare.py [--only=CASE,...] [--peers=NAME,...] [--rounds=N] [--json]
               [--report] [--attn-run=PATH] [--results=FOLDER] [--docs=FOLDER]

Systems take turns on each case, attn, a peer, the next peer, for N rounds (9);
a turn is a fifth of a second of calls, of which the median counts, and a
ratio is a peer's time over ours in the same round. Outputs are checked against
ours. Results are kept, a file per case, in build/compare/results; without
--only they end up in docs/comparison.md and docs/comparison.svg, with --report
what is kept does, and nothing is run. Exits with 1 if a system failed or its
output differs, 2 on wrong usage.
"""

import dataclasses
import datetime
import json
import os
import pathlib
import re
import shlex
import sys
import tempfile

import report
from cases import CASES
from processes import AttnRun, Failed, Peer
from systems import PEERS
from turns import Contest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


class UsageError(Exception):
    pass


@dataclasses.dataclass
class Options:
    only: list = None
    peers: list = dataclasses.field(default_factory=lambda: list(PEERS))
    rounds: int = 9
    json: bool = False
    report: bool = False
    attn_run: pathlib.Path = ROOT / "build" / "bin" / "attn-run"
    results: pathlib.Path = ROOT / "build" / "compare" / "results"
    docs: pathlib.Path = ROOT / "docs"


def choose(kind, text, known):
    names = text.split(",")
    for name in names:
        if name not in known:
            raise UsageError(f"unknown {kind} '{name}'; the names are: " +
                             ", ".join(known))
    return names


def parse(argv):
    options = Options()
    for argument in argv:
        name, _, value = argument.partition("=")
        if argument in ("--json", "--report"):
            setattr(options, name[2:], True)
        elif name == "--only" and value:
            options.only = choose("case", value, CASES)
        elif name == "--peers" and value:
            options.peers = choose("system", value, [*PEERS, "plain"])
        elif name == "--rounds" and re.fullmatch(r"[1-9]\d{0,2}", value):
            options.rounds = int(value)
        elif name in ("--attn-run", "--results", "--docs") and value:
            setattr(options, name[2:].replace("-", "_"),
                    pathlib.Path(value).absolute())
        else:
            raise UsageError(
                "expected --only=CASE,..., --peers=NAME,..., --rounds=N, "
                "--json, --report, --attn-run=PATH, --results=FOLDER or "
                f"--docs=FOLDER, but got '{argument}'")
    return options


def describe_processor():
    """The name of the processor, its family and model, which say more than the
    name of a virtual one."""
    fields = {}
    try:
        for line in open("/proc/cpuinfo"):
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    except OSError:
        pass
    flags = set(fields.get("flags", "").split())
    vectors = ("AVX-512" if "avx512f" in flags else
               "AVX2" if "avx2" in flags else "")
    parts = [fields.get("model name", "unknown processor"),
             f"family {fields['cpu family']}, model {fields['model']}"
             if "cpu family" in fields else "", vectors]
    return ", ".join(part for part in parts if part)


def say_progress(text):
    """Shows on a terminal how far a long run is."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="\r" if text else "", file=sys.stderr,
              flush=True)


def run_cases(options, argv):
    """Runs the cases that are asked for and keeps their results."""
    options.results.mkdir(parents=True, exist_ok=True)
    facts = {"date": datetime.date.today().isoformat(),
             "processor": describe_processor(),
             "command": shlex.join(["scripts/compare.sh", *argv])}
    with open(options.results / "log.txt", "a") as log:
        say_progress("starting the systems")
        peers = [Peer(name, log) for name in options.peers]
        try:
            for name in options.only or CASES:
                try:
                    result = run_case(CASES[name], peers, options)
                except Failed as failure:
                    result = {"case": name, "failed": str(failure),
                              "systems": {}}
                file = options.results / f"{name}.json"
                file.write_text(json.dumps({**facts, **result}, indent=2))
                yield {**facts, **result}
        finally:
            for peer in peers:
                peer.stop()


def run_case(case, peers, options):
    attn = AttnRun(options.attn_run)
    with tempfile.TemporaryDirectory() as folder:
        contest = Contest(case, attn, peers, pathlib.Path(folder),
                          lambda text: say_progress(f"{case.name}: {text}"))
        result = contest.run(options.rounds)
    say_progress("")
    return result


def main(argv):
    try:
        options = parse(argv)
    except UsageError as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    results = []
    try:
        if not options.report:
            for result in run_cases(options, argv):
                results.append(result)
                if not options.json:
                    print(report.describe(result), flush=True)
        if options.json:
            print(json.dumps(results, indent=2))
        if options.report or not options.only:
            report.write(options.results, options.docs)
    except report.Incomplete as failure:
        print(f"compare: {failure}", file=sys.stderr)
        return 1
    return 1 if any("failed" in row for result in results
                    for row in [result, *result["systems"].values()]) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
