"""Feeds the tools modules that somebody got wrong.

    mutate.py [--count=N] [--first=N] [--seed=S] [--batch=N] [--time-limit=T]
              [--memory=GIB] [--keep=DIR] [FILE...]

Takes the modules of the examples and of the suite (or FILEs), changes their
text (what is left out, said twice, swapped, another number, another type, text
that ends), and gives each mutant to `attn-opt`, many to a process, or to
`attn-run`, one to a process: parsed, lowered through all stages with the
verifier between the passes, compiled, or run. None may end by a signal, take
longer than T seconds or more than GIB (0: no matter) of addresses; `attn-run`
fails with status 1 or 2 and one line that says where, `attn-opt` with status 1
and an error.

Mutant n of a seed is always the same. Prints the seed, then a line for each
breach with the command to repeat it (its file is kept in DIR), and exits with 1
if there is one.
"""

import argparse
import pathlib
import random
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOKEN = re.compile(
    r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?'
    r"|[%@#!^]?[A-Za-z_$][\w$.]*|[%@#!^]\d+|->|==|>=|\s+|.", re.DOTALL)
NUMBERS = ["0", "1", "2", "3", "5", "7", "8", "16", "17", "64", "100", "?", "-1",
           "-9", "255", "2147483647", "4294967296", "9223372036854775807",
           "-9223372036854775808", "99999999999999999999", "0x7fc00000",
           "1.0e-40", "1.0e39", "0.5"]
TYPES = ["f32", "f16", "bf16", "f64", "i1", "i8", "i16", "i32", "i64", "index",
         "i7", "i128", "f8E4M3FN", "f80", "tf32", "none", "complex<f32>",
         "vector<4xf32>", "vector<[4]xf32>", "tensor<4xf32>", "tensor<*xf32>",
         "tensor<?x?xf32>", "memref<4xf32>", "ui8", "!llvm.ptr", "tuple<>"]
TYPE = re.compile(r"(?:[fi]\d+|bf16|index)\Z")
STAGES = ["generalize", "bound", "tile", "bufferize", "vectorize", "llvm"]


def list_modules(files):
    """The texts to start from, those of a file that is split one by one."""
    if not files:
        files = sorted(ROOT.glob("examples/*.mlir"))
        files += sorted(ROOT.glob("test/*/**/*.mlir"))
    texts = []
    for file in files:
        for part in pathlib.Path(file).read_text().split("// -----"):
            # What the suite says about it is no part of the module.
            lines = [line for line in part.splitlines(keepends=True)
                     if not line.lstrip().startswith("//")]
            text = "".join(lines)
            if 40 < len(text) < 8000 and "func" in text:
                texts.append(text)
    return texts


