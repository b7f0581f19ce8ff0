#!/usr/bin/env python3
"""Checks that every name leads to every other, and that files stay small and
their lines short.

    check-names.py [ROOT]

A pass has one name in four forms, each derived from the TableGen def:

    def TileAttentionPass        include/attn/Transforms/Passes.td
    --attn-tile                  the flag: kebab case, a last -attention dropped
    TileAttention.cpp            lib/Transforms/, alone with its GEN_PASS_DEF
    tile-attention.mlir          test/Transforms/, run with the flag

The passes of include/attn/Codegen/Passes.td lie in the folders of lib/Codegen,
and their tests in those of test/Codegen. Further: every file there belongs to a
pass; no file has more than 600 lines and no tool's main more than 40; no line of
C++, C, TableGen or CMake has more than 80 columns, MLIR in it aside; every op,
attribute and pass has a description with an example, an `mlir` block that the
suite runs. Prints one line per breach and exits with 1 if there is one.
"""

import os
import pathlib
import re
import sys

MAX_LINES = 600
MAX_MAIN_LINES = 40
MAX_COLUMNS = 80
CODE = re.compile(r".*\.(cpp|h|c|td|cmake)|CMakeLists.txt")
# What breaks its lines where it likes: raw strings, blocks of descriptions.
MLIR_TEXT = re.compile(r'R"(\w*)\(.*?\)\1"|^ *```.*?^ *```',
                       re.DOTALL | re.MULTILINE)
LEFT_OUT = re.compile(r"\.git$|build|\.cache$|__pycache__$")
ROOMS = ["Transforms", "Codegen"]


def kebab(name):
    """TileAttention -> tile-attention, LowerToLLVM -> lower-to-llvm."""
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])",
                   lambda m: "-".join(filter(None, m.groups())), name)
    return words.lower()


def flag_of(stem):
    return "attn-" + kebab(stem).removesuffix("-attention")


def read(path):
    return path.read_text(errors="replace")


def list_files(root):
    for directory, directories, names in os.walk(root):
        directories[:] = sorted(d for d in directories if not LEFT_OUT.match(d))
        for name in sorted(names):
            yield pathlib.Path(directory, name)


def list_definitions(text):
    """Pairs of the name and the whole text of each TableGen def."""
    for part in re.split(r"^(?=def |class )", text, flags=re.MULTILINE):
        name = re.match(r"def (\w+)", part)
        if name:
            yield name.group(1), part


def passes_of(room):
    return f"include/attn/{room}/Passes.td"


def list_folders(root, room):
    """Where the passes of a room may lie, as paths from lib and from test."""
    folders = [p for p in sorted((root / "lib" / room).glob("*")) if p.is_dir()]
    return [str(p.relative_to(root / "lib")) for p in folders] or [room]


def check_pass(root, room, name, definition):
    """The breaches of one pass."""
    flag = re.search(r'Pass<\s*"([^"]*)"', definition)
    if not flag:
        return
    flag = flag.group(1)
    stem = name.removesuffix("Pass")
    if stem == name:
        yield f"{passes_of(room)}: expected '{name}' to end in 'Pass'"
        return
    if flag != flag_of(stem):
        yield (f"{passes_of(room)}: expected '{name}' to have the flag "
               f"'{flag_of(stem)}', but got '{flag}'")
    folders = list_folders(root, room)
    folder = next((f for f in folders if (root / f"lib/{f}/{stem}.cpp").exists()),
                  room)
    source = f"lib/{folder}/{stem}.cpp"
    macro = f"GEN_PASS_DEF_{name.upper()}"
    if not (root / source).exists():
        yield f"{source}: expected this file, the source of '{name}'"
    elif re.findall(r"GEN_PASS_DEF_\w+", read(root / source)) != [macro]:
        yield f"{source}: expected to define {macro} alone"
    test = f"test/{folder}/{kebab(stem)}.mlir"
    if not (root / test).exists():
        yield f"{test}: expected this file, the test of '{name}'"
    elif not re.search(rf"RUN:.*\b{flag}\b", read(root / test)):
        yield f"{test}: expected a RUN line with '{flag}'"


def check_room(root, room):
    """The breaches of all passes of a room, and files that belong to none."""
    stems = []
    for name, definition in list_definitions(read(root / passes_of(room))):
        stems.append(name.removesuffix("Pass"))
        yield from check_pass(root, room, name, definition)
    for path in sorted((root / "lib" / room).glob("**/*.cpp")):
        if "GEN_PASS_DEF_" in read(path) and path.stem not in stems:
            yield (f"{path.relative_to(root)}: expected a pass that "
                   f"{passes_of(room)} defines under this name")
    tests = [kebab(stem) for stem in stems]
    for path in sorted((root / "test" / room).glob("**/*.mlir")):
        if not any(path.stem == test or path.stem.startswith(test + "-")
                   for test in tests):
            yield (f"{path.relative_to(root)}: expected to be named after a "
                   f"pass, one of {', '.join(sorted(tests))}")


def check_passes(root):
    rooms = [room for room in ROOMS if (root / passes_of(room)).exists()]
    for room in rooms:
        yield from check_room(root, room)
    for path in sorted((root / "lib").glob("**/*.cpp")):
        name = path.relative_to(root)
        if "GEN_PASS_DEF_" in read(path) and name.parts[1] not in rooms:
            yield (f"{name}: expected a pass to lie in "
                   f"{' or '.join('lib/' + room for room in rooms)}")


def check_descriptions(root):
    """Ops, attributes and passes without an example that is run."""
    for path in sorted((root / "include").glob("**/*.td")):
        for name, definition in list_definitions(read(path)):
            if not re.search(r"_Op<|Op<\"|_Weighting<|AttrDef<|Pass<|"
                             r"_DestinationStyleOp<|let summary", definition):
                continue
            if re.match(r"def \w+ : Dialect\b", definition):
                continue
            where = f"{path.relative_to(root)}: expected '{name}' to have "
            if "let summary" not in definition:
                yield where + "a summary"
            elif "let description" not in definition:
                yield where + "a description"
            elif "```mlir" not in definition:
                yield where + "an example, an mlir block that is run"


def check_sizes(root):
    for path in list_files(root):
        content = path.read_bytes()
        lines = content.count(b"\n")
        if b"\0" in content[:4096]:
            continue
        name = path.relative_to(root)
        if lines > MAX_LINES:
            yield f"{name}: expected at most {MAX_LINES} lines, but got {lines}"
        if (name.parts[0] == "tools" and path.suffix == ".cpp" and
                lines > MAX_MAIN_LINES):
            yield (f"{name}: expected at most {MAX_MAIN_LINES} lines in a "
                   f"tool's main, but got {lines}")


def check_columns(root):
    for path in list_files(root):
        if not CODE.fullmatch(path.name):
            continue
        code = MLIR_TEXT.sub(lambda text: "\n" * text[0].count("\n"),
                             read(path))
        for number, line in enumerate(code.split("\n"), 1):
            if len(line) > MAX_COLUMNS:
                yield (f"{path.relative_to(root)}:{number}: expected at most "
                       f"{MAX_COLUMNS} columns, but got {len(line)}")


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else
                        pathlib.Path(__file__).parent.parent).resolve()
    if not (root / passes_of(ROOMS[0])).exists():
        print(f"check-names.py: expected {passes_of(ROOMS[0])} under {root}",
              file=sys.stderr)
        return 2
    breaches = [*check_passes(root), *check_descriptions(root),
                *check_sizes(root), *check_columns(root)]
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
