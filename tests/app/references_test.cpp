// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <torch/types.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "hyperdefect/io/map_reader.h"
#include "support/envi_files.h"
#include "support/program.h"
#include "support/result_files.h"
#include "support/small_runs.h"

namespace hyperdefect::test {
namespace {

namespace fs = std::filesystem;

using Value = std::function<double(std::int64_t band, std::int64_t row, std::int64_t col)>;

constexpr std::int64_t kBands = 8;
constexpr std::int64_t kRows = 16;
constexpr std::int64_t kCols = 12;

double white(std::int64_t band, std::int64_t row, std::int64_t col) {
  return 20000 + 1000 * static_cast<double>(band) + 700 * static_cast<double>(col) +
         static_cast<double>(row % 2);
}
double dark(std::int64_t band, std::int64_t, std::int64_t col) {
  return 100 + 3 * static_cast<double>(band) + 40 * static_cast<double>(col);
}

/// The counts of a scene with a defect, as a camera with these references records it.
Value counts_of_scene(std::uint64_t seed) {
  return [scene = mixtures_with_defect(kBands, kRows, kCols, seed)](auto b, auto r, auto c) {
    return dark(b, r, c) + scene[b][r][c].template item<float>() * (white(b, 0, c) - dark(b, r, c));
  };
}

/// Raw scans with references in folders.
class ReferencesOfCubes : public ::testing::Test {
 protected:
  ReferencesOfCubes() {
    write("in/scan.img", kRows, counts_of_scene(1));
    write("in/scan_WHITEREF.img", 4, white);
    write("in/DARKREF_scan.img", 2, dark);
  }

  std::string path(const std::string& file) const { return (folder_ / file).string(); }

  void write(const std::string& file, std::int64_t rows, const Value& value, RawCube cube = {}) const {
    cube.rows = rows;
    cube.cols = cube.cols == 3 ? kCols : cube.cols;
    cube.bands = kBands;
    cube.interleave = "bil";
    cube.more += "wavelength units = nm\nwavelength = {500, 550, 600, 650, 700, 750, 800, 850}\n";
    fs::create_directories((folder_ / file).parent_path());
    write_raw_cube<std::uint16_t>(folder_ / file, cube, value);
  }

  Outcome detect(const std::string& input, const std::string& output,
                 const std::vector<std::string>& more = {}) const {
    return run_program(joined(joined({"detect", path(input), "-o", path(output)}, rx()), more));
  }

  Outcome train(const std::vector<std::string>& more = {}, const std::string& input = "in") const {
    return run_program(
        joined(joined({"train", path(input), "-o", path("m.safetensors"), "--overwrite"}, rx()), more));
  }

  Outcome infer(const std::string& input, const std::vector<std::string>& more = {}) const {
    return run_program(joined({"infer", "-m", path("m.safetensors"), path(input), "-o", path("maps"),
                               "--overwrite", "--threads", "1"},
                              more));
  }

  nlohmann::json json(const std::string& file) const {
    return nlohmann::json::parse(read_bytes(folder_ / file));
  }

  torch::Tensor scores(const std::string& output) const {
    return io::read_map(folder_ / output / "scan_score.tif");
  }

  /// The reflectance of the scene's counts, computed in double, as a cube of its own.
  std::string write_reflectance() const {
    const auto counts = counts_of_scene(1);
    auto values = torch::empty({kBands, kRows, kCols});
    for (std::int64_t b = 0; b < kBands; ++b) {
      for (std::int64_t r = 0; r < kRows; ++r) {
        for (std::int64_t c = 0; c < kCols; ++c) {
          const double mean_white = white(b, 0, c) + 0.5;
          values[b][r][c] = (std::floor(counts(b, r, c)) - dark(b, r, c)) / (mean_white - dark(b, r, c));
        }
      }
    }
    return write_cube(folder_ / "reflectance/scan.img", values);
  }

