#!/usr/bin/env bash
# Compares attn with PyTorch, FlexAttention, ONNX Runtime, OpenVINO, JAX and
# IREE on one core, and writes docs/comparison.md and docs/comparison.svg.
#
#   scripts/compare.sh [--only=CASE,...] [--peers=NAME,...] [--rounds=N]
#                      [--json] [--report]
#
# Installs the peers at pinned versions into build/compare/venv, from wherever
# pip is set up to find them: a build of PyTorch for CPUs, where one is at hand,
# is a tenth of the size. What cannot be installed is absent from the tables.
# benchmarks/compare/compare.py says more and does the work.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

venv=build/compare/venv
requirements=benchmarks/compare/requirements.txt

# Fills the environment unless it holds what the list says.
install_peers() {
  if cmp -s "$requirements" "$venv/installed.txt"; then
    return
  fi
  echo "== Installing the systems to compare with, which takes minutes" >&2
  python3 -m venv "$venv" >&2
  local package
  if ! "$venv/bin/pip" install -q -r "$requirements" >&2; then
    while read -r package; do
      "$venv/bin/pip" install -q "$package" >&2 </dev/null ||
        echo "compare.sh: $package could not be installed" >&2
    done <"$requirements"
  fi
  cp "$requirements" "$venv/installed.txt"
}

# A slip costs no installation.
for argument in "$@"; do
  case "$argument" in
    --only=?* | --peers=?* | --rounds=?* | --json | --report) ;;
    *)
      echo "compare.sh: expected --only=CASE,..., --peers=NAME,..., --rounds=N," \
           "--json or --report, but got '$argument'" >&2
      exit 2
      ;;
  esac
done

scripts/setup.sh --target=attn-run --quiet >&2
install_peers

# OpenBLAS is to find out by itself which kernels this processor runs.
unset OPENBLAS_CORETYPE
core="$(taskset -pc $$ | sed 's/.*[ ,-]//')"
exec taskset -c "$core" "$venv/bin/python" benchmarks/compare/compare.py "$@"
