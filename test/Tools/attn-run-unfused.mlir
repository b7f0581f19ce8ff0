// An op that runs as plain loops, many times slower, is never silent: the run,
// its time and the JSON object say which one it is and why. One that is fused
// is not mentioned.

// RUN: attn-run %s --random 2>&1 >/dev/null | FileCheck %s --match-full-lines --implicit-check-not={{.}}
// CHECK: attn-run: {{.*}}attn-run-unfused.mlir:[[#@LINE+28]]:8: unfused: expected one feature dimension, but there are 2: collapse them, in one order, in the query and key (tensor.collapse_shape)

// RUN: attn-run %s --random --time=3 --output=%t.out.npy --output=%t.2.npy 2> %t.err | FileCheck %s --check-prefix=TIME
// RUN: FileCheck %s --input-file=%t.err --match-full-lines --implicit-check-not={{.}}
// TIME: time: {{.*}} GB/s; 1 op unfused{{$}}

// RUN: attn-run %s --random --time=3 --json 2>/dev/null | %python -c "import json, sys; o = json.load(sys.stdin); print(o['fused'], len(o['unfused']), *o['unfused'][0].values())" | FileCheck %s --check-prefix=JSON
// JSON: False 1 {{.*}}attn-run-unfused.mlir:[[#@LINE+21]]:8 expected one feature dimension, but there are 2: collapse them, in one order, in the query and key (tensor.collapse_shape)

// RUN: attn-run %s --random --fusion=never 2>&1 >/dev/null | FileCheck %s --check-prefix=NEVER
// NEVER: attn-run: {{.*}}attn-run-unfused.mlir:[[#@LINE+15]]:8: unfused: fusion is switched off
// NEVER-NEXT: attn-run: {{.*}}attn-run-unfused.mlir:[[#@LINE+17]]:8: unfused: fusion is switched off

// Where all is said, it is said once.
// RUN: attn-run %s --random --print-config 2>&1 | FileCheck %s --check-prefix=CONFIG --implicit-check-not="unfused: "
// CONFIG: {{.*}}: fusion: left unfused: expected one feature dimension, but there are 2: collapse them, in one order, in the query and key (tensor.collapse_shape)

#q = affine_map<(m, n, c, d, e) -> (m, c, d)>
#k = affine_map<(m, n, c, d, e) -> (n, c, d)>
#v = affine_map<(m, n, c, d, e) -> (n, e)>
#o = affine_map<(m, n, c, d, e) -> (m, e)>

func.func @f(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x4xf32>, %r: tensor<5x2x2xf32>, %l: tensor<7x2x2xf32>) -> (tensor<5x4xf32>, tensor<5x4xf32>) {
  %o0 = tensor.empty() : tensor<5x4xf32>
  %o1 = tensor.empty() : tensor<5x4xf32>
  %a = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>)
      outs(%o0 : tensor<5x4xf32>) -> tensor<5x4xf32>
  // The kernel takes one feature dimension.
  %b = attn.generic ins(%r, %l, %v : tensor<5x2x2xf32>, tensor<7x2x2xf32>, tensor<7x4xf32>)
      weighting(#attn.softmax) outs(%o1 : tensor<5x4xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<5x4xf32>
  return %a, %b : tensor<5x4xf32>, tensor<5x4xf32>
}
