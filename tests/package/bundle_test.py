# SPDX-License-Identifier: Apache-2.0
"""cmake/InstallTorch.cmake: which libraries of a LibTorch with CUDA go along with the program, on a made-up one.

Usage: bundle_test.py CMAKE OBJDUMP COMPILER SCRIPT
"""

import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

CMAKE, OBJDUMP, COMPILER, SCRIPT = "", "", "", ""
CUDA, CUDNN, TORCH = "nvidia/cu13/lib", "nvidia/cudnn/lib", "torch/lib"
# Each library after those that it needs.
LOADED = {
    f"{CUDA}/libnvJitLink.so.13": [],
    f"{CUDA}/libcudart.so.13": [],
    f"{CUDA}/libcublasLt.so.13": [],
    f"{CUDA}/libnvrtc.so.13": [],
    f"{CUDA}/libnvrtc-builtins.so.13.0": [],  # libnvrtc loads it by name
    f"{CUDA}/libcusparse.so.12": [f"{CUDA}/libnvJitLink.so.13"],
    f"{CUDNN}/libcudnn.so.9": [],
    f"{CUDNN}/libcudnn_ops.so.9": [f"{CUDA}/libcublasLt.so.13"],  # libcudnn loads it by name
    f"{TORCH}/libgomp-24e2ab19.so.1": [],
    f"{TORCH}/libc10.so": [],
    f"{TORCH}/libtorch_cpu.so": [f"{TORCH}/libc10.so", f"{TORCH}/libgomp-24e2ab19.so.1"],
    f"{TORCH}/libtorch_cuda.so": [f"{TORCH}/libtorch_cpu.so", f"{CUDA}/libcudart.so.13", f"{CUDA}/libcusparse.so.12",
                                  f"{CUDNN}/libcudnn.so.9", "libcuda.so.1"],
    f"{TORCH}/libtorch_cuda_linalg.so": [f"{TORCH}/libtorch_cuda.so"],  # libtorch_cuda loads these two by name
    f"{TORCH}/libcaffe2_nvrtc.so": [f"{CUDA}/libnvrtc.so.13", "libcuda.so.1"],
    f"{TORCH}/libtorch.so": [f"{TORCH}/libtorch_cuda.so"],
}
NOT_LOADED = {
    f"{CUDA}/libcufft.so.12": [],
    f"{TORCH}/libtorch_python.so": [f"{TORCH}/libtorch_cpu.so"],
    f"{TORCH}/libtorch_cuda_extra.so.old/libc10_extra.so": [],
}


class Bundle(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="hyperdefect+bundle_")).resolve()
        self.addCleanup(shutil.rmtree, self.folder)
        self.home = self.folder / "home (1)"
        self.write("empty.c", "")
        self.write("main.c", "int main(void) { return 0; }")
        for package in ("torch-9.0+cu130", "nvidia_cudnn_cu13-9.1", "sympy-1.0"):
            self.write(f"{self.home.name}/{package}.dist-info/licenses/LICENSE", package)

    def write(self, name, text):
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text, encoding="utf-8")

    def link(self, output, source, needed, run_paths, *options):
        output.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([COMPILER, "-x", "c", self.folder / source, "-x", "none", "-o", output, "-Wl,--no-as-needed",
                        "-Wl,--allow-shlib-undefined", *needed,
                        *(f"-Wl,-rpath,{path}" for path in run_paths), *options], check=True, stderr=subprocess.PIPE)

    def library(self, name, needed):
        self.link(self.home / name, "empty.c", [self.home / other for other in needed],
                  ["$ORIGIN", f"$ORIGIN/../../../{CUDA}", *(f"$ORIGIN/../../{path}" for path in (CUDA, CUDNN))],
                  "-shared", "-fPIC", f"-Wl,-soname,{Path(name).name}")

    def install(self):
        """The files that the script copies, by their paths in the prefix."""
        prefix = self.folder / "prefix"
        ran = subprocess.run([CMAKE, f"-DCMAKE_OBJDUMP={OBJDUMP}", f"-DCMAKE_INSTALL_PREFIX={prefix}",
                              f"-DHYPERDEFECT_BUNDLE_PROGRAM={self.folder}/program",
                              f"-DHYPERDEFECT_BUNDLE_HOME={self.home}", "-DHYPERDEFECT_BUNDLE_LIBDIR=lib",
                              "-DHYPERDEFECT_BUNDLE_LICENSES=licenses", "-P", SCRIPT],
                             check=False, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
        return {str(file.relative_to(prefix)) for file in prefix.rglob("*") if file.is_file()}, ran.stderr

    def make_wheel(self):
        self.library("libcuda.so.1", [])
        for name, needed in {**LOADED, **NOT_LOADED}.items():
            self.library(name, needed)
        (self.home / "libcuda.so.1").unlink()  # it comes with the driver, which a machine that builds may lack
        self.link(self.folder / "program", "main.c", [self.home / TORCH / "libtorch.so"], [self.home / TORCH])

    def test_what_is_loaded_goes_along_in_its_place(self):
        self.make_wheel()
        files, errors = self.install()
        self.assertEqual(errors, "")
        self.assertEqual(files, {f"lib/{name}" for name in LOADED} |
                         {"licenses/torch/LICENSE", "licenses/nvidia_cudnn_cu13/LICENSE"})

    def test_a_missing_library_is_named(self):
        self.make_wheel()
        (self.home / CUDA / "libnvJitLink.so.13").unlink()
        self.assertIn("needs libraries that this machine does not have: libnvJitLink.so.13",
                      " ".join(self.install()[1].split()))


if __name__ == "__main__":
    CMAKE, OBJDUMP, COMPILER, SCRIPT = sys.argv[1:5]
    unittest.main(argv=sys.argv[:1])
