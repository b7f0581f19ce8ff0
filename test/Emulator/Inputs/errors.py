"""Kernels and launches that the emulator does not take, and what is said."""

import subprocess

MODULE = """
module attributes {gpu.container_module} {
  gpu.module @kernels {
    llvm.func @__nv_expf(f32) -> f32
    gpu.func @k(%x: memref<?xi32>) kernel {
      BODY
      gpu.return
    }
  }
  func.func @main(%x: memref<?xi32>) {
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 2 : index
    %c1024 = arith.constant 1024 : index
    %c65536 = arith.constant 65536 : index
    %bytes = arith.constant BYTES : i32
    gpu.launch_func @kernels::@KERNEL blocks in (%c1, GRID, %c1)
        threads in (%c1024, THREADS, %c1) dynamic_shared_memory_size %bytes
        args(%x : memref<?xi32>)
    return
  }
}
"""


def run(what, body="", grid="%c1", threads="%c1", size=0, kernel="k",
        options=("--target=gpu-emulator",)):
    text = MODULE.replace("BODY", body).replace("GRID", grid)
    text = text.replace("THREADS", threads).replace("BYTES", str(size))
    text = text.replace("KERNEL", kernel)
    command = ["attn-run", "-", "--start-after=bufferize", "--random",
               "--random-range=0:0:9", "--shape=5", *options]
    done = subprocess.run(command, input=text, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    print(f"{what}: {done.returncode} {done.stdout.strip()}")


run("an intrinsic",
    '%r = llvm.call_intrinsic "llvm.nvvm.read.ptx.sreg.clock"() : () -> i32\n'
    "%i = arith.constant 0 : index\n memref.store %r, %x[%i] : memref<?xi32>")
run("assembly", 'llvm.inline_asm has_side_effects "membar.gl;", "" : () -> ()')
PRODUCT = "wgmma.mma_async.sync.aligned.m64nCOLUMNSk16.f32.f16.f16"
SUMS = ", ".join(f"${i}" for i in range(4))
run("columns", 'llvm.inline_asm has_side_effects "' +
    PRODUCT.replace("COLUMNS", "264") +
    ' {$0}, $0, $0, 0, 1, 1, 0, 0;", "" : () -> ()')
run("an operand",
    "%d = llvm.mlir.constant(0 : i64) : i64\n"
    'llvm.inline_asm has_side_effects "' + PRODUCT.replace("COLUMNS", "8") +
    f' {{{SUMS}}}, $4, $9, 0, 1, 1, 0, 0;", "=f,=f,=f,=f,l" %d : (i64) -> '
    "!llvm.struct<(f32, f32, f32, f32)>")
run("a function",
    "%f = llvm.mlir.constant(0.5 : f32) : f32\n"
    "%r = llvm.call @__nv_expf(%f) : (f32) -> f32\n"
    "%i = arith.constant 0 : index\n %b = arith.fptosi %r : f32 to i32\n"
    "memref.store %b, %x[%i] : memref<?xi32>")
run("threads", threads="%c2")
run("a grid", grid="%c65536")
run("shared memory", size=232449)
run("another kernel", kernel="other")
run("a time", options=("--target=gpu-emulator", "--time"))
run("a schedule", options=("--schedule=3",))
