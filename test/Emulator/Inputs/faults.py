"""Changes kernels that are right, one thing at a time, and prints what the
emulator says of each with the first of several orders of the threads. A fault
that some order does not show is said to be missed."""

import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
SCHEDULES = (0, 1, 2)

# Kernel, what is changed, a pattern and what stands in its place.
FAULTS = [
    ("saxpy", "the grid is too large",
     r"%inside = .*", "%inside = arith.constant true"),
    ("saxpy", "an offset is off by two bytes",
     r"%xi = .*",
     "%b = memref.extract_aligned_pointer_as_index %x : memref<?xf32> -> index\n"
     "%b2 = arith.addi %b, %two : index\n"
     "%w = arith.index_cast %b2 : index to i64\n"
     "%p = llvm.inttoptr %w : i64 to !llvm.ptr\n"
     "%xi = llvm.load %p : !llvm.ptr -> f32"),
    ("reduce", "no barrier before what others wrote",
     r"gpu.barrier", ""),
    ("reduce", "a barrier that a part of the threads comes to",
     r"%leads = .*\n *scf.if %leads \{",
     r"\g<0> gpu.barrier"),
    ("reduce", "a barrier that comes twice for a warp",
     r"gpu.barrier",
     "%one = arith.constant 1 : i32\n"
     "%others = arith.cmpi ugt, %warp, %c0 : index\n"
     "scf.if %others { nvvm.barrier id = %one }\n gpu.barrier"),
    ("reduce", "a shuffle that a part of the lanes comes to",
     r"(%x16, %v16 = .*)\n(.*)",
     r"%few = arith.cmpi ult, %thread, %c2 : index\n"
     r"%s16 = scf.if %few -> f32 { \1\n scf.yield %x16 : f32 }"
     r" else { scf.yield %s8 : f32 }"),
    ("reduce", "a shuffle from a lane that is not in the mask",
     r"%x16, %v16 = .*",
     "%low = arith.constant 65535 : i32\n"
     "%high = arith.constant -65536 : i32\n"
     "%c16 = arith.constant 16 : index\n"
     "%within = arith.remui %thread, %c32 : index\n"
     "%isLow = arith.cmpi slt, %within, %c16 : index\n"
     "%mask = arith.select %isLow, %low, %high : i32\n"
     "%bound = arith.constant 31 : i32\n"
     "%x16 = nvvm.shfl.sync down %mask, %s8, %o16, %bound : f32 -> f32"),
    ("reduce", "a place beyond shared memory",
     r"memref.store %s16, %shared\[%warp\]",
     "memref.store %s16, %shared[%thread]"),
    ("reduce", "a loop without end",
     r"gpu.barrier",
     "scf.while : () -> () {\n %t = arith.constant true\n"
     "memref.store %own, %x[%row, %thread] : memref<5x96xf32>\n"
     "scf.condition(%t) } do { scf.yield }"),
    ("transpose", "no barrier", r"gpu.barrier", ""),
    ("product", "no wait", r"nvvm.cp.async.wait.group 0", ""),
    ("product", "a wait for too few groups",
     r"nvvm.cp.async.wait.group 0", "nvvm.cp.async.wait.group 1"),
    ("product", "no commit", r"nvvm.cp.async.commit.group", ""),
    ("product", "no barrier after the wait",
     r"(nvvm.cp.async.wait.group 0)\n *gpu.barrier", r"\1"),
    ("product", "the barrier before the wait",
     r"(nvvm.cp.async.wait.group 0)\n *gpu.barrier", r"gpu.barrier\n \1"),
    ("product", "copies that are not aligned",
     r"%from = arith.muli %chunk, %c8 : index",
     "%from8 = arith.muli %chunk, %c8 : index\n"
     "%from = arith.addi %from8, %c1 : index"),
    ("product", "copies from beyond an array",
     r"%rb = arith.subi %r, %c16 : index",
     "%rb = arith.subi %r, %c8 : index"),
    ("product", "copies that nobody waits for",
     r"gpu.return",
     "gpu.barrier\n %leads = arith.cmpi eq, %lane, %c0 : index\n"
     "scf.if %leads {\n"
     "%u = nvgpu.device_async_copy %b[%c0, %c0], %s[%c0, %c0], 8 {bypassL1}"
     " : memref<8x32xf16> to !wg\n }\n gpu.return"),
]
# What only makes a kernel slower.
CONFLICTS = [
    ("transpose", "rows of 32 numbers", r"8x33", "8x32"),
    ("product", "no swizzle", r"arith.xori (\S+), .*",
     r"arith.addi \1, %c0 : index"),
]


def run(text, schedule, directory):
    file = pathlib.Path(directory, "kernel.mlir")
    file.write_text(text)
    command = ["attn-run", str(file), "--target=gpu-emulator",
               "--start-after=bufferize", f"--schedule={schedule}", "--random",
               f"--output={directory}/out.npy"]
    if "?xf32" in text:
        command.append("--shape=150")
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT)
    return done.returncode, done.stdout.strip()


def main():
    with tempfile.TemporaryDirectory() as directory:
        for kernel, what, pattern, replacement in FAULTS + CONFLICTS:
            text = (HERE / f"{kernel}.mlir").read_text()
            changed, count = re.subn(pattern, replacement, text)
            if count == 0:
                print(f"{kernel}: {what}: expected '{pattern}' in the kernel")
                continue
            changed = changed.replace(
                "kernel {\n", "kernel {\n %two = arith.constant 2 : index\n", 1)
            results = [run(changed, s, directory) for s in SCHEDULES]
            wanted = 0 if (kernel, what, pattern, replacement) in CONFLICTS else 1
            missed = [s for s, (status, _) in zip(SCHEDULES, results)
                      if status != wanted]
            print(f"{kernel}: {what}: {results[0][1]}")
            if missed:
                print(f"{kernel}: {what}: missed with schedules {missed}: "
                      f"{results[missed[0]][1]}")


if __name__ == "__main__":
    main()
