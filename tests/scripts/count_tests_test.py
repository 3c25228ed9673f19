# SPDX-License-Identifier: Apache-2.0
"""count_tests.py counts what ctest and GoogleTest wrote, and what a program that died printed."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/count_tests.py"


def entry(name, status, output=""):
    skipped = '<skipped message="SKIP"/>' if status == "notrun" else ""
    return (f'<testcase name="{name}" classname="{name}" status="{status}">{skipped}'
            f"<system-out>{output}</system-out></testcase>")


def case(name, inside="", result="completed"):
    return f'<testcase name="{name}" status="run" result="{result}" classname="Suite">{inside}</testcase>'


class CountTests(unittest.TestCase):
    def count(self, entries, **reports):
        with tempfile.TemporaryDirectory() as folder:
            junit = Path(folder) / "tests.xml"
            junit.write_text(f"<testsuite>{''.join(entries)}</testsuite>", encoding="utf-8")
            for name, cases in reports.items():
                file = Path(folder) / f"{name}.1_of_1.xml"
                file.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>", encoding="utf-8")
            return subprocess.run([sys.executable, "-B", SCRIPT, junit, folder], capture_output=True, text=True,
                                  check=False)

    def test_counts_cases_and_entries_without_cases(self):
        run = self.count([entry("nn.1_of_1", "run"), entry("package.deb", "run")], nn=[case("A"), case("B")])
        self.assertEqual(run.returncode, 0)
        self.assertEqual(run.stdout.splitlines()[-1], "Tests: 3, passed: 3, failed: 0, skipped: 0")

    def test_names_a_failed_case_and_its_reason(self):
        run = self.count([entry("nn.1_of_1", "fail")], nn=[case("A"), case("B", '<failure message="1 is not 2"/>')])
        self.assertEqual(run.returncode, 1)
        self.assertIn("FAILED nn.1_of_1 Suite.B\n    1 is not 2\n", run.stdout)
        self.assertIn("Tests: 2, passed: 1, failed: 1, skipped: 0", run.stdout)

    def test_counts_skipped_cases_and_why(self):
        skipped = [case("A", f'<skipped message="{why}"/>', "skipped") for why in ("needs real data: set", "no root")]
        run = self.count([entry("io.1_of_1", "run"), entry("package.deb", "notrun")], io=skipped)
        self.assertIn("Tests skipped: 3, of these for want of data (HYPERDEFECT_TEST_DATA): 1\n", run.stdout)

    def test_names_the_case_in_which_a_program_died(self):
        output = "[ RUN      ] Suite.A\n[       OK ] Suite.A (0 ms)\n[ RUN      ] Suite.B\n"
        run = self.count([entry("nn.1_of_1", "fail", output)])
        self.assertEqual(run.returncode, 1)
        self.assertIn("FAILED nn.1_of_1 Suite.B\n", run.stdout)
        self.assertIn("Tests: 2, passed: 1, failed: 1, skipped: 0", run.stdout)

    def test_a_program_that_fails_after_its_cases_has_failed(self):
        run = self.count([entry("nn.1_of_1", "fail")], nn=[case("A")])
        self.assertIn("FAILED nn.1_of_1 (after its cases)", run.stdout)

    def test_nothing_run_is_a_failure(self):
        self.assertEqual(self.count([]).returncode, 1)


if __name__ == "__main__":
    unittest.main()
