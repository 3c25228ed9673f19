// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_reader.h"
#include "support/envi_files.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

class BadInput : public ::testing::Test {
 protected:
  Outcome detect(const fs::path& input, const std::vector<std::string>& more = rx()) const {
    return run_program(joined({"detect", input, "-o", folder_ / "maps"}, more));
  }

  std::string path(const std::string& name) const { return folder_ / name; }

  TempDir folder_;
};

TEST_F(BadInput, MissingFile) {
  expect_failure(detect("none.img"), 3, "none.img: there is no such file or folder");
  expect_failure(detect("none*.img"), 3, "none*.img: no cube matches the pattern");
  expect_failure(detect("@none.txt"), 3, "none.txt: the list of inputs cannot be read");
  EXPECT_FALSE(fs::exists(folder_ / "maps"));
}

TEST_F(BadInput, FolderWithoutCubes) {
  write_bytes(folder_ / "in/notes.txt", "");
  expect_failure(detect(folder_ / "in"), 3,
                 path("in") + ": the folder holds no cube; looked for GeoTIFF files");
}

TEST_F(BadInput, HeaderWithoutData) {
  write_bytes(folder_ / "scan.hdr", RawCube().header());
  expect_failure(detect(folder_ / "scan.hdr"), 3,
                 path("scan.hdr") + ": the header's data file is missing: neither scan");
}

TEST_F(BadInput, DataWithoutHeader) {
  write_bytes(folder_ / "scan.img", "0123456789");
  expect_failure(
      detect(folder_ / "scan.img"), 3,
      path("scan.img") +
          ": is not an image that can be read, and there is no ENVI header (scan.img.hdr or scan.hdr)");
}

TEST_F(BadInput, TruncatedData) {
  write_raw_cube<std::uint16_t>(folder_ / "scan.img", {}, distinct_value);
  fs::resize_file(folder_ / "scan.img", 40);
  expect_failure(
      detect(folder_ / "scan.img"), 3,
      path("scan.img") + ": is truncated: it has 40 bytes, but its header scan.hdr describes 48 (");
}

TEST_F(BadInput, HeaderThatIsReadInTwoWays) {
  auto header = RawCube().header();
  write_raw_cube<std::uint16_t>(folder_ / "scan.img", {}, distinct_value);
  write_bytes(folder_ / "scan.hdr", header.replace(header.find("byte order = 0"), 14, "byte_order = 1"));
  expect_failure(
      detect(folder_ / "scan.img"), 3,
      path("scan.hdr") + " line 9: unknown key 'byte_order'; if 'byte order' is meant, write it like that");
}

TEST_F(BadInput, NumbersThatAreNotFinite) {
  auto header = RawCube().header();
  write_raw_cube<std::uint16_t>(folder_ / "scan.img", {}, distinct_value);
  write_bytes(folder_ / "scan.hdr", header.replace(header.find("samples = 3"), 11, "samples = nan"));
  expect_failure(detect(folder_ / "scan.img"), 3,
                 path("scan.hdr") + " line 2: samples = nan: it must be a whole number from 1 to 2147483647");
  RawCube cube;
  cube.more = "data gain values = {1, nan, 1, 1}\n";
  write_raw_cube<std::uint16_t>(folder_ / "scan.img", cube, distinct_value);
  expect_failure(detect(folder_ / "scan.img"), 3,
                 path("scan.hdr") + " line 10: data gain values: entry 2, 'nan', is not finite");
}

TEST_F(BadInput, FilesThatReferToOthers) {
  const auto other = write_small_cube(folder_ / "other.img");
  write_bytes(
      folder_ / "scan.tif",
      "<VRTDataset rasterXSize=\"5\" rasterYSize=\"4\"><VRTRasterBand dataType=\"Float32\" band=\"1\">"
      "<SimpleSource><SourceFilename relativeToVRT=\"0\">" +
          other + "</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>");
  expect_failure(
      detect(folder_ / "scan.tif"), 3,
      path("scan.tif") + ": is of the format VRT, which may refer to other files or to the network");
  expect_failure(detect(folder_ / "scan.tif"), 3, "allow it with data.drivers=[VRT]");
}

TEST_F(BadInput, ClassificationMap) {
  RawCube cube;
  cube.bands = 1;
  cube.data_type = 1;
  cube.more = "classes = 3\n";
  write_bytes(folder_ / "classes.img", cube.bytes<std::uint8_t>(distinct_value));
  auto header = cube.header();
  header.replace(header.find("Standard"), 8, "Classification");
  write_bytes(folder_ / "classes.hdr", header);
  expect_failure(detect(folder_ / "classes.img"), 3,
                 path("classes.hdr") + ": is a classification map, not a cube");
}

