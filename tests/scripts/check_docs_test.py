# SPDX-License-Identifier: Apache-2.0
"""Each rule of scripts/check_docs.py, tried on small documents against a program made of a few lines of shell."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import check_docs  # noqa: E402

PROGRAM = r"""#!/bin/sh
case "$*" in
  --help) printf 'Usage\nOptions:\n  -h,--help\n  --version\n\nSubcommands:\n  train    Train\n  config   Keys\n' ;;
  "train --help") printf 'Options:\n  -o,--output PATH\n  --seed N\n  --set KEY=VALUE\n' ;;
  "config --help") printf 'Subcommands:\n  show   Effective\n  keys   All keys\n' ;;
  "config show --help") printf 'Options:\n  --json\n' ;;
  "config keys") printf 'run.seed  integer\n' ;;
  *) exit 2 ;;
esac
"""


def problems_in(readme="", config=""):
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "program").write_text(PROGRAM, encoding="utf-8")
        (root / "program").chmod(0o755)
        (root / "configs").mkdir()
        (root / "README.md").write_text(readme, encoding="utf-8")
        (root / "configs/small.yaml").write_text(config, encoding="utf-8")
        return check_docs.check(root / "program", root)


def block(*lines):
    return "\n".join(["```", *lines, "```"])


class Commands(unittest.TestCase):
    def test_what_exists_passes(self):
        self.assertEqual(problems_in(block(
            "hyperdefect train a.img -o 'm x.safetensors' --seed=3 --set run.seed=-4  # a comment",
            "$ hyperdefect train cubes/ \\", "    --seed 4", "build/release/hyperdefect --version",
            "hyperdefect config show --json | less -S", "ninja --unheard-of")), [])

    def test_unknown_command(self):
        self.assertEqual(problems_in(block("", "hyperdefect trian a.img")),
                         ["README.md:3: unknown command 'trian', there are train, config"])

    def test_unknown_command_below_a_command(self):
        self.assertEqual(problems_in("Try `hyperdefect config shwo`."),
                         ["README.md:1: unknown command 'config shwo', there are show, keys"])

    def test_unknown_option(self):
        self.assertEqual(problems_in(block("hyperdefect train a.img --sed 3 -x")),
                         ["README.md:2: 'train' has no option --sed", "README.md:2: 'train' has no option -x"])

    def test_an_option_of_another_command_does_not_count(self):
        self.assertEqual(problems_in(block("hyperdefect config show --seed 3")),
                         ["README.md:2: 'config show' has no option --seed"])

    def test_option_on_a_continued_line(self):
        self.assertEqual(problems_in(block("hyperdefect train a.img \\", "  --sed 3")),
                         ["README.md:2: 'train' has no option --sed"])

    def test_indented_block(self):
        self.assertEqual(problems_in("Say\n\n    hyperdefect trian a.img\n"),
                         ["README.md:3: unknown command 'trian', there are train, config"])

    def test_unknown_key(self):
        self.assertEqual(problems_in(block("hyperdefect train a.img --set run.sed=3")),
                         ["README.md:2: no configuration key run.sed"])
        self.assertEqual(problems_in(block("hyperdefect train a.img --set=run.sed=3")),
                         ["README.md:2: no configuration key run.sed"])

    def test_open_quote(self):
        self.assertEqual(problems_in(block("hyperdefect train 'a.img")),
                         ["README.md:2: hyperdefect train 'a.img: No closing quotation"])

    def test_a_synopsis_in_a_sentence_is_no_command(self):
        self.assertEqual(problems_in("`hyperdefect config show|check [FILE]`"), [])

    def test_comment_of_a_configuration(self):
        self.assertEqual(problems_in(config="# hyperdefect trian a.img\nrun:  # hyperdefect finds defects? `hyperdefect x`\n"),
                         ["configs/small.yaml:1: unknown command 'trian', there are train, config",
                          "configs/small.yaml:2: unknown command 'finds', there are train, config",
                          "configs/small.yaml:2: unknown command 'x', there are train, config"])


class Files(unittest.TestCase):
    def test_existing_ones_pass(self):
        self.assertEqual(problems_in("[one](configs/small.yaml#top) `configs/small.yaml` [far](https://example.org/x)"), [])

    def test_missing_configuration(self):
        self.assertEqual(problems_in(block("hyperdefect train a.img -o configs/large.yaml")),
                         ["README.md:2: there is no configs/large.yaml"])

    def test_missing_script(self):
        self.assertEqual(problems_in("Run `scripts/gone.sh`."), ["README.md:1: there is no scripts/gone.sh"])

    def test_dead_link(self):
        self.assertEqual(problems_in("\n[guide](docs/guide.md)"),
                         ["README.md:2: the link to docs/guide.md leads nowhere"])


if __name__ == "__main__":
    unittest.main()
