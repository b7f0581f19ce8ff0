// RUN: attn-opt %s --attn-cpu-pipeline=stop-after=bufferize --dump-pass-pipeline 2>&1 | FileCheck %s
// RUN: attn-opt %s --attn-cpu-pipeline="stop-after=tile query-tile=16 key-tile=64 require-fused=true" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=OPTIONS

// The stages, in order, as text.
// CHECK: attn-check-sizes
// CHECK: attn-check-extents
// CHECK: attn-generalize-elementwise
// CHECK: attn-generalize
// CHECK: canonicalize
// CHECK: attn-bound
// CHECK: attn-own-inits
// CHECK: attn-tile
// CHECK: attn-decompose
// CHECK: attn-tile-contractions
// CHECK: attn-lend-arguments
// CHECK: attn-lend-results
// CHECK: attn-separate-inits
// CHECK: one-shot-bufferize
// CHECK: attn-count-tiles
// CHECK-NOT: attn-vectorize
// OPTIONS: attn-tile{
// OPTIONS-DAG: key-tile=64
// OPTIONS-DAG: query-tile=16
// OPTIONS-DAG: require-fused=true
// OPTIONS-NOT: one-shot-bufferize
module {
}
