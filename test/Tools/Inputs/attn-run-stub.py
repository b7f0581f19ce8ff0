"""Writes a program that answers as attn-run does, or attn-limit.

    attn-run-stub.py FILE [--ms=MEDIAN] [--fraction=OF_PEAK] [--fails=NAME]
                     [--sum=MEDIAN]

It fails on causal attention, or what NAME says, and on windows and neighbourhoods
where these are to be fused.
"""

import os
import sys

PROGRAM = """#!/bin/sh
case "$*" in
*--version*) echo "attn-run 0.0.1 (LLVM 1)"; exit ;;
*@FAILS@*) echo "attn-run: error: out of luck" >&2; exit 1 ;;
*window*--require-fused* | *natten2d-32x32.mlir*--require-fused*)
  echo "attn-run: error: too wide" >&2; exit 1 ;;
esac
echo '{"compile_ms": 12, "median_ms": @MS@, "min_ms": 0.4, "gflops": 98.0,' \\
     '"peak_gflops": 100.0, "peak_fraction": @FRACTION@, "threads": 1@SUM@}'
"""

options = dict(word[2:].split("=") for word in sys.argv[2:])
text = PROGRAM.replace("@MS@", options.get("ms", "0.5"))
text = text.replace("@FRACTION@", options.get("fraction", "0.98"))
text = text.replace("@FAILS@", options.get("fails", "causal"))
text = text.replace("@SUM@", f', "sum_ms": {options["sum"]}'
                    if "sum" in options else "")
with open(sys.argv[1], "w") as file:
    file.write(text)
os.chmod(sys.argv[1], 0o755)
