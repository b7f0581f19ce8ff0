// RUN: attn-run %s --entry=decode --target=gpu-emulator --random --shape=3:30 --random-range=3:0:19 --check | FileCheck %s
// RUN: attn-run %s --entry=decode --target=gpu-emulator --random=5 --shape=3:30 --random-range=3:0:19 --schedule=3 --check | FileCheck %s

// The key tiles of a page table in parts, of which some are empty, and merged in
// order; the number of keys is that of the request's pages.
// CHECK: emulator: 4 launches
// CHECK: check: result 0: ok

#q = affine_map<(b, h, m, p, r, d, e) -> (b, h, m, d)>
#k = affine_map<(b, h, m, p, r, d, e) -> (p, h, r, d)>
#v = affine_map<(b, h, m, p, r, d, e) -> (p, h, r, e)>
#o = affine_map<(b, h, m, p, r, d, e) -> (b, h, m, e)>
#lists = affine_map<(b, h, m, p, r, d, e) -> (b)>
#all = affine_map<(b, h, m, p, r, d, e) -> ()>
func.func @decode(%q: tensor<3x2x4x16xf16>, %k: tensor<20x2x16x16xf16>, %v: tensor<20x2x16x24xf16>,
                  %pages: tensor<?xi32>) -> tensor<3x2x4x24xf16> {
  %indptr = arith.constant dense<[0, 19, 19, 30]> : tensor<4xi64>
  %init = tensor.empty() : tensor<3x2x4x24xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<3x2x4x16xf16>, tensor<20x2x16x16xf16>, tensor<20x2x16x24xf16>)
      weighting(#attn.softmax) blocks(%indptr, %pages : tensor<4xi64>, tensor<?xi32>) {rows = 1, keys = 16, kind = physical, maps = [#lists, #all]}
      outs(%init : tensor<3x2x4x24xf16>)
      {indexing_maps = [#q, #k, #v, #o], scale = 0.25 : f64,
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 16, keys = 32, warps = 1, stages = 1, splits = 4>}
      mask {
        %j = attn.index 4
        %c250 = arith.constant 250 : index
        %visible = arith.cmpi slt, %j, %c250 : index
        attn.yield %visible : i1
      } -> tensor<3x2x4x24xf16>
  return %o : tensor<3x2x4x24xf16>
}