  TempDir folder_;
};

TEST_F(ReferencesOfCubes, ConvertThemIfTheyLieBesideThemAndItIsSaid) {
  const auto outcome = detect("in", "maps");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err,
                       "scan.img: converted to reflectance with scan_WHITEREF.img and "
                       "DARKREF_scan.img (found next to it; data.references=none keeps its "
                       "values)\n"));
  const auto row = json("maps/scan.json");
  EXPECT_EQ(row["white_reference"], path("in/scan_WHITEREF.img"));
  EXPECT_EQ(row["dark_reference"], path("in/DARKREF_scan.img"));
  EXPECT_EQ(row["dead_elements"], 0);
  EXPECT_EQ(row["input"].size(), 6U) << "three files and their headers";
  EXPECT_EQ(json("maps/summary.json")["cubes"][0]["white_reference"], path("in/scan_WHITEREF.img"));
  write_reflectance();
  ASSERT_EQ(detect("reflectance", "expected").exit_code, 0);
  EXPECT_TRUE(torch::allclose(scores("maps"), scores("expected"), 1e-3, 1e-3));
  EXPECT_EQ(json("expected/scan.json")["white_reference"], "");
}

TEST_F(ReferencesOfCubes, AreNotAppliedIfTheyAreSwitchedOff) {
  const auto outcome = detect("in", "maps", {"--set", "data.references=none"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.err.find("reflectance"), std::string::npos) << outcome.err;
  EXPECT_EQ(json("maps/scan.json")["white_reference"], "");
  write("alone/scan.img", kRows, counts_of_scene(1));
  ASSERT_EQ(detect("alone", "expected").exit_code, 0);
  EXPECT_TRUE(scores("maps").equal(scores("expected")));
}

TEST_F(ReferencesOfCubes, AreThoseThatAFileNamesRelativeToIt) {
  write("line/refs/W.img", 1, white);
  write("line/refs/D.img", 1, dark);
  write("alone/scan.img", kRows, counts_of_scene(1));
  write_bytes(folder_ / "line/my.yaml", "data:\n  white: refs/W.img\n  dark: refs/D.img\n");
  const auto outcome = detect("alone", "maps", {"-c", path("line/my.yaml")});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "scan.img: converted to reflectance with W.img and D.img\n"));
  EXPECT_EQ(json("maps/scan.json")["dark_reference"], path("line/refs/D.img"));
}

TEST_F(ReferencesOfCubes, AreNotJudgedIfTheyAreNamed) {
  write("alone/scan.img", kRows, counts_of_scene(1));
  write("alone/W.img", 2, white);
  const std::vector<std::string> named{"--set", "data.white=" + path("alone/W.hdr")};
  const auto outcome = detect("alone", "maps", named);
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(
      contains(outcome.err, "left out " + path("alone/W.img") + ": data.white or data.dark names it"));
  EXPECT_EQ(json("maps/summary.json")["cubes"].size(), 1U);
  EXPECT_EQ(json("maps/scan.json")["white_reference"], path("alone/W.img"));
  const auto nothing = detect("alone/W.img", "none", named);
  EXPECT_EQ(nothing.exit_code, 3);
  EXPECT_TRUE(contains(nothing.err,
                       "the inputs hold no cube other than the references that data.white and "
                       "data.dark name"));
}

TEST_F(ReferencesOfCubes, TakeThePlaceOfTheScale) {
  RawCube scaled;
  scaled.more = "data gain values = {2, 2, 2, 2, 2, 2, 2, 2}\n";
  write("in/scan.img", kRows, counts_of_scene(1), scaled);
  const auto left = detect("in", "left");
  EXPECT_TRUE(contains(left.err,
                       "scan.img: scan_WHITEREF.img lies next to it but is not applied: the cube states "
                       "a scale and the reference does not, so that it seems to hold reflectance "
                       "already; to apply the reference, name it with data.white"));
  EXPECT_EQ(json("left/scan.json")["white_reference"], "");
  const auto named = detect("in", "named", {"--set", "data.white=" + path("in/scan_WHITEREF.img")});
  EXPECT_TRUE(contains(named.err,
                       "converted to reflectance with scan_WHITEREF.img and DARKREF_scan.img, in "
                       "place of its own scale and offset\n"));
  write("in/scan.img", kRows, counts_of_scene(1));
  ASSERT_EQ(detect("in", "unscaled").exit_code, 0);
  EXPECT_TRUE(scores("named").equal(scores("unscaled")));
}

TEST_F(ReferencesOfCubes, AreNotAppliedToReflectance) {
  write_reflectance();
  write("reflectance/white.img", 1, white);
  const auto outcome = detect("reflectance", "maps");
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err,
                       "white.img lies next to it but is not applied: the cube is float32 and the "
                       "reference uint16, so that it seems to hold reflectance already"));
}

