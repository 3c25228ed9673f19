#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run clang-tidy on source files that it has not yet found clean. See scripts/lint.sh.

A file is known to be clean by a hash of all that decides it: clang-tidy, .clang-tidy, LibTorch, the compiler's
arguments, the file, and every file of ours that it includes.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build/tidy"
CLEAN = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hyperdefect/clang-tidy"
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.M)
PLACES = ("lib", "app")


def git(*arguments):
    """What git prints, or "" where it fails."""
    run = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() if run.returncode == 0 else ""


def base_of_changes():
    """(commit, how it was chosen): the last release, or where this branch left main; ("", why) if there is neither."""
    head = git("rev-parse", "HEAD")
    tag = git("describe", "--tags", "--abbrev=0", "HEAD")
    if tag and git("rev-parse", f"{tag}^{{commit}}") != head:
        return git("rev-parse", f"{tag}^{{commit}}"), f"the last release, {tag}"
    for branch in ("origin/main", "main"):
        fork = git("merge-base", "HEAD", branch)
        if fork and fork != head:
            return fork, f"where this branch left {branch}"
    return "", "there is no release yet" if head else "this is no clone"


def changed_files(base):
    """Files below lib and app that differ from the base, with the number of changed lines; untracked ones too."""
    changed = {}
    for line in git("diff", "--numstat", "--no-renames", "--diff-filter=d", base, "--", *PLACES).splitlines():
        added, removed, name = line.split("\t")
        if added != "-":
            changed[name] = int(added) + int(removed)
    for name in git("ls-files", "--others", "--exclude-standard", "--", *PLACES).splitlines():
        changed[name] = len((ROOT / name).read_text(encoding="utf-8").splitlines())
    return changed


def sources_of(changed):
    """Source files to read for changed files, most changed first. A header is read with the source file of its name."""
    sources = {}
    for name, lines in changed.items():
        if name.endswith(".h") and (ROOT / name).with_suffix(".cpp").is_file():
            name = name[:-2] + ".cpp"
        if name.endswith((".h", ".cpp")):
            sources[name] = sources.get(name, 0) + lines
    return sorted(sources, key=lambda name: (-sources[name], name))


def all_sources():
    """Source files of lib and app, those that were changed last first."""
    changed = git("log", "--format=", "--name-only", "--no-renames", "--", *PLACES).split()
    order = {name: place for place, name in reversed(list(enumerate(changed)))}
    sources = (str(path.relative_to(ROOT)) for place in PLACES for path in (ROOT / place).rglob("*.cpp"))
    return sorted(sources, key=lambda name: (order.get(name, 0), name))


class Checker:
    """Runs clang-tidy and remembers what was clean."""

    def __init__(self, program, seconds):
        self.program = program
        self.end = time.monotonic() + seconds if seconds else None
        commands = json.loads((BUILD / "compile_commands.json").read_text(encoding="utf-8"))
        self.commands = {os.path.relpath(entry["file"], ROOT): entry["command"] for entry in commands}
        version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        version = re.search(r"version (\S+)", version).group(1)
        torch = re.search(r"-isystem (\S+)/include ", " ".join(self.commands.values()))
        torch_version = Path(torch.group(1), "version.py") if torch else None
        self.common = [version, (ROOT / ".clang-tidy").read_text(encoding="utf-8"),
                       torch_version.read_text(encoding="utf-8") if torch_version and torch_version.is_file() else ""]
        self.generated = sorted(BUILD.glob("lib/**/generated"))
        self.print_lock = threading.Lock()

    def reached(self, path, seen):
        """The file and all files of ours that it includes."""
        if path in seen or not path.is_file():
            return
        seen.add(path)
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            for folder in (ROOT / "lib", ROOT, *self.generated):
                self.reached(folder / name, seen)

    def key(self, source):
        seen = set()
        self.reached(ROOT / source, seen)
        command = self.commands.get(source, "").replace(str(ROOT), "")
        parts = [*self.common, command, source]
        for path in sorted(seen):
            parts += [str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def check(self, source):
        """"known", "clean", "faulty" or "left"."""
        mark = CLEAN / self.key(source)
        if mark.exists():
            os.utime(mark)
            return "known"
        if self.end is not None and time.monotonic() > self.end:
            return "left"
        began = time.monotonic()
        run = subprocess.run([self.program, "-p", BUILD, "--quiet", "--warnings-as-errors=*", source], cwd=ROOT,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        with self.print_lock:
            print(f"{source}: {time.monotonic() - began:.0f} s", flush=True)
            if run.returncode != 0:
                print(run.stdout, flush=True)
        if run.returncode != 0:
            return "faulty"
        CLEAN.mkdir(parents=True, exist_ok=True)
        mark.touch()
        return "clean"


def forget_old_marks(days=60):
    """Marks that no run has asked for in this time."""
    for mark in CLEAN.glob("*"):
        if mark.stat().st_mtime < time.time() - days * 86400:
            mark.unlink(missing_ok=True)


def chosen_sources(options):
    if options.all:
        return all_sources(), "all of lib and app"
    if options.files:
        return sources_of({os.path.relpath(name, ROOT): 0 for name in options.files}), "the files given"
    if options.base:
        base, why = git("rev-parse", "--verify", "--quiet", options.base + "^{commit}"), "as told"
        if not base:
            sys.exit(f"lint: {options.base} is no commit of this clone")
    else:
        base, why = base_of_changes()
    if not base:
        return all_sources(), f"all of lib and app, what was changed last first: {why}"
    return sources_of(changed_files(base)), f"what differs from {base[:10]} ({why})"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--base")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--clang-tidy", default="clang-tidy")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()
    sources, what = chosen_sources(options)
    print(f"lint: {what}: {len(sources)} source files", flush=True)
    checker = Checker(options.clang_tidy, options.seconds)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        results = dict(zip(sources, pool.map(checker.check, sources)))
    forget_old_marks()
    count = Counter(results.values())
    print(f"lint: clean {count['known'] + count['clean']} (known before: {count['known']}), "
          f"with findings {count['faulty']}, left out for want of time {count['left']}")
    if count["left"]:
        print("lint: scripts/lint.sh --all checks the rest")
    return 1 if count["faulty"] else 0


if __name__ == "__main__":
    sys.exit(main())
