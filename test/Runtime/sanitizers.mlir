// RUN: attn-run %s --emit=asm > %t.s
// RUN: gcc -std=c11 -g -O1 -fsanitize=thread -I%attn_source_dir/include %S/Inputs/host.c %attn_source_dir/lib/Runtime/*.c %t.s %openmp -lm -o %t.thread
// RUN: %t.thread 2>&1 | FileCheck %s
// RUN: gcc -std=c11 -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -I%attn_source_dir/include %S/Inputs/host.c %attn_source_dir/lib/Runtime/*.c %t.s %openmp -lm -o %t.address
// RUN: %t.address 2>&1 | FileCheck %s

// A host in C, of which only the header and the runtime's sources are known,
// under the sanitizers of threads, of addresses and leaks, and of undefined
// behaviour. The last of the loop's items attend to too few keys.
// CHECK-NOT: WARNING
// CHECK-NOT: unexpected
// CHECK: 320 calls, 0 wrong
// CHECK-NOT: WARNING
func.func @f(%x: tensor<64x8xf32>, %less: index) -> tensor<64x8xf32> {
  %c16 = arith.constant 16 : index
  %init = tensor.empty() : tensor<64x8xf32>
  %o = scf.forall (%b) = (0) to (64) step (16) shared_outs(%out = %init) -> tensor<64x8xf32> {
    %fewer = arith.muli %b, %less : index
    %some = arith.divui %fewer, %c16 : index
    %rows = arith.subi %c16, %some : index
    %q = tensor.extract_slice %x[%b, 0] [16, 8] [1, 1] : tensor<64x8xf32> to tensor<16x8xf32>
    %k = tensor.extract_slice %x[%b, 0] [%rows, 8] [1, 1] : tensor<64x8xf32> to tensor<?x8xf32>
    %v = tensor.cast %q : tensor<16x8xf32> to tensor<?x8xf32>
    %to = tensor.extract_slice %out[%b, 0] [16, 8] [1, 1] : tensor<64x8xf32> to tensor<16x8xf32>
    %r = attn.sdpa ins(%q, %k, %v : tensor<16x8xf32>, tensor<?x8xf32>, tensor<?x8xf32>)
        outs(%to : tensor<16x8xf32>) -> tensor<16x8xf32>
    scf.forall.in_parallel {
      tensor.parallel_insert_slice %r into %out[%b, 0] [16, 8] [1, 1] : tensor<16x8xf32> into tensor<64x8xf32>
    }
  }
  return %o : tensor<64x8xf32>
}
