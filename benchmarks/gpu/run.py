"""Checks and times the kernels of the kit on the GPU of this machine.

    python3 run.py [--quick] [--only=ROW,...] [--json=FILE]

Needs Python with NumPy and NVIDIA's driver. Each kernel is called with arrays
on the GPU and held to a computation on the CPU: rows of attention in double
precision, examples by code for CPUs that was made of the same file. Then it is
timed by the GPU's clock, in turns with what PyTorch has, if that is there. A
row is printed as it is had; what fails is a row, too. All takes 6 minutes at
most, --quick 90 seconds: what the time does not reach says so. Exits with 1 if
a row is wrong.
"""

import argparse
import json
import pathlib
import sys
import time

import numpy as np

import cases
import driver
import peers

HERE = pathlib.Path(__file__).resolve().parent
ROUNDS = 3


def parse_arguments():
    parser = argparse.ArgumentParser(description="Checks and times kernels.")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--json", default="")
    return parser.parse_args()


class Runner:
    def __init__(self, options):
        self.begin = time.monotonic()
        self.limit = 90 if options.quick else 360
        self.options = options
        self.rows = []
        self.kit = json.loads((HERE / "kit.json").read_text())
        self.driver = driver.Driver()
        self.about = self.driver.describe()
        self.torch, missing = peers.load()
        self.about["torch"] = self.torch.__version__ if self.torch else None
        self.about["date"] = time.strftime("%Y-%m-%d")
        self.peers = peers.Peers(self.torch) if self.torch else None
        print(f"{self.about['gpu']}, {self.about['chip']}, driver of CUDA "
              f"{self.about['driver']}, " +
              (f"PyTorch {self.torch.__version__}" if self.torch else
               f"no PyTorch ({missing})"), flush=True)

    def left(self):
        return self.limit - (time.monotonic() - self.begin)

    def say(self, row, text):
        self.rows.append(row)
        self.save()
        spent = time.monotonic() - self.begin
        print(f"[{spent:4.0f} s] {row['name']:24} {text}", flush=True)

    def save(self):
        """What there is so far: a run may be cut off."""
        if self.options.json:
            pathlib.Path(self.options.json).write_text(json.dumps(
                {**self.about, "kit": self.kit["made"], "rows": self.rows},
                indent=1))

    def prepare(self, case, entry):
        """The library, what to pass it, and memory of the GPU."""
        library = driver.Library(HERE / entry["library"], gpu=True)
        arrays, results = case.arguments(), case.results()
        types = entry["types"]
        passed, addresses = [], []
        for array, (dtype, scalar) in zip([*arrays, *results], types):
            if scalar:
                passed.append(driver.pass_scalar(array, dtype))
                continue
            addresses.append(self.driver.copy_in(array))
            passed.append(driver.describe(array, dtype, addresses[-1]))
        return library, arrays, results, passed, addresses

    def check(self, case, entry, arrays, results):
        if case.kind != "example":
            return case.check(arrays, results)
        library = driver.Library(HERE / entry["cpu_library"], gpu=False)
        wanted = case.results()
        passed = [driver.pass_scalar(array, dtype) if scalar else
                  driver.describe(array, dtype)
                  for array, (dtype, scalar) in zip([*arrays, *wanted],
                                                    entry["types"])]
        library.call(entry["function"], passed)
        library.close()
        return case.compare(wanted, results)

    def run(self, case, entry):
        row = {"name": case.name}
        if "refused" in entry:
            row["refused"] = entry["refused"]
            return self.say(row, f"not compiled: {entry['refused']}")
        if self.left() < 2:
            row["skipped"] = "out of time"
            return self.say(row, "skipped: out of time")
        addresses = []
        try:
            library, arrays, results, passed, addresses = self.prepare(
                case, entry)

            def call():
                library.call(entry["function"], passed)
            call()
            library.wait()
            for array, address in zip(results, addresses[-len(results):]):
                self.driver.copy_out(array, address)
            row["error"] = self.check(case, entry, arrays, results)
            row["right"] = row["error"] <= 1
            self.time(case, row, call)
            library.close()
        except Exception as error:
            row["failed"] = (str(error).splitlines() or ["failed"])[0]
            row["right"] = False
            self.say(row, f"FAILED: {row['failed']}")
        for address in addresses:
            self.driver.free(address)

    def time(self, case, row, call):
        """In turns, round by round: ours, then each peer."""
        timed = {"attn": (call, self.driver.time)}
        failures = {}
        wants_peers = self.peers and case.kind != "example" and self.left() > 10
        for name, make in (self.peers.list(case) if wants_peers else ()):
            # A first call of FlexAttention takes up to 12 s.
            if name.startswith("flex") and self.left() < 25:
                failures[name] = "out of time"
                continue
            try:
                run = make()
                run()
                self.torch.cuda.synchronize()
                timed[name] = (run, self.peers.time)
            except Exception as error:
                text = str(error).splitlines()
                failures[name] = text[0][:100] if text else type(error).__name__
        times = {name: [] for name in timed}
        count = 3 if self.options.quick else 7
        for _ in range(ROUNDS):
            for name, (run, clock) in timed.items():
                try:
                    times[name] += clock(run, count)
                except Exception as error:
                    failures[name] = str(error).splitlines()[0][:100]
        row["ms"] = {name: peers.median(values)
                     for name, values in times.items() if values}
        row["peer_failures"] = failures
        self.report(case, row)

    def report(self, case, row):
        verdict = "right" if row["right"] else "WRONG"
        text = [f"{verdict} ({row['error']:.2f} of the bound)"]
        for name, ms in row["ms"].items():
            rate = ""
            if case.kind != "example" and ms > 0:
                decodes = case.rows == 1
                rate = (f" = {case.bytes() / ms / 1e9:.2f} TB/s" if decodes else
                        f" = {case.flops() / ms / 1e9:.0f} TFLOP/s")
            text.append(f"{name} {ms:.3f} ms{rate}")
        text += [f"{name} - ({why})" for name, why in
                 row["peer_failures"].items()]
        self.say(row, ", ".join(text))

    def measure_product(self):
        """What the GPU reaches in a product of matrices."""
        if not self.peers:
            return
        run, flops = self.peers.product()
        run()
        ms = peers.median(self.peers.time(run, 9))
        row = {"name": "product-8192-f16", "ms": {"torch": ms}}
        self.say(row, f"torch {ms:.3f} ms = {flops / ms / 1e9:.0f} TFLOP/s")


def main():
    options = parse_arguments()
    try:
        runner = Runner(options)
    except driver.NoGPU as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    kit = runner.kit
    kinds = {"attention": cases.Attention, "example": cases.Example}
    rows = [kinds[entry["kind"]](**entry["case"]) for entry in kit["rows"]]
    wanted = {name for name in options.only.split(",") if name}
    runner.measure_product()
    for case, entry in zip(rows, kit["rows"]):
        if (case.name in wanted if wanted else case.quick or not options.quick):
            runner.run(case, entry)
    wrong = [row["name"] for row in runner.rows if row.get("right") is False]
    took = time.monotonic() - runner.begin
    print(f"{sum(row.get('right') is True for row in runner.rows)} right, "
          f"{len(wrong)} wrong, {took:.0f} s", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main())
