"""Takes files through the pipeline stage by stage, in another form each time.

    round-trip.py DIRECTORY FILE...

What a stage leaves is kept as text, in the generic form or as bytecode, in turn;
that is the same module again, keeps the stage's sentence, and is what the next
stage goes on from. The end is what the whole pipeline gives, but for where
messages of later stages say that the op was read.
"""

import pathlib
import re
import subprocess
import sys

STAGES = ["import", "generalize", "bound", "tile", "bufferize", "vectorize",
          "llvm"]
FORMS = [[], ["--mlir-print-op-generic"], ["--emit-bytecode"]]


def opt(*command):
    done = subprocess.run(["attn-opt", *command], capture_output=True)
    if done.returncode:
        sys.exit(f"attn-opt {' '.join(map(str, command))}\n"
                 f"{done.stderr.decode()}")
    return done.stdout


def without_places(text):
    """Text whose messages do not say where an op was read."""
    return re.sub(rb'\("[^"]*?:\d+:\d+: ', b'("', text)


def main(directory, *files):
    for number, name in enumerate(files):
        kept = pathlib.Path(directory) / pathlib.Path(name).stem
        source, start = name, ""
        for position, stage in enumerate(STAGES):
            text = opt(source,
                       f"--attn-cpu-pipeline={start} stop-after={stage}")
            kept.write_bytes(text)
            # Another file begins with another form, so that all see each.
            form = FORMS[(number + position) % len(FORMS)]
            kept.write_bytes(opt(kept, "--verify-roundtrip", *form))
            if opt(kept, f"--attn-verify-stage=stage={stage}") != text:
                print(f"{kept.name}: {stage}: {form} is another module")
            source, start = kept, f"start-after={stage}"
        whole = opt(name, "--attn-cpu-pipeline")
        if without_places(text) != without_places(whole):
            print(f"{kept.name}: the parts give another module than the whole")
    print(f"{len(files)} files: gone through")


main(*sys.argv[1:])
