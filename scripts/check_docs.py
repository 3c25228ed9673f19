#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Check that the documents name commands, options, keys and files that exist.

Usage: check_docs.py PROGRAM [ROOT]. PROGRAM is the built hyperdefect, whose own --help is the truth. Looked
at: the Markdown files at the top and in docs/, and the comments of configs/*.yaml. Prints one line for each
mistake and exits 1 if there is one.
"""

import functools
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

FENCE = re.compile(r"^\s*(```|~~~)")
INLINE = re.compile(r"`([^`]+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
COMMAND = re.compile(r"^(?:\$ )?(?:\S*/)?hyperdefect(?:\s+(?P<words>.*))?$")
# A synopsis of several commands at once is no command.
SYNOPSIS = re.compile(r"[\[\]|<>…]|\.\.\.")
OUR_FILE = re.compile(r"^(?:\./)?(?:scripts|configs|cmake|docs|\.ci)/[\w./-]*\w$")


class Snippet(NamedTuple):
    """A piece of code in a document, one line of a block or an inline piece."""
    place: str
    text: str
    is_block: bool


def markdown_snippets(name, text):
    fenced, start, joined = False, 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if FENCE.match(line):
            fenced = not fenced
        elif fenced or (line.startswith("    ") and "`" not in line):
            start = start or number
            joined += line.strip()
            if joined.endswith("\\"):
                joined = joined[:-1]
                continue
            yield Snippet(f"{name}:{start}", joined, True)
        else:
            yield from (Snippet(f"{name}:{number}", code.strip(), False) for code in INLINE.findall(line))
        start, joined = 0, ""


def yaml_snippets(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if "#" in line:
            comment = line.split("#", 1)[1].strip()
            yield Snippet(f"{name}:{number}", comment, True)
            yield from (Snippet(f"{name}:{number}", code.strip(), False) for code in INLINE.findall(comment))


def documents(root):
    for path in [*sorted(root.glob("*.md")), *sorted(root.glob("docs/**/*.md")), *sorted(root.glob("configs/*.yaml"))]:
        yield path, path.read_text(encoding="utf-8")


class Program:
    """What the program says of itself."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())

    @functools.lru_cache(maxsize=None)
    def output(self, *arguments):
        """The program's standard output, or None where it refuses the arguments."""
        ran = subprocess.run([self.binary, *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                             check=False)
        return ran.stdout if ran.returncode == 0 else None

    def subcommands(self, *command):
        """The names that the help lists under "Subcommands:"."""
        listed = re.search(r"^Subcommands:\n((?:[ \t]+.*\n?|\n)+)", self.output(*command, "--help") or "", re.M)
        return re.findall(r"^ {1,4}(\w[\w-]*)", listed.group(1), re.M) if listed else []

    def has_option(self, command, option):
        return any(re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", self.output(*command[:depth], "--help") or "")
                   for depth in range(len(command) + 1))

    def has_key(self, key):
        return re.search(rf"(?<![\w.]){re.escape(key)}(?![\w.])", self.output("config", "keys") or "") is not None


def words_of(text):
    """The words of one command: up to a pipe, a redirection or the next command."""
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    for word in lexer:
        if set(word) <= set("();<>|&"):
            return
        yield word


def command_problems(words, program):
    """What is wrong with the words behind "hyperdefect"."""
    command = []
    while names := program.subcommands(*command):
        if len(command) >= len(words) or words[len(command)].startswith("-"):
            break
        name = words[len(command)]
        if name not in names:
            yield f"unknown command '{' '.join([*command, name])}', there are {', '.join(names)}"
            return
        command.append(name)
    for index, word in enumerate(words[len(command):], len(command)):
        option = word.split("=", 1)[0]
        if re.match(r"^--?[A-Za-z]", word) and not program.has_option(command, option):
            yield f"'{' '.join(command)}' has no option {option}"
        if option == "--set":
            assignment = word.split("=", 1)[1] if "=" in word else (words[index + 1:] or [""])[0]
            if not program.has_key(assignment.split("=", 1)[0]):
                yield f"no configuration key {assignment.split('=', 1)[0]}"


def snippet_problems(snippet, program, root):
    match = COMMAND.match(snippet.text)
    is_synopsis = not snippet.is_block and SYNOPSIS.search(snippet.text)
    try:
        words = list(words_of(snippet.text)) if match else snippet.text.split()
    except ValueError as error:
        yield f"{snippet.place}: {snippet.text}: {error}"
        return
    if match and not is_synopsis:
        start = 2 if words[0] == "$" else 1
        yield from (f"{snippet.place}: {problem}" for problem in command_problems(words[start:], program))
    for word in words:
        if OUR_FILE.match(word) and not (root / word).exists():
            yield f"{snippet.place}: there is no {word}"


def link_problems(path, text, root):
    for number, line in enumerate(text.splitlines(), 1):
        for target in LINK.findall(line):
            if "://" not in target and not (path.parent / target).exists():
                yield f"{path.relative_to(root)}:{number}: the link to {target} leads nowhere"


def check(binary, root):
    """All mistakes of the documents below root, one line each."""
    program = Program(binary)
    problems = []
    for path, text in documents(root):
        snippets = markdown_snippets if path.suffix == ".md" else yaml_snippets
        for snippet in snippets(str(path.relative_to(root)), text):
            problems += snippet_problems(snippet, program, root)
        if path.suffix == ".md":
            problems += link_problems(path, text, root)
    return problems


def main() -> int:
    if len(sys.argv) not in (2, 3):
        print("usage: check_docs.py PROGRAM [ROOT]", file=sys.stderr)
        return 2
    if not Path(sys.argv[1]).is_file():
        print(f"check_docs.py: there is no program {sys.argv[1]}: build it first (scripts/build.sh)", file=sys.stderr)
        return 2
    root = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(__file__).resolve().parent.parent
    problems = check(sys.argv[1], root)
    print("\n".join(problems) if problems else "documents: every command, option, key and file exists")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
