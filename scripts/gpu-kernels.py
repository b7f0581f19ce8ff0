#!/usr/bin/env python3
"""Writes docs/gpu-kernels.md: what the assembler makes of the GPU kernels.

    gpu-kernels.py [--check | --full] [--chip=CHIP]... [--jobs=N]
                   [--ptxas=PATH] [--attn-run=PATH] [--checker=PATH]

Attention of several widths, types and kinds is compiled for each kind of chip,
and assembled: no kernel may spill registers, have local memory, ask for more
shared memory than a block of the chip may have, or have products of warpgroups
that the assembler lets wait for each other (its notes C7500 to C7599). With
--check, which needs no assembler, nothing is written, and the exit status is 1 if
the PTX of a kernel is not the one that the page has the figures of. A checker of
PTX, if one is named, has to find nothing in any kernel, and to come to an end; with
--check it looks at what runs with any sizes only on sm_90a. With --full all widths,
types, kinds and sizes are assembled with each other, and what is wrong is printed.
Where chips are named, all else of the page stays. Cases are compiled in batches,
`jobs` at a time.
On 2 cores the page takes some 3 minutes, --check 2, and --full 15.
"""

import argparse
import collections
import concurrent.futures
import hashlib
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "gpu-kernels.md"

# KiB of shared memory that a block may have.
SHARED = {"sm_80": 163, "sm_86": 99, "sm_90": 227, "sm_90a": 227, "sm_100": 227,
          "sm_120": 99}
WIDTHS = [(d, d) for d in (16, 32, 40, 64, 80, 96, 128, 192, 256)]
WIDTHS += [(192, 128), (576, 512)]
TYPES = ["f16", "bf16", "f32"]
# What chips have products of warpgroups, for which widths and types.
WGMMA = {"sm_90a"}
WGMMA_WIDTHS = [(d, e) for d, e in WIDTHS if e <= 256]
WGMMA_TYPES = ["f16", "bf16"]

ALIBI = """score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %slope = tensor.extract %extra[%h] : tensor<4xf32>
        %steps = arith.subi %j, %i : index
        %integer = arith.index_cast %steps : index to i32
        %distance = arith.sitofp %integer : i32 to f32
        %penalty = arith.mulf %slope, %distance : f32
        %t = arith.addf %s, %penalty : f32
        attn.yield %t : f32
      }"""
TABLE = """score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %far = arith.constant 128 : index
        %minusfar = arith.constant -128 : index
        %steps = arith.subi %j, %i : index
        %atleast = arith.maxsi %steps, %minusfar : index
        %distance = arith.minsi %atleast, %far : index
        %entry = arith.addi %distance, %far : index
        %learned = tensor.extract %extra[%h, %entry] : tensor<4x257xf32>
        %t = arith.addf %s, %learned : f32
        attn.yield %t : f32
      }"""
DOCUMENTS = """mask {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %mine = tensor.extract %extra[%i] : tensor<?xi32>
        %other = tensor.extract %extra[%j] : tensor<?xi32>
        %same = arith.cmpi eq, %mine, %other : i32
        attn.yield %same : i1
      }"""

CAUSAL = "causal = #attn.causal<bottom_right>"
# kind: attributes, one more argument, regions
KINDS = {
    "dense": ("", "", ""),
    "causal": (CAUSAL, "", ""),
    "softcap": ("softcap = 50.0 : f64", "", ""),
    "alibi": (CAUSAL, "tensor<4xf32>", ALIBI),
    "table": ("", "tensor<4x257xf32>", TABLE),
    "documents": (CAUSAL, "tensor<?xi32>", DOCUMENTS),
    "lse": ("", "", ""),
}

Case = collections.namedtuple("Case", "kind type width channels sizes")
Figures = collections.namedtuple("Figures", "registers instructions loop")