TEST_F(BadInput, ComplexValues) {
  RawCube cube;
  cube.data_type = 6;
  write_raw_cube<double>(folder_ / "scan.img", cube, distinct_value);
  expect_failure(detect(folder_ / "scan.img"), 3,
                 path("scan.hdr") + ": data type = 6 (complex) is not supported");
}

TEST_F(BadInput, NoValidPixel) {
  const auto too_few = path("cube.img") + ": too few valid pixels to learn from: 0, at least 2 are needed";
  for (const float value : {NAN, 0.0F}) {
    write_cube(folder_ / "cube.img", torch::full({4, 6, 6}, value));
    expect_failure(detect(folder_ / "cube.img"), 3, too_few);
  }
  RawCube cube;
  cube.more = "data ignore value = 7\n";
  write_raw_cube<std::uint16_t>(folder_ / "cube.img", cube, [](auto, auto, auto) { return 7; });
  expect_failure(detect(folder_ / "cube.img", tiny_network()), 3, too_few);
  EXPECT_EQ(names_below(folder_ / "maps"), std::vector<std::string>());
}

TEST_F(BadInput, TooFewValidPixels) {
  auto values = torch::zeros({4, 6, 6});
  values.index_put_({torch::indexing::Slice(), 2, 2}, 1);
  write_cube(folder_ / "cube.img", values);
  expect_failure(detect(folder_ / "cube.img"), 3,
                 path("cube.img") + ": too few valid pixels to learn from: 1");
  write_cube(folder_ / "pixel.img", torch::ones({4, 1, 1}));
  expect_failure(detect(folder_ / "pixel.img", tiny_network()), 3,
                 path("pixel.img") + ": too few valid pixels to learn from: 1");
}

TEST_F(BadInput, CubesThatAreOnlyUnusualWork) {
  const auto whole = mixtures_with_defect(5, 12, 10, 1);
  auto partly = whole.clone();
  partly.select(1, 0).zero_();
  write_cube(folder_ / "in/partly.img", partly);
  write_cube(folder_ / "in/tiny.img", whole.slice(1, 0, 3).slice(2, 0, 5));
  write_cube(folder_ / "in/one_band.img", whole.slice(0, 1, 2));
  const auto outcome = detect(folder_ / "in", tiny_network());
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  const auto score = io::read_map(folder_ / "maps/partly_score.tif");
  EXPECT_TRUE(score.select(0, 0).isnan().all().item<bool>());
  for (const auto* name : {"partly", "tiny", "one_band"}) {
    const auto map = io::read_map(folder_ / "maps" / (name + std::string("_score.tif"))).slice(0, 1);
    EXPECT_TRUE(map.isfinite().all().item<bool>()) << name;
    const auto defect = map[1].slice(0, 3, 5).max().item<float>();
    EXPECT_GT(defect, map.median().item<float>()) << name;
  }
}

TEST_F(BadInput, OneBadCubeDoesNotStopTheOthers) {
  write_small_cube(folder_ / "in/a.img");
  write_bytes(folder_ / "in/b.hdr", RawCube().header());
  write_bytes(folder_ / "in/b.img", "short");
  write_cube(folder_ / "in/c.img", torch::zeros({4, 6, 6}));
  write_small_cube(folder_ / "in/d.img");
  const auto outcome = detect(folder_ / "in", joined(rx(), {"--fail-on-defect"}));
  EXPECT_EQ(outcome.exit_code, 5);
  EXPECT_TRUE(contains(outcome.err, "error: " + path("in/b.img") + ": is truncated"));
  EXPECT_TRUE(contains(outcome.err, "error: " + path("in/c.img") + ": too few valid pixels"));
  EXPECT_TRUE(contains(outcome.out, path("in/b.img") + "    failed"));
  const auto summary = nlohmann::json::parse(read_bytes(folder_ / "maps/summary.json"));
  EXPECT_EQ(summary["totals"]["cubes"], 4);
  EXPECT_EQ(summary["totals"]["failed"], 2);
  EXPECT_EQ(summary["cubes"][1]["file"], path("in/b.img"));
  EXPECT_EQ(summary["cubes"][1]["status"], "failed");
  EXPECT_TRUE(summary["cubes"][1]["score_max"].is_null());
  EXPECT_TRUE(contains(summary["cubes"][1]["error"], "is truncated"));
  EXPECT_EQ(summary["cubes"][3]["status"], "ok");
  const auto csv = read_bytes(folder_ / "maps/scores.csv");
  EXPECT_TRUE(contains(csv, path("in/b.img") + ",failed,,false,,,0,0,0,0,0,0,0,0,,,,,,,,,,"));
  EXPECT_TRUE(fs::exists(folder_ / "maps/d.json"));
  EXPECT_FALSE(fs::exists(folder_ / "maps/b.json"));
}

