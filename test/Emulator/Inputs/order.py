"""Takes one wait, barrier or commit at a time out of the kernels that attention
becomes, and runs what is left in the emulator, and PTX through its checker.

    order.py FILE.mlir [SHAPE]

SHAPE is that of the arguments where it is dynamic. Prints what each finds, and
`missed` where it finds nothing.
"""

import re
import subprocess
import sys

KERNELS = r"\s*(gpu\.barrier|nvvm\.cp\.async\.(commit|wait)\.group)\b.*"
PTX = r"\s*(bar\.sync|cp\.async\.(wait|commit)_group)\b.*"


def run(command, text):
    done = subprocess.run(command, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.strip()


def take_out(what, text, pattern, check):
    """Each line that matches, and whether the others pass."""
    lines = text.split("\n")
    status, out, err = check(text)
    print(f"{what}: as it is: {err or out.strip() if status else 'right'}")
    found = total = 0
    for number, line in enumerate(lines):
        if not re.match(pattern, line):
            continue
        status, out, err = check("\n".join(lines[:number] + lines[number + 1:]))
        total += 1
        found += status == 1
        print(f"{what}: {' '.join(line.split())}: "
              f"{(err or out.strip()) if status else 'missed'}")
    print(f"{what}: {found} of {total} found")


def main(argv):
    with open(argv[1]) as file:
        module = file.read()
    random = ["--random"] + [f"--shape={shape}" for shape in argv[2:]]
    emulator = ["attn-run", "-", "--target=gpu-emulator"]
    status, kernels, err = run(emulator + ["--stop-after=gpu"], module)
    if status:
        sys.exit(err)
    take_out("emulator", kernels, KERNELS, lambda text: run(
        emulator + ["--start-after=gpu"] + random, text))
    status, ptx, err = run(["attn-run", "-", "--target=gpu", "--emit=ptx"],
                           module)
    if status:
        sys.exit(err)
    take_out("ptx", ptx, PTX, lambda text: run(["attn-test-ptx", "-"], text))


if __name__ == "__main__":
    main(sys.argv)
