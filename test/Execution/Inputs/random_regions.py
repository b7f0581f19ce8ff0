#!/usr/bin/env python3
"""Compares random masks and scores with the reference.

    random_regions.py [--seed=N] [--count=N] [--keep=DIRECTORY] [FLAG...]

A module has --count (8) attention ops with random regions: arithmetic on index,
i64, i32, i16 and i8 with the constants at which it wraps, and tables of i1, i8,
i32, i64 and f32 that are read at positions, backwards, in steps, at distances
that only visible pairs keep in bounds, and at what other tables say. Only what
the dialect defines is written: arithmetic on index does not wrap, divisors are
not 0. FLAGs are passed on to attn-run. Prints the seed, and exits with 1 and the
module's text if a result differs.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile

WIDTHS = {"index": 64, "i64": 64, "i32": 32, "i16": 16, "i8": 8}
BATCH = 2
TABLE = 80
# What integer tables hold, which is in bounds of every table.
VALUES = (0, TABLE - 1)


def limits(kind):
    half = 1 << (WIDTHS[kind] - 1)
    return -half, half - 1


class Body:
    """The text of a region; integers are (name, type, least, largest)."""

    def __init__(self, rng, rows, keys, causal):
        self.rng, self.lines, self.count = rng, [], 0
        self.causal = causal
        self.extents = [BATCH, rows, keys]
        self.dims = [self.let(f"attn.index {d}", "index", 0, extent - 1)
                     for d, extent in enumerate(self.extents)]
        self.pool = {kind: [] for kind in WIDTHS}
        self.pool["index"] += self.dims[1:] * 2 + self.dims

    def emit(self, text):
        self.count += 1
        self.lines.append(f"        %x{self.count} = {text}")
        return f"%x{self.count}"

    def let(self, text, kind, least, largest):
        return self.emit(text), kind, least, largest

    def constant(self, kind, value=None):
        low, high = limits(kind)
        if value is None:
            near = self.rng.choice([0, 0, 0, low, high, 1 << 31, 1 << 15, 128])
            value = near + self.rng.choice([0, 1, -1, 3, -7, 40, -70])
        value = max(low, min(high, value))
        return self.let(f"arith.constant {value} : {kind}", kind, value, value)

    # Integers.

    def leaf(self, kind):
        if self.pool[kind] and self.rng.random() < 0.7:
            return self.rng.choice(self.pool[kind])
        if self.rng.random() < 0.4:
            return self.constant(kind)
        if kind != "index" and self.rng.random() < 0.5:
            value = self.cast(self.leaf("index"), kind)
        elif kind in ("i8", "i32", "i64"):
            value = self.read(kind)
        else:
            value = self.cast(self.read(self.rng.choice(["i8", "i32", "i64"])),
                              kind)
        self.pool[kind].append(value)
        return value

    def cast(self, value, kind):
        name, old, least, largest = value
        if old == kind:
            return value
        low, high = limits(kind)
        wide = WIDTHS[kind] > WIDTHS[old]
        unsigned = self.rng.random() < 0.3
        if kind == "index" or old == "index":
            op = "arith.index_castui" if unsigned else "arith.index_cast"
        elif wide:
            op = "arith.extui" if unsigned else "arith.extsi"
        else:
            op, unsigned = "arith.trunci", False
        if wide and unsigned and least < 0:
            least, largest = 0, (1 << WIDTHS[old]) - 1
        if least < low or largest > high:
            least, largest = low, high
        return self.let(f"{op} {name} : {old} to {kind}", kind, least, largest)

    def binary(self, kind, depth):
        a, b = self.integer(kind, depth - 1), self.integer(kind, depth - 1)
        op = self.rng.choice(["addi", "subi", "muli", "minsi", "maxsi", "addi",
                              "subi", "minsi", "maxsi", "minui", "maxui",
                              "andi", "ori", "xori", "shli", "shrui", "shrsi",
                              "divsi", "remsi", "floordivsi", "ceildivsi",
                              "divui", "remui", "absi", "select"])
        low, high = limits(kind)
        ends = None
        if op in ("addi", "subi", "muli"):
            ends = {"addi": lambda x, y: x + y, "subi": lambda x, y: x - y,
                    "muli": lambda x, y: x * y}[op]
            ends = [ends(x, y) for x in a[2:] for y in b[2:]]
            if kind == "index" and (min(ends) < low or max(ends) > high):
                return a
        elif op in ("minsi", "maxsi"):
            pick = min if op == "minsi" else max
            ends = [pick(a[2], b[2]), pick(a[3], b[3])]
        elif op in ("shli", "shrui", "shrsi"):
            amount = self.rng.randrange(4)
            b = self.constant(kind, amount)
            if op == "shli":
                ends = [a[2] << amount, a[3] << amount]
                if kind == "index" and (min(ends) < low or max(ends) > high):
                    return a
        elif "div" in op or "rem" in op:
            if kind == "index" and op == "ceildivsi":
                return a
            b = self.constant(kind, self.rng.choice([1, 2, 3, 5, 7, 16, 64]))
            if op == "remui":
                ends = [0, b[3] - 1]
        if op == "absi":
            if a[2] == low:
                return a
            return self.let(f"math.absi {a[0]} : {kind}", kind, 0,
                            max(abs(a[2]), abs(a[3])))
        if op == "select":
            return self.let(f"arith.select {self.truth(depth - 1)}, {a[0]}, "
                            f"{b[0]} : {kind}", kind, min(a[2], b[2]),
                            max(a[3], b[3]))
        if not ends or min(ends) < low or max(ends) > high:
            ends = [low, high]
        return self.let(f"arith.{op} {a[0]}, {b[0]} : {kind}", kind, min(ends),
                        max(ends))

    def integer(self, kind, depth):
        if depth <= 0:
            return self.leaf(kind)
        if self.rng.random() < 0.25:
            value = self.cast(self.integer(self.rng.choice(list(WIDTHS)),
                                           depth - 1), kind)
        else:
            value = self.binary(kind, depth)
        self.pool[kind].append(value)
        return value

    # Tables.

    def position(self, extent):
        """An index in [0, extent)."""
        i, j = self.dims[1], self.dims[2]
        ways = ["clamp", "remainder", "table"]
        for dim, name in ((i, "row"), (j, "key")):
            if dim[3] < extent:
                ways += [name, name + " back"]
        if self.causal and i[3] < extent:
            ways += ["distance"] * 2
        if i[3] * 3 < extent:
            ways += ["step"]
        if i[3] + j[3] < extent:
            ways += ["sum", "difference"]
        way = self.rng.choice(ways)

        def index(op, a, b):
            return self.let(f"arith.{op} {a[0]}, {b[0]} : index", "index", 0,
                            extent - 1)

        if way.startswith(("row", "key")):
            dim = i if way.startswith("row") else j
            if not way.endswith("back"):
                return dim
            return index("subi", self.constant("index", extent - 1), dim)
        if way == "distance":
            return index("subi", i, j)
        if way == "step":
            return index("muli", i, self.constant("index", 3))
        if way == "sum":
            return index("addi", i, j)
        if way == "difference":
            return index("addi", index("subi", i, j),
                         self.constant("index", j[3]))
        if way == "table":
            value = self.cast(self.read(self.rng.choice(["i8", "i32", "i64"])),
                              "index")
            return value if extent == TABLE else index(
                "remui", value, self.constant("index", extent))
        value = self.integer("index", 2)
        if way == "remainder":
            return index("remui", value, self.constant("index", extent))
        value = index("maxsi", value, self.constant("index", 0))
        return index("minsi", value, self.constant("index", extent - 1))

    def read(self, kind):
        flat = f"%{kind}"
        if self.rng.random() < 0.7:
            indices, name, shape = [self.position(TABLE)], flat, f"{TABLE}"
        else:
            indices = [self.dims[0] if self.rng.random() < 0.5
                       else self.position(BATCH), self.position(TABLE)]
            name, shape = flat + "s", f"{BATCH}x{TABLE}"
        text = ", ".join(index[0] for index in indices)
        text = f"tensor.extract {name}[{text}] : tensor<{shape}x{kind}>"
        if kind in WIDTHS:
            return self.let(text, kind, *VALUES)
        return self.emit(text)

    # Truth values and floats.

    def truth(self, depth):
        if depth > 0 and self.rng.random() < 0.5:
            op = self.rng.choice(["andi", "ori", "xori"])
            return self.emit(f"arith.{op} {self.truth(depth - 1)}, "
                             f"{self.truth(depth - 1)} : i1")
        if self.rng.random() < 0.3:
            return self.read("i1")
        kind = self.rng.choice(list(WIDTHS) + ["index"] * 4)
        predicate = self.rng.choice(["slt", "sle", "sgt", "sge", "eq", "ne",
                                     "ult", "uge", "slt", "sge"])
        a, b = self.integer(kind, depth), self.integer(kind, depth)
        return self.emit(f"arith.cmpi {predicate}, {a[0]}, {b[0]} : {kind}")

    def small(self):
        """A float that f32 and f64 hold alike, in [0, 8)."""
        kind = self.rng.choice(list(WIDTHS))
        value = self.integer(kind, 2)
        rest = self.emit(f"arith.remui {value[0]}, "
                         f"{self.constant(kind, 64)[0]} : {kind}")
        if kind == "index":
            rest = self.emit(f"arith.index_cast {rest} : index to i64")
            kind = "i64"
        number = self.emit(f"arith.sitofp {rest} : {kind} to f32")
        eighth = self.emit("arith.constant 0.125 : f32")
        return self.emit(f"arith.mulf {number}, {eighth} : f32")

    def score(self):
        result = "%s"
        for _ in range(self.rng.randrange(1, 4)):
            way = self.rng.choice(["table", "small", "select", "round"])
            if way == "table":
                result = self.emit(f"arith.addf {result}, {self.read('f32')} : f32")
            elif way == "small":
                result = self.emit(f"arith.addf {result}, {self.small()} : f32")
            elif way == "select":
                negated = self.emit(f"arith.negf {result} : f32")
                result = self.emit(f"arith.select {self.truth(1)}, {negated}, "
                                   f"{result} : f32")
            else:
                op = self.rng.choice(["floor", "ceil", "trunc", "round",
                                      "roundeven", "absf", "remf"])
                part = self.small()
                if op == "remf":
                    by = self.emit("arith.constant 0.75 : f32")
                    part = self.emit(f"arith.remf {part}, {by} : f32")
                else:
                    part = self.emit(f"math.{op} {part} : f32")
                result = self.emit(f"arith.subf {result}, {part} : f32")
        return result


def write_op(rng, number):
    rows = rng.choice([1, 5, 16, 17, 32, 40, 64, 70])
    keys = rng.choice([1, 3, 20, 64, 65, 130])
    causal = rng.random() < 0.4
    lines = []
    kinds = [f"tensor<{BATCH}x{extent}x{width}xf32>"
             for extent, width in ((rows, 4), (keys, 4), (keys, 3), (rows, 3))]
    for name, kind in zip("qkv", kinds):
        whole = f"tensor<{BATCH}x130x{4 if name != 'v' else 3}xf32>"
        sizes = ", ".join(kind[len("tensor<"):-1].split("x")[:3])
        lines.append(f"  %{name}{number} = tensor.extract_slice %{name}[0, 0, 0] "
                     f"[{sizes}] [1, 1, 1] : {whole} to {kind}")
    lines.append(f"  %init{number} = tensor.empty() : {kinds[3]}")
    lines.append(f"  %o{number} = attn.generic ins(%q{number}, %k{number}, "
                 f"%v{number} : {', '.join(kinds[:3])})")
    lines.append(f"      weighting(#attn.softmax) outs(%init{number} : {kinds[3]})")
    lines.append("      {indexing_maps = [#q, #k, #v, #o]}")
    if causal or rng.random() < 0.8:
        body = Body(rng, rows, keys, causal=False)
        visible = body.truth(2)
        if causal:
            i, j = body.dims[1:]
            order = body.emit(f"arith.cmpi sge, {i[0]}, {j[0]} : index")
            visible = body.emit(f"arith.andi {visible}, {order} : i1")
        lines += ["      mask {"] + body.lines
        lines += [f"        attn.yield {visible} : i1", "      }"]
    if rng.random() < 0.7:
        body = Body(rng, rows, keys, causal)
        result = body.score()
        lines += ["      score {", "      ^bb0(%s: f32):"] + body.lines
        lines += [f"        attn.yield {result} : f32", "      }"]
    lines[-1] += f" -> {kinds[3]}"
    return lines, kinds[3]


def write_module(rng, count):
    tables = ["i1", "i8", "i32", "i64", "f32"]
    arguments = [f"%{name}: tensor<{BATCH}x130x{4 if name != 'v' else 3}xf32>"
                 for name in "qkv"]
    for kind in tables:
        arguments += [f"%{kind}: tensor<{TABLE}x{kind}>",
                      f"%{kind}s: tensor<{BATCH}x{TABLE}x{kind}>"]
    lines, types = [], []
    for number in range(count):
        text, kind = write_op(rng, number)
        lines += text
        types.append(kind)
    results = ", ".join(f"%o{number}" for number in range(count))
    maps = [f"#{name} = affine_map<(b, m, n, d, e) -> (b, {dims})>"
            for name, dims in zip("qkvo", ("m, d", "n, d", "n, e", "m, e"))]
    ranges = [f"--random-range={number}:0:{TABLE if number > 4 else 2}"
              for number in range(3, 11)]
    text = maps + [f"func.func @random({', '.join(arguments)})",
                   f"    -> ({', '.join(types)}) {{"] + lines
    text += [f"  return {results} : {', '.join(types)}", "}"]
    return "\n".join(text) + "\n", ranges


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--keep")
    options, flags = parser.parse_known_args()
    seed = options.seed
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 32)
    text, ranges = write_module(random.Random(seed), options.count)
    print(f"random regions: seed {seed}")
    with tempfile.TemporaryDirectory() as scratch:
        path = os.path.join(options.keep or scratch, f"random-{seed}.mlir")
        with open(path, "w") as module:
            module.write(text)
        done = subprocess.run(["attn-run", path, "--random", "--check",
                               *ranges, *flags],
                              capture_output=True, text=True)
    checks = [line for line in (done.stdout + done.stderr).splitlines()
              if line.startswith("check:") or "error:" in line]
    good = sum(": ok:" in line for line in checks)
    if done.returncode == 0 and good == options.count:
        print(f"random regions: {good} of {good} ops agree")
        return
    print(text)
    print(done.stdout[-4000:] if not checks else "\n".join(checks))
    print(done.stderr[-4000:])
    sys.exit(f"expected {options.count} results to agree, but got {good} "
             f"(seed {seed}, exit status {done.returncode})")


if __name__ == "__main__":
    main()
