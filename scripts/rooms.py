#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print how large each room of the library is, and which includes go back: up or along a floor, or in a circle.

Usage: rooms.py [--most PERCENT]. Lines are those of all .h and .cpp files of a room; its share is of the rooms of
lib/hyperdefect together. Exits 1 if a room has more than PERCENT (18) of them, or if an arrow goes back. The floors are
those of check_includes.py.
"""

import argparse
import sys
from collections import defaultdict
from pathlib import Path

from check_includes import FLOORS, includes_of

ROOT = Path(__file__).resolve().parent.parent


def sources(folder: Path):
    return sorted(path for path in folder.rglob("*") if path.suffix in (".h", ".cpp"))


def folders_of(root: Path):
    """{room: folder}, the program last."""
    rooms = {folder.name: folder for folder in sorted((root / "lib/hyperdefect").iterdir()) if sources(folder)}
    return {**rooms, "app": root / "app"}


def arrows_of(folders):
    """{(from, to): number of includes} between different rooms."""
    arrows = defaultdict(int)
    for room, folder in folders.items():
        for path in sources(folder):
            for _, header in includes_of(path.read_text(encoding="utf-8")):
                target = header.split("/")[1] if header.startswith("hyperdefect/") else header.split("/")[0]
                if target in folders and target != room:
                    arrows[room, target] += 1
    return arrows


def reachable(room, arrows):
    found, todo = set(), [room]
    while todo:
        here = todo.pop()
        for start, end in arrows:
            if start == here and end not in found:
                found.add(end)
                todo.append(end)
    return found


def print_table(folders, arrows):
    """Returns the largest share in percent."""
    lines = {room: sum(len(path.read_text(encoding="utf-8").splitlines()) for path in sources(folder))
             for room, folder in folders.items()}
    total = sum(count for room, count in lines.items() if room != "app")
    print(f"{'floor':>5} {'room':12} {'files':>5} {'lines':>6} {'share':>7}  takes")
    for room in sorted(folders, key=lambda name: (-FLOORS.get(name, -1), name)):
        share = "" if room == "app" else f"{100 * lines[room] / total:.1f} %"
        takes = " ".join(sorted(end for start, end in arrows if start == room))
        print(f"{FLOORS.get(room, '?'):>5} {room:12} {len(sources(folders[room])):5d} {lines[room]:6d} {share:>7}  {takes}")
    return max(100 * count / total for room, count in lines.items() if room != "app")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=float, default=18, metavar="PERCENT")
    options = parser.parse_args()
    folders = folders_of(ROOT)
    arrows = arrows_of(folders)
    largest = print_table(folders, arrows)
    back = [(start, end) for start, end in arrows if FLOORS.get(end, 99) >= FLOORS.get(start, -1)]
    for start, end in back:
        print(f"goes back: {start} takes {end} ({arrows[start, end]} includes)")
    circles = sorted(room for room in folders if room in reachable(room, arrows))
    print(f"rooms: {len(folders) - 1} and the program, arrows back: {len(back)}, "
          f"rooms in circles: {', '.join(circles) or 'none'}, largest share {largest:.1f} % (allowed: {options.most:g} %)")
    return 1 if back or circles or largest > options.most else 0


if __name__ == "__main__":
    sys.exit(main())
