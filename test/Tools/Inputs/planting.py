"""Plants breaches in a small tree and compares what a checker says of them."""

import pathlib
import shutil
import subprocess
import sys


def run(script, directory, tree):
    """The output and the exit status of the checker on a tree."""
    shutil.rmtree(directory, ignore_errors=True)
    for name, text in tree.items():
        if text is not None:
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    done = subprocess.run([sys.executable, script, directory], text=True,
                          capture_output=True)
    return done.stdout + done.stderr, done.returncode


def main(tree, breaches, script, directory):
    """`breaches` are pairs of changes of files (None removes one) and the one
    line that must come of them."""
    wrong = 0
    for changes, line in [({}, None), *breaches]:
        expected = (f"{line}\n", 1) if line else ("", 0)
        got = run(script, pathlib.Path(directory), {**tree, **changes})
        if got != expected:
            print(f"expected {expected}\n but got {got}")
            wrong += 1
    print(f"{len(breaches)} breaches planted, {wrong} answers wrong")
    return 1 if wrong else 0
