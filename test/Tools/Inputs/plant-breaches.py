"""Checks the checker: a small tree that is right passes check-names.py, and each
breach planted in it is found, in the words expected.

    plant-breaches.py CHECK_NAMES DIRECTORY
"""

import sys

import planting

PASSES = "include/attn/Transforms/Passes.td"
OPS = "include/attn/IR/AttnOps.td"
SOURCE = "lib/Transforms/TileAttention.cpp"
TEST = "test/Transforms/tile-attention.mlir"
MAIN = "tools/attn-opt/attn-opt.cpp"

TREE = {
    PASSES: '''def TileAttentionPass : InterfacePass<"attn-tile", "F"> {
  let summary = "Tile";
  let description = [{
    ```mlir
    ```
  }];
}
''',
    OPS: '''def Attn_IndexOp : Attn_Op<"index"> {
  let summary = "Index";
  let description = [{
    ```mlir
    ```
  }];
}
''',
    SOURCE: "#define GEN_PASS_DEF_TILEATTENTIONPASS\n",
    TEST: "// RUN: attn-opt %s --attn-tile\n",
    "test/Transforms/tile-attention-invalid.mlir": "",
    MAIN: "int main() {}\n" * 40,
    "lib/Transforms/Helper.cpp": "\n" * 600,
}

# What is planted: changes of files (None removes one), and the one line that
# must come of it.
BREACHES = [
    ({PASSES: TREE[PASSES].replace("attn-tile", "attn-tiling"),
      TEST: "// RUN: attn-opt %s --attn-tiling\n"},
     f"{PASSES}: expected 'TileAttentionPass' to have the flag 'attn-tile', but "
     "got 'attn-tiling'"),
    ({SOURCE: None},
     f"{SOURCE}: expected this file, the source of 'TileAttentionPass'"),
    ({SOURCE: TREE[SOURCE] + "#define GEN_PASS_DEF_OTHERPASS\n"},
     f"{SOURCE}: expected to define GEN_PASS_DEF_TILEATTENTIONPASS alone"),
    ({"lib/Transforms/Orphan.cpp": "#define GEN_PASS_DEF_ORPHANPASS\n"},
     f"lib/Transforms/Orphan.cpp: expected a pass that {PASSES} defines under "
     "this name"),
    ({"lib/IR/Lost.cpp": "#define GEN_PASS_DEF_LOSTPASS\n"},
     "lib/IR/Lost.cpp: expected a pass to lie in lib/Transforms"),
    ({"include/attn/Codegen/Passes.td": TREE[PASSES].replace("Tile", "Emit")
      .replace("attn-tile", "attn-emit"),
      "lib/Codegen/CPU/EmitAttention.cpp":
      "#define GEN_PASS_DEF_EMITATTENTIONPASS\n"},
     "test/Codegen/CPU/emit-attention.mlir: expected this file, the test of "
     "'EmitAttentionPass'"),
    ({TEST: None},
     f"{TEST}: expected this file, the test of 'TileAttentionPass'"),
    ({TEST: "// RUN: attn-opt %s --attn-bound\n"},
     f"{TEST}: expected a RUN line with 'attn-tile'"),
    ({"test/Transforms/tiles.mlir": ""},
     "test/Transforms/tiles.mlir: expected to be named after a pass, one of "
     "tile-attention"),
    ({OPS: TREE[OPS].replace("```mlir", "```")},
     f"{OPS}: expected 'Attn_IndexOp' to have an example, an mlir block that is "
     "run"),
    ({OPS: TREE[OPS].replace("let summary", "// let")},
     f"{OPS}: expected 'Attn_IndexOp' to have a summary"),
    ({MAIN: "\n" * 41},
     f"{MAIN}: expected at most 40 lines in a tool's main, but got 41"),
    ({"docs/long.md": "\n" * 601},
     "docs/long.md: expected at most 600 lines, but got 601"),
    ({"lib/IR/Wide.cpp": 'auto text = R"(\n' + "x" * 81 + '\n)";\n' + "x" * 80 +
      "\n" + "x" * 81 + "\n"},
     "lib/IR/Wide.cpp:5: expected at most 80 columns, but got 81"),
    ({OPS: TREE[OPS].replace("```mlir", "```mlir\n" + "x" * 81) + "x" * 82},
     f"{OPS}:9: expected at most 80 columns, but got 82"),
    ({"lib/CMakeLists.txt": "x" * 81},
     "lib/CMakeLists.txt:1: expected at most 80 columns, but got 81"),
]


if __name__ == "__main__":
    sys.exit(planting.main(TREE, BREACHES, *sys.argv[1:]))
