"""Has the checker look at the PTX of every file of a folder that becomes kernels.

    ptx_examples.py FOLDER [OPTION]...

Options go to the compiler. Prints what it finds, files with no kernel, how many it
finds nothing in, and how many of these have products of warpgroups.
"""

import pathlib
import subprocess
import sys


def run(command, text=None):
    done = subprocess.run(command, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout


def main(argv):
    good = total = groups = 0
    for file in sorted(pathlib.Path(argv[1]).glob("*.mlir")):
        status, ptx = run(["attn-run", file, "--target=gpu", "--emit=ptx",
                           *argv[2:]])
        if status:
            print(f"{file.name}: no kernel: {ptx.strip()}")
            continue
        total += 1
        status, said = run(["attn-test-ptx", "-"], ptx)
        if status or "or more" in said:
            print(f"{file.name}: finding: {said.strip()}")
        else:
            good += 1
            groups += "wgmma.mma_async" in ptx
    print(f"{good} of {total} files have nothing wrong, {groups} of them "
          "products of warpgroups")


if __name__ == "__main__":
    main(sys.argv)
