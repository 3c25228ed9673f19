# SPDX-License-Identifier: Apache-2.0
"""scripts/quality.py: its figures and tables, and the whole of it on small made-up scenes with the built program.

Usage: quality_test.py PROGRAM
"""

import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import quality  # noqa: E402

PROGRAM = ""


class Figures(unittest.TestCase):
    def test_shares_have_four_decimals(self):
        self.assertEqual([quality.figure(value) for value in (0.99474, 1.0, -0.00123, 0.0, None)],
                         ["0.9947", "1.0000", "-0.0012", "0.0000", "-"])
        self.assertEqual([quality.change(value) for value in (0.0012, -0.0012, 1e-5, -1e-5)],
                         ["+0.0012", "-0.0012", "0.0000", "0.0000"])

    def test_rates_are_percentages(self):
        self.assertEqual(quality.percentage({"median": 0.00123, "spread": 0.1}), "0.12 %")
        self.assertEqual(quality.percentage({"median": 1.0, "spread": None}), "100.00 %")
        self.assertEqual(quality.percentage(None), "-")

    def test_spread_is_the_range_over_seeds(self):
        value = quality.middle_and_spread([0.90, 0.93, 0.91, None])
        self.assertEqual(quality.with_spread(value), "0.9100 (0.0300)")
        self.assertEqual(quality.median(value), "0.9100")
        self.assertEqual(quality.with_spread(quality.middle_and_spread([0.91])), "0.9100")
        self.assertEqual(quality.with_spread(quality.middle_and_spread([None])), "-")

    def test_mean_over_cubes_comes_before_the_median_over_seeds(self):
        runs = {1: {"a": {"auroc": .8}, "b": {"auroc": 1.0}}, 2: {"a": {"auroc": .6}, "b": {"auroc": .9}},
                3: {"a": {"auroc": .9}, "b": {"auroc": None}}}
        result = quality.measured(runs, "auroc")
        self.assertAlmostEqual(result["cubes"]["a"]["median"], .8)
        self.assertAlmostEqual(result["cubes"]["b"]["spread"], .1)
        self.assertAlmostEqual(result["mean"]["median"], .9)
        self.assertAlmostEqual(result["mean"]["spread"], .15)


class Pages(unittest.TestCase):
    def test_prose_around_the_markers_stays(self):
        page = "# Quality\n\n<!-- begin scenes -->\nold\n<!-- end scenes -->\n\nMore.\n"
        self.assertEqual(quality.with_table(page, "scenes", "new"), page.replace("old", "new"))

    def test_missing_markers_are_added_at_the_end(self):
        self.assertEqual(quality.with_table("# Quality\n", "ablation", "new"),
                         "# Quality\n\n<!-- begin ablation -->\nnew\n<!-- end ablation -->\n")

    def test_the_page_of_the_project_has_all_markers(self):
        page = (quality.ROOT / "docs/quality.md").read_text(encoding="utf-8")
        for suite in quality.SUITES:
            for marker in quality.markers(suite):
                self.assertEqual(page.count(marker), 1, marker)


class Captions(unittest.TestCase):
    def test_say_how_many_seeds_there_are(self):
        self.assertEqual(quality.caption("ROC AUC", [1]), "Each figure comes from one seed.")
        self.assertTrue(quality.caption("verdict", [1, 2, 3]).startswith("Each figure is the median verdict of 3 seeds"))


class Verdicts(unittest.TestCase):
    def test_scenes_whose_defects_are_all_missed(self):
        runs = {seed: {"a": {"recall": 0.0}, "b": {"recall": missed}, "no defect": {"recall": None}}
                for seed, missed in enumerate((0.0, 0.1, 0.2))}
        self.assertEqual(quality.all_missed(quality.measured(runs, "recall")), 1)


class Arguments(unittest.TestCase):
    def test_lists(self):
        options = quality.parse_arguments(["--seeds", "4,5", "--only", "scenes,ablation", "--detectors", "rx"])
        self.assertEqual((options.seeds, options.only, options.detectors), ([4, 5], ["scenes", "ablation"], ["rx"]))

    def test_a_missing_program_is_named(self):
        self.assertEqual(quality.main(["--program", "none"]), 2)


