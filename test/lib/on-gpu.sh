# Runs `attn-run FILE.mlir --target=gpu ...` on the driver that is none, whose
# GPU is of sm_90 and runs kernels in the emulator.
#
#     on-gpu.sh BUILD FILE.mlir [options of attn-run]
set -e
build=$1 file=$2
shift 2
kernels=$(mktemp)
trap 'rm -f "$kernels"' EXIT
attn-run "$file" --target=gpu --chip=sm_90 --emit=llvm > "$kernels"
LD_LIBRARY_PATH="$build/test/lib/emulated-cuda" EMULATED_CUDA_KERNELS="$kernels" \
  attn-run "$file" --target=gpu "$@"