TEST_F(ReferencesOfCubes, SayWhatIsMissing) {
  fs::remove(folder_ / "in/DARKREF_scan.img");
  fs::remove(folder_ / "in/DARKREF_scan.hdr");
  EXPECT_TRUE(
      contains(detect("in", "maps").err,
               "scan.img: it has no dark reference, so that the dark signal counts as 0; name one with "
               "data.dark"));
  write("other/scan.img", kRows, counts_of_scene(1));
  write("other/scan_dark.img", 1, dark);
  EXPECT_TRUE(
      contains(detect("other", "other_maps").err,
               "scan.img: scan_dark.img lies next to it, but no white reference does: its values stay "
               "as the file holds them"));
}

TEST_F(ReferencesOfCubes, SayHowManyElementsAreDead) {
  write("in/scan_WHITEREF.img", 2,
        [](auto b, auto r, auto c) { return c == 5 || (b == 2 && c == 1) ? 0 : white(b, r, c); });
  const auto outcome = detect("in", "maps");
  EXPECT_TRUE(
      contains(outcome.err,
               "scan.img: 9 of 96 detector elements are dead (the white reference is saturated, is not "
               "finite or is not above the dark signal) and are interpolated along the bands; 1 column "
               "is dead in all bands, so that no pixel of it is valid"));
  EXPECT_EQ(json("maps/scan.json")["dead_elements"], 9);
  EXPECT_EQ(json("maps/scan.json")["invalid_pixels"], kRows);
}

TEST_F(ReferencesOfCubes, AreRefusedIfTheyAreOfNoUse) {
  const auto named = [](const std::string& key, const std::string& file) {
    return std::vector<std::string>{"--set", "data." + key + '=' + file};
  };
  expect_failure(detect("in/scan.img", "maps", named("white", path("none.img"))), 3,
                 "data.white names " + path("none.img") + ", but there is no such file");
  expect_failure(detect("in/scan.img", "maps", joined(named("dark", path("none.img")), {"--dry-run"})), 3,
                 "data.dark names " + path("none.img") + ", but there is no such file");
  EXPECT_FALSE(fs::exists(folder_ / "maps"));
  write("alone/scan.img", kRows, counts_of_scene(1));
  expect_failure(detect("alone/scan.img", "maps", named("dark", path("in/DARKREF_scan.img"))), 3,
                 "scan.img: data.dark names " + path("in/DARKREF_scan.img") +
                     ", but there is no white reference; name it with data.white, or leave data.dark out");
  RawCube narrow;
  narrow.cols = 11;
  write("narrow.img", 2, white, narrow);
  expect_failure(detect("alone/scan.img", "maps", named("white", path("narrow.img"))), 3,
                 "narrow.img: cannot be the white reference of " + path("alone/scan.img") +
                     ": it has 11 columns, and the cube has 12");
  expect_failure(detect("alone/scan.img", "maps",
                        joined(named("white", path("in/DARKREF_scan.img")),
                               named("dark", path("in/scan_WHITEREF.img")))),
                 3, "the white reference is darker than the dark reference in 96 of 96 detector elements");
  write("in/white_scan.img", 1, white);
  expect_failure(
      detect("in/scan.img", "maps"), 3,
      "scan.img: scan_WHITEREF.img and white_scan.img may both be its white reference; name one with "
      "data.white, or remove the other");
}

TEST_F(ReferencesOfCubes, ThatAreTruncatedAreNamed) {
  const auto bytes = read_bytes(folder_ / "in/scan_WHITEREF.img");
  write_bytes(folder_ / "in/scan_WHITEREF.img", bytes.substr(0, bytes.size() / 2));
  expect_failure(detect("in/scan.img", "maps"), 3, "scan_WHITEREF.img: is truncated");
}

TEST_F(ReferencesOfCubes, ThatChangedMakeACubeNewForResume) {
  write("in/good.img", kRows, counts_of_scene(2));
  ASSERT_EQ(detect("in", "maps").exit_code, 0);
  write("in/scan_WHITEREF.img", 5, white);
  const auto outcome = detect("in", "maps", {"--resume"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.err, "scan.img is judged again: " + path("in/scan_WHITEREF.img") + " had "));
  EXPECT_TRUE(contains(outcome.err, "1 of 2 cubes were already finished"));
}

