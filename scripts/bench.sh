#!/usr/bin/env bash
# Times kernels: against the peak of this machine, another build, the best loop
# nest written by hand.
#
#   scripts/bench.sh [--only=NAME,...] [--json] [--threads=N] [--shape=BxHxNxD]
#                    [--against=ATTN_RUN] [--limit] [--rounds=N] [--compile]
#
# Builds what is missing; benchmarks/bench.py says more and does the work.
set -euo pipefail
here="$(dirname "${BASH_SOURCE[0]}")"
command -v python3 >/dev/null || "$here/setup.sh" --packages-only >&2
exec python3 "$here/../benchmarks/bench.py" "$@"
