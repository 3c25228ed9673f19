// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "hyperdefect/io/cube_writer.h"
#include "support/envi_files.h"
#include "support/program.h"

namespace hyperdefect::test {
namespace {

/// A cube of 2 x 3 pixels and 4 bands, 48 bytes.
std::string write_cube(const std::filesystem::path& file) {
  RawCube cube;
  cube.interleave = "bil";
  cube.more =
      "wavelength units = Nanometers\nwavelength = {500, 600, 700, 800.5}\nfwhm = {5, 5, 5, 6}\n"
      "bbl = {1, 0, 1, 0}\ndata ignore value = 65535\nreflectance scale factor = 10000\n"
      "map info = {UTM, 1, 1, 500000, 5000000, 2, 3, 33, North, WGS-84}\n";
  write_raw_cube<std::uint16_t>(file, cube, distinct_value);
  return file;
}

/// The only entry of info's JSON list.
nlohmann::json json_of(const std::string& file) {
  const auto outcome = run_program({"info", file, "--json"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  return nlohmann::json::parse(outcome.out).at(0);
}

TEST(InfoOfACube, SaysWhatItIsInAPage) {
  const TempDir folder;
  const auto file = write_cube(folder / "scan.img");
  const auto outcome = run_program({"info", file});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out.substr(0, outcome.out.find("  crs")),
            file + "\n" +
                "  kind              cube\n"
                "  data file         " +
                file + "\n" + "  header            " + (folder / "scan.hdr").string() + "\n" +
                "  driver            ENVI\n"
                "  rows              2\n"
                "  cols              3\n"
                "  bands             4\n"
                "  wavelengths       500 to 800.5 nm (ENVI header)\n"
                "  fwhm              5 to 6 nm\n"
                "  bad bands         2, counted from 0: 1 3\n"
                "  data type         uint16\n"
                "  interleave        bil\n"
                "  bytes             48\n"
                "  no data           65535\n"
                "  scale             1e-04\n"
                "  values            in the units of the file; no white reference is applied\n");
  EXPECT_TRUE(contains(outcome.out, "  crs               WGS 84, Transverse_Mercator\n"));
  EXPECT_TRUE(contains(outcome.out, "  pixel size        2 x 3\n"));
}

TEST(InfoOfACube, SaysTheSameInJsonAlsoByItsHeader) {
  const TempDir folder;
  const auto file = write_cube(folder / "scan.img");
  const auto json = json_of(folder / "scan.hdr");
  EXPECT_EQ(json["data_file"], file);
  EXPECT_EQ(json["kind"], "cube");
  EXPECT_EQ(json["rows"], 2);
  EXPECT_EQ(json["wavelengths_nm"], (std::vector<double>{500, 600, 700, 800.5}));
  EXPECT_EQ(json["bad_bands"], (std::vector<int>{1, 3}));
  EXPECT_EQ(json["no_data"], 65535);
  EXPECT_EQ(json["pixel_size"], (std::vector<double>{2, 3}));
}

TEST(InfoOfACube, SaysWhichKeysAreIgnored) {
  const TempDir folder;
  RawCube cube;
  cube.more = "wavelengths = {500, 600, 700, 800}\nfwhm =\n";
  write_raw_cube<std::uint16_t>(folder / "scan.img", cube, distinct_value);
  const auto outcome = run_program({"info", folder / "scan.img"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_TRUE(contains(outcome.err,
                       "scan.hdr line 10: unknown key 'wavelengths' is ignored; did you mean "
                       "'wavelength'?"));
}

TEST(InfoOfACube, SaysWhereSomethingIsNotStated) {
  const TempDir folder;
  io::write_envi(folder / "plain.img", torch::ones({3, 2, 2}), {3, {}, {}, {}});
  const auto outcome = run_program({"info", folder / "plain.img"});
  EXPECT_TRUE(contains(outcome.out, "  wavelengths       none\n"));
  EXPECT_TRUE(contains(outcome.out, "  crs               no georeference\n"));
  EXPECT_EQ(outcome.out.find("fwhm"), std::string::npos);
}

TEST(InfoOfAModel, SaysHowItWasMade) {
  const TempDir folder;
  run_program({"synth", "-o", folder.path(), "--rows", "16", "--cols", "16", "--bands", "8"});
  const auto detected =
      run_program({"detect", folder / "scene_001.img", "-o", folder / "maps", "--save-model", "--set",
                   "model.detector=rx", "--set", "threshold.method=sigma"});
  ASSERT_EQ(detected.exit_code, 0) << detected.err;
  const auto file = (folder / "maps/scene_001_model.safetensors").string();
  const auto outcome = run_program({"info", file});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  for (const auto* line :
       {"  kind              model\n", "  detector          rx\n", "  training cubes    1\n",
        "  values            in the units of the files, without references\n", " (sigma)\n",
        "  bands             8\n", "  wavelengths       400 to 1000 nm\n",
        "  score quantiles   0: ", "  summary           Preprocess(bands=8, transform=none, bins=8)\n",
        "                    rx: Mahalanobis distance to the background mean over 8 bands\n",
        "                    multiply-adds per pixel: 64\n", "threshold.method: sigma\n"}) {
    EXPECT_TRUE(contains(outcome.out, line));
  }
  const auto json = json_of(file);
  EXPECT_EQ(json["threshold_method"], "sigma");
  EXPECT_EQ(json["settings"]["model.detector"], "rx");
  EXPECT_LE(json["score_quantiles"]["0.5"], json["score_quantiles"]["1"]);
  EXPECT_TRUE(contains(json["configuration_yaml"], "  detector: rx\n"));
}

TEST(Info, FailsAsTheOnlyFileFails) {
  const TempDir folder;
  expect_failure(run_program({"info", "none.img"}), 3, "none.img");
  expect_failure(run_program({"info", "none.safetensors"}), 4,
                 "none.safetensors: no such model file, or it cannot be read");
  write_bytes(folder / "bad.safetensors", "not a model");
  expect_failure(run_program({"info", folder / "bad.safetensors"}), 4,
                 "bad.safetensors: not a whole safetensors file");
}

TEST(Info, ShowsTheOthersWhereOneOfSeveralFails) {
  const TempDir folder;
  const auto file = write_cube(folder / "scan.img");
  const auto outcome = run_program({"info", "none.img", file, "none.safetensors"});
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_TRUE(contains(outcome.out, file + "\n  kind              cube\n"));
  EXPECT_TRUE(contains(outcome.err, "none.img"));
  EXPECT_TRUE(contains(outcome.err, "none.safetensors: no such model file"));
  const auto json = nlohmann::json::parse(run_program({"info", "none.img", file, "--json"}).out);
  EXPECT_EQ(json[0]["file"], "none.img");
  EXPECT_TRUE(contains(json[0]["error"], "none.img"));
  EXPECT_EQ(json[1]["kind"], "cube");
}

}  // namespace
}  // namespace hyperdefect::test
