#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print the share of lines that ran, a room, from the counts that a build with --coverage left.

Usage: coverage.py BUILD [--files]. With --files also a line for each file, the least covered first.
"""

import argparse
import json
import os
import subprocess
import sys
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

LIBRARY = "lib/hyperdefect/"


def counts_of(notes: Path):
    """(place below lib/hyperdefect, line, how often it ran) for the lines of one object."""
    # gcov looks for the counts beside the notes.
    out = subprocess.run(["gcov", "--json-format", "--stdout", notes.name], cwd=notes.parent, check=True,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    for document in filter(None, out.splitlines()):
        for file in json.loads(document)["files"]:
            # An object from ccache names the checkout that it was first compiled in.
            place = os.path.normpath(file["file"]).rpartition(LIBRARY)
            if place[1] and "/headers_alone/" not in place[2]:
                yield from ((place[2], line["line_number"], line["count"]) for line in file["lines"])


def lines_of(build: Path):
    """How often each line ran: {file: {line: count}}. A header's lines come from many objects."""
    lines = defaultdict(lambda: defaultdict(int))
    objects = sorted(build.rglob("*.gcno"))  # An object that no test linked has no counts: none of its lines ran.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for counts in pool.map(lambda file: list(counts_of(file)), objects):
            for place, line, count in counts:
                lines[place][line] += count
    return lines


def share(covered: int, total: int) -> str:
    return f"{covered:6d} of {total:6d} lines  {100 * covered / total:5.1f} %"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path)
    parser.add_argument("--files", action="store_true")
    options = parser.parse_args()
    files = {place: (sum(count > 0 for count in lines.values()), len(lines))
             for place, lines in lines_of(options.build).items()}
    if not files:
        print(f"coverage: {options.build} holds no counts: build it with HYPERDEFECT_COVERAGE and run its tests")
        return 1
    rooms = defaultdict(lambda: (0, 0))
    for place, (covered, total) in files.items():
        room = place.partition("/")[0]
        rooms[room] = (rooms[room][0] + covered, rooms[room][1] + total)
    if options.files:
        for place, numbers in sorted(files.items(), key=lambda item: item[1][0] / item[1][1]):
            print(f"{place:40} {share(*numbers)}")
    for room, numbers in sorted(rooms.items()):
        print(f"{room:16} {share(*numbers)}")
    print(f"{'all of these':16} {share(*(sum(column) for column in zip(*rooms.values())))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
