"""Writes a program that answers as attn-run does, but too fast, or fails on causal
attention."""

import os
import sys

PROGRAM = """#!/bin/sh
case "$1" in
*causal*) echo "attn-run: error: out of luck" >&2; exit 1 ;;
esac
echo '{"compile_ms": 12, "median_ms": 0.5, "min_ms": 0.4, "gflops": 98.0,' \\
     '"peak_gflops": 100.0, "peak_fraction": 0.98, "threads": 1}'
"""

with open(sys.argv[1], "w") as file:
    file.write(PROGRAM)
os.chmod(sys.argv[1], 0o755)
