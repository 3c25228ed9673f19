#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run every hyperdefect command of a document's indented blocks, in order, in an empty folder.

Usage: run_readme.py PROGRAM [DOCUMENT]. DOCUMENT is README.md unless told. A command is to exit with 0, or as the comment
behind it says: "# exit code 5". Stops at the first command that does not, with what it printed, and exits 1. Commands of scripts/ and cmake are not run here: CI runs them itself.
"""

import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def commands_of(text):
    """(words behind "hyperdefect", exit code) of each line of an indented block, in order."""
    for line in text.splitlines():
        if line.startswith("    hyperdefect "):
            code = re.search(r"# exit code (\d+)", line)
            yield shlex.split(line, comments=True)[1:], int(code.group(1)) if code else 0


def run(program, words, exit_code, folder):
    """Whether the command ended as it should; says what it was, and what it printed if it did not."""
    words, written = (words[:-2], words[-1]) if words[-2:-1] == [">"] else (words, None)
    start = time.monotonic()
    ran = subprocess.run([program, *words], cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                         check=False)
    print(f"{time.monotonic() - start:6.1f} s  hyperdefect {shlex.join(words)}", flush=True)
    if written:
        Path(folder, written).write_text(ran.stdout, encoding="utf-8")
    if ran.returncode != exit_code:
        print(f"exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.returncode == exit_code


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: run_readme.py PROGRAM [DOCUMENT]", file=sys.stderr)
        return 2
    program = Path(sys.argv[1]).resolve()
    document = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).resolve().parent.parent / "README.md"
    commands = list(commands_of(document.read_text(encoding="utf-8")))
    if not program.is_file() or not commands:
        print(f"run_readme.py: there is no program {program}, or no command in {document}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        return 0 if all(run(str(program), words, code, folder) for words, code in commands) else 1


if __name__ == "__main__":
    sys.exit(main())
