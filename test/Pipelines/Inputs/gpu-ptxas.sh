# Compiles a file with f32, f16 and bf16 queries, keys, values and results, which
# are those with 64 features or more, and prints what the assembler says of
# local memory.
#
#     gpu-ptxas.sh PTXAS FOLDER CHIP FILE.mlir
ptxas=$1 folder=$2 chip=$3 file=$4
for type in f32 f16 bf16; do
  sed -E "s/x(64|128|256)xf32/x\1x$type/g" "$file" > "$folder/$type.mlir"
  attn-run "$folder/$type.mlir" --target=gpu --chip="$chip" --emit=ptx \
    > "$folder/$type.ptx" || exit 1
  echo "$type:" "$("$ptxas" -v -arch="$chip" "$folder/$type.ptx" -o /dev/null 2>&1 |
    grep spill)"
done
