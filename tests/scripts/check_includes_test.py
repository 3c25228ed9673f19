# SPDX-License-Identifier: Apache-2.0
"""Each rule of scripts/check_includes.py finds its violation in a tree that holds just that one."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import check_includes  # noqa: E402


def problems_in(**files):
    """The problems in a tree of files; "__" in a name stands for "/", a last "_h", "_cpp", "_txt" for the suffix."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            stem, suffix = name.replace("__", "/").rsplit("_", 1)
            top = "" if stem.startswith("app/") else "lib/hyperdefect/"
            path = Path(folder) / f"{top}{stem}.{suffix}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return check_includes.check(Path(folder))


class Floors(unittest.TestCase):
    def test_a_room_may_take_itself_and_lower_floors(self):
        self.assertEqual(problems_in(nn__a_cpp='#include "hyperdefect/nn/a.h"\n#include "hyperdefect/core/b.h"\n'), [])

    def test_no_room_above(self):
        self.assertEqual(
            problems_in(spectral__a_h='#pragma once\n#include "hyperdefect/engine/fit.h"\n'),
            ["lib/hyperdefect/spectral/a.h:2: hyperdefect/engine/fit.h: spectral (floor 2) takes engine (floor 7), "
             "a room takes rooms of lower floors only"])

    def test_no_room_of_the_same_floor(self):
        self.assertIn("nn (floor 2) takes spectral (floor 2)",
                      problems_in(nn__a_cpp='#include "hyperdefect/spectral/types.h"\n')[0])

    def test_core_takes_no_room(self):
        self.assertIn("core (floor 0) takes spectral (floor 2)",
                      problems_in(core__a_cpp='#include "hyperdefect/spectral/types.h"\n')[0])

    def test_the_library_never_takes_the_program(self):
        self.assertIn("engine (floor 7) takes app (floor 9)",
                      problems_in(engine__a_cpp='#include "app/cli/progress.h"\n')[0])

    def test_models_and_detectors_never_take_rooms_that_open_files(self):
        for taker, reason in (("model", "model opens no image"), ("detector", "a detector opens no image")):
            for taken in ("format", "files", "io"):
                self.assertIn(f"{taker} never takes {taken}: {reason}",
                              problems_in(**{f"{taker}__a_cpp": f'#include "hyperdefect/{taken}/x.h"\n'})[0])

    def test_rooms_that_open_files_never_take_nn(self):
        for taker in ("format", "files", "io"):
            self.assertIn(f"{taker} never takes nn: {taker} knows no network",
                          problems_in(**{f"{taker}__a_cpp": '#include "hyperdefect/nn/attention.h"\n'})[0])

    def test_unknown_room_is_named(self):
        self.assertIn("utils is no room", problems_in(engine__a_cpp='#include "hyperdefect/utils/x.h"\n')[0])

    def test_a_folder_without_a_floor_is_named(self):
        self.assertIn("utils is no room: give it a floor", problems_in(utils__a_cpp="int x;\n")[0])