TEST_F(BadInput, WrongConfiguration) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  const auto yaml = path("my.yaml");
  write_bytes(yaml, "train:\n  epcohs: 3\n  epochs: many\n  batch: 0\nrun:\n  seed: 1\n  seed: 2\n");
  const auto outcome = detect(cube, {"-c", yaml});
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_TRUE(contains(outcome.err, yaml + ":2: train.epcohs: unknown key; did you mean train.epochs?"));
  EXPECT_TRUE(contains(outcome.err, yaml + ":3: train.epochs: "));
  EXPECT_TRUE(contains(outcome.err, yaml + ":4: train.batch: '0' is out of range; allowed: 1 to 4096"));
  EXPECT_TRUE(contains(outcome.err, yaml + ":7: "));
  expect_failure(detect(cube, {"-c", "none.yaml"}), 2, "none.yaml: cannot be read");
  expect_failure(detect(cube, {"--set", "train.epcohs=3"}), 2,
                 "--set train.epcohs=3: train.epcohs: unknown key; did you mean train.epochs?");
  expect_failure(detect(cube, {"--threads", "-1"}), 2,
                 "--threads -1: run.threads: '-1' is out of range; allowed: 0 to 1024");
  EXPECT_FALSE(fs::exists(folder_ / "maps"));
}

TEST_F(BadInput, ConfigurationThatDoesNotFitTheCube) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  expect_failure(detect(cube, joined(rx(), {"--set", "preprocess.drop_bands=[8]"})), 3,
                 cube + ": preprocess.drop_bands holds 8, but the cube's bands are 0 to 7");
  expect_failure(detect(cube, joined(rx(), {"--set", "preprocess.min_wavelength_nm=5000"})), 3,
                 cube + ": no band is left of the cube's 8");
}

TEST_F(BadInput, OutputThatExists) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  for (const auto* name : {"scan.json", "scan_overlay.png", "summary.json"}) {
    write_bytes(folder_ / "maps" / name, "1");
    expect_failure(detect(cube), 2,
                   path("maps") + "/" + name + " exists: nothing was done; choose another folder");
    EXPECT_EQ(names_below(folder_ / "maps"), std::vector<std::string>{name});
    EXPECT_EQ(read_bytes(folder_ / "maps" / name), "1");
    fs::remove(folder_ / "maps" / name);
  }
}

TEST_F(BadInput, OutputThatCannotBeWritten) {
  const auto cube = write_small_cube(folder_ / "scan.img");
  write_bytes(folder_ / "maps", "a file");
  expect_failure(detect(cube), 2, "cannot make the output folder " + path("maps") + ": ");
  expect_failure(detect(cube, {"--overwrite", "--resume"}), 2,
                 "--overwrite and --resume contradict each other: give one");
  expect_failure(run_program({"detect", cube, "-o", "/proc/maps"}), 2,
                 "cannot make the output folder /proc/maps: ");
  EXPECT_EQ(read_bytes(folder_ / "maps"), "a file");
}

TEST(BadArguments, AreNamedWithWhatToDo) {
  expect_failure(run_program({}), 2, "A subcommand is required; see `hyperdefect --help`");
  expect_failure(
      run_program({"infr", "x.img"}), 2,
      "no command is named 'infr': choose one of train, infer, threshold, detect, eval, info, config, synth");
  expect_failure(run_program({"detect", "x.img", "-o", "maps", "--treads", "1"}), 2,
                 "The following argument was not expected: --treads; see `hyperdefect detect --help`");
  expect_failure(run_program({"detect", "x.img"}), 2,
                 "--output is required; see `hyperdefect detect --help`");
  expect_failure(run_program({"infer", "x.img", "-o", "maps"}), 2, "--model is required");
  expect_failure(run_program({"detect", "x.img", "-o", "maps", "--log-level", "loud"}), 2,
                 "log level 'loud' is unknown: choose one of debug, info, warning, error, off");
}

}  // namespace
}  // namespace hyperdefect::test
