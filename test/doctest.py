"""Runs what the documentation shows.

    doctest.py FILE...

Goes through the fenced blocks of Markdown files and TableGen descriptions, in a
directory of its own per file:

* `mlir`: a module. It is kept in a file, under the name that a first line
  `// name.mlir` gives, and read, verified, printed and read again; in the
  description of a pass it is given to that pass.
* `console`: commands, each after `$ `, that must succeed, and what they print.
  A line `...` stands for any number of lines, `...` within a line for any text.
* `cpp`, `tablegen`: an excerpt; the first line `// path` names the file that
  must hold it.

Links to files must lead somewhere. Prints what differs and exits with 1. At
least one block must be found.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import textwrap

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"^([ \t]*)```(\w*)[^\n]*\n(.*?)^\1```$",
                   re.MULTILINE | re.DOTALL)


class Difference(Exception):
    pass


def shell(command, directory):
    done = subprocess.run(["bash", "-c", command], cwd=directory, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.stdout, done.returncode


def run_mlir(text, options, directory, number):
    named = re.match(r"// ([\w.-]+\.mlir)\n", text)
    file = directory / (named.group(1) if named else f"block-{number}.mlir")
    file.write_text(text)
    output, status = shell(f"attn-opt {options} {file.name}", directory)
    if status:
        raise Difference(f"attn-opt {options} failed:\n{output}")


def matches(expected, output):
    pattern = ""
    for line in expected.splitlines():
        if line.strip() == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*".join(map(re.escape, line.split("..."))) + r"\n"
    return re.fullmatch(pattern, output)


def run_console(text, directory):
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        command = re.match(r"(?:[^\n]*\\\n)*[^\n]*\n", part).group(0)
        expected = part[len(command):]
        output, status = shell(command, directory)
        if status:
            raise Difference(f"{command}exited with status {status}:\n{output}")
        output = output.rstrip("\n") + "\n" if output else ""
        expected = expected.rstrip("\n") + "\n" if expected.strip() else ""
        if not matches(expected, output):
            raise Difference(f"{command}expected:\n{expected}but got:\n{output}")


def check_excerpt(text):
    named, _, excerpt = text.partition("\n")
    path = ROOT / named.removeprefix("//").strip()
    if not named.startswith("// ") or not path.is_file():
        raise Difference(f"expected a first line that names a file, but got "
                         f"'{named}'")

    def strip(lines):
        return [line.strip() for line in lines.splitlines() if line.strip()]

    held, wanted = strip(path.read_text()), strip(excerpt)
    if not any(held[i:i + len(wanted)] == wanted
               for i in range(len(held) - len(wanted) + 1)):
        raise Difference(f"expected '{named[3:]}' to hold this excerpt")


def options_at(text, position, path):
    """How attn-opt runs the block at a position: by its pass, if in one."""
    if path.suffix == ".td":
        before = re.split(r"^def ", text[:position], flags=re.MULTILINE)[-1]
        flag = re.match(r'\w+\s*:\s*\w*Pass<\s*"([^"]*)"', before)
        if flag:
            return f"--{flag.group(1)} --verify-each"
    return "--verify-roundtrip"


def run_file(path):
    """Runs the blocks of one file; returns how many there were, and failed."""
    text = path.read_text()
    count = failed = 0
    if path.suffix == ".md":
        for link in re.findall(r"\]\((?!\w+:)([^)#]+)", text):
            if not (path.parent / link).exists():
                print(f"{path}: expected a link to a file, but got '{link}'")
                failed += 1
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for match in FENCE.finditer(text):
            kind, block = match.group(2), textwrap.dedent(match.group(3))
            count += 1
            try:
                if kind == "mlir":
                    options = options_at(text, match.start(), path)
                    run_mlir(block, options, directory, count)
                elif kind == "console":
                    run_console(block, directory)
                elif kind in ("cpp", "tablegen"):
                    check_excerpt(block)
                else:
                    count -= 1
            except Difference as difference:
                line = text.count("\n", 0, match.start()) + 1
                print(f"{path}:{line}: {difference}")
                failed += 1
    return count, failed


def main(paths):
    results = [run_file(pathlib.Path(path)) for path in paths]
    count, failed = map(sum, zip(*results)) if results else (0, 0)
    print(f"{count} blocks, {failed} failed")
    return 1 if failed or not count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
