// RUN: attn-run %s --target=gpu --chip=sm_90 --stop-after=gpu | FileCheck %s --implicit-check-not=copysign --check-prefixes=MMA
// RUN: attn-run %s --target=gpu --chip=sm_90a --wgmma --stop-after=gpu | FileCheck %s --implicit-check-not=copysign --check-prefixes=WGMMA

// A score that reads nothing is computed before full tiles and others go separate
// ways: once for each of the two rows of a thread, and in the form wgmma in the
// first tile and in the loop.

// MMA-COUNT-2: math.copysign
// WGMMA-COUNT-4: math.copysign
func.func @causal(%q: tensor<2x256x64xf16>, %k: tensor<2x?x64xf16>, %v: tensor<2x?x64xf16>) -> tensor<2x256x64xf16> {
  %init = tensor.empty() : tensor<2x256x64xf16>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x256x64xf16>, tensor<2x?x64xf16>, tensor<2x?x64xf16>)
      outs(%init : tensor<2x256x64xf16>) {causal = #attn.causal<bottom_right>}
      score {
      ^bb0(%s: f32, %b: index, %i: index, %j: index):
        %c = arith.constant 7.0 : f32
        %t = math.copysign %s, %c : f32
        attn.yield %t : f32
      } -> tensor<2x256x64xf16>
  return %o : tensor<2x256x64xf16>
}
