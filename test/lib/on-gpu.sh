# Runs `attn-run FILE.mlir --target=gpu ...` on the driver that is none, whose
# GPU is of sm_90a and runs kernels in the emulator.
#
#     on-gpu.sh BUILD FILE.mlir [options of attn-run]
set -e
build=$1 file=$2
shift 2
entry=()
for option in "$@"; do
  case "$option" in --entry=*) entry=("$option") ;; esac
done
kernels=$(mktemp)
trap 'rm -f "$kernels"' EXIT
attn-run "$file" "${entry[@]}" --target=gpu --chip=sm_90a --emit=llvm > "$kernels"
# Products that others are compared with are small, and of a function @attn_product.
export ATTN_TEST_PRODUCT_SIZE=${ATTN_TEST_PRODUCT_SIZE:-64}
LD_LIBRARY_PATH="$build/test/lib/emulated-cuda" EMULATED_CUDA_KERNELS="$kernels" \
  attn-run "$file" --target=gpu "$@"
