"""Checks the checker: a small tree that is right passes check-rooms.py, and each
breach planted in it is found, in the words expected.

    plant-rooms.py CHECK_ROOMS DIRECTORY
"""

import sys

import planting

PAGE = "docs/architecture.md"
TABLE = """| room | what is in it | may know of |
|---|---|---|
| `lib/IR` | ops | |
| `lib/Tiling` | loops | `IR` |
| `lib/Codegen` | emitters | `IR` |
| `lib/Codegen/CPU` | vectors | `IR` |
| `lib/Codegen/LLVM` | the rest | |
| `lib/Runtime` | C | |
"""
WALK = "lib/Tiling/Walk.cpp"
TREE = {
    PAGE: TABLE,
    "include/attn/IR/Attn.h": "",
    "include/attn/InitAll.h": "",
    "lib/IR/Ops.cpp": '#include "attn/IR/Attn.h"\n#include "attn/InitAll.h"\n',
    WALK: '#include "Walk.h"\n#include "attn/IR/Attn.h"\n',
    "lib/Codegen/CPU/Lanes.cpp": '#include "attn/Codegen/Passes.h"\n',
    "lib/Codegen/LLVM/Math.cpp": "",
    "lib/Runtime/rt.c": "#include <stdlib.h>\n",
}

# What is planted: changes of files, and the one line that must come of it.
BREACHES = [
    ({"lib/IR/Ops.cpp": '#include "attn/Tiling/Walk.h"\n'},
     "lib/IR/Ops.cpp: expected 'IR' not to know of 'Tiling', but it includes "
     f"'attn/Tiling/Walk.h'; {PAGE} says who knows whom"),
    ({"include/attn/IR/Attn.h": "#include <attn/Tiling/Walk.h>\n"},
     "include/attn/IR/Attn.h: expected 'IR' not to know of 'Tiling', but it "
     f"includes 'attn/Tiling/Walk.h'; {PAGE} says who knows whom"),
    ({"lib/Codegen/CPU/Lanes.cpp": '#include "attn/Codegen/LLVM/Math.h"\n'},
     "lib/Codegen/CPU/Lanes.cpp: expected 'Codegen/CPU' not to know of "
     "'Codegen/LLVM', but it includes 'attn/Codegen/LLVM/Math.h'; "
     f"{PAGE} says who knows whom"),
    ({WALK: '#include "../IR/Expected.h"\n'},
     f"{WALK}: expected a header of another folder by its public path, but got "
     "'../IR/Expected.h'"),
    ({"lib/Runtime/rt.c": '#include "llvm/ADT/StringRef.h"\n'},
     "lib/Runtime/rt.c: expected no header of LLVM or MLIR in Runtime, but got "
     "'llvm/ADT/StringRef.h'"),
    ({"include/attn/Attic/.keep": ""},
     f"{PAGE}: expected a row for lib/Attic"),
    ({PAGE: TABLE + "| `lib/Attic` | old | |\n"},
     f"{PAGE}: expected a folder lib/Attic, as its table has it"),
    ({PAGE: TABLE.replace("| loops | `IR` |", "| loops | `IR`, `Cellar` |")},
     f"{PAGE}: expected 'Cellar', which 'Tiling' may know of, to have a row"),
]


if __name__ == "__main__":
    sys.exit(planting.main(TREE, BREACHES, *sys.argv[1:]))
