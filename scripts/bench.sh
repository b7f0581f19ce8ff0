#!/usr/bin/env bash
# Times kernels and compares them with the peak of this machine.
#
#   scripts/bench.sh [--only=NAME] [--json] [--threads=N] [--shape=BxHxNxD]
#
# Builds what is missing; benchmarks/bench.py has the names and does the work.
set -euo pipefail
here="$(dirname "${BASH_SOURCE[0]}")"
command -v python3 >/dev/null || "$here/setup.sh" --packages-only >&2
exec python3 "$here/../benchmarks/bench.py" "$@"
