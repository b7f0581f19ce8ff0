#!/usr/bin/env python3
"""Writes the reference of ops, weightings and passes from TableGen.

    generate-docs.py [--check] [--tblgen=PATH]

The pages lie in docs/reference. With --check none is written, and the exit
status is 1 if one of them is not what would be written.
"""

import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGES = ROOT / "docs" / "reference"
LLVM = pathlib.Path("/usr/lib/llvm-22")

# The ops that the compiler makes, on a page of their own.
TILED = r"attn\.(online|replay|merge|finish|pack)"

# page: title, introduction, TableGen file, arguments of mlir-tblgen
REFERENCE = {
    "ops.md": (
        "Ops", "What a user writes.", "IR/AttnOps.td",
        ["-gen-op-doc", f"-op-exclude-regex={TILED}"]),
    "tiled-ops.md": (
        "Ops of the tiled form", "What the compiler makes of an attention op.",
        "IR/AttnOps.td", ["-gen-op-doc", f"-op-include-regex={TILED}"]),
    "contract.md": (
        "Products of matrices", "What the compiler makes of a contraction.",
        "IR/ContractOp.td", ["-gen-op-doc"]),
    "weightings.md": (
        "Attributes", "How scores become weights, and which keys there are.",
        "IR/AttnAttributes.td", ["-gen-attrdef-doc"]),
    "gpu-kernel.md": (
        "GPU kernels", "What a kernel is to be.", "IR/GPUKernel.td",
        ["-gen-attrdef-doc"]),
    "passes.md": (
        "Passes", "By the flags of `attn-opt`.", "Transforms/Passes.td",
        ["-gen-pass-doc"]),
    "codegen-passes.md": (
        "Passes that make vectors and LLVM", "By the flags of `attn-opt`.",
        "Codegen/Passes.td", ["-gen-pass-doc"]),
}


def generate(tblgen, title, introduction, source, arguments):
    include = ROOT / "include"
    llvm_include = pathlib.Path(tblgen).resolve().parent.parent / "include"
    text = subprocess.run(
        [tblgen, *arguments, "-dialect=attn", f"-I{include}", f"-I{llvm_include}",
         include / "attn" / source],
        check=True, text=True, stdout=subprocess.PIPE).stdout
    text = text.split("\n", 1)[1] if text.startswith("<!--") else text
    text = re.sub(r"^###", "##", text, flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    return (f"<!-- Written by scripts/generate-docs.py from {source}. -->\n\n"
            f"# {title}\n\n{introduction}\n\n{text}\n")


def main(argv):
    check, tblgen = False, str(LLVM / "bin" / "mlir-tblgen")
    for argument in argv:
        if argument == "--check":
            check = True
        elif argument.startswith("--tblgen="):
            tblgen = argument.removeprefix("--tblgen=")
        else:
            print("generate-docs.py: expected --check or --tblgen=PATH, but got "
                  f"'{argument}'", file=sys.stderr)
            return 2
    stale = 0
    for name, page in REFERENCE.items():
        text = generate(tblgen, *page)
        path = PAGES / name
        if path.exists() and path.read_text() == text:
            continue
        if check:
            print(f"docs/reference/{name}: expected what TableGen says; run "
                  "scripts/generate-docs.py")
            stale += 1
        else:
            PAGES.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
