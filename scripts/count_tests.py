#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count the cases of a run of ctest, and name those that failed.

Usage: count_tests.py JUNIT RESULTS. JUNIT is what ctest --output-junit wrote, RESULTS the folder of the XML files that
GoogleTest wrote, one for each entry of ctest that is a share of a room's tests. An entry without such a file counts as
one case. Exits 1 if a case failed, if a program ended before it had written its file, or if nothing was run.
"""

import re
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from pathlib import Path

WANTS_DATA = "needs real data"
STARTED = re.compile(r"^\[ RUN      \] (\S+)", re.M)
ENDED = re.compile(r"^\[ +(OK|FAILED|SKIPPED) +\] (\S+?),? .*\(\d+ ms\)$", re.M)
OUTCOMES = {"OK": "passed", "FAILED": "failed", "SKIPPED": "skipped"}


def share_of(entry: str) -> bool:
    return re.search(r"\.\d+_of_\d+$", entry) is not None


def cases_of(file: Path):
    """(name, outcome, reason) of each case that GoogleTest ran."""
    for case in xml.parse(file).getroot().iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        if case.get("status") == "notrun":
            continue
        failures = case.findall("failure")
        if failures:
            yield name, "failed", "\n".join(failure.get("message", "") for failure in failures)
        elif case.get("result") == "skipped":
            yield name, "skipped", " ".join(skip.get("message", "") for skip in case.findall("skipped"))
        else:
            yield name, "passed", ""


def cases_in_output(output: str):
    """The same for a program that ended before it wrote its file: what it printed tells, but not why."""
    ended = {name: OUTCOMES[word] for word, name in ENDED.findall(output)}
    yield from ((name, outcome, "") for name, outcome in ended.items())
    last = (STARTED.findall(output) or ["(no case began)"])[-1]
    yield (f"after {last}" if last in ended else last, "failed",
           "the program ended here, by a crash or because its time was over")


def outcomes(junit: Path, results: Path):
    """(entry of ctest, case, outcome, reason) of all that was run."""
    for entry in xml.parse(junit).getroot().iter("testcase"):
        name = entry.get("name")
        passed = entry.get("status") == "run"
        file = results / f"{name}.xml"
        if share_of(name):
            output = entry.findtext("system-out") or ""
            cases = list(cases_of(file) if file.is_file() else cases_in_output(output))
            if not passed and not any(outcome == "failed" for _, outcome, _ in cases):
                cases.append(("(after its cases)", "failed", "the program's exit code is not 0"))
            yield from ((name, *case) for case in cases)
        elif entry.find("skipped") is not None:
            yield name, "", "skipped", entry.findtext("system-out") or ""
        else:
            yield name, "", "passed" if passed else "failed", ""


def main() -> int:
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    counts = Counter()
    for entry, case, outcome, reason in outcomes(Path(sys.argv[1]), Path(sys.argv[2])):
        counts[outcome] += 1
        if outcome == "failed":
            print(f"FAILED {entry} {case}".rstrip())
            print("".join(f"    {line}\n" for line in reason.splitlines()), end="")
        elif outcome == "skipped":
            counts["for data"] += WANTS_DATA in reason
    ran = counts["passed"] + counts["failed"] + counts["skipped"]
    print(f"Tests skipped: {counts['skipped']}, of these for want of data (HYPERDEFECT_TEST_DATA): {counts['for data']}")
    print(f"Tests: {ran}, passed: {counts['passed']}, failed: {counts['failed']}, skipped: {counts['skipped']}")
    return 1 if counts["failed"] or ran == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
