// What attn-run prints and stores for one causal layer of dynamic size.

// The kernel's results agree with the reference, and print short.
// RUN: attn-run %s --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --check | FileCheck %s --check-prefix=OUT
// OUT-LABEL: result 0: 2x5x3xf32
// OUT-NEXT: {{^\[\[\[}}
// OUT-COUNT-9: {{^ +\[? *-?[01]\.[0-9]+ +-?[01]\.[0-9]+ +-?[01]\.[0-9]+}}
// OUT-NEXT: check: result 0: ok: 30 elements, largest error {{.*}} of the tolerance)

// The same seed gives the same numbers on every target; another does not.
// RUN: rm -rf %t && mkdir -p %t/100%%
// RUN: attn-run %s --random=3 --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --threads=1 --output=%t/one.npy
// RUN: attn-run %s --random=3 --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --threads=2 --output=%t/100%%/two.npy
// RUN: attn-run %s --random=4 --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --output=%t/other.npy
// RUN: cmp %t/one.npy %t/100%%/two.npy
// RUN: not cmp %t/one.npy %t/other.npy

// A timing for people is one line.
// RUN: attn-run %s --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --time=3 --output=%t/timed.npy | FileCheck %s --check-prefix=TIME --match-full-lines --implicit-check-not={{.}}
// TIME: time: {{.+}} ms (median of 3, least {{.+}} ms), {{.+}} GFLOP/s, {{.+}} % of the peak of {{.+}} GFLOP/s; {{[0-9]+}} thread{{s?}}, compiled in {{.+}} ms, memory reads at {{.+}} GB/s

// With --json stdout is one object; what is timed is checked, on stderr.
// RUN: attn-run %s --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --time=3 --json --check --threads=1 2> %t/stderr > %t/time.json
// RUN: %python -c "import json, sys; o = json.load(open(sys.argv[1])); print(*sorted(o)); print(o['threads'], o['runs'], 0 < o['min_ms'] <= o['median_ms'], 0 < o['peak_fraction'] < 0.97, abs(o['gflops'] / o['peak_gflops'] - o['peak_fraction']) < 0.01)" %t/time.json | FileCheck %s --check-prefix=JSON
// JSON: compile_ms fused gflops median_ms min_ms peak_fraction peak_gflops read_gb_per_s runs threads
// JSON-NEXT: 1 3 True True True
// RUN: FileCheck %s --check-prefix=CHECKED --input-file=%t/stderr
// CHECKED: check: result 0: ok: 30 elements

// Runs that are timed with copies of the arguments in turn: 256 copies of 4 KiB
// are 1 MiB.
// RUN: attn-run %s --random --shape=2x128x4 --shape=2x0x4 --shape=2x0x3 --time=3 --rotate=1 --threads=1 | FileCheck %s --check-prefix=ROTATE
// ROTATE: time: {{.+}}; 256 copies of the arguments in turn, at {{.+}} GB/s, {{[0-9.]+}} % of a plain read's
// RUN: attn-run %s --random --shape=2x128x4 --shape=2x0x4 --shape=2x0x3 --time=3 --rotate=1 --threads=1 --json 2> %t/stderr | FileCheck %s --check-prefix=ROTATE-JSON
// ROTATE-JSON: "copies": 256, "gb_per_s": {{[0-9.]+}}, "read_fraction": {{[0-9.]+}}

// One pair, by hand: row 2 of batch 1 sees keys 0, 1 and 2.
// RUN: attn-run %s --target=reference --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --trace-pair=1,2,2 | FileCheck %s --check-prefix=SEEN
// SEEN: pair [1, 2, 2]: similarity {{.+}}, scaled {{.+}}, score {{.+}}, mask true, weight 0.{{[0-9]+}} (the row sees 3 keys)
// RUN: attn-run %s --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --trace-pair=1,2,3 | FileCheck %s --check-prefix=HIDDEN
// HIDDEN: pair [1, 2, 3]: similarity {{.+}}, scaled {{.+}}, score none, mask false, weight 0 (the row sees 3 keys)
// RUN: attn-run %s --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 --trace-pair=1,2,2 --time=3 --json 2> %t/stderr | FileCheck %s --check-prefix=ALONE --match-full-lines --implicit-check-not={{.}}
// ALONE: {{[{].+[}]}}
// RUN: FileCheck %s --check-prefix=SEEN --input-file=%t/stderr