TEST_F(ReferencesOfCubes, AreDescribedByInfo) {
  const auto outcome = run_program({"info", path("in/scan.img")});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_TRUE(contains(outcome.out,
                       "  values            reflectance, with the references next to the cube\n"
                       "  white reference   " +
                           path("in/scan_WHITEREF.img") + "\n  dark reference    " +
                           path("in/DARKREF_scan.img") + "\n  dead elements     0 of 96\n"));
  const auto described = [&](const std::string& file) {
    return nlohmann::json::parse(run_program({"info", path(file), "--json"}).out).at(0);
  };
  EXPECT_EQ(described("in/scan.img")["values"], "reflectance");
  EXPECT_EQ(described("in/scan.img")["white_reference"], path("in/scan_WHITEREF.img"));
  EXPECT_EQ(described("in/scan_WHITEREF.img")["values"], "file_units");
  RawCube narrow;
  narrow.cols = 11;
  write("in/scan_WHITEREF.img", 2, white, narrow);
  EXPECT_EQ(described("in/scan.img")["values"], nullptr);
  EXPECT_TRUE(contains(run_program({"info", path("in/scan.img")}).out,
                       "  values            cannot be converted to reflectance: " +
                           path("in/scan_WHITEREF.img") + ": cannot be the white reference"));
}

TEST_F(ReferencesOfCubes, OfATrainingAreAskedOfEveryCubeOfItsModel) {
  ASSERT_EQ(train().exit_code, 0);
  EXPECT_TRUE(contains(run_program({"info", path("m.safetensors")}).out,
                       "  values            reflectance, by white and dark references\n"));
  EXPECT_EQ(infer("in/scan.img").exit_code, 0);
  write("alone/raw.img", kRows, counts_of_scene(3));
  const std::string message =
      "raw.img: its values are as the file holds them, but the model was trained on reflectance; name its "
      "white "
      "reference with data.white, or place it next to the cube (STEM_WHITEREF)";
  expect_failure(infer("alone/raw.img"), 4, message);
  EXPECT_EQ(infer("alone/raw.img", {"--set", "data.white=" + path("in/scan_WHITEREF.img")}).exit_code, 0);
  write("alone/raw_too.img", kRows, counts_of_scene(4));
  EXPECT_EQ(infer("alone").exit_code, 5);
  EXPECT_EQ(json("maps/summary.json")["cubes"][0]["error"], path("alone/raw.img") + message.substr(7));
}

TEST_F(ReferencesOfCubes, AreRefusedByAModelThatWasTrainedWithoutThem) {
  write("alone/raw.img", kRows, counts_of_scene(3));
  ASSERT_EQ(train({}, "alone").exit_code, 0);
  EXPECT_TRUE(contains(run_program({"info", path("m.safetensors")}).out,
                       "  values            in the units of the files, without references\n"));
  expect_failure(infer("in/scan.img", {"-q"}), 4,
                 "scan.img: scan_WHITEREF.img and DARKREF_scan.img would convert it to reflectance, but the "
                 "model was trained on cubes without references; set data.references=none, or train a model "
                 "with references");
  EXPECT_EQ(infer("in/scan.img", {"--set", "data.references=none"}).exit_code, 0);
}

TEST_F(ReferencesOfCubes, MustBeThereForAllTrainingCubesOrForNone) {
  write("in/bare.img", kRows, counts_of_scene(2));
  expect_failure(train({"-q"}), 3,
                 "bare.img: it has no white reference, but scan_WHITEREF.img converts " +
                     path("in/scan.img") +
                     " to reflectance; give all training cubes references, or none (data.references=none)");
  EXPECT_EQ(train({"--set", "data.references=none"}).exit_code, 0);
}

TEST_F(ReferencesOfCubes, NamedInATrainingAreNotKeptByItsModel) {
  write("alone/raw.img", kRows, counts_of_scene(3));
  ASSERT_EQ(train({"--set", "data.white=" + path("in/scan_WHITEREF.img")}, "alone").exit_code, 0);
  expect_failure(infer("alone/raw.img"), 4, "but the model was trained on reflectance");
}

}  // namespace
}  // namespace hyperdefect::test
