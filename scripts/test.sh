#!/usr/bin/env bash
# Sets up, then runs the whole suite: lit tests, examples, GoogleTest.
#
#   scripts/test.sh [--preset=dev|asan]
#
# Ends with what was skipped and why, and the line "N passed, N failed,
# N skipped". The exit status is 0 only if something ran and nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=dev
for argument in "$@"; do
  case "$argument" in
    --preset=dev | --preset=asan) preset="${argument#*=}" ;;
    *)
      echo "test.sh: expected --preset=dev|asan, but got '$argument'" >&2
      exit 2
      ;;
  esac
done
build=build
[[ $preset == dev ]] || build="build-$preset"

scripts/setup.sh --preset="$preset" --target=check-attn-depends
results="$build/test/results.json"
rm -f "$results"
status=0
ninja -C "$build" check-attn </dev/null || status=$?
python3 test/summary.py "$results" || status=1
exit $status
