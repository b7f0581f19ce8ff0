"""Takes one wait, fence, arrival or barrier at a time out of the kernel of the
form wgmma that attention becomes, and runs what is left in the emulator.

    warpgroups.py FILE.mlir [SHAPE]

Prints what it finds, and `missed` where it finds nothing.
"""

import re
import subprocess
import sys

# What is taken out of a line, by what stands there then.
CHANGES = [
    (r"\s*gpu\.barrier\b.*", ""),
    (r"\s*nvvm\.barrier id.*", ""),
    (r"\s*nvvm\.fence\..*", ""),
    (r"\s*nvvm\.cp\.async\.bulk\.(commit|wait).*", ""),
    (r"\s*%\w+ = nvvm\.mbarrier\.arrive .*", ""),
    (r"\s*%\w+ = nvvm\.mbarrier\.arrive\.expect_tx .*", ""),
    (r"(\s*%\w+ = )nvvm\.mbarrier\.try_wait .*", r"\1arith.constant true"),
    (r"(.*)wgmma\.fence\.sync\.aligned;\\0A(.*)", r"\1\2"),
    (r"(.*)wgmma\.commit_group\.sync\.aligned;\\0A(.*)", r"\1\2"),
    (r"(.*)wgmma\.wait_group\.sync\.aligned \d;(.*)", r"\1\2"),
]


def run(command, text):
    done = subprocess.run(command, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode, done.stdout, done.stderr.strip()


def name(line):
    """What a line has that is taken out."""
    found = re.search(r"(gpu|nvvm|wgmma)\.[a-z_.]+", line)
    text = re.search(r"wgmma\.(fence|commit|wait)", line)
    return (text or found).group(0)


def main(argv):
    with open(argv[1]) as file:
        module = file.read()
    emulator = ["attn-run", "-", "--target=gpu-emulator", "--chip=sm_90a"]
    random = ["--random"] + [f"--shape={shape}" for shape in argv[2:]]
    status, kernels, err = run(emulator + ["--stop-after=gpu"], module)
    if status:
        sys.exit(err)

    def compute(text):
        """What is said, or the numbers that come out."""
        output = argv[1] + ".npy"
        status, _, err = run(
            emulator + ["--start-after=gpu", f"--output={output}"] + random,
            text)
        if status:
            return err, b""
        with open(output, "rb") as numbers:
            return "", numbers.read()

    said, expected = compute(kernels)
    print(f"as it is: {said or 'right'}")
    lines = kernels.split("\n")
    found = total = 0
    for number, line in enumerate(lines):
        for pattern, instead in CHANGES:
            if not re.fullmatch(pattern, line):
                continue
            changed = re.sub(pattern, instead, line)
            said, numbers = compute(
                "\n".join(lines[:number] + [changed] + lines[number + 1:]))
            if not said:
                said = "missed" if numbers == expected else "other numbers"
            total += 1
            found += said != "missed"
            print(f"{name(line)}: {said}", flush=True)
    print(f"{found} of {total} found")


if __name__ == "__main__":
    main(sys.argv)
