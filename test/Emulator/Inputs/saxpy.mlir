// y + a x, in blocks of 64 threads, the last one with some to spare.
module attributes {gpu.container_module} {
  gpu.module @kernels {
    gpu.func @saxpy(%a: f32, %x: memref<?xf32>, %y: memref<?xf32>,
                    %z: memref<?xf32>) kernel {
      %c0 = arith.constant 0 : index
      %n = memref.dim %x, %c0 : memref<?xf32>
      %block = gpu.block_id x
      %extent = gpu.block_dim x
      %thread = gpu.thread_id x
      %first = arith.muli %block, %extent : index
      %i = arith.addi %first, %thread : index
      %inside = arith.cmpi ult, %i, %n : index
      scf.if %inside {
        %xi = memref.load %x[%i] : memref<?xf32>
        %yi = memref.load %y[%i] : memref<?xf32>
        %ax = arith.mulf %a, %xi : f32
        %sum = arith.addf %ax, %yi : f32
        memref.store %sum, %z[%i] : memref<?xf32>
      }
      gpu.return
    }
  }
  func.func @main(%a: f32, %x: memref<?xf32>, %y: memref<?xf32>)
      -> memref<?xf32> {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c64 = arith.constant 64 : index
    %n = memref.dim %x, %c0 : memref<?xf32>
    %blocks = arith.ceildivui %n, %c64 : index
    %z = memref.alloc(%n) : memref<?xf32>
    gpu.launch_func @kernels::@saxpy blocks in (%blocks, %c1, %c1)
        threads in (%c64, %c1, %c1)
        args(%a : f32, %x : memref<?xf32>, %y : memref<?xf32>,
             %z : memref<?xf32>)
    return %z : memref<?xf32>
  }
}
