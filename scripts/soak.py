#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills, interrupts, starves and doubles runs of the program, and compares what they leave with an undisturbed run.

What is compared: every file below the output, with the timings left out of tables and JSON. See scripts/soak.sh.
"""

import argparse
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SCENE = ["--rows", "48", "--cols", "40", "--bands", "16", "--materials", "1"]
# A training of about a second, with a checkpoint every few milliseconds.
TRAINING = ["--threads", "1", "--set", "autoencoder.features=[8,8,8]", "--set", "autoencoder.heads=2",
            "--set", "train.batch=1", "--set", "train.epochs=12", "--set", "train.steps_per_epoch=8",
            "--set", "autoencoder.mask_sizes_px=[3]", "--set", "preprocess.components=6",
            "--set", "segmenter.features=[8,8,8]", "--set", "segmenter.heads=2", "--set", "segmenter.networks=1",
            "--set", "segmenter.sign_augmentations=1"]
CUBES = 8
# The program ends this soon after a signal.
SECONDS_TO_STOP = 1.0
DONE, FAILED, USAGE, INTERRUPTED = 0, 1, 2, 130


class Fault(Exception):
    """Something that must not happen."""


def expect(condition, what):
    if not condition:
        raise Fault(what)


def without_seconds(value):
    if isinstance(value, dict):
        return {key: without_seconds(item) for key, item in value.items() if key != "seconds"}
    return [without_seconds(item) for item in value] if isinstance(value, list) else value


def timeless(file):
    """The content of a file but for how long things took."""
    content = file.read_bytes()
    if file.suffix == ".json":
        return without_seconds(json.loads(content))
    if file.suffix == ".csv":
        return without_seconds(list(csv.DictReader(io.StringIO(content.decode()))))
    return content


def files_below(folder):
    return {str(file.relative_to(folder)): timeless(file) for file in sorted(folder.rglob("*")) if file.is_file()}


def differing(expected, found):
    return sorted(name for name in expected.keys() | found.keys()
                  if name not in expected or name not in found or expected[name] != found[name])


class Bench:
    """The program, and the cubes and the model that its runs are given."""

    def __init__(self, program, work, chance):
        self.program = program
        self.work = work
        self.chance = chance
        self.must("synth", "-q", "-o", work / "normal", "--scenes", "2", "--defects", "0", *SCENE)
        self.must("synth", "-q", "-o", work / "scans", "--scenes", CUBES, "--defects", "2", "--seed", "2", *SCENE)
        for name, seed in (("first", "0"), ("second", "1")):
            self.must("train", "-q", work / "normal", "-o", self.model(name), "--seed", seed, "--threads", "1",
                      "--set", "model.detector=rx", "--set", f"threshold.sigma={3 + int(seed)}")

    def model(self, name):
        return self.work / f"{name}.safetensors"

    def start(self, *arguments):
        return subprocess.Popen([str(self.program), *map(str, arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *arguments):
        """Exit code and what was said on stderr."""
        process = self.start(*arguments)
        said = process.communicate()[1]
        return process.returncode, said

    def must(self, *arguments):
        code, said = self.run(*arguments)
        expect(code == DONE, f"{' '.join(map(str, arguments))}: exit code {code}: {said}")

    def train(self, output):
        return ["train", "-q", self.work / "normal", "-o", output / "m.safetensors", *TRAINING]

    def infer(self, output, model="first"):
        return ["infer", "-q", "--model", self.model(model), self.work / "scans", "-o", output, "--threads", "1"]


def begun(process, output):
    """Waits until the run holds its output: it is loaded then, and works; whether it still does."""
    while process.poll() is None:
        if any(output.glob(".*.lock")):
            return True
        time.sleep(0.002)
    return False


def seconds_of(bench, command, output):
    """How long an undisturbed run works after it has begun."""
    process = bench.start(*command)
    begun(process, output)
    start = time.monotonic()
    said = process.communicate()[1]
    expect(process.returncode == DONE, f"undisturbed: exit code {process.returncode}: {said}")
    return time.monotonic() - start


def stopped_at_random(bench, command, output, seconds, sent):
    """Sends a run the signal somewhere in its course: its exit code, None if it had ended, and how long it took."""
    process = bench.start(*command)
    begun(process, output)
    time.sleep(bench.chance.uniform(0, seconds))
    running = process.poll() is None
    process.send_signal(sent)
    began = time.monotonic()
    process.communicate()
    return (process.returncode if running else None), time.monotonic() - began


def kill_campaign(bench, name, command_of, kills):
    """Every run is killed once or more often before it is finished; each must end like the undisturbed one."""
    undisturbed = bench.work / f"{name}_undisturbed"
    seconds = seconds_of(bench, command_of(undisturbed), undisturbed)
    expected = files_below(undisturbed)
    done = runs = 0
    while done < kills:
        output = bench.work / f"{name}_{runs}"
        runs += 1
        command = [*command_of(output), "--resume"]
        for _ in range(bench.chance.randint(1, 3)):
            code, _ = stopped_at_random(bench, command, output, seconds, signal.SIGKILL)
            done += code == -signal.SIGKILL
        bench.must(*command)
        differences = differing(expected, files_below(output))
        expect(not differences, f"{name}, after kill {done}: differs in {', '.join(differences)} ({output})")
    return f"{done} kills in {runs} runs, all files as undisturbed"


def signals(bench, name, command_of, tries):
    """An interrupted run ends within a second, says how to go on, and goes on to the same files."""
    undisturbed = bench.work / f"{name}_undisturbed_by_signals"
    seconds = seconds_of(bench, command_of(undisturbed), undisturbed)
    expected = files_below(undisturbed)
    interrupted, slowest = 0, 0.0
    for number in range(tries):
        output = bench.work / f"{name}_signal_{number}"
        command = [*command_of(output), "--resume"]
        sent = (signal.SIGINT, signal.SIGTERM)[number % 2]
        code, took = stopped_at_random(bench, command, output, seconds, sent)
        expect(code in (None, DONE, INTERRUPTED), f"{name}, {sent.name}: exit code {code}")
        expect(took < SECONDS_TO_STOP, f"{name}, {sent.name}: ended after {took:.1f} s")
        interrupted += code == INTERRUPTED
        slowest = max(slowest, took)
        bench.must(*command)
        differences = differing(expected, files_below(output))
        expect(not differences, f"{name}, after {sent.name}: differs in {', '.join(differences)} ({output})")
    return f"{interrupted} of {tries} runs stopped at a signal, the slowest after {slowest:.2f} s, all files the same"


def two_at_once(bench, tries):
    """Of two runs with different models into one folder, one is refused and the other's files stand alone."""
    refused = 0
    for number in range(tries):
        output = bench.work / f"both_{number}"
        runs = [bench.start(*bench.infer(output, model)) for model in ("first", "second")]
        said = [run.communicate()[1] for run in runs]
        codes = [run.returncode for run in runs]
        expect(sorted(codes) == [DONE, USAGE], f"two at once: exit codes {codes}: {said}")
        message = said[codes.index(USAGE)]
        expect(message.count("\n") == 1, f"two at once: not one line: {message}")
        refused += "is in use by another run (process " in message
        models = {json.loads(file.read_text())["made_with"]["model"] for file in output.glob("scene_*.json")}
        models.add(json.loads((output / "summary.json").read_text())["model"])
        expect(len(models) == 1, f"two at once: results of {len(models)} models in {output}")
        expect(not list(output.glob(".hyperdefect*")), f"two at once: something is left in {output}")
    return f"{tries} tries, never mixed; {refused} refused while the other ran, {tries - refused} after it"


