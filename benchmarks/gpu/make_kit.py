"""Compiles the rows of the kit and puts it together.

    make_kit.py FOLDER [--chips=sm_80,sm_90a] [--only=ROW,...]

attn-compile and attn-run are those of PATH. What a GPU does not take is a row
that says why. See scripts/gpu-kit.sh.
"""

import argparse
import concurrent.futures
import dataclasses
import json
import pathlib
import platform
import re
import shutil
import subprocess
import sys
import tempfile

import cases
from headers import read_header, read_options

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KIT_FILES = ["cases.py", "driver.py", "peers.py", "run.py"]


def run(*command):
    return subprocess.run([str(word) for word in command], text=True,
                          capture_output=True)


def explain(done):
    """The sentence of an error, without the tool and the folders."""
    line = (done.stderr.strip().splitlines() or ["it failed"])[0]
    line = re.sub(r"^attn-compile: error: ", "", line)
    return re.sub(r"(/[^ :]*/)([^/ :]+:\d)", r"\2", line)


def compile_gpu(source, folder, scratch, name, chips):
    return run("attn-compile", source, "-o", folder / f"lib{name}.so",
               "--target=gpu", f"--chip={chips}", "--row-major",
               f"--header={scratch / name}.h")


def make_attention(case, folder, scratch, chips):
    source = scratch / f"{case.name}.mlir"
    source.write_text(case.mlir())
    entry = {"kind": "attention", "case": dataclasses.asdict(case)}
    done = compile_gpu(source, folder, scratch, case.name, chips)
    if done.returncode:
        return {**entry, "refused": explain(done)}
    types = [[case.dtype, False]] * 3
    if case.kind in ("alibi", "documents"):
        types.append(["f32" if case.kind == "alibi" else "i32", False])
    return {**entry, "library": f"lib{case.name}.so", "function": "attention",
            "types": [*types, [case.dtype, False]]}


def make_example(path, folder, scratch, chips):
    """Of an example the library of its kernels, and one for CPUs."""
    name = path.stem
    cpu = folder / f"lib{name}-cpu.so"
    # The machine that the kit goes to need not be like this one.
    levels = (["--cpu=x86-64-v2,x86-64-v3,x86-64-v4"]
              if platform.machine() == "x86_64" else [])
    done = run("attn-compile", path, "-o", cpu, "--row-major", *levels,
               f"--header={scratch / name}-cpu.h")
    if done.returncode:
        raise SystemExit(f"make_kit.py: {path.name}: {explain(done)}")
    (function, specs, results), = read_header(scratch / f"{name}-cpu.h")
    text = path.read_text()
    shapes, ranges, everywhere = read_options(text)
    options = re.search(r"^// RUN: attn-run %s (.*)$", text, re.MULTILINE)
    printed = run("attn-run", path, *[word for word in options[1].split()
                                      if not word.startswith("--check")],
                  *([] if "--random" in options[1] else ["--random"]))
    extents = re.findall(r"^result \d+: ([\dx]*?)x?([a-z]+\d*)$",
                         printed.stdout, re.MULTILINE)
    given = []
    for number, (shape, dtype, scalar) in enumerate(specs):
        wanted = shapes.get(number, everywhere)
        shape = wanted.split("x") if "?" in shape else shape
        given.append([[int(extent) for extent in shape], dtype, scalar,
                      ranges.get(number)])
    case = cases.Example(name, function, given,
                         [[[int(extent) for extent in shape.split("x")
                            if extent], dtype] for shape, dtype in extents])
    entry = {"kind": "example", "case": dataclasses.asdict(case)}
    done = compile_gpu(path, folder, scratch, name, chips)
    if done.returncode:
        cpu.unlink()
        return {**entry, "refused": explain(done)}
    types = [[dtype, scalar] for _, dtype, scalar in [*specs, *results]]
    return {**entry, "library": f"lib{name}.so", "cpu_library": cpu.name,
            "function": function, "types": types}


def main():
    parser = argparse.ArgumentParser(description="Puts the kit together.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--chips", default="sm_80,sm_90a")
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    wanted = {name for name in options.only.split(",") if name}

    def is_wanted(name):
        return not wanted or name in wanted
    folder = options.folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    rows = [case for case in cases.ROWS if is_wanted(case.name)]
    examples = [path for path in sorted((ROOT / "examples").glob("*.mlir"))
                if is_wanted(path.stem)]
    with tempfile.TemporaryDirectory() as name, \
            concurrent.futures.ThreadPoolExecutor(2) as pool:
        scratch = pathlib.Path(name)
        made = [*pool.map(lambda case: make_attention(case, folder, scratch,
                                                      options.chips), rows),
                *pool.map(lambda path: make_example(path, folder, scratch,
                                                    options.chips), examples)]
    version = run("attn-compile", "--version").stdout.strip()
    for file in KIT_FILES:
        shutil.copy(ROOT / "benchmarks" / "gpu" / file, folder)
    (folder / "kit.json").write_text(json.dumps(
        {"made": f"{version}, {options.chips}", "rows": made}, indent=1))
    refused = [row for row in made if "refused" in row]
    size = sum(file.stat().st_size for file in folder.iterdir())
    for row in refused:
        print(f"left out: {row['case']['name']}: {row['refused']}")
    print(f"{folder}: {len(made) - len(refused)} rows, {len(refused)} left "
          f"out, {size / 1e6:.1f} MB; copy it and run: python3 run.py [--quick]")
    if size > 30e6:
        print("make_kit.py: expected at most 30 MB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
