"""Stops after each stage, and goes on from what was printed.

    start-after.py DIRECTORY FILE OPTION...

What a stage leaves is written as text, in the generic form and as bytecode.
All three are the same module again, and compute bit for bit what the file does,
as does the pipeline of attn-opt in two halves. OPTION... is what attn-run is
given to run the file.
"""

import pathlib
import subprocess
import sys

STAGES = ["import", "generalize", "bound", "tile", "bufferize", "vectorize"]


def run(*command):
    done = subprocess.run(command, capture_output=True)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stderr.decode()}")
    return done.stdout


def compute(file, options, *more):
    """The bytes of the result of `file`."""
    result = file.parent / "result.npy"
    run("attn-run", file, *options, *more, f"--output={result}")
    return result.read_bytes()


def main(directory, file, *options):
    directory = pathlib.Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    source = directory / "source.mlir"
    source.write_bytes(pathlib.Path(file).read_bytes())
    fusion = [option for option in options if option.startswith("--fusion")]
    expected = compute(source, options)
    assembly = run("attn-run", source, "--emit=asm", *fusion)
    for stage in STAGES:
        text = directory / f"{stage}.mlir"
        text.write_bytes(run("attn-run", source, *fusion, f"--stop-after={stage}",
                             f"--attn-verify-stage={stage}"))
        generic = directory / f"{stage}.generic.mlir"
        bytecode = directory / f"{stage}.mlirbc"
        run("attn-opt", text, "--verify-roundtrip", "--mlir-print-op-generic",
            "-o", generic)
        run("attn-opt", text, "--emit-bytecode", "-o", bytecode)
        printed = run("attn-opt", text)
        for form in [generic, bytecode]:
            if run("attn-opt", form) != printed:
                print(f"{stage}: {form.name} is another module")
        form = {"import": text, "generalize": generic, "bound": bytecode,
                "tile": text, "bufferize": bytecode, "vectorize": generic}[stage]
        if compute(form, options, f"--start-after={stage}") != expected:
            print(f"{stage}: what {form.name} computes differs")
        print(f"{stage}: goes on")
    code = directory / "llvm.mlir"
    code.write_bytes(run("attn-run", source, "--stop-after=llvm", *fusion))
    if run("attn-run", code, "--start-after=llvm", "--emit=asm") != assembly:
        print("llvm: the assembly differs")
    print("llvm: goes on")


main(*sys.argv[1:])
