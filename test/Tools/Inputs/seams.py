"""Counts the files of lib that name what is meant to be added without them.

    seams.py ROOT

A weighting, a named op and a layout are TableGen definitions; each may be named,
by class or by mnemonic, in so many files of lib as the bound of its kind says:
its own (a layout's statement and emitter are two). What a named op expands into
is its own choice, so that weightings do not count in lib/Expansion. The suite's
own weightings and ops are named by none. What a vendor of GPUs has is named in
the files of VENDORS alone. Prints a line each; exits with 1 if one is above its
bound.
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

# The dialects and intrinsics of each vendor, and who may name them in code.
VENDORS = {
    "nvidia": (r"NVVM::|NVGPU::|nvgpu::|llvm\.nvvm\.|NVVMDialect\.h|NVGPUToNVVM|ToNVVM", [
        "include/attn/Codegen/Passes.h", "include/attn/Codegen/Passes.td",
        "lib/Codegen/GPU/HardwareNvidia.cpp",
        "lib/Codegen/GPU/HardwareUnits.cpp",
        "lib/Codegen/GPU/LowerTensorMaps.cpp",
        "lib/Codegen/GPU/TensorMaps.cpp", "lib/Codegen/GPU/TensorMaps.h",
        "lib/Pipelines/GPU.cpp", "lib/Transforms/VerifyStage.cpp"]),
    "amd": (r"ROCDL::|amdgpu::|llvm\.amdgcn\.|ROCDLDialect\.h|ToROCDL", [
        "include/attn/Codegen/Passes.h", "include/attn/Codegen/Passes.td",
        "lib/Codegen/GPU/HardwareAMD.cpp", "lib/Pipelines/GPU.cpp",
        "lib/Transforms/VerifyStage.cpp"]),
}


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


def vendor_files(root, pattern):
    """The files outside of the emulator that name a vendor's, not in comments."""
    found = []
    for path in sorted([*root.glob("lib/**/*"), *root.glob("include/**/*")]):
        name = str(path.relative_to(root))
        if (path.suffix not in (".cpp", ".h", ".c", ".td")
                or name.startswith("lib/Emulator/")):
            continue
        code = re.sub(r"//.*", "", path.read_text())
        if re.search(pattern, code):
            found.append(name)
    return found


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
    for vendor, (pattern, may) in VENDORS.items():
        found = vendor_files(root, pattern)
        print(f"vendor {vendor}: {len(found)} files")
        for path in sorted(set(found) - set(may)):
            print(f"vendor {vendor}: not a leaf: {path}")
            failed = True
    test = root / "test/lib/TestDialect.td"
    for name, _, mnemonic in definitions(test) if test.exists() else ():
        found = count(root, name, mnemonic, [])
        print(f"of the suite {name}: {len(found)} of at most 0")
        failed |= bool(found)
    return 1 if failed or not seen else 0


if __name__ == "__main__":
    sys.exit(main())
