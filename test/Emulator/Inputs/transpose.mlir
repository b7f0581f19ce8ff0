// Tiles of 8 x 32 turned in shared memory, whose rows are of 33 numbers.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @transpose(%x: memref<24x64xf32>, %y: memref<64x24xf32>)
        workgroup(%tile: memref<8x33xf32, #gpu.address_space<workgroup>>)
        kernel {
      %c8 = arith.constant 8 : index
      %c32 = arith.constant 32 : index
      %bx = gpu.block_id x
      %by = gpu.block_id y
      %tx = gpu.thread_id x
      %ty = gpu.thread_id y
      %column = arith.muli %bx, %c32 : index
      %row = arith.muli %by, %c8 : index
      %i = arith.addi %row, %ty : index
      %j = arith.addi %column, %tx : index
      %in = memref.load %x[%i, %j] : memref<24x64xf32>
      memref.store %in, %tile[%ty, %tx]
          : memref<8x33xf32, #gpu.address_space<workgroup>>
      gpu.barrier
      %r = arith.remui %tx, %c8 : index
      %q = arith.divui %tx, %c8 : index
      %q8 = arith.muli %q, %c8 : index
      %c = arith.addi %q8, %ty : index
      %out = memref.load %tile[%r, %c]
          : memref<8x33xf32, #gpu.address_space<workgroup>>
      %oi = arith.addi %column, %c : index
      %oj = arith.addi %row, %r : index
      memref.store %out, %y[%oi, %oj] : memref<64x24xf32>
      gpu.return
    }
  }
  func.func @main(%x: memref<24x64xf32>) -> memref<64x24xf32> {
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 3 : index
    %c8 = arith.constant 8 : index
    %c32 = arith.constant 32 : index
    %y = memref.alloc() : memref<64x24xf32>
    gpu.launch_func @kernels::@transpose blocks in (%c2, %c3, %c1)
        threads in (%c32, %c8, %c1)
        args(%x : memref<24x64xf32>, %y : memref<64x24xf32>)
    return %y : memref<64x24xf32>
  }
}