class Mutator:
    def __init__(self, texts):
        self.texts = texts
        self.words = sorted({token for text in texts
                             for token in TOKEN.findall(text)
                             if re.match(r"[a-z]\w+\.\w+\Z", token)})

    def mutate(self, choose):
        text = choose.choice(self.texts)
        for _ in range(choose.choice([1, 1, 1, 1, 2, 4])):
            text = self.change(choose, text)
        return text

    def change(self, choose, text):
        tokens = TOKEN.findall(text)
        solid = [i for i, token in enumerate(tokens) if not token.isspace()]
        if len(solid) < 2:
            return text
        at, other = choose.choice(solid), choose.choice(solid)
        length = choose.choice([1, 1, 1, 2, 4, 12])

        def pick(matches):
            """One of the tokens of a kind, or any."""
            found = [i for i in solid if matches(tokens[i])]
            return choose.choice(found) if found else at

        kind = choose.randrange(20)
        if kind >= 13:
            return self.change_all(choose, text)
        if kind == 0:
            del tokens[at:at + length]
        elif kind == 1:
            tokens[at:at] = tokens[at:at + length]
        elif kind == 2:
            tokens[at], tokens[other] = tokens[other], tokens[at]
        elif kind == 3:
            tokens[pick(lambda t: t[0].isdigit())] = choose.choice(NUMBERS)
        elif kind == 4:
            # Shapes, as in 4x8xf32, whose first extent is a token of its own.
            at = pick(lambda t: re.match(r"x\d|x[a-z]", t))
            parts = re.findall(r"\d+|\D+", tokens[at])
            part = choose.randrange(len(parts))
            parts[part] = choose.choice(["1", "0", "?", "3", "9", "x4x", "x",
                                         "xf16", "xi1", "xindex"])
            tokens[at] = "".join(parts)
        elif kind == 5:
            tokens[pick(TYPE.match)] = choose.choice(TYPES)
        elif kind == 6:
            tokens[at] = tokens[pick(lambda t: t[0] == tokens[at][0])]
        elif kind == 7:
            value = pick(lambda t: t[0] == "%")
            tokens[value] = tokens[pick(lambda t: t[0] == "%")]
        elif kind == 8:
            tokens[pick(lambda t: "." in t and t[0].isalpha())] = (
                choose.choice(self.words))
        elif kind == 9:
            donor = TOKEN.findall(choose.choice(self.texts))
            start = choose.randrange(len(donor))
            tokens[at:at] = donor[start:start + 3 * length]
        elif kind == 10:
            lines = text.splitlines(keepends=True)
            i, j = choose.randrange(len(lines)), choose.randrange(len(lines))
            what = choose.randrange(3)
            if what == 0:
                del lines[i]
            elif what == 1:
                lines.insert(j, lines[i])
            else:
                lines[i], lines[j] = lines[j], lines[i]
            return "".join(lines)
        elif kind == 11:
            if choose.randrange(4):
                bracket = pick(lambda t: t in "()[]{}<>,:=")
                tokens[bracket] = choose.choice(list("()[]{}<>,:=") + ["->"])
            else:
                return text[:choose.randrange(len(text))]
        else:
            number = pick(lambda t: t[0].isdigit())
            tokens[number] = tokens[pick(lambda t: t[0].isdigit())]
        return "".join(tokens)


    def change_all(self, choose, text):
        """A change that many modules survive: the same everywhere."""
        kind = choose.randrange(4)
        if kind == 0:
            found = re.findall(r"(?<![\w.%@#])(?:x)?((?:bf|f|i)\d+|index)\b", text)
            if found:
                old, new = choose.choice(found), choose.choice(TYPES[:12])
                return re.sub(rf"(?<![\w.%@#])((?:[\d?]+x)*){old}\b",
                              lambda m: m[1] + new, text)
        if kind == 1:
            found = re.findall(r"\d+(?=x)|(?<=x)\d+", text)
            if found:
                old = choose.choice(found)
                new = choose.choice(["0", "1", "1", "2", "3", "?", "17", "130"])
                return re.sub(rf"(?<![\w.]){old}(?=x)|(?<=x){old}(?=x)", new,
                              text)
        words = choose.choice([
            ["eq", "ne", "slt", "sle", "sgt", "sge", "ult", "ule", "ugt", "uge"],
            ["oeq", "olt", "ole", "ogt", "oge", "one", "ult", "uno", "ord"],
            ["arith.addf", "arith.mulf", "arith.subf", "arith.divf",
             "arith.maximumf", "arith.minnumf", "arith.remf", "math.powf"],
            ["arith.addi", "arith.muli", "arith.subi", "arith.divsi",
             "arith.divui", "arith.remsi", "arith.floordivsi", "arith.ceildivsi",
             "arith.shli", "arith.shrsi", "arith.xori", "arith.andi"],
            ["math.exp", "math.tanh", "math.sqrt", "math.erf", "math.floor",
             "math.log", "math.exp2", "math.absf", "arith.negf", "math.atan"],
            ["#attn.softmax", "#attn.sigmoid", "#attn.relu", "#attn.identity",
             "#attn.sum_normalized"],
            ["top_left", "bottom_right"],
            ["(m, d)", "(d, m)", "(n, d)", "(d, n)", "(n, e)", "(e, n)",
             "(m, e)", "(e, m)", "(m, n)", "(n, m)", "(n)", "(m)", "()"],
            ["parallel", "reduction"], ["attn.index 0", "attn.index 1",
                                        "attn.index 2", "attn.index 3"]])
        found = [word for word in words if word in text]
        if not found:
            return text
        old, new = choose.choice(found), choose.choice(words)
        places = [m.start() for m in re.finditer(re.escape(old), text)]
        at = choose.choice(places)
        return text[:at] + new + text[at + len(old):]


