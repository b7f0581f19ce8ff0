"""attn-run and the other systems, each in a process of its own that waits while
another is timed."""

import json
import pathlib
import select
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


class Failed(Exception):
    """A system that could not do what it was asked, with the reason."""


class Unsayable(Exception):
    """A system that has no way to say a case, with the reason."""


class Peer:
    """A system behind worker.py. It is started when first asked, and anew after
    it died."""

    # Compilers of one case take minutes on a slow core, not longer.
    patience = 600

    def __init__(self, name, log):
        self.name = name
        self.log = log
        self.process = None
        self.absent = None
        try:
            self.version = self._ask({"version": True})
        except Failed as failure:
            self.absent = str(failure)

    def prepare(self, case, folder):
        """Compiles and writes an output; the milliseconds of the second call,
        or of the first if that took seconds."""
        return self._ask({"prepare": case.name, "folder": str(folder)})

    def time(self, calls):
        """The median of some calls, in milliseconds."""
        return statistics.median(self._ask({"time": calls}))

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process.stdin.close()
            self.process.stdout.close()
            self.process = None

    def _start(self):
        self.process = subprocess.Popen(
            [sys.executable, HERE / "worker.py", self.name], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self._receive()

    def _ask(self, request):
        if not self.process:
            self._start()
        try:
            print(json.dumps(request), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            self.stop()
            raise Failed("the process ended") from None
        return self._receive()

    def _receive(self):
        ready, _, _ = select.select([self.process.stdout], [], [],
                                    self.patience)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            status = self.process.poll()
            self.stop()
            raise Failed(f"no answer within {self.patience} s" if not ready else
                         f"the process ended, status {status}")
        answer = json.loads(line)
        if "cannot" in answer:
            raise Unsayable(answer["cannot"])
        if "error" in answer:
            raise Failed(answer["error"])
        return answer["ok"]


class AttnRun:
    """A build of attn-run. It compiles and warms up at every turn; its own
    clock leaves that out."""

    def __init__(self, program):
        self.program = program
        self.unfused = None
        self.peak_gflops = 0
        self.command = []

    def prepare(self, case, folder):
        file = folder / "case.mlir"
        file.write_text(case.mlir())
        self.command = [self.program, file, "--threads=1"]
        self.command += [f"--input={folder / name}.npy"
                         for name in case.inputs()]
        output = f"--output={folder / 'output.attn.npy'}"
        self.unfused = None
        if case.kind == "attention":
            try:
                self._run(output, "--require-fused")
                return
            except Failed as failure:
                self.unfused = str(failure)
        self._run(output)

    def time(self, calls):
        done = subprocess.run(
            [*self.command, f"--time={calls}", "--json"], text=True,
            stdin=subprocess.DEVNULL, capture_output=True)
        # A peak that cannot be believed does not matter here: a time can.
        if not done.stdout.startswith("{"):
            self._fail(done)
        result = json.loads(done.stdout)
        self.peak_gflops = max(self.peak_gflops, result["peak_gflops"])
        return result["median_ms"]

    def _run(self, *more):
        done = subprocess.run([*self.command, *more], text=True,
                              stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode:
            self._fail(done)

    def _fail(self, done):
        lines = done.stderr.strip().splitlines()
        raise Failed(lines[-1] if lines else f"status {done.returncode}")
