# SPDX-License-Identifier: Apache-2.0
"""The installed program works wherever it lies: from a moved prefix, from the .tar.gz and from the .deb.

Usage: installed_test.py --cmake CMAKE --cpack CPACK --source DIR --build DIR --torch DIR --bundled ON|OFF TEST...
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

OPTIONS = argparse.Namespace()
TINY = ["--threads", "1"] + [word for setting in (
    "autoencoder.features=[8,8,8]", "autoencoder.heads=2", "train.epochs=2", "train.steps_per_epoch=2", "train.batch=1",
    "autoencoder.mask_sizes_px=[3]", "preprocess.components=6", "segmenter.features=[8,8,8]", "segmenter.heads=2",
    "segmenter.networks=1", "segmenter.sign_augmentations=1") for word in ("--set", setting)]
LIBRARY = re.compile(r"lib/([\w-]+/)?hyperdefect/[\w./+-]+\.so[\w.]*")


def done(command, **more):
    """Runs a command that must succeed, and returns what it printed."""
    ran = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         encoding="utf-8", check=False, **more)
    assert ran.returncode == 0, f"{command} ended with {ran.returncode}:\n{ran.stdout}"
    return ran.stdout


def files_below(folder):
    return sorted(str(file.relative_to(folder)) for file in folder.rglob("*") if not file.is_dir())


def paths_of_the_loader(log):
    """The libraries that the dynamic loader took, and those that it looked for, from what LD_DEBUG=libs writes."""
    taken, tried = set(), set()
    for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
        for words, paths in (("calling init: ", taken), ("trying file=", tried)):
            if words in line:
                paths.add(Path(os.path.normpath(line.split(words)[1].strip())))
    return taken, tried


class Installed(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="hyperdefect_package_")).resolve()
        self.addCleanup(shutil.rmtree, self.folder)

    def pack(self, generator, pattern):
        """The package that CPack makes, alone in its folder."""
        done([OPTIONS.cpack, "--config", OPTIONS.build / "CPackConfig.cmake", "-G", generator,
              "-B", self.folder / "packages"])
        shutil.rmtree(self.folder / "packages/_CPack_Packages")
        packages = list((self.folder / "packages").iterdir())
        self.assertEqual(len(packages), 1, packages)
        self.assertRegex(packages[0].name, pattern)
        print(f"{packages[0].name}: {packages[0].stat().st_size / 1e6:.0f} MB")
        return packages[0]

    def check_files(self, prefix):
        """A package holds the program, its libraries and documents, and nothing for developers."""
        files = files_below(prefix)
        for name in ("README.md", "CHANGELOG.md", "LICENSE", "copyright"):
            self.assertIn(f"share/doc/hyperdefect/{name}", files)
        rest = [file for file in files if not file.startswith("share/doc/hyperdefect/") and not LIBRARY.fullmatch(file)]
        self.assertEqual(rest, ["bin/hyperdefect"])
        libraries = {Path(file).name.split(".so")[0] for file in files if LIBRARY.fullmatch(file)}
        self.assertEqual({"libtorch", "libtorch_cpu", "libc10"} <= libraries, OPTIONS.bundled)
        self.assertNotIn("libtorch_python", libraries)
        if OPTIONS.bundled and list(OPTIONS.torch.parent.glob("torch-*.dist-info/licenses/LICENSE")):
            self.assertIn("share/doc/hyperdefect/libraries/torch/LICENSE", files)

    def check_program(self, prefix):
        """Makes scenes, trains, infers and detects in an empty folder; no library comes from the project."""
        elsewhere = self.folder / "elsewhere"
        elsewhere.mkdir()
        program = prefix / "bin/hyperdefect"
        self.run_program(program, elsewhere, "synth", "-o", "normal", "--scenes", "1", "--defects", "0",
                         "--rows", "16", "--cols", "16", "--bands", "8", "--materials", "1")
        self.run_program(program, elsewhere, "train", "normal", "-o", "model.safetensors", *TINY)
        self.run_program(program, elsewhere, "infer", "--model", "model.safetensors", "normal", "-o", "judged")
        self.run_program(program, elsewhere, "detect", "normal", "-o", "maps", "--set", "model.detector=rx")
        for result in ("judged", "maps"):
            self.assertGreater((elsewhere / result / "scene_001_score.tif").stat().st_size, 16 * 16 * 4)

    def run_program(self, program, folder, *words):
        log = self.folder / "loader"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LD_")}
        done([program, *words], cwd=folder,
             env={**environment, "LD_DEBUG": "libs", "LD_DEBUG_OUTPUT": str(log)})
        for file in self.folder.glob("loader.*"):
            self.check_libraries(file, program.parents[1])
            file.unlink()

    def check_libraries(self, log, prefix):
        taken, tried = paths_of_the_loader(log)
        torch = [path for path in taken if path.name == "libtorch_cpu.so"]
        self.assertEqual(len(torch), 1, "LD_DEBUG shows no LibTorch")
        self.assertEqual(torch[0].is_relative_to(prefix), OPTIONS.bundled, torch[0])
        foreign = [path for path in taken | tried
                   if path.is_relative_to(OPTIONS.source) or path.is_relative_to(OPTIONS.build)]
        if OPTIONS.bundled:
            foreign += [path for path in taken if path.is_relative_to(OPTIONS.torch)]
        self.assertEqual([str(path) for path in foreign if not path.is_relative_to(self.folder)], [])

    def test_moved_prefix(self):
        done([OPTIONS.cmake, "--install", OPTIONS.build, "--prefix", self.folder / "first"])
        (self.folder / "first").rename(self.folder / "moved")
        self.check_program(self.folder / "moved")

    def test_archive(self):
        package = self.pack("TGZ", r"^hyperdefect-\d+\.\d+\.\d+-linux-\w+\.tar\.gz$")
        shutil.unpack_archive(package, self.folder / "unpacked")
        unpacked = list((self.folder / "unpacked").iterdir())
        self.assertEqual([entry.name for entry in unpacked], [package.name[:-len(".tar.gz")]])
        self.check_files(unpacked[0])
        self.check_program(unpacked[0])

    def test_deb(self):
        missing = [tool for tool in ("dpkg", "dpkg-deb", "dpkg-shlibdeps", "file") if not shutil.which(tool)]
        if missing:
            self.skipTest(f"a .deb needs {', '.join(missing)}")
        package = self.pack("DEB", r"^hyperdefect_\d+\.\d+\.\d+_\w+\.deb$")
        self.check_control(package)
        owners = {line.split()[1] for line in done(["dpkg-deb", "-c", package]).splitlines()}
        self.assertEqual(owners, {"root/root"})
        done(["dpkg-deb", "-x", package, self.folder / "unpacked"])
        self.assertEqual([entry.name for entry in (self.folder / "unpacked").iterdir()], ["usr"])
        self.check_files(self.folder / "unpacked/usr")
        self.check_program(self.folder / "unpacked/usr")

    def check_control(self, package):
        def field(name):
            return done(["dpkg-deb", "-f", package, name]).strip()
        self.assertEqual(field("Package"), "hyperdefect")
        self.assertEqual(field("Version"), package.name.split("_")[1])
        self.assertEqual(field("Architecture"), done(["dpkg", "--print-architecture"]).strip())
        self.assertEqual(field("Maintainer"), "The hyperdefect developers")
        self.assertTrue(field("Description").startswith("defect detection in hyperspectral images\n "))
        depends = {entry.split()[0] for entry in field("Depends").split(", ")}
        for library in ("libgdal", "libopencv-core", "libopencv-imgproc", "libopencv-imgcodecs", "libyaml-cpp",
                        "libspdlog", "libc6", "libstdc++6"):
            self.assertTrue(any(name.startswith(library) for name in depends), f"{library}: {depends}")
        self.assertEqual([name for name in depends if name.endswith("-dev") or "torch" in name], [])


def parse_arguments():
    parser = argparse.ArgumentParser()
    for name in ("cmake", "cpack", "source", "build", "torch"):
        parser.add_argument(f"--{name}", type=lambda path: Path(path).resolve(), required=True)
    parser.add_argument("--bundled", type=lambda word: word == "ON", required=True)
    return parser.parse_known_args(namespace=OPTIONS)[1]


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *parse_arguments()])
