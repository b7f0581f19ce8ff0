"""Sums up lit's results: what was skipped and why, and one line of counts.

    summary.py results.json

Exits with 1 if nothing ran or something failed.
"""

import collections
import json
import re
import sys

import features

PASSED = {"PASS", "FLAKYPASS", "XFAIL"}
SKIPPED = {"UNSUPPORTED", "SKIPPED", "EXCLUDED"}


def reason_of(test):
    """Why a test was skipped, in words."""
    output = test.get("output", "").strip()
    needs = re.search(r"unavailable features: (.*)", output)
    if needs:
        known = features.missing()
        names = [name.strip() for name in needs.group(1).split(",")]
        return "; ".join(
            f"needs {name}: {known.get(name, 'not available here')}"
            for name in names
        )
    if test["code"] == "EXCLUDED":
        return "left out by a filter"
    return output.splitlines()[-1] if output else "no reason given"


def main(path):
    try:
        with open(path) as file:
            tests = json.load(file)["tests"]
    except (OSError, ValueError, KeyError) as error:
        print(f"summary.py: no results of lit in {path}: {error}", file=sys.stderr)
        tests = []

    skipped = collections.defaultdict(list)
    failed, passed, expected = [], 0, 0
    for test in tests:
        if test["code"] in PASSED:
            passed += 1
            expected += test["code"] == "XFAIL"
        elif test["code"] in SKIPPED:
            skipped[reason_of(test)].append(test["name"])
        else:
            failed.append(test)

    print()
    for feature, reason in sorted(features.missing().items()):
        print(f"not available here: {feature} ({reason})")
    for reason, names in sorted(skipped.items()):
        print(f"skipped {len(names)}, {reason}:")
        for name in names:
            print(f"  {name}")
    for test in failed:
        print(f"{test['code'].lower()}: {test['name']}")
    if expected:
        print(f"{expected} of the passed fail as they are expected to")
    if not passed and not failed:
        print("no test ran")
    number_skipped = sum(map(len, skipped.values()))
    print(f"{passed} passed, {len(failed)} failed, {number_skipped} skipped")
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: summary.py results.json")
    sys.exit(main(sys.argv[1]))