class SmallDisk:
    """A disk of a few KiB in memory; needs root."""

    def __init__(self, folder, kibibytes):
        self.folder = folder
        self.size = f"size={kibibytes}k"

    def __enter__(self):
        self.folder.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", self.size, "tmpfs", str(self.folder)], check=True)
        return self.folder

    def __exit__(self, *_):
        subprocess.run(["umount", "-l", str(self.folder)], check=True)


def full_disk(bench):
    """On a disk that is too small a run ends with exit code 1 and says so; what it has finished is whole."""
    if os.geteuid() != 0:
        return "skipped: needs root"
    whole = bench.work / "whole_disk"
    bench.must(*bench.infer(whole))
    needed = sum(file.stat().st_size for file in whole.rglob("*")) // 1024
    expected, sizes = files_below(whole), 0
    for part in (0.15, 0.4, 0.7, 0.9):
        with SmallDisk(bench.work / f"disk_{sizes}", int(needed * part)) as disk:
            code, said = bench.run(*bench.infer(disk / "maps"))
            expect(code == FAILED and "No space left on device" in said, f"full disk: exit code {code}: {said}")
            for name, content in files_below(disk / "maps").items():
                expect(expected.get(name) == content, f"full disk: {name} is not whole")
        sizes += 1
    return f"{sizes} disks from 15 % to 90 % of what is needed: exit code 1 with the reason, no file half"


def default_program():
    return ROOT / "build/release/app/hyperdefect"


def main(words):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--short", action="store_true", help="a minute's worth, for CI")
    parser.add_argument("--kills", type=int, help="kills in the training and as many in the batch (100; short: 6)")
    parser.add_argument("--tries", type=int, help="pairs of runs at once (50; short: 4)")
    parser.add_argument("--program", type=Path, default=default_program())
    parser.add_argument("--seed", type=int, default=None, help="of the moments; a new one each time if left out")
    options = parser.parse_args(words)
    kills = options.kills or (6 if options.short else 100)
    tries = options.tries or (4 if options.short else 50)
    seed = random.SystemRandom().randrange(1 << 32) if options.seed is None else options.seed
    print(f"seed {seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="hyperdefect-soak-") as folder:
        try:
            bench = Bench(options.program.resolve(), Path(folder), random.Random(seed))
            for name, soak in (("kill -9 in training", lambda: kill_campaign(bench, "train", bench.train, kills)),
                               ("kill -9 in a batch", lambda: kill_campaign(bench, "infer", bench.infer, kills)),
                               ("signals in training", lambda: signals(bench, "train", bench.train, tries)),
                               ("signals in a batch", lambda: signals(bench, "infer", bench.infer, tries)),
                               ("two runs at once", lambda: two_at_once(bench, tries)),
                               ("full disk", lambda: full_disk(bench))):
                print(f"{name}: {soak()}", flush=True)
        except Fault as fault:
            print(f"fault: {fault}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