def start(command, seconds, gigabytes):
    """Status and errors; no status for what takes too long."""
    def limit():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if gigabytes:
            resource.setrlimit(resource.RLIMIT_AS, (gigabytes << 30,) * 2)

    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, preexec_fn=limit,
                              stderr=subprocess.PIPE, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, ""
    return done.returncode, done.stderr.decode(errors="replace")


def judge_opt(status, errors, name):
    if status is None:
        return "takes too long"
    if status not in (0, 1):
        return f"ends with status {status}"
    if status == 1 and "error: " not in errors:
        return "fails and does not say why"
    return None


def judge_run(status, errors, name):
    if status is None:
        return "takes too long"
    if status == 0:
        return None
    if status not in (1, 2):
        return f"ends with status {status}"
    lines = [line for line in errors.splitlines()
             if not line.startswith(("attn-run: warning:", "attn-run: note:"))]
    if len(lines) != 1 or not lines[0].startswith("attn-run: error: "):
        return f"says {len(lines)} lines, as in '{errors[:200]}'"
    # Where in the module, or what of its entry is missing.
    if re.search(re.escape(name) + r":\d+:\d+: |function|--entry|--shape|"
                 r"--random|argument \d|results? |kernel|SIG|memory|bytes",
                 lines[0]):
        return None
    return f"does not say where: {lines[0]}"


def commands_of(choose):
    """A command for `attn-opt`, or one for `attn-run`, and how it is judged."""
    stage = choose.choice(STAGES)
    opt = choose.choice([[], ["--canonicalize", "--cse"],
                         [f"--attn-cpu-pipeline=stop-after={stage}"],
                         ["--attn-cpu-pipeline=features=+avx2,+fma"],
                         ["--attn-cpu-pipeline"], ["--attn-cpu-pipeline"]])
    run = choose.choice([["--emit=llvm"], ["--emit=llvm"], ["--emit=asm"],
                         ["--emit=mlir", f"--stop-after={stage}"],
                         ["--random", "--threads=2"],
                         ["--random", "--check", "--threads=1"]])
    return ["attn-opt", "--split-input-file", *opt], ["attn-run",
                                                      "--verify-each", *run]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--time-limit", type=float, default=60)
    parser.add_argument("--memory", type=int, default=12)
    parser.add_argument("--batch", type=int, default=25)
    parser.add_argument("--keep")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    print(f"seed {options.seed}")
    mutator = Mutator(list_modules(options.files))
    keep = pathlib.Path(options.keep or tempfile.mkdtemp())
    keep.mkdir(parents=True, exist_ok=True)
    breaches = 0

    def run(command, seconds):
        return start(command, seconds, options.memory)

    def report(command, file, what):
        nonlocal breaches
        breaches += 1
        print(f"{what}: {' '.join(command)} {file}", flush=True)

    def check_batch(command, numbers, texts):
        """Gives all to one process, and where that ends badly, each to one."""
        file = keep / f"{numbers[0]}.mlir"
        file.write_text("\n// -----\n".join(texts))
        seconds = options.time_limit * len(texts)
        what = judge_opt(*run([*command, str(file)], seconds), file.name)
        if what and len(texts) > 1:
            half = len(texts) // 2
            check_batch(command, numbers[:half], texts[:half])
            check_batch(command, numbers[half:], texts[half:])
        elif what:
            report(command, file, what)
            return
        file.unlink(missing_ok=True)

    number, end = options.first, options.first + options.count
    while number < end:
        # A batch for one process, then a few with a process each.
        batch = range(number, min(end, number + options.batch))
        choose = random.Random(f"{options.seed} {number}")
        opt, _ = commands_of(choose)
        texts = [mutator.mutate(random.Random(f"{options.seed}.{n}"))
                 for n in batch]
        check_batch(opt, list(batch), texts)
        for n, text in list(zip(batch, texts))[::5]:
            _, tool = commands_of(random.Random(f"{options.seed}:{n}"))
            file = keep / f"{n}.run.mlir"
            file.write_text(text)
            what = judge_run(*run([*tool, str(file)], options.time_limit),
                             file.name)
            if what:
                report(tool, file, what)
            else:
                file.unlink()
        number = batch.stop
    print(f"{options.count} mutants, {breaches} breaches")
    return breaches != 0


if __name__ == "__main__":
    sys.exit(main())
