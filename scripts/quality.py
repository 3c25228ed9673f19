#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measure how well the program finds defects, and write the tables of docs/quality.md and docs/quality.json.

Suites: scenes (remote sensing, each scene by itself), one-class (wafer regions), development (the scenes enlarged,
shrunk, rotated and implanted), robustness (the scenes rotated, reversed, scaled and damaged), ablation (each
network alone with single settings changed), clean (the verdict on made-up scenes without a defect), pictures (the worst
of scenes that the program made itself). Whatever was measured with the same program is taken from the work folder.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import shutil
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, List, NamedTuple, Tuple

ROOT = Path(__file__).resolve().parent.parent


class Detector(NamedTuple):
    """Arguments of detect or train, the suites it takes part in, and whether its maps depend on the seed."""
    arguments: Tuple[str, ...] = ()
    suites: Tuple[str, ...] = ("scenes", "one-class", "development", "robustness", "clean", "pictures")
    seeded: bool = True


# One line a detector: a column of every table. What is not the default has a threshold of its own. What is shipped as a
# configuration is measured by its file, so that no setting of it stands here too.
DETECTORS: Dict[str, Detector] = {
    "default": Detector(),
    "plain networks": Detector(("-c", "configs/single_scene_plain.yaml"), ("scenes", "development", "clean")),
    "networks alone": Detector(("--set", "ensemble.members=[autoencoder, segmenter]"), ("scenes", "development")),
    "area filter and RX": Detector(("-c", "configs/single_scene_fast.yaml"), ("scenes", "development", "clean"),
                                   seeded=False),
    "area filter": Detector(("--set", "model.detector=area_filter", "--set", "threshold.value=14"),
                            ("scenes", "development"), seeded=False),
    "likelihood_ratio": Detector(("--set", "model.detector=likelihood_ratio"), ("one-class",), seeded=False),
    "autoencoder": Detector(("--set", "model.detector=autoencoder"), ("one-class",)),
    "rx": Detector(("--set", "model.detector=rx", "--set", "threshold.value=5"), seeded=False),
}

# Of each network alone, one line an ablation: the settings that are changed in the built-in configuration; the first
# one changes nothing.
ABLATIONS: Dict[str, Dict[str, List[str]]] = {
    "autoencoder": {
        "as built in": [],
        "without attention": ["autoencoder.heads=0"],
        "one attention head": ["autoencoder.heads=1"],
        "eight attention heads": ["autoencoder.heads=8"],
        "without residual connections": ["autoencoder.residual=false"],
        "without skip connections": ["autoencoder.skip=none"],
        "skip connections added": ["autoencoder.skip=add"],
        "skip connection at full resolution": ["autoencoder.skip_full_resolution=true"],
        "lift by a per-pixel linear layer": ["autoencoder.lift=linear"],
        "factorised 3-D lift": ["autoencoder.lift=factorised"],
        "full 3-D lift": ["autoencoder.lift=full"],
        "transposed convolution": ["autoencoder.upsample=transposed_conv"],
        "bilinear interpolation upwards": ["autoencoder.upsample=bilinear"],
        "per-pixel layer normalisation": ["autoencoder.norm=layer"],
        "no masks in scoring": ["autoencoder.inference=plain"],
        "no masks at all, trained on synthetic defects": [
            "autoencoder.corruption=synthetic_defect", "autoencoder.inference=plain"],
        "small masks only": ["autoencoder.mask_sizes_px=[3, 5]"],
        "squared loss": ["autoencoder.loss=squared"],
        "spectral angle added to the loss": ["autoencoder.sad_loss_weight=1"],
        "spectral angle as almost the whole loss": ["autoencoder.sad_loss_weight=1000"],
        "score by the spectral angle": ["autoencoder.residual_weight=0", "autoencoder.sad_weight=1"],
        "score by the Mahalanobis distance": ["autoencoder.residual_weight=0", "autoencoder.mahalanobis_weight=1"],
        "score by residual, angle and distance": ["autoencoder.sad_weight=1", "autoencoder.mahalanobis_weight=1"],
        "fully whitened": ["preprocess.whitening_exponent=0"],
        "half the training": ["train.epochs=5"],
        "linear lift; no attention, residual or skip connections": [
            "autoencoder.lift=linear", "autoencoder.heads=0", "autoencoder.residual=false", "autoencoder.skip=none"],
    },
    "segmenter": {
        "as built in": [],
        "without attention": ["segmenter.heads=0"],
        "two networks": ["segmenter.networks=2"],
        "four networks, each trained for less": ["segmenter.networks=4", "segmenter.step_fraction=0.4"],
        "one sign augmentation": ["segmenter.sign_augmentations=1"],
        "half the training": ["train.epochs=5"],
    },
}

