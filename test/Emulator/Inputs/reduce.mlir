// The sum of each row of 96 numbers: within a warp by shuffles, over the three
// warps through shared memory.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @reduce(%x: memref<5x96xf32>, %sums: memref<5xf32>)
        workgroup(%shared: memref<3xf32, #gpu.address_space<workgroup>>)
        kernel attributes {known_block_size = array<i32: 96, 1, 1>} {
      %c0 = arith.constant 0 : index
      %c1 = arith.constant 1 : index
      %c2 = arith.constant 2 : index
      %c32 = arith.constant 32 : index
      %row = gpu.block_id x
      %thread = gpu.thread_id x
      %own = memref.load %x[%row, %thread] : memref<5x96xf32>
      %width = arith.constant 32 : i32
      %o1 = arith.constant 1 : i32
      %o2 = arith.constant 2 : i32
      %o4 = arith.constant 4 : i32
      %o8 = arith.constant 8 : i32
      %o16 = arith.constant 16 : i32
      %x1, %v1 = gpu.shuffle xor %own, %o1, %width : f32
      %s1 = arith.addf %own, %x1 : f32
      %x2, %v2 = gpu.shuffle xor %s1, %o2, %width : f32
      %s2 = arith.addf %s1, %x2 : f32
      %x4, %v4 = gpu.shuffle xor %s2, %o4, %width : f32
      %s4 = arith.addf %s2, %x4 : f32
      %x8, %v8 = gpu.shuffle down %s4, %o8, %width : f32
      %s8 = arith.addf %s4, %x8 : f32
      %x16, %v16 = gpu.shuffle down %s8, %o16, %width : f32
      %s16 = arith.addf %s8, %x16 : f32
      %lane = arith.remui %thread, %c32 : index
      %warp = arith.divui %thread, %c32 : index
      %first = arith.cmpi eq, %lane, %c0 : index
      scf.if %first {
        memref.store %s16, %shared[%warp]
            : memref<3xf32, #gpu.address_space<workgroup>>
      }
      gpu.barrier
      %leads = arith.cmpi eq, %thread, %c0 : index
      scf.if %leads {
        %a = memref.load %shared[%c0]
            : memref<3xf32, #gpu.address_space<workgroup>>
        %b = memref.load %shared[%c1]
            : memref<3xf32, #gpu.address_space<workgroup>>
        %c = memref.load %shared[%c2]
            : memref<3xf32, #gpu.address_space<workgroup>>
        %ab = arith.addf %a, %b : f32
        %abc = arith.addf %ab, %c : f32
        memref.store %abc, %sums[%row] : memref<5xf32>
      }
      gpu.return
    }
  }
  func.func @main(%x: memref<5x96xf32>) -> memref<5xf32> {
    %c1 = arith.constant 1 : index
    %c5 = arith.constant 5 : index
    %c96 = arith.constant 96 : index
    %sums = memref.alloc() : memref<5xf32>
    gpu.launch_func @kernels::@reduce blocks in (%c5, %c1, %c1)
        threads in (%c96, %c1, %c1)
        args(%x : memref<5x96xf32>, %sums : memref<5xf32>)
    return %sums : memref<5xf32>
  }
}
