#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Print how long functions are: median, 90th percentile and longest, in lines from signature to closing brace.

Usage: function_lengths.py [--most LINES] [--list N] [FOLDER...]. Without folders: lib and app. Exits 1 if a function has
more than LINES (60). Needs universal-ctags (scripts/setup.sh with CI=true installs it).
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def functions_below(folders):
    """(lines, place, name) of each function that has a body, longest first."""
    files = sorted(str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*")
                   if path.suffix in (".h", ".cpp"))
    out = subprocess.run(["ctags", "--output-format=json", "--languages=C++", "--map-C++=+.h", "--kinds-C++=f",
                          "--fields=+neS", "-f", "-", "-L", "-"], cwd=ROOT, input="\n".join(files), check=True,
                         capture_output=True, text=True).stdout
    for tag in map(json.loads, out.splitlines()):
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["end"] - tag["line"] + 1, f"{tag['path']}:{tag['line']}", tag["name"]


def percentile(lengths, share):
    """The length that this share of the functions does not exceed; lengths are sorted."""
    return lengths[max(0, -(-len(lengths) * share // 100) - 1)]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=60, metavar="LINES")
    parser.add_argument("--list", type=int, default=0, metavar="N", help="print the N longest")
    parser.add_argument("folders", nargs="*", default=["lib", "app"])
    options = parser.parse_args()
    functions = sorted(functions_below(options.folders), reverse=True)
    if not functions:
        sys.exit(f"functions: none below {', '.join(options.folders)}")
    lengths = sorted(lines for lines, _, _ in functions)
    too_long = [function for function in functions if function[0] > options.most]
    for lines, place, name in functions[:max(options.list, len(too_long))]:
        print(f"{lines:5d} {place}: {name}")
    print(f"functions: {len(lengths)}, lines: median {percentile(lengths, 50)}, 90th percentile {percentile(lengths, 90)}, "
          f"longest {lengths[-1]} (allowed: {options.most})")
    return 1 if too_long else 0


if __name__ == "__main__":
    sys.exit(main())
