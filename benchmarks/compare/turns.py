"""One case: every system in turn, round after round, and what follows."""

import math
import statistics

import numpy

from processes import Failed, Unsayable

# A turn is as many calls as take about as long as this, in milliseconds.
TURN_MS = 200
# Systems as many times as fast as one another need no more rounds than these.
FAR = ((2, 3), (10, 1))
# A loss: the median of the ratios and the upper quartile below these, twice.
LOSS_MEDIAN, LOSS_QUARTILE = 0.97, 1
# Largest difference of outputs, of the largest number in them.
TOLERANCE = 1e-4


def quartiles(values):
    if len(values) == 1:
        return values * 3
    return statistics.quantiles(values, n=4, method="inclusive")


def looks_lost(ratios):
    """Whether the times of a system over ours say that it is the faster."""
    _, median, upper = quartiles(ratios)
    return median < LOSS_MEDIAN and upper < LOSS_QUARTILE


def is_far(ratios):
    return any(len(ratios) >= rounds and
               (min(ratios) > factor or max(ratios) < 1 / factor)
               for factor, rounds in FAR)


def choose_calls(ms):
    return 1 if ms > 1000 else min(1000, max(3, math.ceil(TURN_MS / ms)))


def compare_outputs(folder, name):
    """The largest difference from attn's output, of its largest number."""
    own = numpy.load(folder / "output.attn.npy")
    other = numpy.load(folder / f"output.{name}.npy")
    if own.shape != other.shape:
        raise Failed(f"an output of {other.shape}, not {own.shape}")
    error = float(abs(own.astype(float) - other).max() / abs(own).max())
    if not error <= TOLERANCE:
        raise Failed(f"outputs differ by {error:.2g} of the largest number")
    return error


class Contest:
    """A case, attn and its peers. `say` is told how far it is."""

    def __init__(self, case, attn, peers, folder, say):
        self.case, self.attn, self.folder, self.say = case, attn, folder, say
        self.rows = {}
        self.ready = []
        self._prepare(peers)

    def _prepare(self, peers):
        for name, array in self.case.inputs().items():
            numpy.save(self.folder / f"{name}.npy", array)
        self.say("attn: compiling")
        self.attn.prepare(self.case, self.folder)
        self.own_ms = self.attn.time(1)
        for peer in peers:
            self.say(f"{peer.name}: compiling")
            row = self.rows[peer.name] = {}
            if peer.absent:
                row["absent"] = peer.absent
                continue
            row["version"] = peer.version
            try:
                ms = peer.prepare(self.case, self.folder)
                row["error"] = compare_outputs(self.folder, peer.name)
                peer.calls = choose_calls(ms)
                self.ready.append(peer)
            except Unsayable as reason:
                row["cannot"] = str(reason)
            except Failed as failure:
                row["failed"] = str(failure)

    def _play(self, peers, rounds):
        """Ratios and times by peer: its time over ours in each round."""
        ratios = {peer.name: [] for peer in peers}
        times = {name: [] for name in ["attn", *ratios]}
        calls = choose_calls(self.own_ms)
        for turn in range(rounds):
            left = [peer for peer in peers if not is_far(ratios[peer.name]) and
                    "failed" not in self.rows[peer.name]]
            if not left:
                break
            self.say(f"round {turn + 1} of {rounds}")
            times["attn"].append(self.attn.time(calls))
            for peer in left:
                try:
                    times[peer.name].append(peer.time(peer.calls))
                except Failed as failure:
                    self.rows[peer.name]["failed"] = str(failure)
                    continue
                ratios[peer.name].append(times[peer.name][-1] /
                                         times["attn"][-1])
        return ratios, times

    def run(self, rounds):
        """What is known of the case after some rounds, and as many again
        where a system looks faster than ours."""
        ratios, times = self._play(self.ready, rounds)
        result = {"case": self.case.name, "flops": self.case.flops(),
                  "attn_ms": statistics.median(times["attn"] or [self.own_ms]),
                  "systems": self.rows}
        if self.attn.unfused:
            result["unfused"] = self.attn.unfused
        suspects = []
        for peer in self.ready:
            row, found = self.rows[peer.name], ratios[peer.name]
            if "failed" in row or not found:
                continue
            row["ms"] = statistics.median(times[peer.name])
            row["low"], row["ratio"], row["high"] = quartiles(found)
            row["pairs"] = len(found)
            row["loss"] = looks_lost(found)
            if row["loss"] and not is_far(found):
                suspects.append(peer)
        again, _ = self._play(suspects, rounds) if suspects else ({}, {})
        for name, found in again.items():
            if found:
                self.rows[name]["again"] = quartiles(found)
                self.rows[name]["loss"] = looks_lost(found)
        result["peak_gflops"] = self.attn.peak_gflops
        return result