def list_cases(chip, full):
    """What is compiled: all of everything, or a part in which everything is."""
    types, widths = TYPES, WIDTHS
    some = [("f16", 128), ("bf16", 64), ("f32", 64)]
    if chip in WGMMA:
        types, widths = WGMMA_TYPES, WGMMA_WIDTHS
        some = [("f16", 128), ("f16", 64)]
    if full:
        return [Case(kind, element, *width, sizes) for kind in KINDS
                for element in types for width in widths
                for sizes in ("static", "dynamic")]
    cases = [Case("dense", element, *width, "static") for element in types
             for width in widths]
    for element, width in some:
        cases += [Case(kind, element, width, width, sizes) for kind in KINDS
                  for sizes in ("static", "dynamic")]
    return list(dict.fromkeys(cases))


def name_of(case):
    return " ".join(str(part) for part in case)


def write_module(cases):
    """One function of all, whose attention ops are in the order of `cases`."""
    arguments, body, results, types = [], [], [], []
    for number, case in enumerate(cases):
        attributes, extra, regions = KINDS[case.kind]
        dynamic, lse = case.sizes == "dynamic", case.kind == "lse"
        rows, keys = ("?", "?") if dynamic else (1024, 2048)

        def tensor(length, width, element=case.type):
            return f"tensor<2x4x{length}x{width}x{element}>"
        q, k = tensor(rows, case.width), tensor(keys, case.width)
        v, o = tensor(keys, case.channels), tensor(rows, case.channels)
        l = f"tensor<2x4x{rows}xf32>"
        n = f"_{number}"
        arguments += [f"%q{n}: {q}", f"%k{n}: {k}", f"%v{n}: {v}"]
        if extra:
            arguments.append(f"%extra{n}: {extra}")
        if dynamic:
            body.append(f"%rows{n} = tensor.dim %q{n}, %c2 : {q}")
        length = f"%rows{n}" if dynamic else ""
        body.append(f"%init{n} = tensor.empty({length}) : {o}")
        if lse:
            body.append(f"%sums{n} = tensor.empty({length}) : {l}")
        body.append(
            f"%o{n}{':2' if lse else ''} = attn.sdpa "
            f"ins(%q{n}, %k{n}, %v{n} : {q}, {k}, {v}) outs(%init{n} : {o}) "
            + (f"lse(%sums{n} : {l}) " if lse else "")
            + (f"{{{attributes}}} " if attributes else "")
            + re.sub(r"%extra\b", f"%extra{n}", " ".join(regions.split()))
            + f" -> {o}" + (f", {l}" if lse else ""))
        results += [f"%o{n}#0", f"%o{n}#1"] if lse else [f"%o{n}"]
        types += [o, l] if lse else [o]
    return (f"func.func @all({', '.join(arguments)}) -> ({', '.join(types)}) {{\n"
            "%c2 = arith.constant 2 : index\n" + "\n".join(body) +
            f"\nreturn {', '.join(results)} : {', '.join(types)}\n}}\n")


#===------------------------------------------------------------------------===#
# Compiling
#===------------------------------------------------------------------------===#


