#!/usr/bin/env bash
# Makes a folder that checks and times kernels on a machine with a GPU of
# NVIDIA's, where neither this project nor LLVM is: every example, and attention
# at the shapes at which PyTorch is measured beside it, compiled ahead of time,
# with a runner in Python.
#
#   scripts/gpu-kit.sh [FOLDER] [--chips=sm_80,sm_90a] [--only=ROW,...]
#
# FOLDER is build/gpu-kit by default. There, `python3 run.py [--quick]`;
# docs/gpu.md says more. The kernels are code for those chips where ptxas is
# found (scripts/setup.sh --with-ptxas), and text that drivers compile for later
# ones.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

folder=$root/build/gpu-kit
options=()
for argument in "$@"; do
  case "$argument" in
    --chips=?* | --only=?*) options+=("$argument") ;;
    -*)
      echo "gpu-kit.sh: expected FOLDER, --chips=NAME,... or --only=ROW,...," \
           "but got '$argument'" >&2
      exit 2
      ;;
    *) folder=$argument ;;
  esac
done
if ! PATH=$root/build/bin:$PATH command -v attn-compile > /dev/null; then
  echo "gpu-kit.sh: expected attn-compile in build/bin, but it is not built;
  run" \
       "scripts/test.sh or ninja -C build first" >&2
  exit 2
fi
PATH=$root/build/bin:$PATH exec python3 "$root/benchmarks/gpu/make_kit.py" \
  "$folder" "${options[@]}"
