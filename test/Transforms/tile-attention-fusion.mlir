// RUN: attn-opt %s --attn-tile --remarks-filter=attn 2>&1 | FileCheck %s --check-prefixes=CHECK,AUTO
// RUN: attn-opt %s --attn-tile=fusion=always | FileCheck %s --check-prefixes=CHECK,ALWAYS
// RUN: attn-opt %s --attn-tile=fusion=never | FileCheck %s --check-prefixes=CHECK,NEVER
// RUN: attn-opt %s --attn-cpu-pipeline="fusion=never stop-after=tile" | FileCheck %s --check-prefix=PIPELINE

// Four pairs of a query row and a key row do not pay for vectors; five do. What
// was chosen is a remark: the layout of least cost, and the others.

// AUTO-DAG: remark: {{.*}}left unfused: fusion does not pay for 4 pairs of a query row and a key row
// AUTO-DAG: remark: {{.*}}fused: one online pass; tiles of 1 query rows by 512 key rows; layout #attn.lanes_along_features<1> (cost 0.156), before #attn.lanes_along_rows<16> (cost 2), #attn.lanes_along_rows<32> (cost 3)"
// AUTO-DAG: remark: {{.*}}fused: one online pass; tiles of 32 query rows by 64 key rows; 4 query tiles share each key tile; layout #attn.lanes_along_rows<32> (cost 96), before #attn.lanes_along_rows<16> (cost 128)"

// AUTO-DAG: remark: {{.*}}; 8 query tiles share each key tile; layout #attn.lanes_along_rows<32> (cost {{.*}}), before #attn.lanes_along_rows<16> (cost {{.*}})"

// CHECK-LABEL: @four
// AUTO: attn.generic
// ALWAYS: attn.online
// NEVER: attn.generic
// CHECK-LABEL: @five
// AUTO: attn.online
// ALWAYS: attn.online
// NEVER: attn.generic
// CHECK-LABEL: @dynamic
// AUTO: attn.online
// ALWAYS: attn.online
// NEVER: attn.generic
// CHECK-LABEL: @long
// PIPELINE-NOT: attn.online

#q = affine_map<(m, n, d, e) -> (m, d)>
#k = affine_map<(m, n, d, e) -> (n, d)>
#v = affine_map<(m, n, d, e) -> (n, e)>
#o = affine_map<(m, n, d, e) -> (m, e)>
func.func @four(%q: tensor<1x4xf32>, %k: tensor<4x4xf32>, %v: tensor<4x3xf32>,
                %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<1x4xf32>, tensor<4x4xf32>, tensor<4x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<1x3xf32>
  return %o : tensor<1x3xf32>
}

func.func @five(%q: tensor<1x4xf32>, %k: tensor<5x4xf32>, %v: tensor<5x3xf32>,
                %init: tensor<1x3xf32>) -> tensor<1x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<1x4xf32>, tensor<5x4xf32>, tensor<5x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<1x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<1x3xf32>
  return %o : tensor<1x3xf32>
}

func.func @dynamic(%q: tensor<?x4xf32>, %k: tensor<?x4xf32>, %v: tensor<?x3xf32>,
                   %init: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<?x4xf32>, tensor<?x4xf32>, tensor<?x3xf32>)
      weighting(#attn.softmax) outs(%init : tensor<?x3xf32>)
      {indexing_maps = [#q, #k, #v, #o]} -> tensor<?x3xf32>
  return %o : tensor<?x3xf32>
}

// Keys and values of 1 MiB, and query rows enough for all threads.
func.func @long(%q: tensor<16x1024x64xf32>, %k: tensor<16x2048x64xf32>, %v: tensor<16x2048x64xf32>,
                %init: tensor<16x1024x64xf32>) -> tensor<16x1024x64xf32> {
  %o = attn.generic ins(%q, %k, %v : tensor<16x1024x64xf32>, tensor<16x2048x64xf32>, tensor<16x2048x64xf32>)
      weighting(#attn.softmax) outs(%init : tensor<16x1024x64xf32>)
      {indexing_maps = [affine_map<(b, m, n, d, e) -> (b, m, d)>, affine_map<(b, m, n, d, e) -> (b, n, d)>,
                        affine_map<(b, m, n, d, e) -> (b, n, e)>, affine_map<(b, m, n, d, e) -> (b, m, e)>]}
      -> tensor<16x1024x64xf32>
  return %o : tensor<16x1024x64xf32>
}