class ThirdParties(unittest.TestCase):
    ALLOWED = {
        "core__log_cpp": "#include <spdlog/spdlog.h>\n",
        "config__schema_cpp": "#include <yaml-cpp/yaml.h>\n",
        "io__cube_reader_cpp": "#include <gdal_priv.h>\n#include <cpl_conv.h>\n#include <opencv2/core.hpp>\n",
        "format__gdal_dataset_cpp": "#include <gdal_priv.h>\n",
        "files__file_role_cpp": "#include <gdal.h>\n",
        "app__cli__arguments_h": "#include <CLI/CLI.hpp>\n",
        "model__model_file_cpp": "#include <nlohmann/json.hpp>\n",
        "nn__attention_h": "#include <torch/types.h>\n",
    }

    def test_each_in_its_place_is_fine(self):
        self.assertEqual(problems_in(**self.ALLOWED), [])

    def check_refused(self, third_party, header, *places):
        for place in places:
            with self.subTest(place):
                found = problems_in(**{place: f"#include <{header}>\n"})
                self.assertEqual(len(found), 1)
                self.assertIn(f"{header}: {third_party} may be taken by ", found[0])

    def test_spdlog_only_in_log_cpp(self):
        self.check_refused("spdlog", "spdlog/spdlog.h", "core__text_cpp", "engine__fit_cpp", "app__main_cpp")

    def test_yaml_cpp_only_in_config(self):
        self.check_refused("yaml-cpp", "yaml-cpp/yaml.h", "model__run_config_cpp", "engine__trainer_cpp")

    def test_gdal_only_in_rooms_that_open_files(self):
        self.check_refused("GDAL", "gdal.h", "engine__fit_cpp", "app__main_cpp")
        self.check_refused("GDAL", "ogr_spatialref.h", "engine__fit_cpp")
        self.check_refused("GDAL", "cpl_string.h", "core__text_cpp")

    def test_opencv_only_in_io(self):
        self.check_refused("OpenCV", "opencv2/imgproc.hpp", "metric__aupro_cpp", "engine__fit_cpp", "format__cube_info_cpp")

    def test_cli11_only_in_app(self):
        self.check_refused("CLI11", "CLI/CLI.hpp", "engine__fit_cpp", "config__option_cpp")

    def test_nlohmann_json_not_on_the_lower_floors(self):
        self.check_refused("nlohmann_json", "nlohmann/json.hpp", "core__text_cpp", "nn__attention_cpp")

    def test_torch_not_in_core_config_and_cli(self):
        self.check_refused("torch", "torch/types.h", "core__window_h", "config__option_cpp", "app__cli__arguments_cpp")
        self.check_refused("torch", "c10/util/Exception.h", "core__error_h")


class PublicHeaders(unittest.TestCase):
    def test_third_parties_stay_out_of_them(self):
        lists = "hyperdefect_add_room(io TORCH\n  HEADERS reader.h\n  SOURCES reader.cpp handle.h\n  ROOMS core)\n"
        self.assertEqual(problems_in(io__CMakeLists_txt=lists, io__reader_h="#include <gdal.h>\n",
                                     io__handle_h="#include <gdal.h>\n"),
                         ["lib/hyperdefect/io/reader.h:1: gdal.h: GDAL stays out of public headers"])

    def test_they_include_no_private_header(self):
        lists = "hyperdefect_add_room(io PAIRS reader HEADERS info.h SOURCES handle.h)\n"
        found = problems_in(io__CMakeLists_txt=lists, io__handle_h="",
                            io__reader_h='#include "hyperdefect/io/info.h"\n#include "hyperdefect/io/handle.h"\n')
        self.assertEqual(len(found), 1)
        self.assertIn("reader.h:2: hyperdefect/io/handle.h: a header that is installed includes one that is not",
                      found[0])


class HiddenTorch(unittest.TestCase):
    def test_use_without_include_is_found(self):
        self.assertEqual(problems_in(nn__a_h="torch::Tensor f();\n"),
                         ["lib/hyperdefect/nn/a.h: uses torch without an #include of it: <torch/types.h> is missing"])

    def test_include_through_our_own_header_is_enough(self):
        self.assertEqual(problems_in(nn__a_h="#include <torch/types.h>\ntorch::Tensor f();\n",
                                     nn__a_cpp='#include "hyperdefect/nn/a.h"\ntorch::Tensor f() { return {}; }\n'), [])

    def test_each_declaration_wants_its_own_header(self):
        for text, header in (("torch::NoGradGuard guard;", "torch/utils.h"), ("TORCH_MODULE(A);", "torch/nn/pimpl.h"),
                             ("torch::nn::Conv2d conv;", "torch/nn/modules/conv.h")):
            found = problems_in(nn__a_cpp=f"#include <torch/types.h>\n{text}\n")
            self.assertEqual(found, [f"lib/hyperdefect/nn/a.cpp: uses torch without an #include of it: <{header}> is missing"])
            self.assertEqual(problems_in(nn__a_cpp=f"#include <{header}>\n{text}  // torch::cuda::is_available()\n"), [])

    def test_all_of_torch_is_refused(self):
        self.assertIn("lib/hyperdefect/nn/a.h: includes all of torch, which takes 7 s to compile",
                      problems_in(nn__a_h="#include <torch/torch.h>\ntorch::Tensor f();\n")[0])

    def test_a_circle_of_includes_ends(self):
        self.assertEqual(len(problems_in(nn__a_h='#include "hyperdefect/nn/b.h"\ntorch::Tensor f();\n',
                                         nn__b_h='#include "hyperdefect/nn/a.h"\n')), 1)


if __name__ == "__main__":
    unittest.main()
