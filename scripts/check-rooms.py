#!/usr/bin/env python3
"""Holds the includes of the tree to the rooms of docs/architecture.md.

    check-rooms.py [ROOT]

The page has one table row per room: the folder, what is in it, and which other
rooms it may know of. A file of lib/<Room> or include/attn/<Room> may include a
header `attn/<Other>/...` only if its room's row names the other one, and headers
beside it only by a path that stays in its folder. `Runtime` includes nothing of
LLVM or MLIR. Rows and folders must be the same set. Prints one line per breach
and exits with 1 if there is one.
"""

import pathlib
import re
import sys

PAGE = "docs/architecture.md"
# Headers of the project itself that lie in no room: any room may include them.
COMMON = {"InitAll.h", "Version.h"}


def read_rooms(text):
    """Room -> the rooms it may know of."""
    rooms = {}
    for line in text.splitlines():
        row = re.match(r"\| `lib/([\w/]+)` \|[^|]*\|([^|]*)\|$", line)
        if row:
            rooms[row.group(1)] = set(re.findall(r"`([\w/]+)`", row.group(2)))
    return rooms


def room_of(path, rooms):
    """The innermost room that holds `path`, given from lib or include/attn."""
    parts = path.split("/")[:-1]
    for end in range(len(parts), 0, -1):
        if "/".join(parts[:end]) in rooms:
            return "/".join(parts[:end])
    return None


def check_file(root, base, path, rooms):
    name = path.relative_to(root)
    room = room_of(str(path.relative_to(root / base)), rooms)
    if room is None:
        return
    for included in re.findall(r'#\s*include\s+["<]([^">]+)[">]',
                               path.read_text()):
        if room == "Runtime" and re.match(r"llvm|mlir", included):
            yield f"{name}: expected no header of LLVM or MLIR in Runtime, but got '{included}'"
        if ".." in included.split("/"):
            yield f"{name}: expected a header of another folder by its public path, but got '{included}'"
        if not included.startswith("attn/") or included[5:] in COMMON:
            continue
        other = room_of(included[5:], rooms)
        if other is None or other == room or other in rooms[room]:
            continue
        # A room knows itself and the folders that it consists of.
        if other.startswith(room + "/") or room.startswith(other + "/"):
            continue
        yield (f"{name}: expected '{room}' not to know of '{other}', but it "
               f"includes '{included}'; {PAGE} says who knows whom")


def check(root):
    rooms = read_rooms((root / PAGE).read_text())
    folders = {p.name for base in ("lib", "include/attn")
               for p in (root / base).iterdir() if p.is_dir()}
    for room in sorted(rooms):
        if not (root / "lib" / room).is_dir():
            yield f"{PAGE}: expected a folder lib/{room}, as its table has it"
        for known in sorted(rooms[room] - set(rooms)):
            yield f"{PAGE}: expected '{known}', which '{room}' may know of, to have a row"
    for folder in sorted(folders - {room.split("/")[0] for room in rooms}):
        yield f"{PAGE}: expected a row for lib/{folder}"
    for base in ("lib", "include/attn"):
        for path in sorted((root / base).rglob("*")):
            if path.suffix in (".h", ".c", ".cpp"):
                yield from check_file(root, base, path, rooms)


def main(argv):
    root = pathlib.Path(argv[1] if len(argv) > 1 else
                        pathlib.Path(__file__).parent.parent).resolve()
    if not (root / PAGE).exists():
        print(f"check-rooms.py: expected {PAGE} under {root}", file=sys.stderr)
        return 2
    breaches = list(check(root))
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