IMPLANTED = "implanted"
# Cubes made of the scenes, by options of `hyperdefect synth --into`. Their own defects stay in the scene and in the
# truth: cutting them out would leave a patch that is itself an anomaly. New ones keep away from them.
DEVELOPMENT: Dict[str, List[str]] = {
    "enlarged 1.6 times": ["--zoom", "1.6", "--defects", "0"],
    "shrunk to 0.6": ["--zoom", "0.6", "--defects", "0"],
    "rotated and flipped": ["--flip", "--turn", "1", "--defects", "0"],
    IMPLANTED: ["--kinds", "material,fringe,absorption", "--defects", "12", "--area", "1", "40",
                "--abundance", "0.1", "0.6"],
    # Less than that of another pixel's light is within what a scene varies by itself.
    "rotated, own materials implanted": ["--turn", "2", "--kinds", "scene", "--defects", "12", "--area", "1", "20",
                                         "--abundance", "0.4", "1"],
}
ROBUSTNESS: Dict[str, List[str]] = {
    "rotated by 90 degrees": ["--turn", "1"],
    "rotated by 180 degrees": ["--turn", "2"],
    "flipped": ["--flip"],
    "bands reversed": ["--reverse-bands"],
    "gain 1000": ["--gain", "1000"],
    "10 % of bands noise": ["--noise-bands", "0.1"],
    "5 % of pixels missing": ["--missing", "0.05"],
    "0.1 % of pixels saturated": ["--saturated", "0.001"],
}
SHIFT = ["--gain", "0.8", "--tilt", "0.05", "--defects", "0"]
SEED_OF_MADE_CUBES = "1"
# The exit code of a run over cubes of which some failed or are undecided.
SOME_UNDECIDED = 5
# A row of the ablation takes as long as the fastest of so many runs.
TIMED_RUNS = 3
# Scenes without a defect, by options of `hyperdefect synth`.
CLEAN: Dict[str, List[str]] = {
    f"{bands} bands, {materials} materials, noise {noise}": [
        "--scenes", scenes, "--rows", rows, "--cols", "90", "--bands", bands, "--endmembers", materials,
        "--noise", noise, "--defects", "0"]
    for scenes, rows, bands, materials, noise in (("8", "100", "100", "6", "0.01"), ("4", "90", "40", "5", "0.003"),
                                                  ("4", "110", "80", "7", "0.006"), ("4", "130", "120", "9", "0.009"))
}
QUICK_CLEAN = {"small": ["--scenes", "2", "--rows", "24", "--cols", "24", "--bands", "16", "--defects", "0"]}
# Scenes that may be shown, of which the worst are.
OWN_SCENES = ["--scenes", "12", "--rows", "100", "--cols", "100", "--bands", "100", "--endmembers", "6",
              "--defects", "8", "--area", "2", "60", "--abundance", "0.1", "1", "--noise", "0.01"]
QUICK_OWN_SCENES = ["--scenes", "3", "--rows", "24", "--cols", "24", "--bands", "16", "--defects", "2"]
SHOWN_PICTURES = 3

QUICK_SETTINGS = ("--set", "train.epochs=1", "--set", "train.steps_per_epoch=2", "--set", "autoencoder.features=[8, 8]",
                  "--set", "preprocess.components=8", "--set", "train.patch_px=16",
                  "--set", "autoencoder.inference=plain")
QUICK_ABLATIONS = 2
QUICK_SCENE = ["--rows", "24", "--cols", "24", "--bands", "16", "--area", "2", "8", "--materials", "1"]

MEASURES = {"average_precision": "average precision", "f1_max": "best F1", "aupro": "AUPRO",
            "auc_d_tau": "AUC(D,tau)", "auc_f_tau": "AUC(F,tau)"}
# Of what is marked at the threshold that the configuration sets.
VERDICT_MEASURES = {"f1": "F1", "precision": "precision", "recall": "recall", "false_alarm_rate": "false-alarm rate"}


