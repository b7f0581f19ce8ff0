#!/usr/bin/env python3
"""Runs attn.generic with permuted operands, fused, against the reference.

    permutations.py single            each operand in every order, one at a time
    permutations.py joint COUNT [SEED] COUNT random choices for all at once

Query rows, key rows, features and channels have an extent of 1 or more, known to
the compiler or not. Many ops make one function, so that a process checks many.
Prints the seed, and for each function that fails the command that shows it.
"""

import itertools
import os
import random
import subprocess
import sys
import tempfile

OPS_PER_FUNCTION = 32
DIMS = "bmnde"
LARGE = {"b": 2, "m": 5, "n": 7, "d": 3, "e": 4}
# The last ones are those of the results.
OPERANDS = {"query": "bmd", "key": "bnd", "value": "bne", "bias": "bmn",
            "output": "bme", "lse": "bm"}


def single_cases():
    """One operand permuted; none, one or all of m, n, d, e of extent 1 where
    the compiler knows it, else none or all."""
    kinds = [(unit, False) for unit in ["", *"mnde", "mnde"]]
    kinds += [("", True), ("mnde", True)]
    for name, dims in OPERANDS.items():
        for order in itertools.permutations(dims):
            for unit, dynamic in kinds:
                orders = {**OPERANDS, name: "".join(order)}
                yield orders, unit, dynamic, False


def joint_cases(count, generator):
    """All operands permuted, any of the dimensions of extent 1."""
    for _ in range(count):
        orders = {name: "".join(generator.sample(dims, len(dims)))
                  for name, dims in OPERANDS.items()}
        unit = "".join(dim for dim in DIMS if generator.random() < 0.35)
        yield (orders, unit, generator.random() < 0.5,
               generator.random() < 0.5)


def affine_map(order):
    return (f"affine_map<({', '.join(DIMS)}) -> ({', '.join(order)})>")


class Function:
    """A function of several ops, each with operands and results of its own."""

    def __init__(self):
        self.arguments, self.shapes, self.body = [], [], []
        self.results, self.types = [], []

    def add_argument(self, order, extents, dynamic):
        name = f"%a{len(self.arguments)}"
        shape = "x".join(str(extents[dim]) for dim in order)
        kind = "x".join("?" if dynamic else str(extents[dim]) for dim in order)
        kind = f"tensor<{kind}xf32>"
        if dynamic:
            self.shapes.append(f"--shape={len(self.arguments)}:{shape}")
        self.arguments.append(f"{name}: {kind}")
        return name, kind

    def add(self, orders, unit, dynamic, masked):
        extents = {dim: 1 if dim in unit else LARGE[dim] for dim in DIMS}
        operand = {name: self.add_argument(orders[name], extents, dynamic)
                   for name in OPERANDS}
        maps = ", ".join(affine_map(orders[name]) for name in OPERANDS)
        number = len(self.results)
        mask = """
      mask {
      ^bb0(%x: f32):
        %i = attn.index 1
        %j = attn.index 2
        %seen = arith.cmpi sle, %j, %i : index
        attn.yield %seen : i1
      }""" if masked else ""
        self.body.append(f"""  %r{number}, %l{number} = attn.generic
      ins({", ".join(operand[n][0] for n in ("query", "key", "value"))} :
          {", ".join(operand[n][1] for n in ("query", "key", "value"))})
      inputs({" : ".join(operand["bias"])}) weighting(#attn.softmax)
      outs({" : ".join(operand["output"])}) lse({" : ".join(operand["lse"])})
      {{indexing_maps = [{maps}], scale = 0.5 : f64}}{mask}
      score {{
      ^bb0(%s: f32, %x: f32):
        %t = arith.addf %s, %x : f32
        attn.yield %t : f32
      }} -> {operand["output"][1]}, {operand["lse"][1]}""")
        self.results += [f"%r{number}", f"%l{number}"]
        self.types += [operand["output"][1], operand["lse"][1]]

    def write(self, path):
        types = ", ".join(self.types)
        with open(path, "w") as file:
            file.write(f"func.func @f({', '.join(self.arguments)}) -> ({types})"
                       " {\n" + "\n".join(self.body) +
                       f"\n  return {', '.join(self.results)} : {types}\n}}\n")


def run(cases, folder):
    """Returns how many ops ran, and whether all were right."""
    cases, count, ok = list(cases), 0, True
    for first in range(0, len(cases), OPS_PER_FUNCTION):
        function = Function()
        for case in cases[first:first + OPS_PER_FUNCTION]:
            function.add(*case)
            count += 1
        path = os.path.join(folder, f"permutations-{first}.mlir")
        function.write(path)
        command = ["attn-run", path, "--random", "--check", "--fusion=always",
                   "--require-fused", *function.shapes]
        done = subprocess.run(command, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        if done.returncode != 0:
            ok = False
            print("failed:", " ".join(command))
            print("\n".join(line for line in done.stdout.splitlines()
                            if "error" in line or "mismatch" in line)
                  or done.returncode)
    return count, ok


def main(argv):
    if argv[0] == "single":
        cases = single_cases()
    else:
        seed = int(argv[2]) if len(argv) > 2 else random.randrange(1 << 30)
        print("seed:", seed)
        cases = joint_cases(int(argv[1]), random.Random(seed))
    folder = os.environ.get("PERMUTATIONS_DIR") or tempfile.mkdtemp()
    count, ok = run(cases, folder)
    print(f"{count} ops: {'ok' if ok else 'wrong'}")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
