#!/usr/bin/env bash
# Installs what is missing from the package manager, configures and builds.
#
#   scripts/setup.sh [--preset=dev|asan|tsan] [--target=NAME] [--quiet]
#                    [--packages-only] [--with-ptxas]
#
# A machine that has nothing but git and a network is enough; nothing is
# installed that is there already, and nothing is rebuilt that is up to date.
#
# --with-ptxas says where NVIDIA's assembler for GPUs is: on PATH, in CUDA_HOME or
# in /usr/local/cuda. Where there is none it installs the one of the package
# nvidia-cuda-nvcc, 38 MB, from wherever pip is set up to find it, into
# build/ptxas. Nothing is built then, and nothing else needs it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# All that the project needs beyond a bare Debian 12, in one list.
packages=(
  # To build: the compiler, the LLVM and MLIR it is built on, GoogleTest.
  cmake ninja-build clang-22 lld-22 g++ zlib1g-dev libzstd-dev
  llvm-22-dev libmlir-22-dev mlir-22-tools libomp-22-dev
  libgtest-dev libgmock-dev
  # To test: lit and FileCheck, scripts, a limit on the time of one test.
  llvm-22-tools python3 python3-numpy python3-psutil
)

preset=dev
target=all
quiet=
packages_only=
with_ptxas=
for argument in "$@"; do
  case "$argument" in
    --preset=dev | --preset=asan | --preset=tsan) preset="${argument#*=}" ;;
    --target=?*) target="${argument#*=}" ;;
    --quiet) quiet=1 ;;
    --packages-only) packages_only=1 ;;
    --with-ptxas) with_ptxas=1 ;;
    *)
      echo "setup.sh: expected --preset=dev|asan|tsan, --target=NAME, --quiet," \
           "--packages-only or --with-ptxas, but got '$argument'" >&2
      exit 2
      ;;
  esac
done

fail() {
  echo "setup.sh: $*" >&2
  exit 1
}

# Runs a command; with --quiet its output is kept back unless it fails.
run() {
  if [[ -z "$quiet" ]]; then
    "$@"
    return
  fi
  local log status=0
  log="$(mktemp)"
  "$@" >"$log" 2>&1 || status=$?
  [[ $status == 0 ]] || cat "$log" >&2
  rm -f "$log"
  return $status
}

say() { [[ -n "$quiet" ]] || echo "$*"; }

list_missing() {
  local package
  for package in "${packages[@]}"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null |
      grep -q '^install ok installed$' || echo "$package"
  done
}

list_unknown() {
  local package
  for package in "$@"; do
    apt-cache show --no-all-versions "$package" >/dev/null 2>&1 ||
      echo "$package"
  done
}

install_packages() {
  local missing unknown as_root=()
  mapfile -t missing < <(list_missing)
  [[ ${#missing[@]} -gt 0 ]] || return 0
  if [[ $(id -u) != 0 ]]; then
    command -v sudo >/dev/null ||
      fail "needs root or sudo to install: ${missing[*]}"
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive)
  say "== Installing ${missing[*]}"
  mapfile -t unknown < <(list_unknown "${missing[@]}")
  if [[ ${#unknown[@]} -gt 0 ]]; then
    local attempt
    for attempt in 1 2 3; do
      run "${as_root[@]}" apt-get update -q && break
      [[ $attempt == 3 ]] || sleep $((attempt * 5))
    done
    mapfile -t unknown < <(list_unknown "${missing[@]}")
    [[ ${#unknown[@]} == 0 ]] ||
      fail "apt does not know: ${unknown[*]} (LLVM 22 comes with the security" \
           "updates of Debian 12: add 'bookworm-security main' to apt's sources)"
  fi
  # A list that is out of date names files that are gone: update, try again.
  local install=("${as_root[@]}" apt-get install -q -y --no-install-recommends
                 -o DPkg::Lock::Timeout=300
                 "${missing[@]}")
  run "${install[@]}" </dev/null ||
    { run "${as_root[@]}" apt-get update -q && run "${install[@]}" </dev/null; } ||
    fail "apt-get could not install: ${missing[*]}"
}

ptxas_package=nvidia-cuda-nvcc==13.0.88

# The first ptxas there is; test/features.py looks in the same places.
find_ptxas() {
  local found
  for found in "$(command -v ptxas || true)" "${CUDA_HOME:-}/bin/ptxas" \
               /usr/local/cuda/bin/ptxas "$PWD/build/ptxas/bin/ptxas"; do
    if [[ -x "$found" ]]; then
      echo "$found"
      return
    fi
  done
}

install_ptxas() {
  local found folder=build/ptxas
  if [[ -z "$(find_ptxas)" ]]; then
    packages+=(python3-venv)
    install_packages
    say "== Installing $ptxas_package"
    run python3 -m venv "$folder" ||
      fail "needs python3-venv to install $ptxas_package"
    run "$folder/bin/pip" install -q --no-deps "$ptxas_package" ||
      fail "pip could not install $ptxas_package: set it up to find one, or" \
           "install CUDA and set CUDA_HOME"
    found=("$PWD/$folder"/lib/python3*/site-packages/nvidia/cu13/bin/ptxas)
    [[ -x "${found[0]}" ]] || fail "$ptxas_package holds no ptxas"
    ln -sf "${found[0]}" "$folder/bin/ptxas"
  fi
  found="$(find_ptxas)"
  echo "ptxas: $found ($("$found" --version | grep -o 'release.*' ||
                         echo "of a version that it does not say"))"
}

if [[ -n "$with_ptxas" ]]; then
  install_ptxas
  exit 0
fi

if command -v dpkg-query >/dev/null && command -v apt-get >/dev/null; then
  install_packages
else
  say "setup.sh: no apt on this system; assuming that what corresponds to" \
      "Debian's ${packages[*]} is installed"
fi
[[ -z "$packages_only" ]] || exit 0

build=build
[[ $preset == dev ]] || build="build-$preset"
if [[ ! -f $build/build.ninja ]]; then
  say "== Configuring ($preset)"
  run cmake --preset "$preset"
fi
say "== Building"
run ninja -C "$build" -j"$(nproc)" "$target"