class Failed(Exception):
    """A run of the program that did not end well, in one line."""


def none_failed(maps):
    """Whether all cubes of a folder of results have maps."""
    if maps is None:
        return False
    return json.loads((maps / "summary.json").read_text(encoding="utf-8"))["totals"]["failed"] == 0


def row_of(maps, cube):
    """What the program writes beside a cube's maps."""
    return json.loads((maps / f"{cube}.json").read_text(encoding="utf-8"))


class Bench:
    """Runs the program in a work folder and remembers the command lines, free of this machine's paths."""

    def __init__(self, options):
        self.program = Path(options.program).resolve()
        self.data = Path(options.data).resolve()
        # Results of another program must not pass for those of this one.
        self.work = Path(options.work).resolve() / hashlib.sha256(self.program.read_bytes()).hexdigest()[:12]
        self.settings = QUICK_SETTINGS if options.quick else ()
        # Small scenes beside other tests, or several at a time: threads would wait for each other.
        self.jobs = options.jobs
        single = options.quick or options.jobs > 1
        self.threads = ("--threads", "1") if single else ()
        # Maps that other threads made must not pass for these: the program refuses to go on with them.
        self.suffix = "_one_thread" if single else ""
        self.environment = {**os.environ, **({"OMP_NUM_THREADS": "1"} if single else {})}
        self.quick = options.quick
        self.ablations = QUICK_ABLATIONS if options.quick else None
        self.own_scenes = QUICK_OWN_SCENES if options.quick else OWN_SCENES
        self.clean_scenes = QUICK_CLEAN if options.quick else CLEAN
        self.images = options.output / "images"
        self.commands = []

    def portable(self, word):
        for folder, name in ((self.work, "WORK"), (self.data, "$HYPERDEFECT_TEST_DATA")):
            word = word.replace(str(folder), name)
        return word

    def run(self, *arguments, alone=False, maps=None):
        """The program's standard output; a cube of the folder of maps may be undecided: it has scores all the same."""
        words = [str(word) for word in arguments]
        self.commands.append(self.portable(shlex.join(["hyperdefect", *words])))
        print(self.commands[-1], file=sys.stderr, flush=True)
        ran = subprocess.run([str(self.program), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True, check=False, cwd=ROOT,
                             env=os.environ if alone else self.environment)
        if ran.returncode != 0 and not (ran.returncode == SOME_UNDECIDED and none_failed(maps)):
            raise Failed(f"{self.commands[-1]}: exit code {ran.returncode}: {ran.stderr.strip()}")
        return ran.stdout

    def once(self, result, *arguments):
        """Runs what cannot resume by itself, unless this very command came to its end before."""
        done = result.with_name(result.name + ".done")
        command = shlex.join(str(word) for word in arguments)
        if not done.is_file() or done.read_text(encoding="utf-8") != command:
            self.run(*arguments, "--overwrite")
            done.write_text(command, encoding="utf-8")
        return result

    def made(self, folder, cubes, options):
        """Cubes with masks, made of given ones."""
        result = self.work / "data" / folder
        result.parent.mkdir(parents=True, exist_ok=True)
        return self.once(result, "synth", "-q", "-o", result, "--into", cubes, "--truth", cubes, "--seed",
                         SEED_OF_MADE_CUBES, *options)

    def made_up(self, folder, options):
        """Scenes with masks, of nothing but a seed."""
        result = self.work / "data" / folder
        result.parent.mkdir(parents=True, exist_ok=True)
        return self.once(result, "synth", "-q", "-o", result, "--seed", SEED_OF_MADE_CUBES, *options)

    def at_once(self, method, runs):
        """Of runs {key: arguments of the method}: what it returns, --jobs at a time."""
        with ThreadPoolExecutor(self.jobs) as pool:
            return dict(zip(runs, pool.map(lambda run: method(*run), runs.values())))

    def detect(self, cubes, maps, seed, *arguments, alone=False):
        """The folder of maps, when they are all there."""
        self.run("detect", "-q", cubes, "-o", maps, "--resume", "--seed", seed, "--set", "output.overlay=false",
                 *arguments, alone=alone, maps=maps)
        return maps

    def scored(self, cubes, name, arguments, seed):
        """The folder of what `detect` finds in a folder of cubes."""
        return self.detect(cubes, self.maps_of(name, seed), seed, *self.threads, *self.settings, *arguments)

    def detected(self, cubes, name, arguments, seed):
        """The measures of what `detect` finds in a folder of cubes."""
        return self.judged(self.scored(cubes, name, arguments, seed), cubes)

    def verdicts(self, cubes, name, arguments, seed):
        """What `detect` says of each cube of a folder that has no truth."""
        maps = self.scored(cubes, name, arguments, seed)
        return [row_of(maps, header.stem) for header in sorted(cubes.glob("*.hdr"))]

    def seconds_alone(self, cube, name, arguments, seed):
        """What `detect` takes for one cube with all threads, while no other run of this script goes on."""
        maps = self.work / name / f"seed_{seed}"
        threads = self.threads if self.quick else ()
        self.detect(cube, maps, seed, *threads, *self.settings, *arguments, alone=not self.quick)
        return row_of(maps, cube.stem)["seconds"]

    def maps_of(self, name, seed):
        return self.work / name / f"seed_{seed}{self.suffix}"

    def trained(self, cubes, name, arguments, seed):
        """The model that is trained on these cubes."""
        model = self.work / name / f"seed_{seed}{self.suffix}.safetensors"
        model.parent.mkdir(parents=True, exist_ok=True)
        return self.once(model, "train", "-q", *cubes, "-o", model, "--seed", seed, *self.threads,
                         *self.settings, *arguments)

    def inferred(self, model, cubes, name):
        """What a model finds in a folder of cubes."""
        maps = model.parent / name / model.stem
        self.run("infer", "-q", "--model", model, cubes, "-o", maps, "--resume", "--set", "output.overlay=false",
                 *self.threads, maps=maps)
        return self.judged(maps, cubes)

    def judged(self, maps, truth):
        """The measures of each cube, with the seconds it took, by its name."""
        cubes = json.loads(self.run("eval", maps, "--truth", truth, "--json"))["cubes"]
        for cube in cubes:
            cube["seconds"] = row_of(maps, cube["cube"])["seconds"]
        return {cube.pop("cube"): cube for cube in cubes}


def mean(values):
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def middle_and_spread(values):
    """Median and largest less smallest, of one value a seed; a single one has no spread."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return {"median": statistics.median(known), "spread": max(known) - min(known) if len(known) > 1 else None}


def measured(runs, measure):
    """Of runs {seed: {cube: measures}}: a measure of each cube over the seeds, and of the mean over cubes."""
    names = sorted(next(iter(runs.values())))
    return {"cubes": {name: middle_and_spread([run[name][measure] for run in runs.values()]) for name in names},
            "mean": middle_and_spread([mean(cube[measure] for cube in run.values()) for run in runs.values()])}


def summary(runs):
    return {measure: measured(runs, measure) for measure in ("auroc", *MEASURES, *VERDICT_MEASURES, "seconds")}


def seeds_of(detector, seeds):
    return seeds if detector.seeded else seeds[:1]


def of(found, *key):
    """Of what is found by (*key, last): {last: ...}."""
    return {last: value for (*first, last), value in found.items() if tuple(first) == key}


def slug(name):
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def scenes_suite(bench, detectors, seeds):
    scenes = bench.data / "scenes"
    found = bench.at_once(bench.detected, {
        (name, seed): (scenes, f"scenes/{name}", detector.arguments, seed)
        for name, detector in detectors.items() for seed in seeds_of(detector, seeds)})
    return {name: summary(of(found, name)) for name in detectors}


def development_cubes(bench, variant):
    return bench.made(f"development/{slug(variant)}", bench.data / "scenes", DEVELOPMENT[variant])


def development_suite(bench, detectors, seeds):
    cubes = {variant: development_cubes(bench, variant) for variant in DEVELOPMENT}
    found = bench.at_once(bench.detected, {
        (name, variant, seed): (cubes[variant], f"development/{slug(variant)}/{name}", detector.arguments, seed)
        for variant in DEVELOPMENT for name, detector in detectors.items() for seed in seeds_of(detector, seeds)})
    return {name: {variant: measured(of(found, name, variant), "auroc") for variant in DEVELOPMENT}
            for name in detectors}


def robustness_suite(bench, detectors, seeds):
    """The change of each scene's AUROC."""
    cubes = {variant: bench.made(f"robustness/{slug(variant)}", bench.data / "scenes", [*options, "--defects", "0"])
             for variant, options in ROBUSTNESS.items()}
    runs = {(name, variant): (cubes[variant], f"robustness/{slug(variant)}/{name}", detector.arguments, seeds[0])
            for name, detector in detectors.items() for variant in ROBUSTNESS}
    runs.update({(name, ""): (bench.data / "scenes", f"scenes/{name}", detector.arguments, seeds[0])
                 for name, detector in detectors.items()})
    found = bench.at_once(bench.detected, runs)
    return {name: {variant: {cube: found[name, variant][cube]["auroc"] - plain["auroc"]
                             for cube, plain in sorted(found[name, ""].items())} for variant in ROBUSTNESS}
            for name in detectors}


def normal_regions(data):
    """The wafer regions that no implant was put into."""
    implanted = {mask.name[:-len("_mask.png")] for mask in data.glob("implants/**/*_mask.png")}
    return [header.with_suffix(".img") for header in sorted(data.glob("wafer/*.hdr")) if header.stem not in implanted]


def by_folder(cubes):
    """The mean AUROC of each folder of cubes."""
    folders = {}
    for name, cube in cubes.items():
        folders.setdefault(str(Path(name).parent), []).append(cube["auroc"])
    return {folder: mean(values) for folder, values in sorted(folders.items())}


def one_class_suite(bench, detectors, seeds):
    """The mean AUROC of each abundance over the regions, and of the same cubes in another light."""
    implants = bench.data / "implants"
    sets = {"": implants, ", shifted": bench.made("shifted", implants, SHIFT)}
    normal = normal_regions(bench.data)
    result = {}
    for name, detector in detectors.items():
        models = [bench.trained(normal, f"one_class/{name}", detector.arguments, seed)
                  for seed in seeds_of(detector, seeds)]
        result[name] = {}
        for label, cubes in sets.items():
            means = [by_folder(bench.inferred(model, cubes, f"maps{slug(label)}")) for model in models]
            result[name].update({folder + label: middle_and_spread([run[folder] for run in means])
                                 for folder in means[0]})
    return result


def ablation_suite(bench, _detectors, seeds):
    """Each row on the scenes, and on those with implants, where networks differ more."""
    sets = {"scenes": bench.data / "scenes", IMPLANTED: development_cubes(bench, IMPLANTED)}
    rows = {(network, name): [word for setting in (f"model.detector={network}", *settings)
                              for word in ("--set", setting)]
            for network, ablations in ABLATIONS.items()
            for name, settings in list(ablations.items())[:bench.ablations]}
    found = bench.at_once(bench.detected, {
        (*row, cubes, seed): (folder, f"ablation/{slug(cubes)}/{row[0]}/{slug(row[1])}", words, seed)
        for seed in seeds for row, words in rows.items() for cubes, folder in sets.items()})
    result = {network: {} for network in ABLATIONS}
    for network, name in rows:
        result[network][name] = {"settings": ABLATIONS[network][name],
                                 "auroc": {cubes: measured(of(found, network, name, cubes), "auroc") for cubes in sets}}
    # The runs above share the machine with each other: each row is timed anew, alone and one after the other. Rounds
    # over all rows, so that what slows the machine for a while does not slow all runs of a row.
    timed = min((bench.data / "scenes").glob("*.hdr"))
    seconds = {row: [] for row in rows}
    for run in range(TIMED_RUNS):
        for (network, name), words in rows.items():
            maps = f"ablation/timed_{run}/{network}/{slug(name)}"
            seconds[network, name].append(bench.seconds_alone(timed, maps, words, seeds[0]))
    for (network, name), taken in seconds.items():
        result[network][name]["seconds"] = min(taken)
    return result


def clean_suite(bench, detectors, seeds):
    """How many scenes without a defect are accepted, and their highest scores in units of the threshold."""
    sets = {name: bench.made_up(f"clean/{slug(name)}", options) for name, options in bench.clean_scenes.items()}
    found = bench.at_once(bench.verdicts, {
        (name, scenes): (folder, f"clean/{slug(scenes)}/{name}", detector.arguments, seeds[0])
        for name, detector in detectors.items() for scenes, folder in sets.items()})
    return {name: {scenes: {"accepted": sum(row["verdict"] == "accepted" for row in rows), "scenes": len(rows),
                            "highest": [row["score_max"] / row["threshold"] for row in rows]}
                   for scenes, rows in of(found, name).items()} for name in detectors}


def pictures_suite(bench, detectors, seeds):
    """The own scenes with the lowest AUROC of the first detector, whose overlays and masks go to the images."""
    scenes = bench.made_up("own", bench.own_scenes)
    name, detector = next(iter(detectors.items()))
    found = bench.detected(scenes, f"pictures/{name}", ["--set", "output.overlay=true", *detector.arguments], seeds[0])
    worst = sorted(found, key=lambda scene: found[scene]["auroc"])[:SHOWN_PICTURES]
    bench.images.mkdir(parents=True, exist_ok=True)
    for place, scene in enumerate(worst, start=1):
        maps = bench.maps_of(f"pictures/{name}", seeds[0])
        shutil.copyfile(maps / f"{scene}_overlay.png", bench.images / f"worst_{place}.png")
        shutil.copyfile(scenes / f"{scene}_mask.png", bench.images / f"worst_{place}_mask.png")
    return {"detector": name, "mean": mean(cube["auroc"] for cube in found.values()),
            "worst": {scene: {measure: found[scene][measure] for measure in ("auroc", *MEASURES)} for scene in worst}}


def figure(value, decimals=4):
    """0.9947, 1.0000, -0.0012; a dash for what is not known."""
    if value is None:
        return "-"
    # What rounds to nothing has no sign.
    return f"{round(value, decimals) + 0.0:.{decimals}f}"


def change(value):
    return ("+" if round(value, 4) > 0 else "") + figure(value)


def median(value):
    return figure(value and value["median"])


def percentage(value):
    return "-" if value is None else f"{100 * value['median']:.2f} %"


def with_spread(value):
    known = value is not None and value["spread"] is not None
    return median(value) + (f" ({figure(value['spread'])})" if known else "")


def table(header, rows):
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def bold(cells):
    return [f"**{cell}**" for cell in cells]


def all_missed(recall):
    """How many cubes have defects of which, in the median of seeds, nothing is marked."""
    return sum(cube is not None and cube["median"] == 0 for cube in recall["cubes"].values())


def scenes_table(result):
    columns = list(result.values())
    rows = [[name, *(with_spread(column["auroc"]["cubes"][name]) for column in columns)]
            for name in columns[0]["auroc"]["cubes"]]
    rows.append(bold(["mean", *(with_spread(column["auroc"]["mean"]) for column in columns)]))
    rows += [[f"mean {label}", *(median(column[measure]["mean"]) for column in columns)]
             for measure, label in MEASURES.items()]
    rows += [[f"mean {label} at the threshold", *(show(column[measure]["mean"]) for column in columns)]
             for measure, label in VERDICT_MEASURES.items()
             for show in [percentage if measure == "false_alarm_rate" else median]]
    rows.append(["scenes whose defects are all missed", *(str(all_missed(column["recall"])) for column in columns)])
    rows.append(["seconds per scene", *(f"{column['seconds']['mean']['median']:.1f}" for column in columns)])
    return table(["scene", *result], rows)


def one_class_table(result):
    columns = list(result.values())
    return table(["implants", *result],
                 [[name, *(with_spread(column[name]) for column in columns)] for name in columns[0]])


def lowest(measured_cubes):
    return min((cube["median"] for cube in measured_cubes["cubes"].values() if cube), default=None)


def development_table(result):
    columns = list(result.values())
    rows = []
    for variant in DEVELOPMENT:
        rows.append([variant, *(with_spread(column[variant]["mean"]) for column in columns)])
        rows.append(["its lowest scene", *(figure(lowest(column[variant])) for column in columns)])
    overall = [mean(column[variant]["mean"]["median"] for variant in DEVELOPMENT) for column in columns]
    return table(["scenes", *result], [*rows, bold(["mean", *map(figure, overall)])])


def robustness_table(result):
    """Over detectors the mean and the worst change; then every scene, for the first detector."""
    rows = [[variant, *(f"{change(mean(column[variant].values()))} ({change(min(column[variant].values()))})"
                        for column in result.values())] for variant in ROBUSTNESS]
    first, columns = next(iter(result.items()))
    scenes = [[scene, *(change(columns[variant][scene]) for variant in ROBUSTNESS)]
              for scene in columns[next(iter(ROBUSTNESS))]]
    return "\n\n".join([table(["change of AUROC, mean (worst scene)", *result], rows),
                        f"The same for each scene, with {first}:", table(["scene", *ROBUSTNESS], scenes)])


def ablation_table(result):
    pages = []
    for network, ablations in result.items():
        whole = next(iter(ablations.values()))["auroc"]
        rows = []
        for name, values in ablations.items():
            settings = ", ".join(f"`{setting}`" for setting in values["settings"])
            cells = []
            for cubes, auroc in values["auroc"].items():
                gained = change(auroc["mean"]["median"] - whole[cubes]["mean"]["median"]) if settings else ""
                cells += [with_spread(auroc["mean"]), gained]
            rows.append([name, settings, *cells, f"{values['seconds']:.1f}"])
        header = [f"{network} alone", "settings"]
        for cubes in whole:
            header += [cubes, "change"]
        pages.append(table([*header, "seconds"], rows))
    return "\n\n".join(pages)


def clean_table(result):
    columns = list(result.values())
    rows = [[scenes, *(f"{column[scenes]['accepted']} of {column[scenes]['scenes']} "
                       f"({min(column[scenes]['highest']):.2f} to {max(column[scenes]['highest']):.2f})"
                       for column in columns)] for scenes in columns[0]]
    return table(["accepted (range of the highest scores, in thresholds)", *result], rows)


def pictures_table(result):
    pages = [f"With the configuration {result['detector']}, the mean AUROC over all these scenes is {figure(result['mean'])}. "
             "The worst are:"]
    for place, (scene, cube) in enumerate(result["worst"].items(), start=1):
        pages.append(f"{place}. {scene}: AUROC {figure(cube['auroc'])}, average precision "
                     f"{figure(cube['average_precision'])}, AUPRO {figure(cube['aupro'])}")
        pages.append(f'   ![The scene with the detections outlined, and its scores](images/worst_{place}.png)\n'
                     f'   <img src="images/worst_{place}_mask.png" width="300" alt="The defects of the scene">')
    return "\n\n".join(pages)


class Suite(NamedTuple):
    """What measures, what writes the table of it, what its figures are, and whether a single seed is enough."""
    measure: Callable
    table: Callable
    figures: str = "ROC AUC"
    one_seed: bool = False


SUITES = {"scenes": Suite(scenes_suite, scenes_table), "one-class": Suite(one_class_suite, one_class_table),
          "development": Suite(development_suite, development_table),
          "robustness": Suite(robustness_suite, robustness_table, one_seed=True),
          "ablation": Suite(ablation_suite, ablation_table),
          "clean": Suite(clean_suite, clean_table, figures="verdict", one_seed=True),
          "pictures": Suite(pictures_suite, pictures_table, one_seed=True)}


def markers(suite):
    return f"<!-- begin {suite} -->", f"<!-- end {suite} -->"


def with_table(page, suite, text):
    """The page with the text between the suite's markers, which are added at its end where they are missing."""
    begin, end = markers(suite)
    block = f"{begin}\n{text}\n{end}"
    if begin in page and end in page:
        return page[:page.index(begin)] + block + page[page.index(end) + len(end):]
    return page.rstrip("\n") + ("\n\n" if page else "") + block + "\n"


def caption(figures, seeds):
    if len(seeds) == 1:
        return "Each figure comes from one seed."
    return (f"Each figure is the median {figures} of {len(seeds)} seeds, unless its row says otherwise. The number in "
            "brackets is the largest minus the smallest.")


def write_report(folder, suite, seeds, result, commands):
    """The suite's table in quality.md and its figures in quality.json; other suites stay as they are."""
    page, record = folder / "quality.md", folder / "quality.json"
    text = page.read_text(encoding="utf-8") if page.exists() else ""
    tables = f"{caption(SUITES[suite].figures, seeds)}\n\n{SUITES[suite].table(result)}"
    page.write_text(with_table(text, suite, tables), encoding="utf-8")
    known = json.loads(record.read_text(encoding="utf-8")) if record.exists() else {}
    known[suite] = {"seeds": seeds, "result": result, "commands": commands}
    record.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")


def make_quick_data(bench, data):
    """Small made-up cubes, laid out as the real data are."""
    data.mkdir(parents=True, exist_ok=True)
    bench.once(data / "scenes", "synth", "-q", "-o", data / "scenes", "--scenes", "2", *QUICK_SCENE,
               "--defects", "3", "--abundance", "0.5", "1", "--seed", "1")
    bench.once(data / "wafer", "synth", "-q", "-o", data / "wafer", "--scenes", "3", *QUICK_SCENE, "--defects", "0",
               "--seed", "2")
    for name, abundance in (("a20", "0.2"), ("a40", "0.4")):
        (data / "implants").mkdir(exist_ok=True)
        bench.once(data / "implants" / name, "synth", "-q", "-o", data / "implants" / name, "--into",
                   data / "wafer/scene_003.img", "--defects", "4", "--area", "2", "8", "--abundance", abundance,
                   abundance, "--seed", "3")


def names_from(table_of_names):
    def parse(text):
        names = text.split(",")
        unknown = [name for name in names if name not in table_of_names]
        if unknown:
            raise argparse.ArgumentTypeError(f"{unknown[0]} is unknown; allowed: {', '.join(table_of_names)}")
        return names
    return parse


def seed_list(text):
    if not re.fullmatch(r"\d+(,\d+)*", text):
        raise argparse.ArgumentTypeError(f"{text} is no list of seeds, such as 1,2,3")
    return [int(seed) for seed in text.split(",")]


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="quality", description=__doc__.splitlines()[0])
    parser.add_argument("--data", default=os.environ.get("HYPERDEFECT_TEST_DATA", ROOT.parent / "shared/data"),
                        help="folder with scenes, wafer and implants (HYPERDEFECT_TEST_DATA, else ../shared/data)")
    parser.add_argument("--seeds", type=seed_list, default=[1, 2, 3], help="1,2,3 unless told")
    parser.add_argument("--only", type=names_from(SUITES), default=list(SUITES), metavar="SUITE,...",
                        help=f"some of {', '.join(SUITES)}")
    parser.add_argument("--detectors", type=names_from(DETECTORS), default=list(DETECTORS), metavar="NAME,...",
                        help=f"some of {', '.join(DETECTORS)}; the tables then hold these only")
    parser.add_argument("-o", "--output", help="folder of quality.md and quality.json; docs, or with --quick WORK")
    parser.add_argument("--work", default=ROOT / "build/quality", help="folder for maps and made cubes, kept")
    parser.add_argument("--program", default=ROOT / "build/release/app/hyperdefect", help="the built program")
    parser.add_argument("--jobs", type=int, default=1, metavar="N",
                        help="runs of detect at a time, of one thread each: sooner done, but seconds are then of one "
                             "thread beside N - 1 others")
    parser.add_argument("--quick", action="store_true",
                        help="try the script itself: small made-up scenes, hardly any training")
    options = parser.parse_args(arguments)
    options.output = Path(options.output or (options.work if options.quick else ROOT / "docs"))
    return options


