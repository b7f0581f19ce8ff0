// An op that runs as plain loops, many times slower, is never silent: the run,
// its time and the JSON object say which one it is and why. One that is fused
// is not mentioned.

// RUN: attn-run %s --random 2>&1 >/dev/null | FileCheck %s --match-full-lines --implicit-check-not={{.}}
// CHECK: attn-run: {{.*}}attn-run-unfused.mlir:[[#@LINE+28]]:10: unfused: the weights are asked for

// RUN: attn-run %s --random --time=3 --output=%t.out.npy --output=%t.w.npy 2> %t.err | FileCheck %s --check-prefix=TIME
// RUN: FileCheck %s --input-file=%t.err --match-full-lines --implicit-check-not={{.}}
// TIME: time: {{.*}} GB/s; 1 op unfused{{$}}

// RUN: attn-run %s --random --time=3 --json 2>/dev/null | %python -c "import json, sys; o = json.load(sys.stdin); print(o['fused'], len(o['unfused']), *o['unfused'][0].values())" | FileCheck %s --check-prefix=JSON
// JSON: False 1 {{.*}}attn-run-unfused.mlir:[[#@LINE+21]]:10 the weights are asked for

// RUN: attn-run %s --random --fusion=never 2>&1 >/dev/null | FileCheck %s --check-prefix=NEVER
// NEVER: attn-run: {{.*}}attn-run-unfused.mlir:[[#@LINE+15]]:8: unfused: fusion is switched off
// NEVER-NEXT: attn-run: {{.*}}attn-run-unfused.mlir:[[#@LINE+17]]:10: unfused: fusion is switched off

// Where all is said, it is said once.
// RUN: attn-run %s --random --print-config 2>&1 | FileCheck %s --check-prefix=CONFIG --implicit-check-not="unfused: "
// CONFIG: {{.*}}: fusion: left unfused: the weights are asked for

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
#w = affine_map<(m, n, d, e) -> (m, n)>
func.func @f(%q: tensor<5x4xf32>, %k: tensor<7x4xf32>, %v: tensor<7x4xf32>) -> (tensor<5x4xf32>, tensor<5x7xf32>) {
  %o0 = tensor.empty() : tensor<5x4xf32>
  %w0 = tensor.empty() : tensor<5x7xf32>
  %a = attn.sdpa ins(%q, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>)
      outs(%o0 : tensor<5x4xf32>) -> tensor<5x4xf32>
  // Query, key and value of one width: the weights are asked for.
  %b:2 = attn.generic ins(%a, %k, %v : tensor<5x4xf32>, tensor<7x4xf32>, tensor<7x4xf32>)
      weighting(#attn.softmax) outs(%o0 : tensor<5x4xf32>) weights(%w0 : tensor<5x7xf32>)
      {indexing_maps = [#q, #k, #v, #o, #w]} -> tensor<5x4xf32>, tensor<5x7xf32>
  return %b#0, %b#1 : tensor<5x4xf32>, tensor<5x7xf32>
}
