"""What a comparison says: lines on the terminal, docs/comparison.md and its
chart."""

import json

import chart
from cases import CASES, DENSE_64, DENSE_128
from systems import NAMES, PEERS


class Incomplete(Exception):
    """Cases without results, of which no page can be made."""


def gflops(result, ms):
    return result["flops"] / ms / 1e6


def describe(result):
    """One case for a terminal."""
    if "failed" in result:
        return f"{result['case']}: failed: {result['failed']}"
    lines = [f"{result['case']}: attn {result['attn_ms']:.3f} ms, "
             f"{gflops(result, result['attn_ms']):.1f} GFLOP/s" +
             (" unfused" if "unfused" in result else "")]
    for name, row in result["systems"].items():
        if "ratio" in row:
            text = (f"{row['ms']:.3f} ms, {row['ratio']:.3f}x ours "
                    f"({row['low']:.3f}-{row['high']:.3f}, "
                    f"{row['pairs']} pairs)" +
                    (", a loss" if row["loss"] else ""))
        else:
            text = next((f"{state}: {row[state]}" for state in
                         ("failed", "cannot", "absent") if state in row),
                        "no result")
        lines.append(f"  {NAMES[name]}: {text}")
    return "\n".join(lines)


#===-----------------------------------------------------------------------===#
# The page
#===-----------------------------------------------------------------------===#

PAGE = """\
# Beside other systems

Written by `scripts/compare.sh`; {date}, {processor}, one core, f32, batch 1:

```sh
{command}
```

{versions}.

A number is a system's time over that of attn in the same round, the median of
9 rounds (3 where one is more than twice as fast as the other, 1 where ten times):
above 1 attn is the faster. **Bold** is a loss: the median under 0.97 and the upper quartile
under 1, in two times 9 rounds. Systems take turns on one core; each has its
inputs in memory, in the order of dimensions it likes best, has compiled and has
run before the clock starts. The time of attn is what `attn-run --time` says; the
others are called from Python, which costs some microseconds. Outputs agree with
those of attn within 1e-4 of the largest number, or it says *failed*. An *absent*
system could not be installed or loaded.

![Speed against length](comparison.svg)

{table}
{notes}"""


def cell(row):
    if row is None or "absent" in row:
        return "*absent*"
    if "cannot" in row:
        return row["cannot"]
    if "ratio" not in row:
        return "*failed*"
    return f"**{row['ratio']:.2f}**" if row["loss"] else f"{row['ratio']:.2f}"


def table(results):
    lines = ["| case | attn | " + " | ".join(PEERS.values()) + " |",
             "|---" * (2 + len(PEERS)) + "|"]
    for result in results:
        if "failed" in result:
            own = "*failed*"
        else:
            own = (f"{result['attn_ms']:.3g} ms, "
                   f"{gflops(result, result['attn_ms']):.3g} GFLOP/s")
        cells = [cell(result["systems"].get(name)) for name in PEERS]
        lines.append(f"| `{result['case']}` | {own} | " + " | ".join(cells) +
                     " |")
    return "\n".join(lines)


def notes(results):
    """What numbers alone do not say: losses, failures, what is unfused."""
    lines = []
    for result in results:
        if "failed" in result:
            lines.append(f"* `{result['case']}`: attn failed: "
                         f"{result['failed']}")
        if "unfused" in result:
            lines.append(f"* `{result['case']}`: attn does not fuse it yet")
        for name, row in result["systems"].items():
            where = f"* `{result['case']}`, {NAMES[name]}: "
            if row.get("loss"):
                text = (f"{row['ratio']:.3f} ({row['low']:.3f} to "
                        f"{row['high']:.3f}, {row['pairs']} pairs)")
                if "again" in row:
                    low, median, high = row["again"]
                    text += f", then {median:.3f} ({low:.3f} to {high:.3f})"
                lines.append(f"{where}{text}")
            elif "failed" in row:
                lines.append(f"{where}failed: {row['failed']}")
    return "\n## Notes\n\n" + "\n".join(lines) + "\n" if lines else ""


def list_versions(results):
    found = {}
    for result in results:
        for name, row in result["systems"].items():
            if "version" in row:
                found[NAMES[name]] = row["version"]
    return ", ".join(f"{name} {version}" for name, version in found.items())


def said_once(results, field):
    """The values of a field over all cases, as a rule one."""
    return ", ".join(dict.fromkeys(result[field] for result in results))


def write(folder, docs):
    """Writes the page and its chart from the results kept in a folder."""
    missing = [name for name in CASES if not (folder / f"{name}.json").exists()]
    if missing:
        raise Incomplete(f"expected a result of every case in '{folder}', but "
                         f"there is none of {', '.join(missing)}")
    results = [json.loads((folder / f"{name}.json").read_text())
               for name in CASES]
    (docs / "comparison.md").write_text(PAGE.format(
        date=said_once(results, "date"),
        processor=said_once(results, "processor"),
        command="scripts/compare.sh", versions=list_versions(results),
        table=table(results), notes=notes(results)))
    by_name = {result["case"]: result for result in results}
    panels = [("8 heads of width 64", DENSE_64),
              ("8 heads of width 128", DENSE_128)]
    (docs / "comparison.svg").write_text(chart.draw(
        [(title, lines_of([by_name[case.name] for case in cases], cases))
         for title, cases in panels]))


def lines_of(results, cases):
    """For each system its points: length and GFLOP/s."""
    lines = {}
    for case, result in zip(cases, results):
        if "failed" in result:
            continue
        times = {"attn": result["attn_ms"]}
        times.update((name, row["ms"])
                     for name, row in result["systems"].items() if "ms" in row)
        for name, ms in times.items():
            lines.setdefault(name, []).append((case.rows, gflops(result, ms)))
    return {NAMES[name]: lines[name] for name in NAMES if name in lines}