def measure(bench, options):
    """Measures one suite after the other. @return what failed, one line a suite."""
    problems = []
    for suite in options.only:
        detectors = {name: DETECTORS[name] for name in options.detectors if suite in DETECTORS[name].suites}
        bench.commands = []
        try:
            if suite == "ablation" or detectors:
                seeds = options.seeds[:1] if SUITES[suite].one_seed else options.seeds
                result = SUITES[suite].measure(bench, detectors, seeds)
                write_report(options.output, suite, seeds, result, bench.commands)
        except Failed as failure:
            problems.append(f"{suite}: {failure}")
    return problems


def main(arguments=None) -> int:
    options = parse_arguments(arguments)
    if not Path(options.program).is_file():
        print(f"quality: there is no program {options.program}: build it with scripts/build.sh", file=sys.stderr)
        return 2
    bench = Bench(options)
    options.output.mkdir(parents=True, exist_ok=True)
    bench.work.mkdir(parents=True, exist_ok=True)
    if options.quick:
        bench.data = bench.work / "made_up"
        make_quick_data(bench, bench.data)
    elif not bench.data.is_dir():
        print(f"quality: there is no folder {bench.data}: name the data with --data", file=sys.stderr)
        return 2
    problems = measure(bench, options)
    for problem in problems:
        print(f"quality: {problem}", file=sys.stderr)
    print(f"figures: {options.output / 'quality.md'}, {options.output / 'quality.json'}")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