class Settings(unittest.TestCase):
    def accepted(self, words):
        ran = subprocess.run([PROGRAM, "config", "show", "--built-in", "single_scene", *words], cwd=quality.ROOT,
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(ran.stderr, "")

    def test_the_program_knows_every_ablation(self):
        for network, ablations in quality.ABLATIONS.items():
            for settings in ablations.values():
                self.accepted([word for setting in (f"model.detector={network}", *settings)
                               for word in ("--set", setting)])

    def test_the_program_knows_every_detector(self):
        for detector in quality.DETECTORS.values():
            # `config show` takes files as they are.
            self.accepted([word for word in detector.arguments if word != "-c"])


class WholeRun(unittest.TestCase):
    def test_every_suite_on_small_scenes(self):
        with tempfile.TemporaryDirectory() as folder:
            arguments = ["--quick", "--program", PROGRAM, "--work", folder, "--seeds", "1", "--detectors", "rx",
                         "--jobs", "2"]
            self.assertEqual(quality.main(arguments), 0)
            record = json.loads((Path(folder) / "quality.json").read_text(encoding="utf-8"))
            page = (Path(folder) / "quality.md").read_text(encoding="utf-8")
            self.check(record, page)
            self.assertNotIn(folder, json.dumps(record))
            for picture in ("worst_1.png", "worst_3_mask.png"):
                self.assertGreater((Path(folder) / "images" / picture).stat().st_size, 100)
                self.assertIn(picture, page)
            self.assertEqual(quality.main([*arguments, "--only", "scenes"]), 0)
            again = json.loads((Path(folder) / "quality.json").read_text(encoding="utf-8"))
            self.assertEqual(again["scenes"]["result"], record["scenes"]["result"], "timings too: nothing ran anew")
            self.assertEqual(again["ablation"], record["ablation"])

    def check(self, record, page):
        self.assertEqual(set(record), set(quality.SUITES))
        scenes = record["scenes"]["result"]["rx"]
        self.assertGreater(scenes["auroc"]["mean"]["median"], .9)
        self.assertLess(scenes["auc_f_tau"]["mean"]["median"], scenes["auc_d_tau"]["mean"]["median"])
        for measure in quality.VERDICT_MEASURES:
            self.assertTrue(0 <= scenes[measure]["mean"]["median"] <= 1, measure)
        self.assertLessEqual(scenes["f1"]["mean"]["median"], scenes["f1_max"]["mean"]["median"])
        self.assertEqual(set(record["one-class"]["result"]["rx"]), {"a20", "a40", "a20, shifted", "a40, shifted"})
        self.assertEqual(set(record["development"]["result"]["rx"]), set(quality.DEVELOPMENT))
        for network, ablations in quality.ABLATIONS.items():
            self.assertEqual(list(record["ablation"]["result"][network]), list(ablations)[:quality.QUICK_ABLATIONS])
            self.assertGreater(record["ablation"]["result"][network]["as built in"]["seconds"], 0)
        robustness = record["robustness"]["result"]["rx"]
        self.assertEqual(set(robustness), set(quality.ROBUSTNESS))
        for variant in ("rotated by 90 degrees", "flipped", "bands reversed", "gain 1000"):
            for change in robustness[variant].values():
                self.assertAlmostEqual(change, 0, delta=1e-3, msg=variant)
        (clean,) = record["clean"]["result"]["rx"].values()
        self.assertEqual((clean["scenes"], len(clean["highest"])), (2, 2))
        self.assertEqual(clean["accepted"], sum(highest <= 1 for highest in clean["highest"]))
        worst = record["pictures"]["result"]["worst"]
        self.assertEqual(len(worst), 3)
        self.assertEqual(list(worst), sorted(worst, key=lambda scene: worst[scene]["auroc"]))
        for suite in quality.SUITES:
            self.assertIn(quality.markers(suite)[0], page)
        self.assertIn("| **mean** |", page)
        self.assertIn("Each figure comes from one seed.", page)
        self.assertRegex(page, r"\| mean false-alarm rate at the threshold \| \d+\.\d\d % \|")


if __name__ == "__main__":
    PROGRAM = str(Path(sys.argv.pop(1)).resolve())
    unittest.main()