// Code at each level, and the IR in between.
// RUN: attn-run %s --stop-after=generalize | FileCheck %s --check-prefix=STOP
// STOP: attn.generic
// STOP-NOT: attn.sdpa
// RUN: attn-run %s --emit=mlir | FileCheck %s --check-prefix=MLIR
// MLIR: llvm.func @attention
// RUN: attn-run %s --emit=llvm | FileCheck %s --check-prefix=LLVM
// LLVM: define {{.*}} @attention
// RUN: attn-run %s --emit=asm | FileCheck %s --check-prefix=ASM
// ASM: .globl{{[ \t]+}}attention
// RUN: attn-run %s --emit=asm --cpu=sapphirerapids | FileCheck %s --check-prefix=ASM
// RUN: attn-run - --stop-after=import < %s | FileCheck %s --check-prefix=STDIN
// STDIN: attn.sdpa

// What the target is comes first, then what was found and chosen for each op.
// RUN: attn-run %s --print-config --random --shape=2x5x4 --shape=2x7x4 --shape=2x7x3 | FileCheck %s --check-prefix=CONFIG
// CONFIG: config: {{.+}}, vectors of {{[0-9]+}} bits, {{[0-9]+}} registers
// CONFIG-NEXT: entry: @attention(2x?x4xf32, 2x?x4xf32, 2x?x3xf32) -> (2x?x3xf32)
// CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: mask: 1 key range
// CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: rows: one query row, and more, have a kernel each
// CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: fusion: fused: one online pass; tiles of 1 query rows by {{[0-9]+}} key rows
// CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: fusion: fused: up to {{[0-9]+}} query rows; tiles of {{[0-9]+}} query rows by {{[0-9]+}} key rows
// CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: fusion: fused: one online pass; tiles of {{[0-9]+}} query rows by {{[0-9]+}} key rows
// CONFIG-NEXT: result 0

// That needs no arguments, and no machine that could run it: extents that are
// not known are printed as such.
// RUN: attn-run %s --print-config --cpu=sapphirerapids | FileCheck %s --check-prefix=ALONE-CONFIG --match-full-lines --implicit-check-not={{.}}
// ALONE-CONFIG: config: sapphirerapids, vectors of 512 bits, 32 registers, fma, scalef, bf16 dot
// ALONE-CONFIG-NEXT: entry: @attention(2x?x4xf32, 2x?x4xf32, 2x?x3xf32) -> (2x?x3xf32)
// ALONE-CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: mask: 1 key range
// ALONE-CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: rows: one query row, and more, have a kernel each
// ALONE-CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: fusion: fused: one online pass; tiles of 1 query rows by 512 key rows{{.*}}
// ALONE-CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: fusion: fused: up to 16 query rows; tiles of 8 query rows by 256 key rows{{.*}}
// ALONE-CONFIG-NEXT: {{.*}}attn-run.mlir:[[#]]:8: fusion: fused: one online pass; tiles of 32 query rows by 64 key rows{{.*}}

// RUN: attn-run --version | FileCheck %s --check-prefix=VERSION
// VERSION: attn-run {{[0-9]+\.[0-9]+\.[0-9]+}} (LLVM 22.{{.+}})
// RUN: attn-run --help | FileCheck %s --check-prefix=HELP
// HELP: usage: attn-run FILE.mlir [options]
// HELP-NOT: polly
// HELP: --attn-verify-stage=STAGE
// HELP: --help
// HELP: --version

func.func @attention(%q: tensor<2x?x4xf32>, %k: tensor<2x?x4xf32>,
                     %v: tensor<2x?x3xf32>) -> tensor<2x?x3xf32> {
  %c1 = arith.constant 1 : index
  %m = tensor.dim %q, %c1 : tensor<2x?x4xf32>
  %init = tensor.empty(%m) : tensor<2x?x3xf32>
  %o = attn.sdpa ins(%q, %k, %v : tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x3xf32>)
      outs(%init : tensor<2x?x3xf32>) {causal = #attn.causal<top_left>}
      -> tensor<2x?x3xf32>
  return %o : tensor<2x?x3xf32>
}