def run(command, text):
    done = subprocess.run(command, input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        sys.exit(f"gpu-kernels.py: {' '.join(map(str, command))}: {done.stderr}")
    return done.stdout


def split_kernels(ptx):
    """Name -> text of each kernel, without comments, names and numbers that
    depend on other kernels."""
    kernels = {}
    for text in re.split(r"^(?=\.visible \.entry )", ptx,
                         flags=re.MULTILINE)[1:]:
        name = re.match(r"\.visible \.entry (\w+)", text).group(1)
        text = re.sub(r"//.*|/\*.*?\*/", "", text[:text.index("\n}") + 2])
        text = re.sub(r"\$L__BB\d+_", "$L__BB_", text.replace(name, "kernel"))
        text = re.sub(r"__dynamic_shmem__\d+", "__dynamic_shmem__", text)
        kernels[name] = " ".join(text.split())
    return kernels


def hash_of(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


Compiled = collections.namedtuple("Compiled", "ptx kernels refused")
Kernel = collections.namedtuple("Kernel", "name choice shared hash")


def compile_cases(attn_run, chip, cases):
    """The PTX of all cases, the kernel of each, and why others have none."""
    command = [attn_run, "-", "--target=gpu", f"--chip={chip}"]
    if chip in WGMMA:
        # No other form, whose figures are those of other chips.
        command.append("--wgmma")
    refused = {}
    while True:
        cases = [case for case in cases if case not in refused]
        module = write_module(cases)
        done = subprocess.run(command + ["--stop-after=bufferize"],
                              input=module, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE)
        if done.returncode == 0:
            break
        found = re.search(r":(\d+):\d+: .*cannot be a GPU kernel: (.*)",
                          done.stderr)
        if not found:
            sys.exit(f"gpu-kernels.py: {done.stderr}")
        line = module.split("\n")[int(found.group(1)) - 1]
        number = int(re.match(r"%o_(\d+)", line).group(1))
        refused[cases[number]] = found.group(2)
    choices = re.findall(r"#attn\.gpu_kernel<(.*?)>", done.stdout)
    launches = re.findall(r"gpu\.launch_func\s+@(\w+)::@\w+ (.*)",
                          run(command + ["--stop-after=gpu"], module))
    ptx = run(command + ["--emit=ptx"], module)
    texts = split_kernels(ptx)
    # What lists the keys of tiles goes before the kernel that asks for memory.
    kernels, before = [], ""
    for name, how in launches:
        shared = re.search(r"dynamic_shared_memory_size %c(\d+)_i32", how)
        before += texts[name]
        if shared:
            kernels.append((name, int(shared.group(1)), hash_of(before)))
            before = ""
    if not len(cases) == len(choices) == len(kernels):
        sys.exit(f"gpu-kernels.py: expected a kernel for each of {len(cases)} "
                 f"cases, but got {len(kernels)}")
    return Compiled(ptx, {
        case: Kernel(name, choice, shared, digest)
        for case, choice, (name, shared, digest) in zip(cases, choices, kernels)},
        refused)


#===------------------------------------------------------------------------===#
# Assembling
#===------------------------------------------------------------------------===#

# The low bits of opcodes; what differs in others takes its operands
# from elsewhere.
NOP, BRANCH = 0x118, 0x147


def read_sections(elf):
    start, = struct.unpack_from("<Q", elf, 0x28)
    _, count, names = struct.unpack_from("<HHH", elf, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", elf, start + 64 * i)
               for i in range(count)]
    for header in headers:
        at = headers[names][4] + header[0]
        name = elf[at:elf.index(b"\0", at)].decode()
        if header[1] != 8:
            yield name, elf[header[4]:header[4] + header[5]]


def count_instructions(code):
    """All instructions, and those of the loop that is the longest."""
    words = [struct.unpack_from("<QQ", code, at)
             for at in range(0, len(code), 16)]
    opcodes = [low & 0x1ff for low, _ in words]

    def offset(number):
        low, high = words[number]
        value = (low >> 34) | ((high & 0x3ffff) << 30)
        value -= value >> 47 << 48
        return value << 8 | (low >> 16 & 0xff)
    while opcodes and opcodes[-1] == NOP:
        opcodes.pop()
    # The last one is a branch to itself, whose unit shows in its offset.
    unit = -offset(len(opcodes) - 1)
    loop = 0
    for number, opcode in enumerate(opcodes[:-1]):
        if opcode == BRANCH:
            loop = max(loop, -offset(number) // unit)
    return len(opcodes) - 1, loop


def assemble(ptxas, chip, ptx):
    """Name -> figures of each kernel, and what is wrong with any."""
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "kernels.ptx")
        code = pathlib.Path(folder, "kernels.cubin")
        source.write_text(ptx)
        done = subprocess.run([ptxas, "-v", f"-arch={chip}", source, "-o", code],
                              text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode:
            sys.exit(f"gpu-kernels.py: {done.stdout}")
        figures, wrong = {}, []
        sections = dict(read_sections(code.read_bytes()))
    wrong += re.findall(r"^.*\(C75\d\d\).*$", done.stdout, flags=re.MULTILINE)
    for part in re.split(r"Compiling entry function ", done.stdout)[1:]:
        name = re.match(r"'(\w+)'", part).group(1)
        memory = re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, "
                           r"(\d+) bytes spill loads", part)
        registers = int(re.search(r"Used (\d+) registers", part).group(1))
        if any(int(number) for number in memory.groups()):
            wrong.append(f"{name}: {memory.group(0)}")
        figures[name] = Figures(registers,
                                *count_instructions(sections[f".text.{name}"]))
    return figures, wrong


def get_version(ptxas):
    return re.search(r", V(\S+)", run([ptxas, "--version"], "")).group(1)


#===------------------------------------------------------------------------===#
# The page
#===------------------------------------------------------------------------===#

INTRODUCTION = """<!-- Written by scripts/gpu-kernels.py. -->

# GPU kernels

What the assembler makes of the kernels of attention, two batches of four heads,
by chip. `static` are 1,024 query rows and 2,048 keys, `dynamic` any numbers of
them. A tile is query rows by keys; `warps`, `stages` of buffers and `splits` of
the keys are those of [`#attn.gpu_kernel`](reference/gpu-kernel.md). No kernel
spills registers or has local memory. Instructions are those of the machine code,
of the whole kernel and of its longest loop, which is the one over the keys: what
is there twice, for tiles that are visible as a whole and for others, is counted
twice. The last column names the PTX, that of a kernel that lists keys included.

After a change of what kernels are made of, `scripts/gpu-kernels.py` writes the
page anew, where there is an assembler; the suite compares the PTX.
"""

HEADER = ("| type | width | kind | sizes | form | tile | warps | stages | splits "
          "| shared | registers | instructions | loop | PTX |\n"
          "|---|---|---|---|---|---|--:|--:|--:|--:|--:|--:|--:|---|\n")


def write_row(case, kernel, figures):
    form, rows, keys, warps, stages, splits = re.match(
        r"(\w+), rows = (\d+), keys = (\d+), warps = (\d+), stages = (\d+), "
        r"splits = (\d+)", kernel.choice).groups()
    width = str(case.width) + (f"/{case.channels}"
                               if case.channels != case.width else "")
    return (f"| {case.type} | {width} | {case.kind} | {case.sizes} | {form} "
            f"| {rows} x {keys} | {warps} | {stages} | {splits} "
            f"| {kernel.shared:,} | {figures.registers} "
            f"| {figures.instructions:,} | {figures.loop:,} "
            f"| `{kernel.hash}` |\n")


def read_page():
    """Chip -> name of the case -> hash."""
    hashes = collections.defaultdict(dict)
    chip = None
    for line in PAGE.read_text().splitlines():
        if line.startswith("## "):
            chip = line[3:]
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if len(cells) == 14 and cells[-1].startswith("`"):
            width, _, channels = cells[1].partition("/")
            case = Case(cells[2], cells[0], width, channels or width, cells[3])
            hashes[chip][name_of(case)] = cells[-1].strip("`")
    return hashes


def check_order(checker, chip, ptx):
    """What is wrong with the order of threads, as far as a checker sees."""
    if not checker:
        return []
    done = subprocess.run([checker, "-"], input=ptx, text=True,
                          stdout=subprocess.PIPE)
    if done.returncode == 0 and "or more" not in done.stdout:
        return []
    return [f"{chip}: {done.stdout.strip()}"]


# Cases that are compiled as one module, whose text is to be of bounded size.
BATCH = 40


def in_batches(options, work):
    """What `work` makes of each chip and some of its cases, by chip."""
    batches = []
    for chip in options.chip or SHARED:
        cases = list_cases(chip, options.full)
        batches += [(chip, cases[i:i + BATCH])
                    for i in range(0, len(cases), BATCH)]
    made, done = collections.defaultdict(list), collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for (chip, cases), result in zip(batches, pool.map(
                lambda batch: work(*batch), batches)):
            made[chip].append(result)
            done[chip] += len(cases)
            if options.full:
                print(f"{chip}: {done[chip]} cases", flush=True)
    return made


def check(options):
    """Whether the kernels are those of the page."""
    expected, wrong = read_page(), []

    def compile_batch(chip, cases):
        compiled = compile_cases(options.attn_run, chip, cases)
        ptx = compiled.ptx
        if chip in WGMMA and options.checker:
            # These take the checker long.
            some = [case for case in cases if case.sizes == "dynamic"]
            ptx = compile_cases(options.attn_run, chip, some).ptx if some else ""
        return compiled.kernels, check_order(options.checker, chip, ptx)
    for chip, batches in in_batches(options, compile_batch).items():
        found = {}
        for kernels, broken in batches:
            wrong += broken
            found.update((name_of(case), kernel.hash)
                         for case, kernel in kernels.items())
        for name in sorted(set(found) | set(expected[chip])):
            old, new = expected[chip].get(name), found.get(name)
            if old != new:
                wrong.append(f"{chip}: {name}: expected the PTX {old}, but got "
                             f"{new}")
    for line in wrong:
        print(line)
    if wrong:
        print("write the figures anew with scripts/gpu-kernels.py, where there "
              "is an assembler")
    print(f"gpu-kernels: {len(wrong)} kernels without figures")
    return not wrong


def write_chip(chip, batches):
    """The page's part, and what is wrong."""
    size = SHARED[chip]
    text = f"\n## {chip}\n\nA block may have {size} KiB of shared memory.\n"
    text += "\n" + HEADER
    wrong, refused, registers = [], {}, []
    for compiled, figures, broken in batches:
        cases = {kernel.name: case for case, kernel in compiled.kernels.items()}
        for line in broken:
            name = re.search(r"all_kernel\w*", line)
            case = cases.get(name.group(0)) if name else None
            wrong.append(f"{chip}: {name_of(case) if case else ''}: {line}")
        for case, kernel in compiled.kernels.items():
            if kernel.shared > size << 10:
                wrong.append(f"{chip}: {name_of(case)}: {kernel.shared} bytes of "
                             "shared memory")
            text += write_row(case, kernel, figures[kernel.name])
        refused.update(compiled.refused)
        registers += [figure.registers for figure in figures.values()]
    if refused:
        text += "\nNo kernel: " + "; ".join(
            f"{name_of(case)} ({reason})" for case, reason in refused.items()
        ) + ".\n"
    print(f"{chip}: {len(registers)} kernels, {len(refused)} refused, at most "
          f"{max(registers)} registers", flush=True)
    return text, wrong


def measure(options):
    """Assembles all; the parts of the page by chip, or nothing if something is
    wrong."""
    def assemble_batch(chip, cases):
        compiled = compile_cases(options.attn_run, chip, cases)
        figures, broken = assemble(options.ptxas, chip, compiled.ptx)
        broken += check_order(options.checker, chip, compiled.ptx)
        return compiled, figures, broken
    parts, wrong = {}, []
    for chip, batches in in_batches(options, assemble_batch).items():
        parts[chip], broken = write_chip(chip, batches)
        wrong += broken
    for line in wrong:
        print(line)
    return {} if wrong else parts


def write_page(parts, version):
    """The page with new parts, and the others that it has."""
    old = re.split(r"^(?=## )", PAGE.read_text(), flags=re.MULTILINE)[1:]
    known = {part.split("\n")[0][3:]: "\n" + part.rstrip("\n") + "\n"
             for part in old}
    known.update(parts)
    PAGE.write_text(INTRODUCTION + f"\nptxas {version}\n" + "".join(
        known[chip] for chip in SHARED if chip in known))


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].strip())
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--chip", action="append", choices=SHARED)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--ptxas", default="ptxas")
    parser.add_argument("--attn-run", default="attn-run")
    parser.add_argument("--checker")
    options = parser.parse_args()
    if options.check:
        return 0 if check(options) else 1
    parts = measure(options)
    if parts and not options.full:
        write_page(parts, get_version(options.ptxas))
    return 0 if parts else 1


if __name__ == "__main__":
    sys.exit(main())
