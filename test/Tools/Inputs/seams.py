"""Counts the files of lib that name what is meant to be added without them.

    seams.py ROOT

A weighting, a named op and a layout are TableGen definitions; each may be named,
by class or by mnemonic, in so many files of lib as the bound of its kind says:
its own (a layout's statement and emitter are two). What a named op expands into
is its own choice, so that weightings do not count in lib/Expansion. The suite's
own weightings and ops are named by none. Prints a line each; exits with 1 if one
is above its bound.
"""

import pathlib
import re
import sys

# What a definition looks like: file, the class it derives from, class suffix.
KINDS = [
    ("weighting", r"Attn_Weighting$", "Attr", 1, ["Expansion"]),
    ("named op", None, "Op", 1, []),
    ("layout", r"Attn_Layout$", "Attr", 2, []),
]


def definitions(path):
    """(class, base, mnemonic) of each def of a TableGen file."""
    text = path.read_text()
    for match in re.finditer(r"^def \w+_(\w+?)\s*:\s*(\w+)<([^>]*)", text, re.M):
        # An op begins with its mnemonic, an attribute with its class.
        words = re.findall(r'"([^"]*)"', match.group(3))
        if words:
            place = 1 if match.group(2).endswith(
                ("Weighting", "Layout")) else 0
            yield match.group(1), match.group(2), words[place].lower()


def count(root, name, mnemonic, left_out):
    pattern = re.compile(rf"\b{name}\b|\b(attn|attntest)\.{mnemonic}\b(?!_)")
    return [path.relative_to(root) for path in sorted((root / "lib").rglob("*"))
            if path.suffix in (".cpp", ".h", ".c")
            and path.relative_to(root / "lib").parts[0] not in left_out
            and pattern.search(path.read_text())]


def main():
    root = pathlib.Path(sys.argv[1])
    tables = root / "include/attn/IR"
    failed, seen = False, 0
    for kind, base, suffix, bound, left_out in KINDS:
        files = ([tables / "NamedOps.td"] if base is None
                 else sorted(tables.glob("*.td")))
        for path in files:
            for name, derived, mnemonic in definitions(path):
                if not name.endswith(suffix) or (base and
                                                 not re.search(base, derived)):
                    continue
                seen += 1
                found = count(root, name, mnemonic, left_out)
                print(f"{kind} {name} (attn.{mnemonic}): {len(found)} of at "
                      f"most {bound}: {', '.join(map(str, found))}")
                failed |= len(found) > bound or not found
    test = root / "test/lib/TestDialect.td"
    for name, _, mnemonic in definitions(test) if test.exists() else ():
        found = count(root, name, mnemonic, [])
        print(f"of the suite {name}: {len(found)} of at most 0")
        failed |= bool(found)
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
