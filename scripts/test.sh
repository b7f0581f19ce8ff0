#!/usr/bin/env bash
# Sets up, then runs the whole suite: lit tests, examples, GoogleTest. With the
# preset asan under the sanitizers of addresses, leaks and undefined behaviour;
# with tsan what uses threads, under the sanitizer of these.
#
#   scripts/test.sh [--preset=dev|asan|tsan]
#
# Ends with what was skipped and why, and the line "N passed, N failed,
# N skipped". The exit status is 0 only if something ran and nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=dev
for argument in "$@"; do
  case "$argument" in
    --preset=dev | --preset=asan | --preset=tsan) preset="${argument#*=}" ;;
    *)
      echo "test.sh: expected --preset=dev|asan|tsan, but got '$argument'" >&2
      exit 2
      ;;
  esac
done
build=build
[[ $preset == dev ]] || build="build-$preset"

suite=check-attn depends=check-attn-depends
if [[ $preset == tsan ]]; then
  suite=check-attn-threads depends=AttnExecutionTests
fi
scripts/setup.sh --preset="$preset" --target="$depends"
results="$build/test/results.json"
rm -f "$results"
status=0
ninja -C "$build" "$suite" </dev/null || status=$?
python3 test/summary.py "$results" || status=1
exit $status
