"""Has the checker look at the PTX of every file of a folder that becomes kernels.

    ptx_examples.py FOLDER

Prints what it finds, files with no kernel, and how many it finds nothing in.
"""

import pathlib
import subprocess
import sys


def run(command, text=None):
    done = subprocess.run(command, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def main(argv):
    good = total = 0
    for file in sorted(pathlib.Path(argv[1]).glob("*.mlir")):
        status, ptx = run(["attn-run", file, "--target=gpu", "--emit=ptx",
                           "--chip=sm_90"])
        if status:
            print(f"{file.name}: no kernel: {ptx.strip()}")
            continue
        total += 1
        status, said = run(["attn-test-ptx", "-"], ptx)
        if status or "or more" in said:
            print(f"{file.name}: finding: {said.strip()}")
        else:
            good += 1
    print(f"{good} of {total} files have nothing wrong")


if __name__ == "__main__":
    main(sys.argv)
