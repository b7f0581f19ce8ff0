// RUN: attn-compile %s -o %t.so

// Compiled ahead of time, for the programs beside this file: causal attention
// whose heads, rows and keys are known when it is called.
func.func @attention(%q: tensor<?x?x64xf32>, %k: tensor<?x?x64xf32>,
                     %v: tensor<?x?x64xf32>) -> tensor<?x?x64xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %heads = tensor.dim %q, %c0 : tensor<?x?x64xf32>
  %rows = tensor.dim %q, %c1 : tensor<?x?x64xf32>
  %init = tensor.empty(%heads, %rows) : tensor<?x?x64xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<?x?x64xf32>, tensor<?x?x64xf32>, tensor<?x?x64xf32>)
      outs(%init : tensor<?x?x64xf32>) {causal = #attn.causal<bottom_right>}
      -> tensor<?x?x64xf32>
  return %o : tensor<?x?x64xf32>
}
