// RUN: attn-run %s --target=gpu --chip=sm_80 --stop-after=gpu | FileCheck %s

// What all columns of a row have in common is loaded once for each of the two rows
// of a thread, if any of the columns is to be read; what differs by column, for
// each of four.
// CHECK: gpu.func @documents_kernel({{.*}}: memref<32x16xf16>
// CHECK-COUNT-6: llvm.load {{.*}} -> i32
// CHECK-NOT: llvm.load {{.*}} -> i32
// CHECK: gpu.return

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @documents(%q: tensor<32x16xf16>, %k: tensor<20x16xf16>,
                     %v: tensor<20x16xf16>, %rows: tensor<32xi32>,
                     %columns: tensor<20xi32>) -> tensor<32x16xf16> {
  %init = tensor.empty() : tensor<32x16xf16>
  %o = attn.generic ins(%q, %k, %v : tensor<32x16xf16>, tensor<20x16xf16>, tensor<20x16xf16>)
      weighting(#attn.softmax) outs(%init : tensor<32x16xf16>)
      {indexing_maps = [#q, #k, #v, #o],
       attn.gpu_kernel = #attn.gpu_kernel<mma_sync, rows = 32, keys = 16, warps = 2, stages = 1, splits = 1>}
      mask {
        %i = attn.index 0
        %j = attn.index 1
        %mine = tensor.extract %rows[%i] : tensor<32xi32>
        %other = tensor.extract %columns[%j] : tensor<20xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      } -> tensor<32x16xf16>
  return %o : tensor<32x16xf16>
}
