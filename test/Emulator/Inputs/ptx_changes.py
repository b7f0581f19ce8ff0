"""Changes PTX that is right, a line at a time, and prints what the checker says.

    ptx_changes.py FILE.ptx [PATTERN REPLACEMENT]...

Every wait, fence, arrival, barrier and commit is left out once; then every line
that PATTERN matches is changed once. Without a finding it prints `missed`.
"""

import re
import subprocess
import sys

ORDER = (r".*(bar\.sync|bar\.warp\.sync|(cp\.async|bulk|wgmma)\.(wait_|commit_)|"
         r"fence\.|mbarrier\.(init|arrive)\.).*")


def check(text):
    done = subprocess.run(["attn-test-ptx", "-"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.strip()


def main(argv):
    with open(argv[1]) as file:
        lines = file.read().split("\n")
    print(f"as it is: {check(chr(10).join(lines))[1]}")
    changes = [(ORDER, "")] + list(zip(argv[2::2], argv[3::2]))
    found = total = 0
    for pattern, replacement in changes:
        for number, line in enumerate(lines):
            changed = re.sub(pattern, replacement, line)
            if changed == line or line.startswith("//"):
                continue
            status, text = check("\n".join(lines[:number] + [changed] +
                                           lines[number + 1:]))
            total += 1
            found += status == 1
            print(f"{number + 1}: {' '.join(line.split())}: "
                  f"{text if status else 'missed'}")
    print(f"{found} of {total} found")


if __name__ == "__main__":
    main(sys.argv)
