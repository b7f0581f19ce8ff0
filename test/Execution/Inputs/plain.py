#!/usr/bin/env python3
"""Runs attention through attn-run and computes it again in plain numpy.

    plain.py GROUP... [--dtype=f32] [--cpu=NAME] [--only=CASE] [--part=0/2]
             [--list] [--scale-error=0.01] [--run=attn-run] [--threads=N,...]
             [--seed=N] [--target=gpu-emulator [--wgmma=auto]] [--widths=16:24]
             [--fusion=never] [--together=3] [--full=N] [--kernel=CHOICE]

What is computed here knows nothing of the dialect: dense arrays in float64,
from inputs rounded to the element type. The cases of a group are the results of
one function, so that a whole group is one run of attn-run; a run that fails is
repeated case by case. Prints one line per case that differs and exits with 1.
With several numbers of threads, attn-run has all give the same bits. With a target
that refuses some cases, these are listed as left out.

An element may be off by u (2 sqrt(D) S + 16) sum_j |p_j v_j|, with S the largest
of scale sum_d |q k| and of the scores of the row and u the unit roundoff of the
arithmetic, by the rounding of the output and, in bf16, by that of the weights,
4 2^-8 sqrt(sum_j (p_j v_j)^2). GPUs round weights to f16 as well.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile

import numpy

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plain_attention
import plain_cases
import plain_final
import plain_sdpa
from plain_arrays import compare, from_words, to_words


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("groups", nargs="+")
    parser.add_argument("--dtype", default="f32")
    parser.add_argument("--cpu")
    parser.add_argument("--run", default="attn-run")
    parser.add_argument("--only")
    parser.add_argument("--part", default="0/1",
                        help="i/n: every n-th case, from that of number i on")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--threads", default="")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--together", type=int, default=0,
                        help="how many choices are brought together, by groups "
                        "that bring two")
    parser.add_argument("--full", type=int, default=0,
                        help="more cases, of groups that have more")
    parser.add_argument("--target")
    parser.add_argument("--fusion")
    parser.add_argument("--wgmma")
    parser.add_argument("--kernel", help="the GPU kernel of each op that has "
                        "none: what is in #attn.gpu_kernel<>")
    parser.add_argument("--widths",
                        help="features:channels of cases that have the usual")
    parser.add_argument("--scale-error", type=float, default=0.0)
    return parser.parse_args()


def write_module(cases, kernel=None):
    """One function whose arguments and results are those of all cases."""
    arguments, body, values, types = [], [], [], []
    for number, case in enumerate(cases):
        def rename(text):
            return re.sub(r"%(\w+)", rf"%x{number}_\1", text)
        arguments += [rename(f"%{name}: {kind}")
                      for name, kind, _ in case.arguments]
        text = case.body
        if kernel and "#attn.gpu_kernel" not in text:
            text = text.replace("{indexing_maps", "{attn.gpu_kernel = "
                                f"#attn.gpu_kernel<{kernel}>, indexing_maps")
        body.append(rename(text))
        for name, kind, *_ in case.results:
            values.append(rename("%" + name))
            types.append(kind)
    return (f"func.func @plain({', '.join(arguments)}) -> ({', '.join(types)}) {{\n"
            + "\n".join(body)
            + f"\n  return {', '.join(values)} : {', '.join(types)}\n}}\n")


def run(cases, options):
    """The results of all cases, or the text of the error."""
    with tempfile.TemporaryDirectory() as directory:
        module = os.path.join(directory, "plain.mlir")
        with open(module, "w") as file:
            file.write(write_module(cases, options.kernel))
        command = [options.run, module]
        if options.cpu:
            command.append("--cpu=" + options.cpu)
        if options.target:
            command.append("--target=" + options.target)
            if options.wgmma:
                command += ["--chip=sm_90a", "--wgmma=" + options.wgmma]
        elif options.fusion:
            command.append("--fusion=" + options.fusion)
        elif all(case.fused for case in cases):
            command.append("--require-fused")
        arguments = [a for case in cases for a in case.arguments]
        results = [r for case in cases for r in case.results]
        for number, (_, kind, array) in enumerate(arguments):
            path = os.path.join(directory, f"in{number}.npy")
            numpy.save(path, to_words(array, kind))
            command.append("--input=" + path)
        outputs = [os.path.join(directory, f"out{i}.npy")
                   for i in range(len(results))]
        command += ["--output=" + path for path in outputs]
        if options.threads:
            command.append("--threads=" + options.threads)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            return None, (done.stderr or f"exit status {done.returncode}")
        return [from_words(numpy.load(path), result[1])
                for path, result in zip(outputs, results)], None


LEFT_OUT = []


def check(cases, options):
    """The number of cases that differ."""
    arrays, error = run(cases, options)
    if cases[0].refused:
        if cases[0].refused in (error or ""):
            return 0
        print(f"{cases[0].name}: expected '{cases[0].refused}', but got: "
              f"{(error or 'results').strip()}")
        return 1
    refused = re.search(r"op (cannot be a .*)", error or "")
    if refused and options.target and len(cases) == 1:
        LEFT_OUT.append(f"left out: {cases[0].name}: {refused[1]}")
        return 0
    if error:
        if len(cases) > 1:
            half, before = len(cases) // 2, len(LEFT_OUT)
            failed = (check(cases[:half], options)
                      + check(cases[half:], options))
            if failed == 0 and len(LEFT_OUT) == before:
                print(f"{cases[0].name} to {cases[-1].name}: fail together, "
                      f"not apart: {error.strip()}")
                return 1
            return failed
        print(f"{cases[0].name}: {error.strip()}")
        return 1
    failed, position = 0, 0
    for case in cases:
        lines = []
        for number, (_, kind, expected, tolerance) in enumerate(case.results):
            line = compare(arrays[position], expected, tolerance, kind)
            position += 1
            if line:
                lines.append(f"{case.name}: result {number}: {line}")
        failed += bool(lines)
        for line in lines:
            print(line)
    return failed


def main():
    options = parse_arguments()
    if options.target:
        plain_attention.ROUNDED.add("f16")
    if options.widths:
        widths = [int(width) for width in options.widths.split(":")]
        plain_sdpa.WIDTHS[:] = widths
        plain_final.SIZES.update(zip("de", widths))
    total = failed = 0
    for group in options.groups:
        cases = plain_cases.make(group, options.dtype, 1 + options.scale_error,
                                 options.seed, options.together, options.full)
        if options.only:
            cases = [case for case in cases
                     if re.fullmatch(options.only, case.name)]
        first, step = map(int, options.part.split("/"))
        cases = cases[first::step]
        if options.list:
            print("\n".join(f"{group}/{case.name}" for case in cases))
            continue
        for fused in (True, False):
            batch = [case for case in cases if case.fused == fused]
            parts = [[case] for case in batch if case.refused]
            batch = [case for case in batch if not case.refused]
            parts += [batch[start:start + 24]
                      for start in range(0, len(batch), 24)]
            for part in parts:
                total += len(part)
                failed += check(part, options)
    if options.list:
        return 0
    print("".join(line + "\n" for line in LEFT_OUT), end="")
    total -= len(LEFT_OUT)
    print(f"plain: {total - failed} of {total} cases agree ({options.dtype})")
    return 0 if failed == 0 and total > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
