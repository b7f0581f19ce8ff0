#!/usr/bin/env bash
# Sets up, then the main job: compiles an attention layer of GPT-2 small, runs
# it on random numbers, compares it with the reference and times it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

scripts/setup.sh --target=attn-run
example="$(ls examples/*gpt2-small.mlir)"
arguments="$(sed -n 's|^// BENCH: *||p' "$example")"
echo
echo "== $example"
grep -v '^// \(RUN\|BENCH\|CHECK\)' "$example"
echo
echo "== build/bin/attn-run $example --check --time $arguments"
# shellcheck disable=SC2086
exec build/bin/attn-run "$example" --check --time $arguments
